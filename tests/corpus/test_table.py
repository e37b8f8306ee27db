"""The ninety classes are all accounted for: in the corpus, by a test elsewhere that exists, or said to be lacking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.elsewhere import ELSEWHERE, NOT_YET
from tests.corpus.test_corpus import CLASSES

ROOT = Path(__file__).parents[2]
TABLE = range(1, 91)


def test_every_class_of_the_table_is_in_one_place() -> None:
    assert sorted([*CLASSES, *ELSEWHERE]) == list(TABLE)


@pytest.mark.parametrize("number", [n for n, (_, held) in ELSEWHERE.items() if held != NOT_YET])
def test_the_test_that_holds_a_class_elsewhere_exists(number: int) -> None:
    file, _, name = ELSEWHERE[number][1].partition("::")
    assert f"def {name or 'test_'}" in (ROOT / file).read_text("utf-8")


def test_every_class_has_three_files_and_a_hostile_one() -> None:
    assert {n: len(c.files) for n, c in CLASSES.items() if len(c.files) < 3} == {}


def test_names_of_files_are_of_one_class_only_once() -> None:
    for one in CLASSES.values():
        names = [f.name for f in one.files]
        assert len(set(names)) == len(names), one.title
