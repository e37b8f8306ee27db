"""The bundle's form: which files it holds, its checksums and signature, and the archive."""

from __future__ import annotations

import gzip
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy import bill, lock, wheels
from deploy.machine import seal

ROOT = wheels.ROOT
VENDOR = ROOT / "twin" / "map" / "vendor"
PACKAGE_LOCK = ROOT / "twin" / "map" / "package-lock.json"
CACHE = ROOT / "build" / "bundle" / "wheels"
OUR_OWN = "village-onemap"
DECLARED = ("*.toml", "catalog/**/*.toml", "codes/**/*.toml", "derived/*.toml", "rules/*.toml", "reports/*.*")
PAPERS = ("LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md")
DOCUMENTS = ("operations.md", "security.md")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made: the archive, the version, how many third-party parts, and whether it is signed."""

    archive: Path
    version: str
    parts: int
    signed: bool


def project_version() -> str:
    """Give the version that pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def commit() -> tuple[str, int]:
    """Give the commit and its time (Unix seconds); "+changes" where the tree differs from it."""
    said = subprocess.run(
        ["git", "log", "-1", "--format=%h %ct"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    return said[0] + ("+changes" if changed.stdout.strip() else ""), int(said[1])


def add_wheels(folder: Path, pins: Sequence[lock.Pin], cache: Path, epoch: int) -> dict[str, Path]:
    """Put our own wheel, those of `pins` and pip's into the bundle, with the lock they are installed by; gives theirs.

    Raises SystemExit, in words, where `cache` lacks one or its bytes are not those pinned.
    """
    (folder / "wheels").mkdir(parents=True)
    built = wheels.own(folder / "wheels", epoch)
    found = {pin.name: wheels.find(pin, cache) for pin in [*pins, _pip()]}
    for path in found.values():
        shutil.copyfile(path, folder / "wheels" / path.name)
    hashed = f"{OUR_OWN}=={project_version()} \\\n    --hash=sha256:{seal.sha256(built)}"
    texts = [*(pin.text for pin in pins), hashed]
    (folder / "requirements.lock").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return found


def add_the_rest(folder: Path, version: str, parts: list[bill.Part]) -> None:
    """Put everything else but checksums and signature into the bundle."""
    at, epoch = commit()
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "sbom.cdx.json", bill.sbom(parts, version, epoch))
    bill.write_licences(parts, VENDOR, ROOT / "LICENSE", folder / "LICENSES")
    _copy_ours(folder)
    _write_json(folder / "MANIFEST.json", _manifest(version, at))


def parts_of(pins: Sequence[lock.Pin], found: Mapping[str, Path]) -> list[bill.Part]:
    """Give every third-party part: of the wheels found, else of what is installed here, and of the front end."""
    return [*(bill.of_python(pin, found.get(pin.name)) for pin in pins), *bill.of_npm(VENDOR, PACKAGE_LOCK)]


def _pip() -> lock.Pin:
    return lock.read(wheels.BUILD_LOCK)["pip"]


def _manifest(version: str, at: str) -> dict[str, str]:
    machine = f"Python {sys.version_info[0]}.{sys.version_info[1]}, {platform.system()} {platform.machine()}"
    return {"version": version, "project": project_version(), "commit": at, "machine": machine}


def _copy_ours(folder: Path) -> None:
    """Copy what is no package: the composition root, declarations, papers, and what runs on the machine."""
    for name in ("dashboard.py", *PAPERS):
        shutil.copyfile(ROOT / name, folder / name)
    for pattern in DECLARED:
        for path in sorted((ROOT / "data").glob(pattern)):
            _copy(path, folder / "data" / path.relative_to(ROOT / "data"))
    for name in DOCUMENTS:
        _copy(ROOT / "docs" / name, folder / "docs" / name)
    for path in sorted((ROOT / "deploy" / "machine").glob("*.py")):
        _copy(path, folder / "machine" / path.name)
    for path in sorted((ROOT / "deploy" / "units").glob("onemap*")):
        _copy(path, folder / "units" / path.name)
    shutil.copy(ROOT / "deploy" / "install.sh", folder / "install.sh")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_json(path: Path, said: object) -> None:
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def close(folder: Path, key: Path | None) -> bool:
    """Write every file's checksum and, with a private key (PEM), the signature over them; gives whether signed."""
    for name in (seal.SUMS, seal.SIGNATURE):
        (folder / name).unlink(missing_ok=True)
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    text = "".join(f"{seal.sha256(p)}  {p.relative_to(folder).as_posix()}\n" for p in paths)
    (folder / seal.SUMS).write_text(text, encoding="utf-8")
    if key is None:
        return False
    private = load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SystemExit(f"{key} is no ed25519 private key (openssl genpkey -algorithm ed25519)")
    (folder / seal.SIGNATURE).write_bytes(private.sign(text.encode()))
    return True


def pack(folder: Path, archive: Path, epoch: int) -> Path:
    """Pack a closed bundle; the same files give the same bytes."""
    fresh = archive.with_name(archive.name + ".new")
    with (
        fresh.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=epoch) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            tar.add(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", filter=lambda m: _plain(m, epoch))
    fresh.replace(archive)
    return archive


def _plain(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = epoch
    member.mode = 0o755 if member.name.endswith(".sh") else 0o644
    return member


def make(version: str, out: Path, key: Path | None) -> Made:
    """Download, build, gather, sign and pack."""
    pins = list(lock.runtime(lock.read(ROOT / "requirements.lock"), lock.roots(ROOT / "pyproject.toml")).values())
    wheels.download([*pins, _pip()], CACHE)
    out.mkdir(parents=True, exist_ok=True)
    folder = out / f"onemap-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    found = add_wheels(folder, pins, CACHE, commit()[1])
    parts = parts_of([*pins, _pip()], found)
    add_the_rest(folder, version, parts)
    signed = close(folder, key)
    archive = pack(folder, out / f"{folder.name}.tar.gz", commit()[1])
    shutil.rmtree(folder)
    return Made(archive=archive, version=version, parts=len(parts), signed=signed)
