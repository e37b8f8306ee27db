"""The policy alone against the oracle: every role, table, area, column and action; no store, so that mutants die fast."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.matrix import oracle, village
from tests.matrix.oracle import AREAS, COLUMNS, GRANTS, LAYERS, TABLES, USES
from twin.errors import BadRequest, NeedsPurpose, NotFound
from twin.policy import Permit, Policy, grants

ROOT = Path(__file__).resolve().parents[2]
WHO = tuple(GRANTS)
PURPOSEFUL = {"official": "visit", "department_owner": "quality"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(village.onemap(), grants.read(ROOT / "data" / "grants.toml"))


def asked(policy: Policy, who: str, action: str, name: str) -> Permit | None:
    if policy.sees(village.subject(who), name, action):
        return policy.decide(village.subject(who), action, name)
    with pytest.raises(NotFound) as refused:
        policy.decide(village.subject(who), action, name)
    assert refused.value.zh == f"没有“{name}”"
    return None


def meets(conditions: tuple, table: str, area: str) -> bool:
    """Say whether the row of `area` meets the conditions, by plain text comparison."""
    row = {"area_code": village.code(table, area)}
    return all(op == "prefix" and any(row[c].startswith(v) for v in values) for c, op, values in conditions)


def shown(permit: Permit | None, table: str, area: str, column: str) -> str:
    if permit is None or not meets(permit.rows, table, area):
        return "gone"
    if column not in permit.columns or not meets(permit.only.get(column, ()), table, area):
        return "hidden"
    return permit.columns[column]


@pytest.mark.parametrize("who", WHO)
def test_every_column_of_every_row_is_clear_masked_or_hidden_as_the_oracle_says(policy: Policy, who: str) -> None:
    wrong = [
        (table, area, column)
        for table, area, column in itertools.product(TABLES, AREAS, COLUMNS)
        if shown(asked(policy, who, "select", table), table, area, column) != oracle.access(who, table, area, column)
    ]
    assert wrong == []


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("action", USES)
def test_only_what_is_clear_is_filtered_sorted_grouped_or_counted(policy: Policy, who: str, action: str) -> None:
    wrong = []
    for table, column in itertools.product(TABLES, COLUMNS):
        permit = asked(policy, who, action, table)
        usable = permit is not None and column in permit.columns
        counted = action in ("group", "count") and not oracle.usable(who, table, "id") and oracle.shared(who, table)
        wanted = COLUMNS[column] in ("public", "internal") if counted else oracle.usable(who, table, column)
        if counted:
            wanted = wanted and COLUMNS[column] in oracle.held(who, table)["classes"]
        if usable != wanted:
            wrong.append((table, column))
    assert wrong == []


@pytest.mark.parametrize("who", WHO)
def test_numbers_are_made_of_the_rows_the_oracle_counts_and_of_enough_people(policy: Policy, who: str) -> None:
    for table, area in itertools.product(TABLES, AREAS):
        permit = asked(policy, who, "count", table)
        there = permit is not None and meets(permit.rows, table, area)
        assert there == oracle.countable(who, table, area), (table, area)
        assert permit is None or permit.smallest_count == oracle.smallest(who, table)


@pytest.mark.parametrize("who", WHO)
def test_tiles_carry_public_columns_of_the_rows_that_are_there_at_the_precision_granted(
    policy: Policy, who: str
) -> None:
    for table, area in itertools.product(TABLES, AREAS):
        permit = asked(policy, who, "tile", table)
        there = permit is not None and meets(permit.rows, table, area)
        assert there == oracle.row_is_there(who, table, area), (table, area)
        if permit is None:
            continue
        assert {COLUMNS.get(c, "public") for c in permit.columns} == {"public"}
        assert not permit.only
        assert (permit.precision_m == 0) == oracle.exact(who, table), table
        assert permit.limited == (bool(permit.rows) or not oracle.exact(who, table))


@pytest.mark.parametrize("who", WHO)
def test_layers_are_there_as_the_oracle_says(policy: Policy, who: str) -> None:
    assert [x.id for x in policy.layers(village.subject(who))] == [x for x in LAYERS if oracle.layer_is_there(who, x)]
    seen = {r.id for r in policy.tables(village.subject(who))}
    assert seen == {t for t in TABLES if any(oracle.row_is_there(who, t, a) for a in AREAS)}


@pytest.mark.parametrize("who", WHO)
def test_a_column_that_may_not_be_used_is_refused_in_the_words_of_one_that_does_not_exist(
    policy: Policy, who: str
) -> None:
    subject = village.subject(who)
    for table, action, column in itertools.product(TABLES, ("select", *USES), (*COLUMNS, "no_such_column")):
        permit = asked(policy, who, action, table)
        if permit is None or column in permit.columns or column in permit.for_purpose:
            continue
        with pytest.raises(BadRequest) as refused:
            policy.columns(subject, table, [column], action)
        assert refused.value.zh == f"没有可用的字段“{column}”"
        assert refused.value.where == {}


@pytest.mark.parametrize("who", WHO)
def test_unmasking_asks_for_a_purpose_and_says_which_there_are(policy: Policy, who: str) -> None:
    for table in TABLES:
        subject = village.subject(who)
        may = oracle.shared(who, table) and "own" not in GRANTS[who] and who.startswith("official")
        may = may or (who.startswith("department_owner") and TABLES[table]["owner"] == "civil" and table != "closed")
        if not may:
            with pytest.raises(NotFound):
                policy.decide(subject, "unmask", table)
        elif subject.purpose:
            assert policy.decide(subject, "unmask", table).audit == "unmask"
        else:
            with pytest.raises(NeedsPurpose) as wanted:
                policy.decide(subject, "unmask", table)
            assert PURPOSEFUL[who] in wanted.value.where["purposes"].split()
            assert PURPOSEFUL[who] in wanted.value.en
            assert policy.decide(subject, "unmask", table, PURPOSEFUL[who]).columns["keeper_name"] == "clear"
            with pytest.raises(NeedsPurpose):
                policy.decide(subject, "unmask", table, "curiosity")


@pytest.mark.parametrize("who", WHO)
def test_personal_reads_are_marked_for_the_record(policy: Policy, who: str) -> None:
    for table in TABLES:
        permit = asked(policy, who, "select", table)
        if permit is None:
            continue
        levels = {oracle.access(who, table, a, c) for a in AREAS for c in ("keeper_name", "id_card")}
        unmasked = {oracle.access(who, table, a, "keeper_name") for a in AREAS} & {"clear"}
        sensitive = {oracle.access(who, table, a, "id_card") for a in AREAS} & {"masked", "clear"}
        personal = levels & {"clear", "masked"} or TABLES[table]["people"]
        personal = personal or oracle.access(who, table, "own", "keeper_phone") == "masked"
        personal = personal or (
            who == "grid_worker" and TABLES[table]["coded"] == "village"
        )  # a grid's rows might come
        assert permit.audit == ("unmask" if unmasked or sensitive else "read" if personal else "none"), table


def test_two_with_the_same_holdings_share_an_answer_and_two_with_different_ones_never(policy: Policy) -> None:
    permits = {}
    for who, table, action in itertools.product(WHO, TABLES, ("select", "tile", "count")):
        permit = asked(policy, who, action, table)
        if permit is not None:
            told = (
                who.partition(" ")[0],
                action,
                table,
                permit.rows,
                tuple(permit.columns.items()),
                permit.precision_m,
            )
            told = (*told, tuple(permit.only.items()), permit.smallest_count)
            permits.setdefault(permit.digest, set()).add(told)
    assert all(len(told) == 1 for told in permits.values())
