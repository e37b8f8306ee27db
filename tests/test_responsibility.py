"""Who answers for what: one lead for every layer, every kind of case and every resource; a doubt is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layers
from etl import catalog
from etl.demo import events
from tests import receiving
from twin.model import item_of_case, item_of_layer

if TYPE_CHECKING:
    from etl.catalog import Catalog

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def known() -> Catalog:
    return catalog.read(ROOT / "data")


def test_every_layer_has_exactly_one_lead_the_department_it_declares(known: Catalog) -> None:
    assert len(layers.LAYERS) == 18
    for layer in layers.LAYERS:
        leads = [i.lead for i in known.responsibilities if layer.id in i.layers]
        assert leads == [layer.department], layer.id
        found = item_of_layer(known.responsibilities, layer.id)
        assert found is not None
        assert found.legal_basis


def test_every_kind_of_case_the_hotline_records_goes_to_exactly_one_lead(known: Catalog) -> None:
    kinds = {f"{matter[4]}/{matter[5]}" for matter in events._MATTERS}
    assert {c for i in known.responsibilities for c in i.categories} == kinds
    for kind in kinds:
        large, _, small = kind.partition("/")
        assert sum(kind in i.categories for i in known.responsibilities) == 1, kind
        assert item_of_case(known.responsibilities, large, small) is not None


def test_every_resource_has_a_matter_that_somebody_leads(known: Catalog) -> None:
    matters = {i.matter: i for i in known.responsibilities}
    departments = {d.id for d in known.departments}
    assert {r.responsibility_item for r in known.resources} <= matters.keys()
    assert {i.lead for i in matters.values()} == departments, "nobody of the 58 is without a duty"
    assert catalog.join(known, layers.THEMES, layers.LAYERS).responsibilities == known.responsibilities


ITEM = """
[[item]]
matter = "图斑"
title = { zh = "图斑", en = "Cover" }
legal_basis = "法"
lead = "land"
helpers = []
place = { zh = "全村", en = "the village" }
limit_working_days = 5
"""
WRONG = {
    "a lead that is no department": (ITEM.replace('lead = "land"', 'lead = "nobody"'), "没有部门 nobody"),
    "a lead that helps itself": (ITEM.replace("helpers = []", 'helpers = ["land"]'), "主办不能又是协办"),
    "a limit below nothing": (ITEM.replace("= 5", "= -1"), "时限不能为负"),
    "two leads of one matter": (ITEM + ITEM, "只能有一个主办"),
    "two leads of one kind of case": (
        (ITEM + 'categories = ["a/b"]') + ITEM.replace('"图斑"\n', '"别的"\n', 1) + 'categories = ["a/b"]',
        "a/b 只能有一个主办",
    ),
    "a resource nobody leads": (ITEM.replace('matter = "图斑"', 'matter = "别的"'), "责任清单中没有“图斑”"),
    "a key that is none": (ITEM + 'leads = "x"', "不认识的项 leads"),
    "a table that is none": (ITEM + "[other]", "不认识的表 other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_doubt_about_who_answers_is_refused(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    department = receiving.DEPARTMENT.replace('theme = "planning"', 'theme = "planning"\nresponsibility_item = "图斑"')
    folder = receiving.village(tmp_path, department)
    (folder / "responsibility.toml").write_text(text, "utf-8")
    found = catalog.check(folder)
    assert [f for f in found if words in f.zh and f.en and f.remedy_zh], case


def test_a_village_without_the_list_is_none_the_worse(tmp_path: Path) -> None:
    assert catalog.read(receiving.village(tmp_path)).responsibilities == ()


def test_a_layer_nobody_leads_or_another_leads_is_a_fault(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ROOT / "data/catalog", tmp_path / "catalog")
    shutil.copytree(ROOT / "data/codes", tmp_path / "codes")
    shutil.copy(ROOT / "data/village.toml", tmp_path)
    text = (ROOT / "data/responsibility.toml").read_text("utf-8")
    for old, new, words in (
        ('layers = ["L07"]\n', "", "图层 L07 没有主办单位"),
        ('layers = ["L07"]', 'layers = ["L07", "L99"]', "没有图层 L99"),
        ('layers = ["L07"]', 'layers = ["L07", "L06"]', "L06 只能有一个主办"),
    ):
        (tmp_path / "responsibility.toml").write_text(text.replace(old, new), "utf-8")
        found = catalog.check(tmp_path, layers.LAYERS, layers.THEMES)
        assert [f for f in found if words in f.zh], words
