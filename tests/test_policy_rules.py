"""The policy as every surface asks it: what is revealed, how much at once, in which words it refuses, what it remembers."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import village
from tests.serving_fixture import text
from twin.errors import NeedsPurpose, RowLimit
from twin.model import Draw
from twin.policy import Policy, classified, drawn_columns, faults, grants, no_column, noted, rules, unknown

ROOT = Path(__file__).resolve().parents[1]
DECLARED = (ROOT / "data" / "grants.toml").read_text("utf-8")
HELD = grants.read(ROOT / "data" / "grants.toml")
ONEMAP = village.onemap()
OFFICIAL = village.subject("official")


@pytest.fixture
def policy() -> Policy:
    return Policy(ONEMAP, HELD)


def few(most: int, role: str = "official", **changed: object) -> Policy:
    """Give a policy that tells a role of `most` rows at once."""
    first = next(g for g in HELD.grants if g.role == role)
    return Policy(ONEMAP, replace(HELD, grants=(replace(first, max_rows=most, **changed),)))


def test_as_many_rows_are_revealed_as_are_granted_and_one_more_is_refused_with_whom_to_ask() -> None:
    rows = [{"id": str(n), "label": "x"} for n in range(4)]
    assert len(few(4).reveal(OFFICIAL, "home", rows)) == 4
    with pytest.raises(RowLimit) as refused:
        few(3).reveal(OFFICIAL, "home", rows)
    department = ONEMAP.department("civil").title  # type: ignore[union-attr]
    assert department.zh in refused.value.zh
    assert department.en in refused.value.en
    assert refused.value.where == {"table": "home", "max_rows": "3"}
    bare = replace(ONEMAP, departments=(), layers=())
    told = rules.too_many(bare, ONEMAP.resource("home"), 3)  # type: ignore[arg-type]
    assert "数据部门" in told.zh
    assert "its department" in told.en


def test_what_is_revealed_of_persons_is_noted_for_the_record(policy: Policy) -> None:
    def noticed() -> list[tuple[str, str, int]]:
        noted.drain()
        policy.reveal(OFFICIAL, "home", [{"id": "1"}, {"id": "2"}])
        return [(t.table, t.seen, t.rows) for t in noted.drain()]

    assert copy_context().run(noticed) == [("home", "read", 2)]


def test_a_declared_meaning_says_how_a_value_is_masked_and_a_column_of_the_engine_has_none() -> None:
    def plated(field):
        return replace(field, meaning="plate") if field.name == "keeper_name" else field

    civil = ONEMAP.departments[1]
    resources = tuple(replace(r, fields=tuple(map(plated, r.fields))) for r in civil.resources)
    onemap = replace(ONEMAP, departments=(ONEMAP.departments[0], replace(civil, resources=resources)))
    first = next(g for g in HELD.grants if g.role == "official")
    masked = replace(first, columns={**first.columns, "internal": "masked"})
    policy = Policy(onemap, replace(HELD, grants=(masked,)))
    row = policy.reveal(OFFICIAL, "home", [{"id": "1", "keeper_name": "浙E12345", "_source": "a.xlsx"}])[0]
    assert row == {"id": "1", "keeper_name": "浙E****5", "_source": "***"}


def test_every_adoption_is_an_edition_of_its_own(policy: Policy) -> None:
    seen = {policy.edition}
    for version in range(2, 6):
        policy.adopt(replace(HELD, version=version))
        assert policy.edition not in seen
        seen.add(policy.edition)


def test_answers_are_remembered_to_a_number_and_then_anew(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_ANSWERS", 3)
    kept = []
    for table in ("thing", "shop", "home", "petition", "plot"):
        policy.decide(OFFICIAL, "select", table)
        kept.append(len(policy._permits))
    assert kept == [1, 2, 3, 1, 2]


def test_a_digest_leaves_out_what_is_not_seen(policy: Policy) -> None:
    planner = village.subject("planner")
    assert policy.digest(planner, ["M1", "M4", "nothing", "shop"]) == policy.digest(planner, ["M1", "shop"])
    assert policy.digest(planner, ["M1"]) != policy.digest(planner, ["M1", "shop"])
    assert len(policy.digest(planner, [])) == 16


def test_a_refusal_names_the_purposes_that_would_help_and_how_they_are_called(policy: Policy) -> None:
    with pytest.raises(NeedsPurpose) as wanted:
        policy.columns(OFFICIAL, "home", ["id_card"])
    assert wanted.value.where == {"purposes": "visit relief emergency verification"}
    assert "入户走访、救助与优抚、应急处置、权属核对" in wanted.value.zh
    assert "Home visit (visit), Relief and allowances (relief)" in wanted.value.en


@pytest.mark.parametrize("refusal", [unknown, no_column])
def test_a_refusal_repeats_no_more_than_eighty_letters_of_what_was_asked(refusal) -> None:
    told = refusal("x" * 200)
    assert told.zh.count("x") == 80
    assert told.en.count("x") == 80


# what a layer draws


def test_a_column_is_named_by_get_and_has_and_by_nothing_that_looks_alike() -> None:
    def named(expression: object) -> list[str]:
        return list(classified.named_in(expression))

    assert named(["has", "kind"]) == ["kind"]
    assert named(["get", ["get", "inner"]]) == ["inner"]
    assert named(["literal", "kind"]) == []
    assert named(["case", ["==", ["get", "a"], "b"], {"c": ["has", "d"]}, "e"]) == ["a", "d"]
    assert named("get") == []


def test_the_id_is_in_every_tile_and_is_not_listed() -> None:
    draw = Draw(id="d", table="shop", type="circle", title=text("点"), columns=("id", "label"))
    assert drawn_columns(draw) == ("label",)


def test_a_layer_is_faulty_by_the_table_that_is_not_there_and_the_column_that_is_not_for_it() -> None:
    def found(**draw: object) -> list[str]:
        first = ONEMAP.layers[0]
        drawn = replace(first.draws[0], **draw)
        return [f.en for f in faults(replace(ONEMAP, layers=(replace(first, draws=(drawn,)),)))]

    assert found() == []
    assert found(table="nothing") == ["nothing is no catalogued resource"]
    assert found(columns=("memo",), popup=("note",)) == [
        "shop.memo is not public and cannot be drawn", "shop.note is unclassified and cannot be shown",
    ]  # fmt: skip
    assert found(type="raster", columns=("memo",)) == []


# a text of grants


def test_a_text_of_grants_is_proved_like_a_file() -> None:
    found, wrong = grants.check_text(DECLARED, "given.toml")
    assert (found, wrong) == (HELD, [])
    assert grants.check_text("version = [", "given.toml")[0] is None
    assert [f.file for f in grants.check_text("version = [", "given.toml")[1]] == ["given.toml"]


def test_purposes_in_single_brackets_are_a_fault_and_no_purpose() -> None:
    single = DECLARED[: DECLARED.index("[[purpose]]")] + '[purpose]\nid = "visit"\n'
    single += DECLARED[DECLARED.index("[[grant]]") :]
    found, wrong = grants.check_text(single, "given.toml")
    assert any("[[purpose]]" in f.zh and "[[purpose]]" in f.en for f in wrong)
    assert found is None or found.purposes == ()


@pytest.mark.parametrize("manages", ["grants.change", "accounts.manage", "keys.manage"])
@pytest.mark.parametrize("reads", ["audit.read", "audit.export"])
def test_no_role_both_manages_rights_and_reads_the_record(manages: str, reads: str) -> None:
    both = DECLARED.replace('may = ["audit.read", "audit.export"]', f'may = ["{reads}", "{manages}"]')
    assert "role.8.may" in [f.field for f in grants.check_text(both, "given.toml")[1]]


@pytest.mark.parametrize("kind", ["fill", "line", "circle", "symbol", "fill-extrusion", "heatmap"])
def test_every_kind_of_draw_that_reads_rows_is_asked_whether_its_columns_are_public(kind: str) -> None:
    first = ONEMAP.layers[0]
    draw = replace(first.draws[0], type=kind, columns=("memo",))
    assert len(faults(replace(ONEMAP, layers=(replace(first, draws=(draw,)),)))) == 1
