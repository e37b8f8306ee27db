"""The whole catalogue: 58 departments and 282 resources, counted by department and theme, in the official codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from etl import catalog, official, proofs
from tests import receiving
from twin import declared

if TYPE_CHECKING:
    from etl.catalog import Catalog

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (
    16, 18, 10, 10, 10, 10, 11, 8, 8, 10, 8, 8, 7, 6, 8, 4, 5, 5, 4, 3, 5, 1, 4, 3, 4, 4, 3, 5, 3,
    3, 2, 2, 2, 1, 1, 2, 3, 1, 2, 5, 2, 3, 5, 3, 4, 2, 2, 4, 4, 2, 3, 1, 3, 4, 3, 1, 1, 10,
)  # fmt: skip
"""Resources of departments 01 to 58."""
NOT_SHARED = {"mortgage", "seizure"}


@pytest.fixture(scope="module")
def known() -> Catalog:
    return catalog.read(ROOT / "data")


def test_fifty_eight_departments_hold_exactly_282_resources_each_its_own_number(known: Catalog) -> None:
    assert tuple(len(d.resources) for d in known.departments) == COUNTS
    assert len(known.resources) == sum(COUNTS) == 282


def test_the_five_themes_lead_as_many_resources_as_the_design_says(known: Catalog) -> None:
    led: Counter[str] = Counter()
    for department in known.departments:
        led[department.theme] += len(department.resources)
    assert led == {"planning": 33, "business": 55, "environment": 30, "service": 82, "governance": 82}


def test_every_provider_code_has_the_check_digits_of_the_standard(known: Catalog) -> None:
    assert all(official.is_credit_code(d.provider_code) for d in known.departments)
    assert official.is_credit_code("91350100M000100Y43"), "the standard's own example"
    assert not official.is_credit_code("91350100M000100Y44")
    assert not official.is_credit_code("91350100M000100Y4")
    assert not official.is_credit_code("9135O100M000100Y43"), "O is no digit"


def test_every_resource_has_three_or_more_items_unless_it_is_made_of_files(known: Catalog) -> None:
    for resource in known.resources:
        if resource.kind not in catalog.FILES:
            assert 2 <= len(resource.fields) <= 18, resource.id
            assert len({f.title.zh for f in resource.fields}) == len(resource.fields), resource.id


def test_what_is_not_shared_is_listed_without_a_source(known: Catalog) -> None:
    assert {r.id for r in known.resources if r.share_type == "none"} == NOT_SHARED
    assert {r.id for r in known.resources if not r.sources} == NOT_SHARED


def test_what_counts_people_has_a_floor_and_says_where_numbers_are_withheld(known: Catalog) -> None:
    for resource in known.resources:
        floors = [
            f for f in resource.fields if f.minimum == 5 and f.type == "integer" and f.unit in ("人", "人次", "户")
        ]
        if "(汇总)" in resource.title.zh and floors:
            assert resource.field_named("is_suppressed"), resource.id
        if "汇总" in resource.title.zh or "脱敏" in resource.title.zh:
            assert not [f.name for f in resource.fields if f.sensitivity in ("personal", "sensitive")], resource.id


def test_one_column_name_has_one_unit_in_every_table(known: Catalog) -> None:
    units: dict[str, set[str]] = {}
    for resource in known.resources:
        for field in resource.fields:
            units.setdefault(field.name, set()).add(field.unit)
    odd = {name: found for name, found in units.items() if len(found) > 1}
    assert not odd


OFFICIAL = receiving.DEPARTMENT.replace('class_path = ["试验"]', 'class_path = ["主题", "农业农村", "种植业", "地块"]')
FAULTS = {
    "a code of another form": (OFFICIAL, "资源代码应为"),
    "three levels for four": (
        OFFICIAL.replace(', "地块"]', "]").replace('code = "1"', 'code = "201001/010001"'),
        "四级",
    ),
    "another class's digit": (OFFICIAL.replace('code = "1"', 'code = "101001/010001"'), "开头"),
    "another department's number": (OFFICIAL.replace('code = "1"', 'code = "201001/770001"'), "部门号 77"),
    "a provider without check digits": (OFFICIAL, "校验码不对"),
    "data of what is not shared": (
        receiving.DEPARTMENT.replace('share_type = "unconditional"', 'share_type = "none"'),
        "只编目",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_declaration_that_is_not_official_is_refused(tmp_path: Path, case: str) -> None:
    text, words = FAULTS[case]
    assert any(words in f.zh for f in catalog.check(receiving.village(tmp_path, text))), case


def test_two_resources_never_share_a_code_and_one_class_has_one_number(known: Catalog) -> None:
    first, second = known.departments[0].resources[:2]
    for code, words in ((first.code, "相同"), ("103009/010002", "不对应")):
        document = declared.parse("", "01_natural_resources.toml")
        facts = proofs.Facts(
            village=None,
            departments=[replace(known.departments[0], resources=(first, replace(second, code=code)))],
            code_systems=(),
            places={f"resource:{r.id}": proofs.Place(document, ()) for r in (first, second)},
        )
        official.prove(facts)
        assert [f.zh for f in document.faults if words in f.zh], words


def test_what_is_not_shared_is_never_received_and_says_why(tmp_path: Path) -> None:
    from etl import run
    from twin import settings

    text = receiving.DEPARTMENT.replace('share_type = "unconditional"', 'share_type = "none"')
    start, end = text.index("[[resource.source]]"), text.index("[[resource.field]]")
    folder = receiving.village(tmp_path, text[:start] + text[end:])
    known = catalog.read(folder)
    receiving.deliver(tmp_path, [receiving.feature(1)])
    report = run.run(known.resources[0], known, replace(settings.read({}), data=tmp_path, village=folder))
    assert report.status == "never"
    assert "不予共享" in report.reason_zh
    assert "not shared" in report.reason_en
    assert not (tmp_path / "store" / "cover").exists()
