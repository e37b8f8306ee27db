"""The words of the code lists, as a department writes them beside its codes; read from data/codes."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[1] / "codes"
CODES = SHIPPED if SHIPPED.is_dir() else Path(__file__).resolve().parents[3] / "data" / "codes"
"""In a wheel the demo's code tables lie beside it; in the repository they are the village's."""


@cache
def _titles(system: str) -> dict[str, str]:
    name, _, version = system.partition("@")
    with (CODES / f"{name}_{version}.toml").open("rb") as file:
        return {entry["code"]: entry["title"]["zh"] for entry in tomllib.load(file)["code"]}


def title_of(system: str, code: str) -> str:
    """Give the Chinese name of a code, e.g. ("sandiao@2019", "0101") → 水田."""
    return _titles(system)[code]
