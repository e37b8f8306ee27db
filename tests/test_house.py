"""The house rules that no linter knows: one door per library, sizes, locks without addresses."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOORS = {
    "argon2": ("twin/accounts/passwords.py",),
    "authlib": ("twin/accounts/provider.py",),
    "fpdf": ("twin/reports/paper.py",),
    "joserfc": ("twin/accounts/provider.py",),
    "pyotp": ("twin/accounts/second_factor.py",),
    "duckdb": ("twin/duck.py",),
    "pyproj": ("twin/geodesy",),
    "rasterio": ("twin/rasters",),
    "pydeck": ("twin/deck.py",),
    "plotly": ("twin/charts.py",),
    "apscheduler": ("twin/runs/cadence.py",),
    "sqlalchemy": ("twin/ops",),
    "alembic": ("twin/ops",),
}


def python_files(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        path = ROOT / room
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def ours() -> list[Path]:
    return [p for p in python_files("twin", "layers", "etl", "dashboard.py") if "node_modules" not in p.parts]


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_one_door(library: str) -> None:
    inside = [str(p.relative_to(ROOT)) for p in ours() if library in imports(p)]
    assert [p for p in inside if not p.startswith(DOORS[library])] == []


def test_only_durable_renames_and_syncs() -> None:
    calls = re.compile(
        r"\bos\.(replace|rename|renames|fsync|fdatasync)\(|\.(rename|replace)\(\s*(self\.)?\w*(path|final|target)"
    )
    found = [p.name for p in ours() if p.name != "durable.py" and calls.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_no_broad_except_anywhere() -> None:
    broad = re.compile(r"^\s*except(\s+(Exception|BaseException)\b.*)?:", re.MULTILINE)
    assert [str(p.relative_to(ROOT)) for p in ours() if broad.search(p.read_text(encoding="utf-8"))] == []


def test_every_module_says_what_it_knows() -> None:
    silent = [
        str(p.relative_to(ROOT)) for p in ours() if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert [p for p in silent if not p.startswith("layers/")] == []


def test_the_composition_root_is_small_and_nobody_imports_it() -> None:
    assert len((ROOT / "dashboard.py").read_text(encoding="utf-8").splitlines()) <= 80
    assert [p for p in ours() if "dashboard" in imports(p)] == []


def test_files_and_functions_stay_small() -> None:
    long_files = {
        str(p.relative_to(ROOT)): n for p in ours() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long_files == {}


def test_locks_hold_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    npm = (ROOT / "twin/map/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in npm
    assert json.loads(npm)["packages"]


def test_nothing_built_or_delivered_is_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wrong = [t for t in tracked if re.match(r"(data/(raw|store|run|tiles|live)/|twin/map/(vendor|node_modules)/)", t)]
    assert wrong == []
    big = [t for t in tracked if (ROOT / t).is_file() and (ROOT / t).stat().st_size > 1_000_000]
    assert big == []
