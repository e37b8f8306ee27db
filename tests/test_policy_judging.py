"""What one permit says beside columns and rows: which ground counts, what the record is told, what a key's scopes name."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import oracle, village
from tests.matrix.oracle import GRANTS, TABLES
from twin.policy import Permit, Policy, grants
from twin.policy.judging import Judge

ROOT = Path(__file__).resolve().parents[1]
HELD = grants.read(ROOT / "data" / "grants.toml")
ONEMAP = village.onemap()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(ONEMAP, HELD)


@pytest.mark.parametrize("who", GRANTS)
def test_ground_counts_where_it_is_told_exactly_and_is_not_open_to_all(policy: Policy, who: str) -> None:
    for table in TABLES:
        if policy.sees(village.subject(who), table):
            permit = policy.decide(village.subject(who), "select", table)
            wanted = TABLES[table]["share"] == "conditional" and oracle.exact(who, table) and who != "local"
            assert permit.counts is wanted, (who, table)
            assert permit.max_km2 == 25.0


def test_ground_on_a_grid_a_survey_would_not_use_does_not_count() -> None:
    def counts(metres: float) -> bool:
        coarse = tuple(replace(g, precision_m={**g.precision_m, "conditional": metres}) for g in HELD.grants)
        policy = Policy(ONEMAP, replace(HELD, grants=coarse))
        return policy.decide(village.subject("planner"), "select", "thing").counts

    assert [counts(m) for m in (0.0, 1.0, 1.2, 100.0)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("share", "opened", "wanted"),
    [("unconditional", "开放", False), ("unconditional", "不开放", True), ("conditional", "开放", True)],
)
def test_only_what_is_shared_without_condition_and_open_to_all_does_not_count(
    share: str, opened: str, wanted: bool
) -> None:
    thing = ONEMAP.resource("thing")
    assert thing is not None
    changed = replace(thing, share_type=share, open_attr=opened)
    departments = tuple(
        replace(d, resources=tuple(changed if r.id == "thing" else r for r in d.resources)) for d in ONEMAP.departments
    )
    policy = Policy(replace(ONEMAP, departments=departments), HELD)
    assert policy.decide(village.subject("planner"), "select", "thing").counts is wanted


def test_an_action_there_is_not_is_permitted_to_nobody() -> None:
    judge = Judge(onemap=ONEMAP, grants=HELD)
    assert judge.judge(village.subject("local"), "select", "thing", "") is not None
    assert judge.judge(village.subject("local"), "copy", "thing", "") is None  # type: ignore[arg-type]
    assert judge.judge(village.subject("local"), "copy", "M1", "") is None  # type: ignore[arg-type]


def test_a_permit_that_says_no_more_gives_nothing() -> None:
    permit = Permit(resource="x")
    assert (permit.columns, permit.rows, permit.only, permit.precision_m, permit.areas) == ({}, (), {}, 0, ())
    assert (permit.smallest_count, permit.max_rows, permit.max_km2, permit.counts) == (0, 0, 0, False)
    assert (permit.masks, permit.audit, permit.limited) == ("part", "none", False)


def test_answers_for_two_roles_actions_or_names_are_never_taken_for_each_other(policy: Policy) -> None:
    seen: dict[str, tuple[str, str, str]] = {}
    for who, action, name in itertools.product(("planner", "official", "local"), ("see", "tile"), ("M1", "M2", "shop")):
        digest = policy.decide(village.subject(who), action, name).digest
        assert len(digest) == 16
        assert seen.setdefault(digest, (who, action, name)) == (who, action, name)


def test_files_without_rows_are_a_keys_only_where_it_names_their_layer_and_they_lie_where_it_holds() -> None:
    flat = replace(ONEMAP.resource("plot"), kind="raster", key="", fields=())  # type: ignore[type-var]
    land = replace(ONEMAP.departments[1], resources=(flat,))
    policy = Policy(replace(ONEMAP, departments=(ONEMAP.departments[0], land)), HELD)
    key = replace(village.subject("system"), scopes=("layer:M3:read", "area:330521"))
    assert policy.sees(key, "plot", "tile")
    assert policy.sees(replace(key, scopes=("layer:M3:read:label", "area:330521")), "plot", "tile")
    assert not policy.sees(replace(key, scopes=("layer:M2:read", "area:330521")), "plot", "tile")
    assert not policy.sees(replace(key, scopes=("layer:M3:read", "area:330522")), "plot", "tile")
    assert policy.sees(village.subject("planner"), "plot", "tile")


def test_a_scope_names_one_layer_whole_or_some_of_its_columns_and_no_layer_that_begins_alike() -> None:
    judge = Judge(onemap=ONEMAP, grants=HELD)

    def named(*scopes: str) -> frozenset[str] | None:
        return judge.scoped_columns(replace(village.subject("system"), scopes=scopes), "home")

    assert named("layer:M3:read") is None
    assert named("layer:M3:read:label,memo") == {"id", "label", "memo"}
    assert named("layer:M3:read:label", "layer:M3:read:memo") == {"id", "label", "memo"}
    assert named("layer:M3:read:label", "layer:M3:read") is None
    assert named("layer:M3:ready", "layer:M3", "layer:M30:read", "layer:M2:read", "xlayer:M3:read") == frozenset()
    assert named() == frozenset()


def test_a_number_of_people_is_noted_as_no_read_of_persons(policy: Policy) -> None:
    for who, audits in (("planner", ("none", "none")), ("official", ("read", "none"))):
        for action, audit in zip(("select", "count"), audits, strict=True):
            if policy.sees(village.subject(who), "petition", action):
                assert policy.decide(village.subject(who), action, "petition").audit == audit, (who, action)


def only_grant(role: str, **changed: object) -> Policy:
    """Give a policy whose one grant is the first of `role`, changed."""
    first = next(g for g in HELD.grants if g.role == role)
    return Policy(ONEMAP, replace(HELD, grants=(replace(first, **changed),)))


def test_a_key_is_confined_to_its_areas_in_every_class_that_the_grant_leaves_open() -> None:
    key = replace(village.subject("system"), scopes=("layer:M2:read", "area:330521001001"))
    permit = only_grant("system", area={}).decide(key, "select", "thing")
    assert permit.rows == (("area_code", "prefix", ("330521001001",)),)


def test_files_without_rows_lie_in_the_village_and_are_public() -> None:
    flat = replace(ONEMAP.resource("plot"), kind="raster", key="", fields=())  # type: ignore[type-var]
    onemap = replace(ONEMAP, departments=(replace(ONEMAP.departments[1], resources=(flat,)),))
    first = next(g for g in HELD.grants if g.role == "planner")

    def seen(prefix: str, **changed: object) -> bool:
        policy = Policy(onemap, replace(HELD, grants=(replace(first, **changed),)))
        return policy.sees(replace(village.subject("planner"), prefix=prefix), "plot")

    assert seen("330521")
    assert seen("330522")
    assert seen("330521", area={"public": "prefix"})
    assert not seen("330522", area={"public": "prefix"})
    assert not seen("330521", columns={"internal": "clear"})


def test_a_purpose_is_asked_for_only_where_it_would_show_more() -> None:
    def bare(resource):
        return replace(resource, fields=tuple(f for f in resource.fields if f.sensitivity == "public"))

    departments = tuple(replace(d, resources=tuple(bare(r) for r in d.resources)) for d in ONEMAP.departments)
    official = village.subject("official")
    assert Policy(ONEMAP, HELD).decide(official, "select", "thing").purposes != ()
    assert Policy(replace(ONEMAP, departments=departments), HELD).decide(official, "select", "thing").purposes == ()


def test_a_permit_that_gives_a_column_of_fewer_rows_or_coarser_places_is_limited() -> None:
    some = (("area_code", "prefix", ("330521",)),)
    assert Permit(resource="x", only={"name": some}).limited
    assert Permit(resource="x", rows=some).limited
    assert Permit(resource="x", precision_m=100.0).limited
