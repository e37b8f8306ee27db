"""The words of the page: both catalogues complete and used, and numbers written as each language writes them."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest

from twin import text
from twin.model import Text

ROOT = Path(__file__).resolve().parents[1]
ZH, EN = text.catalogue("zh-CN"), text.catalogue("en")
SOURCES = [
    *ROOT.glob("twin/pages/*.py"),
    *ROOT.glob("twin/text/*.py"),
    *ROOT.glob("twin/api/data_*.py"),
    *ROOT.glob("twin/reports/*.py"),
    *ROOT.glob("twin/runs/*.py"),
    *ROOT.glob("twin/quarantine/*.py"),
    *ROOT.glob("twin/api/refused_*.py"),
    ROOT / "twin/api/history.py",
    *ROOT.glob("twin/assets/**/*.*js"),
]
CODE = "\n".join(p.read_text("utf-8") for p in SOURCES)
CHINESE = re.compile(r"[㐀-鿿]")
IN_BOTH = {"page.bar.lang", "page.bar.lang_why", "page.sign.lang"}
"""The switch of languages says itself in the other one."""


def places(wording: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name}


ONE = ".one"
"""Ends the key of an English wording for a single thing."""


def test_both_catalogues_have_the_same_keys_in_the_same_order_but_for_english_singulars():
    assert list(ZH) == [k for k in EN if not k.endswith(ONE)]


def test_every_singular_stands_behind_its_plural_and_counts_by_n():
    singular = [k for k in EN if k.endswith(ONE)]
    assert singular
    for key in singular:
        assert "n" in places(EN[key.removesuffix(ONE)])
        assert places(EN[key]) == places(EN[key.removesuffix(ONE)])


def test_english_counts_one_thing_in_the_singular():
    assert text.t("page.menu.resources", "en", n=1) == "1 data set"
    assert text.t("page.menu.resources", "en", n="1") == "1 data set"
    assert text.t("page.menu.resources", "en", n=44) == "44 data sets"
    assert text.words("page.list.total", n=1) == Text("共 1 条", "1 record")


def test_no_english_wording_counts_things_without_a_singular():
    counted = re.compile(r"\{n\} \w+s\b")
    assert [k for k in EN if counted.search(EN[k]) and f"{k}{ONE}" not in EN and k != "page.js.many"] == [], (
        "page.js.many is said of seven and more"
    )


def test_both_wordings_of_a_key_have_the_same_places():
    assert [k for k in ZH if places(ZH[k]) != places(EN[k])] == []


def test_english_has_no_chinese_characters():
    assert [k for k in EN if k not in IN_BOTH and CHINESE.search(EN[k])] == []


def test_every_key_named_in_the_code_exists():
    named = set(re.findall(r'words\("(page\.[a-z_.]+)"', CODE)) | set(re.findall(r'\bt\("(page\.[a-z_.]+)"', CODE))
    said = {f"page.js.{k}" for k in re.findall(r'(?:\bt|\bboth)\("([a-z_]+)"', CODE)}
    assert named
    assert said
    assert not (named | said) - set(ZH)


def test_every_key_of_the_catalogues_is_said_somewhere():
    built = re.findall(r'words\(f"(page\.[a-z_.]*)\{', CODE)
    built += re.findall(r'\bt\(f"((?:reports|runs|page)\.[a-z_.]*)\{', CODE)
    built += [f"{k}." for k in re.findall(r'\b_known\("(page\.[a-z_.]+)"', CODE)]
    unsaid = [
        k
        for k in ZH
        if f'"{k}"' not in CODE and f'"{k.removeprefix("page.js.")}"' not in CODE and not k.startswith(tuple(built))
    ]
    assert unsaid == []


def test_an_unknown_key_is_refused():
    with pytest.raises(KeyError):
        text.t("page.no.such.word", "en")


def test_a_value_that_is_a_text_is_said_in_the_same_language():
    said = text.words("page.menu.eye", name=Text("河流", "Rivers"))
    assert said == Text("河流：显示", "Rivers: show")


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [(1832, 0, "1,832"), (131.25, 1, "131.2"), (0.5, 0, "0"), (-3.0, 1, "-3"), (None, 1, "–"), (1e6, 1, "1,000,000")],
)
def test_numbers_are_grouped(value, digits, said):
    assert text.number(value, "zh-CN", digits) == text.number(value, "en", digits) == said


@pytest.mark.parametrize(
    ("value", "zh", "en"), [(12_000, "1.2万", "12K"), (9_999, "9,999", "9,999"), (120_000_000, "1.2亿", "120M")]
)
def test_large_numbers_are_short_in_each_language(value, zh, en):
    assert (text.short(value, "zh-CN"), text.short(value, "en")) == (zh, en)


@pytest.mark.parametrize(("m2", "said"), [(131.2, "0.197"), (10_000, "15.00"), (666.6667, "1.00"), (5e6, "7,500")])
def test_areas_in_mu_are_2000_thirds_of_a_square_metre(m2, said):
    assert text.mu(m2, "zh-CN") == said


def test_one_hectare_is_fifteen_mu():
    assert pytest.approx(15) == 10_000 / text.MU_M2


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "时间不详", "age unknown"),
        (20, "刚刚", "just now"),
        (180, "3分钟前", "3 minutes ago"),
        (86400 * 20, "3周前", "3 weeks ago"),
    ],
)
def test_ages_are_said_in_words(seconds, zh, en):
    assert (text.age(seconds, "zh-CN"), text.age(seconds, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("value", "zh"),
    [(True, "是"), (False, "否"), (None, "–"), ("", "–"), (date(2025, 11, 21), "2025-11-21"), ("张**", "张**")],
)
def test_any_value_has_a_plain_form(value, zh):
    assert text.plain(value, "zh-CN") == zh
