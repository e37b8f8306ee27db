"""What the bundle is made of: the bill of materials (CycloneDX 1.6) and every part's licence, from its own metadata."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import lock
from deploy.machine import seal

LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
CLASSIFIER = "License :: OSI Approved :: "
LONGEST_NAME = 100
"""A License field longer than this is the licence itself and no name of one."""
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One third-party part: where it is from, its version, licence, hashes, and its licence texts."""

    kind: str
    name: str
    version: str
    licence: str
    hashes: tuple[tuple[str, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def purl(self) -> str:
        """Give the package URL."""
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


def of_python(pin: lock.Pin, wheel: Path | None = None) -> Part:
    """Give a pinned distribution by the metadata of its wheel, else of what is installed here.

    Raises SystemExit where that is another version.
    """
    path = [str(wheel)] if wheel else sys.path
    found = next(iter(importlib.metadata.distributions(name=pin.name, path=path)), None)
    if found is None or found.version != pin.version:
        there = found.version if found else "-"
        raise SystemExit(f"{pin.name}: {there} is there, the lock says {pin.version}: run make setup")
    return Part(
        kind="pypi",
        name=pin.name,
        version=pin.version,
        licence=_licence(found),
        hashes=(("SHA-256", seal.sha256(wheel)),) if wheel else (),
        texts=dict(_texts(found)),
    )


def _licence(found: importlib.metadata.Distribution) -> str:
    said = found.metadata
    if "License-Expression" in said:
        return said["License-Expression"]
    classified = [c.removeprefix(CLASSIFIER) for c in said.get_all("Classifier", ()) if c.startswith(CLASSIFIER)]
    stated = said["License"].strip() if "License" in said else ""
    short = stated if stated and len(stated) <= LONGEST_NAME and "\n" not in stated else ""
    return short or ", ".join(classified)


def _texts(found: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    for file in found.files or ():
        inside = file.parts[0].endswith(".dist-info") and LICENCE.search(file.name)
        if inside or (len(file.parts) > 1 and file.parts[0].endswith(".dist-info") and file.parts[1] == "licenses"):
            yield "/".join(file.parts[1:]), file.read_binary().decode("utf-8", "replace")


def of_npm(vendor: Path, package_lock: Path) -> list[Part]:
    """Give the npm packages whose code is in the built front end, with the lock's hashes."""
    built = json.loads((vendor / "LICENSES.json").read_text(encoding="utf-8"))
    locked = json.loads(package_lock.read_text(encoding="utf-8"))["packages"]
    return [
        Part(
            kind="npm",
            name=p["name"],
            version=p["version"],
            licence=p["license"],
            hashes=_integrity(locked.get(f"node_modules/{p['name']}", {}), p["version"]),
        )
        for p in built
    ]


def _integrity(locked: Json, version: str) -> tuple[tuple[str, str], ...]:
    algorithm, _, text = str(locked.get("integrity", "")).partition("-")
    if locked.get("version") != version or algorithm != "sha512":
        return ()
    return (("SHA-512", base64.b64decode(text).hex()),)


def sbom(parts: list[Part], version: str, epoch: int) -> Json:
    """Give the bill of materials; the same parts at the same commit give the same bytes."""
    root = {"type": "application", "bom-ref": "village-onemap", "name": "village-onemap", "version": version}
    seed = "\n".join([version, *(f"{p.purl} {p.hashes}" for p in parts)])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**root, "licenses": [{"license": {"id": "Apache-2.0"}}]},
        },
        "components": [_component(p) for p in parts],
        "dependencies": [{"ref": "village-onemap", "dependsOn": [p.purl for p in parts]}],
    }


def _component(part: Part) -> Json:
    said: Json = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
    }
    if part.licence:
        said["licenses"] = [{"license": {"name": part.licence}}]
    if part.hashes:
        said["hashes"] = [{"alg": a, "content": c} for a, c in part.hashes]
    return said


def write_licences(parts: list[Part], vendor: Path, own: Path, into: Path) -> None:
    """Write our licence, an index of every part's, and the texts that each part brings."""
    into.mkdir(parents=True)
    (into / "village-onemap.txt").write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
    (into / "npm.txt").write_text((vendor / "LICENSES.txt").read_text(encoding="utf-8"), encoding="utf-8")
    for part in parts:
        for name, text in part.texts.items():
            target = into / f"{part.name}-{part.version}" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    rows = [f"{p.kind}\t{p.name}\t{p.version}\t{p.licence or '-'}" for p in parts]
    (into / "INDEX.tsv").write_text("\n".join(["kind\tname\tversion\tlicence", *rows]) + "\n", encoding="utf-8")
