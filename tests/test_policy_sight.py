"""Who sees a thing and what a person sees: what the security administrator is told is what the oracle says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import oracle, village
from tests.matrix.oracle import AREAS, COLUMNS, GRANTS, LAYERS, OWN, TABLES
from twin.errors import NotFound
from twin.policy import ANONYMOUS_LOCAL, Policy, Subject, grants, sight
from twin.policy.sight import Line

ROOT = Path(__file__).resolve().parents[1]
ONEMAP = village.onemap()
WITH = {"official": "official with a purpose", "department_owner": "department_owner with a purpose"}
"""Who sees more once a purpose is named, as the oracle calls them then."""
ASKERS = [w for w in GRANTS if w not in ("nobody", *WITH.values())]
PRECISIONS = {"anonymous": (100.0, 1000.0), "resident": (100.0, 1000.0), "grid_worker": (0.0, 0.0)}
"""Metres of the grid that conditionally shared places and people are told on, as promised."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(ONEMAP, grants.read(ROOT / "data" / "grants.toml"))


def rows(who: str, table: str) -> str:
    """Give which rows the oracle lets somebody see: all, some, only counted, or none."""
    later = WITH.get(who, who)
    there = [oracle.row_is_there(w, table, a) for w in {who, later} for a in AREAS]
    if any(there):
        return "all" if all(there) else "some"
    return "sums" if any(oracle.countable(who, table, a) for a in AREAS) else "none"


def best(who: str, table: str, column: str) -> str:
    """Give how the oracle lets somebody read a column wherever they see it best; of a grid's rows, which might come."""
    if who == "grid_worker" and TABLES[table]["coded"] == "village" and COLUMNS[column] == "personal":
        return "masked"
    order = ("clear", "masked", "hidden")
    return min((oracle.access(who, table, a, column).replace("gone", "hidden") for a in AREAS), key=order.index)


def lines(policy: Policy, who: str) -> dict[str, Line]:
    return {x.what: x for x in sight.what_sees(ONEMAP, policy, village.subject(who)).lines}


@pytest.mark.parametrize("who", ASKERS)
def test_what_a_person_sees_is_told_row_by_row_and_column_by_column_as_the_oracle_says(
    policy: Policy, who: str
) -> None:
    found = lines(policy, who)
    assert list(found) == [r.id for r in ONEMAP.resources]
    for table, told in found.items():
        assert told.rows == rows(who, table), table
        assert told.title == ONEMAP.resource(table).title  # type: ignore[union-attr]
        if told.rows in ("sums", "none"):
            assert told.columns == {}
            assert told.precision_m == 0
            continue
        declared = {c: told.columns[c] for c in COLUMNS if c not in ("id", "note")}
        assert {c: a.now for c, a in declared.items()} == {c: best(who, table, c) for c in declared}, table
        assert {c: a.purposed for c, a in declared.items()} == {c: best(WITH.get(who, who), table, c) for c in declared}
        assert told.columns["note"].now == told.columns["note"].purposed == "hidden"
        assert "year" not in told.columns
        assert (told.precision_m == 0) == oracle.exact(who, table)


@pytest.mark.parametrize("who", ASKERS)
def test_layers_are_told_with_yes_and_no_as_the_oracle_says(policy: Policy, who: str) -> None:
    seen = sight.what_sees(ONEMAP, policy, village.subject(who))
    assert [(x, yes) for x, _, yes in seen.layers] == [(x, oracle.layer_is_there(who, x)) for x in LAYERS]
    assert [t for _, t, _ in seen.layers] == [x.title for x in ONEMAP.layers]


@pytest.mark.parametrize("who", ASKERS)
def test_limits_and_areas_are_told_with_every_line(policy: Policy, who: str) -> None:
    for table, told in lines(policy, who).items():
        if told.rows == "none":
            assert (told.smallest_count, told.max_rows, told.max_km2, told.areas) == (0, 0, 0, ())
            continue
        assert told.smallest_count == oracle.smallest(who, table), table
        assert told.max_rows >= 1000
        assert told.max_km2 == 25.0
        assert all(a.startswith(village.CODES[OWN]) for a in told.areas)
        assert bool(told.areas) or told.rows != "some"
        assert told.precision_m in (0.0, *PRECISIONS.get(who, (100.0, 100.0)))


def test_purposes_are_told_where_they_change_something_and_only_to_those_who_may_name_one(policy: Policy) -> None:
    official, owner = lines(policy, "official"), lines(policy, "department_owner")
    assert official["home"].purposes == ("visit", "relief", "emergency", "verification")
    assert owner["home"].purposes == ("quality",)
    assert owner["thing"].purposes == ()
    for who in ("planner", "grid_worker", "auditor", "anonymous"):
        assert {x.purposes for x in lines(policy, who).values()} == {()}
    mute = [replace(r, may=()) for r in policy.grants.roles]
    silent = Policy(ONEMAP, replace(policy.grants, roles=tuple(mute)))
    assert lines(silent, "official")["home"].purposes == ()


def test_people_of_whom_only_numbers_are_told_are_told_with_the_least_number(policy: Policy) -> None:
    told = lines(policy, "planner")["home"]
    assert (told.rows, told.smallest_count) == ("sums", 10)
    assert lines(policy, "official")["home"].smallest_count == 0


def test_who_sees_a_table_has_a_line_for_every_role_and_two_for_owners_of_data(policy: Policy) -> None:
    found = sight.who_sees(ONEMAP, policy, "home")
    titles = [x.title.zh for x in found.lines]
    roles = list(policy.grants.roles)
    assert len(titles) == len(set(titles)) == len(roles) + 1
    assert {r.title.zh for r in roles if r.id != "department_owner"} <= set(titles)
    own, other = [x for x in found.lines if "部门" in x.title.zh and "（" in x.title.zh]
    assert ("本部门" in own.title.zh, "another" in other.title.en) == (True, True)
    assert (own.rows, other.rows) == ("some", "sums")
    assert (found.what, found.title) == ("home", ONEMAP.resource("home").title)  # type: ignore[union-attr]
    assert {x.what for x in found.lines} == {"home"}


@pytest.mark.parametrize("table", TABLES)
def test_who_sees_a_table_is_for_every_role_what_the_oracle_says(policy: Policy, table: str) -> None:
    called = {r.title.zh: r.id for r in policy.grants.roles}
    for told in sight.who_sees(ONEMAP, policy, table).lines:
        who = called.get(told.title.zh)
        if who not in (None, "system"):
            assert told.rows == rows(who, table), (who, table)
        if who == "system":  # a key for every layer and the whole village, without a single column kept back
            wanted = "none" if TABLES[table]["share"] == "none" else "all" if table == "plot" else "some"
            assert told.rows == wanted, table
            assert told.rows == "none" or told.columns["label"].now == "clear"


def test_the_columns_of_a_table_are_told_by_class_and_unclassified_ones_as_such(policy: Policy) -> None:
    told = sight.who_sees(ONEMAP, policy, "home").columns
    assert {c: tuple(names) for c, names in told.items()} == {
        "public": ("row_id", "label", "area_code"),
        "internal": ("memo",),
        "personal": ("keeper_name", "keeper_phone"),
        "sensitive": ("id_card",),
        "unclassified": ("note",),
    }
    assert list(told) == ["public", "internal", "personal", "sensitive", "unclassified"]
    assert told["personal"]["keeper_name"] == ONEMAP.resource("home").field_named("keeper_name").title  # type: ignore[union-attr]
    classes = sight.what_sees(ONEMAP, policy, ANONYMOUS_LOCAL).classes["home"]
    assert classes == {n: c for c, names in told.items() for n in names}


def test_who_sees_a_layer_is_told_with_the_tables_it_draws(policy: Policy) -> None:
    called = {r.title.zh: r.id for r in policy.grants.roles}
    for layer in LAYERS:
        found = sight.who_sees(ONEMAP, policy, layer)
        assert {x.what for x in found.lines} == {layer}
        assert [t for t, _ in found.draws] == [t for t, drawn in oracle.DRAWN.items() if layer in drawn]
        assert [title for _, title in found.draws] == [ONEMAP.resource(t).title for t, _ in found.draws]  # type: ignore[union-attr]
        for told in found.lines:
            who = called.get(told.title.zh)
            if who not in (None, "system"):
                assert told.rows == ("all" if oracle.layer_is_there(who, layer) else "none"), (who, layer)


def test_nobody_sees_what_there_is_not(policy: Policy) -> None:
    with pytest.raises(NotFound, match="nothing"):
        sight.who_sees(ONEMAP, policy, "nothing")


def test_somebody_of_a_role_holds_in_this_village_and_no_more_than_the_role_needs() -> None:
    code = ONEMAP.village.code
    for role in ("anonymous", "resident", "data_engineer", "security_admin", "auditor", "local"):
        assert sight.of_role(ONEMAP, role, "land") == Subject(id=role, role=role)
    for role in ("official", "planner"):
        assert sight.of_role(ONEMAP, role, "land") == Subject(id=role, role=role, prefix=code)
    owner = sight.of_role(ONEMAP, "department_owner", "land")
    assert (owner.prefix, owner.department, owner.grid) == (code, "land", "")
    worker = sight.of_role(ONEMAP, "grid_worker")
    assert (worker.prefix, worker.grid) == (code, f"{code}001")
    key = sight.of_role(ONEMAP, "system")
    assert key.scopes == (*(f"layer:{x}:read" for x in LAYERS), f"area:{code}")
    assert key.prefix == ""


def test_a_table_that_a_purpose_opens_as_such_is_told_hidden_now_and_clear_then() -> None:
    held = grants.read(ROOT / "data" / "grants.toml")
    first = next(g for g in held.grants if g.role == "official")
    shut = replace(first, columns={"internal": "clear"}, with_purpose={"public": "clear"}, purposes=("visit",), area={})
    told = lines(Policy(ONEMAP, replace(held, grants=(shut,))), "official")["plot"]
    assert (told.rows, told.purposes) == ("all", ("visit",))
    assert (told.columns["label"].now, told.columns["label"].purposed) == ("hidden", "clear")
