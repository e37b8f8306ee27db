"""The village as one person may know of it, and what an answer has taken up of personal data: listed, noted, forgotten."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import oracle, village
from tests.matrix.oracle import AREAS, GRANTS, LAYERS, TABLES
from tests.serving_fixture import text
from twin.model import Indicator
from twin.policy import Permit, Policy, delivered, grants, noted, view

ROOT = Path(__file__).resolve().parents[1]
ONEMAP = village.onemap()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(ONEMAP, grants.read(ROOT / "data" / "grants.toml"))


def there(who: str, table: str) -> bool:
    return any(oracle.row_is_there(who, table, a) for a in AREAS)


@pytest.mark.parametrize("who", GRANTS)
def test_a_village_holds_the_layers_draws_and_tables_of_whoever_looks_and_no_other(policy: Policy, who: str) -> None:
    seen = view(ONEMAP, policy, village.subject(who))
    drawn = {x: [t for t, layers in oracle.DRAWN.items() if x in layers and there(who, t)] for x in LAYERS}
    wanted = {x: tables for x, tables in drawn.items() if tables and oracle.layer_is_there(who, x)}
    assert {x.id: [d.table for d in x.draws] for x in seen.layers} == wanted
    assert {r.id for r in seen.resources} == {t for t in TABLES if there(who, t)}
    assert [d.id for d in seen.departments] == [d.id for d in ONEMAP.departments]
    assert seen.village == ONEMAP.village


@pytest.mark.parametrize("who", GRANTS)
def test_a_number_is_there_for_whoever_may_count_by_all_that_it_is_made_of(policy: Policy, who: str) -> None:
    def number(column: str, kind: str) -> Indicator:
        parts = {"by": {"by": column}, "sum": {"column": column}, "where": {"where": ((column, "=", "x"),)}}
        return Indicator(id=f"{column} {kind}", theme="t", title=text("数"), table="thing", **parts[kind])

    columns, kinds = ("label", "memo", "keeper_name", "id_card", "note"), ("by", "sum", "where")
    numbers = tuple(number(c, k) for c in columns for k in kinds)
    onemap = replace(ONEMAP, themes=(replace(ONEMAP.themes[0], indicators=numbers),))
    shown = {i.id for t in view(onemap, policy, village.subject(who)).themes for i in t.indicators}
    assert shown == {f"{c} {k}" for c in columns for k in kinds if oracle.usable(who, "thing", c)}


# what an answer takes up

ASKER = village.subject("official with a purpose")
PERSONAL = Permit(resource="home", audit="unmask", max_km2=25.0)


def alone(test) -> None:
    """Run a test in a context of its own: what one answer takes up is no other's."""
    copy_context().run(test)


def test_personal_rows_are_noted_by_table_and_manner_and_told_once() -> None:
    def told() -> None:
        noted.drain()
        noted.take(ASKER, PERSONAL, 2)
        noted.take(ASKER, PERSONAL, 3)
        noted.take(ASKER, replace(PERSONAL, audit="read"), 1)
        noted.take(ASKER, replace(PERSONAL, resource="shop"), 4)
        assert [(t.table, t.seen, t.purpose, t.rows) for t in noted.drain()] == [
            ("home", "unmask", "visit", 5),
            ("home", "read", "visit", 1),
            ("shop", "unmask", "visit", 4),
        ]
        assert noted.drain() == ()

    alone(told)


def test_nothing_is_noted_of_no_rows_or_of_what_is_not_personal() -> None:
    def told() -> None:
        noted.drain()
        noted.take(ASKER, PERSONAL, 0)
        noted.take(ASKER, replace(PERSONAL, audit="none"), 7)
        assert noted.drain() == ()

    alone(told)


def test_two_answers_take_up_nothing_of_each_other() -> None:
    answers = [copy_context(), copy_context()]
    for answer in answers:
        answer.run(noted.drain)
    for rows, answer in enumerate(answers, 1):
        answer.run(noted.take, ASKER, PERSONAL, rows)
    assert [[t.rows for t in answer.run(noted.drain)] for answer in answers] == [[1], [2]]


BOX = (119.97, 30.53, 119.9701, 30.5301)


def test_ground_is_told_once_with_its_cells_and_its_limit_where_it_counts() -> None:
    counting = replace(PERSONAL, counts=True)

    def told() -> None:
        noted.drain()
        noted.place(PERSONAL, [BOX])
        noted.place(counting, [])
        noted.place(counting, [None])
        assert noted.places() == ()
        noted.place(counting, [None, BOX])
        noted.place(counting, [BOX])
        cells = frozenset(delivered.along(BOX))
        assert [(t.table, t.limit_km2, t.cells) for t in noted.places()] == [("home", 25.0, cells)] * 2
        assert noted.places() == ()
        noted.place(counting, [BOX])
        noted.drain()
        assert noted.places() == ()

    alone(told)
