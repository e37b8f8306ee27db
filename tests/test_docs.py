"""The documents say what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from twin.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def test_every_setting_stands_in_the_readme_with_its_default_and_its_sentence() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `ONEMAP_(\w+)` \| (.+?) \|$", readme, re.MULTILINE))
    defaults = Settings()
    expected = {
        name.upper(): f"{f'`{value}`' if (value := getattr(defaults, name)) != '' else '(empty)'} | {spec.metadata['doc']}"
        for name, spec in Settings.__dataclass_fields__.items()
    }
    assert rows == expected


def test_every_dependency_has_its_reason_in_decisions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = [re.split(r"[\[<>=!~ ]", d)[0] for d in wanted]
    decisions = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    assert [n for n in names if f"`{n}`" not in decisions] == []


def test_the_readme_names_the_two_commands_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("run", "test", "check", "bench", "soak", "screenshots"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
