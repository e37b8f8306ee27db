"""Code lists: complete, coloured, and the two land systems collide exactly where the field knows they do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from etl import catalog

if TYPE_CHECKING:
    from twin.model import CodeSystem

ROOT = Path(__file__).resolve().parents[1]

COLLISIONS = {
    "1001": ("铁路用地", "工业用地"),
    "0601": ("工业用地", "农村道路"),
    "0602": ("采矿用地", "设施农用地"),
    "1101": ("河流水面", "物流仓储用地"),
    "0303": ("红树林地", "灌木林地"),
    "0304": ("森林沼泽", "其他林地"),
    "0402": ("沼泽草地", "人工牧草地"),
    "0403": ("人工牧草地", "其他草地"),
    "1201": ("空闲地", "铁路用地"),
}
"""code → (三调, 用地用海): the same digits, another meaning; verified against both published trees."""
ALSO = {"0204", "0702", "1002", "1003", "1102", "1202", "1203", "1204", "1205", "1206", "1207"}
"""Second-level codes that differ besides those, found by comparing the two lists."""


@pytest.fixture(scope="module")
def systems() -> dict[str, CodeSystem]:
    return {system.id: system for system in catalog.read(ROOT / "data").code_systems}


def words(system: CodeSystem, code: str) -> str:
    found = system.find(code)
    assert found is not None, f"{system.id} has no {code}"
    return found.title.zh


@pytest.mark.parametrize("code", sorted(COLLISIONS))
def test_same_digits_mean_something_else_in_the_two_land_systems(systems: dict[str, CodeSystem], code: str) -> None:
    assert (words(systems["sandiao@2019"], code), words(systems["ydyh@2023"], code)) == COLLISIONS[code]


def test_there_is_no_collision_that_is_not_written_down(systems: dict[str, CodeSystem]) -> None:
    survey, plan = (
        {c.code: c.title.zh for c in systems[s].codes if len(c.code) == 4 and not c.abolished}
        for s in ("sandiao@2019", "ydyh@2023")
    )
    differing = {code for code in survey.keys() & plan.keys() if _bare(survey[code]) != _bare(plan[code])}
    assert differing == set(COLLISIONS) | ALSO


def _bare(words: str) -> str:
    """Forget what does not change the meaning: 橡胶园 and 橡胶园地 are one."""
    return re.sub(r"[用园]?地$|园$", "", words)


def test_the_survey_list_has_the_odd_codes_of_the_third_survey(systems: dict[str, CodeSystem]) -> None:
    survey = systems["sandiao@2019"]
    for code in ("05H1", "08H1", "08H2", "08H2A", "0810A", "1104A", "1107A", "0201K", "00", "1106", "1202", "0702"):
        assert survey.find(code), code


def test_second_survey_codes_are_unknown_not_abolished(systems: dict[str, CodeSystem]) -> None:
    assert not any(systems["sandiao@2019"].find(code) for code in ("011", "013", "113", "0709"))


def test_merged_and_trial_codes_are_marked_abolished(systems: dict[str, CodeSystem]) -> None:
    gone = {s: {c.code for c in systems[s].codes if c.abolished} for s in ("sandiao@2019", "ydyh@2023")}
    assert gone["sandiao@2019"] == {f"050{k}" for k in range(1, 8)} | {f"080{k}" for k in range(1, 9)}
    assert gone["ydyh@2023"] == {"0603", "0604", "1313"}


def test_the_plan_list_has_all_24_first_level_classes_and_their_children(systems: dict[str, CodeSystem]) -> None:
    codes = [c.code for c in systems["ydyh@2023"].codes if not c.abolished]
    assert sorted(c for c in codes if len(c) == 2) == [f"{k:02d}" for k in range(1, 25)]
    childless = {c for c in codes if len(c) == 2 and not any(d.startswith(c) and len(d) == 4 for d in codes)}
    assert childless == {"16", "24"}
    assert {"060101", "060102", "070301", "070302"} <= set(codes)


def test_every_code_has_both_languages_and_a_colour(systems: dict[str, CodeSystem]) -> None:
    for system in systems.values():
        for code in system.codes:
            assert code.title.zh, (system.id, code.code)
            assert code.title.en, (system.id, code.code)
            assert re.fullmatch(r"#[0-9A-F]{6}", code.colour), (system.id, code.code)


@pytest.mark.parametrize(
    ("system", "code", "colour"),
    [
        ("ydyh@2023", "01", "#F5F8DC"),
        ("ydyh@2023", "02", "#BFE9AA"),
        ("ydyh@2023", "03", "#68B167"),
        ("ydyh@2023", "0703", "#FFD380"),
        ("ydyh@2023", "070302", "#FFD380"),
        ("ydyh@2023", "0801", "#EB46DA"),
        ("ydyh@2023", "09", "#FF0000"),
        ("ydyh@2023", "1202", "#ADADAD"),
        ("ydyh@2023", "1506", "#4F7E3E"),
        ("ydyh@2023", "1701", "#338EC0"),
        ("ydyh@2023", "1705", "#9ABCE2"),
        ("sandiao@2019", "0101", "#F8D072"),
        ("sandiao@2019", "0102", "#F8E71C"),
        ("sandiao@2019", "0103", "#FFFBB1"),
    ],
)
def test_standard_colours_are_the_published_ones_and_children_inherit(
    systems: dict[str, CodeSystem], system: str, code: str, colour: str
) -> None:
    found = systems[system].find(code)
    assert found is not None
    assert found.colour == colour
