"""What is hidden stays hidden on every surface, and nothing answers that the policy has no row for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import serving_fixture as village
from tests.serving_fixture import CANARY
from twin.errors import BadRequest, NotFound
from twin.policy import ANONYMOUS_LOCAL, Policy, Subject, drawn_columns, faults, mask
from twin.policy.masks import HIDDEN

LOCAL = ANONYMOUS_LOCAL


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(village.onemap())


def test_personal_columns_are_masked_and_sensitive_and_unclassified_ones_are_not_there(policy: Policy) -> None:
    permit = policy.decide(LOCAL, "select", "cover")
    assert permit.columns["land_class"] == "clear"
    assert permit.columns["memo"] == "clear"
    assert permit.columns["owner_name"] == "masked"
    assert {"id_card", "note"}.isdisjoint(permit.columns)


@pytest.mark.parametrize("column", ["id_card", "note", "no_such_column"])
@pytest.mark.parametrize("action", ["select", "filter", "sort", "group", "count"])
def test_a_hidden_column_is_refused_in_the_words_of_an_unknown_one(policy: Policy, column: str, action: str) -> None:
    with pytest.raises(BadRequest) as refused:
        policy.columns(LOCAL, "cover", [column], action)
    assert refused.value.zh == f"没有可用的字段“{column}”"


@pytest.mark.parametrize("action", ["filter", "sort", "group", "count"])
def test_a_masked_column_can_be_read_but_not_used_to_guess(policy: Policy, action: str) -> None:
    assert policy.columns(LOCAL, "cover", ["owner_name"]) == ("owner_name",)
    with pytest.raises(BadRequest):
        policy.columns(LOCAL, "cover", ["owner_name"], action)


def test_rows_leave_masked_and_without_hidden_columns(policy: Policy) -> None:
    row = {**village.TABLES["cover"][0]}
    shown = policy.reveal(LOCAL, "cover", [row])[0]
    assert shown["owner_name"] == "C**"
    assert shown["owner_phone"] == "139****0103"
    said = repr(shown)
    assert CANARY["personal"] not in said
    assert CANARY["sensitive"] not in said
    assert CANARY["unclassified"] not in said


def test_tables_not_shared_do_not_exist(policy: Policy) -> None:
    with pytest.raises(NotFound) as hidden:
        policy.decide(LOCAL, "see", "secret")
    with pytest.raises(NotFound) as missing:
        policy.decide(LOCAL, "see", "nothing")
    assert hidden.value.zh.replace("secret", "nothing") == missing.value.zh
    assert "secret" not in [r.id for r in policy.tables(LOCAL)]


def test_a_role_without_a_grant_sees_nothing(policy: Policy) -> None:
    stranger = Subject(id="x", role="nobody")
    assert policy.layers(stranger) == ()
    assert policy.tables(stranger) == ()
    with pytest.raises(NotFound):
        policy.decide(stranger, "see", "L06")


def test_a_table_whose_key_is_personal_does_not_exist() -> None:
    onemap = village.onemap()
    cover = replace(village.COVER, key="owner_name")
    department = replace(onemap.departments[0], resources=(cover,))
    with pytest.raises(NotFound):
        Policy(replace(onemap, departments=(department,))).decide(LOCAL, "see", "cover")


def test_tiles_carry_public_columns_only(policy: Policy) -> None:
    onemap = village.onemap()
    layer = onemap.layer("L06")
    greedy = replace(layer, draws=(replace(layer.draws[0], columns=("memo", "owner_name", "id_card", "note")),))
    assert policy.tile_columns(LOCAL, greedy) == {"cover": ("land_class",)}


def test_columns_named_in_expressions_enter_the_tile(policy: Policy) -> None:
    layer = village.onemap().layer("L06")
    assert drawn_columns(layer.draws[1]) == ("parcel_id",)
    assert policy.tile_columns(LOCAL, layer)["cover"] == ("land_class", "parcel_id")
    assert policy.tile_columns(LOCAL, layer, 10)["cover"] == ("land_class",)


def test_a_layer_that_draws_what_is_not_public_is_a_declaration_error() -> None:
    onemap = village.onemap()
    assert faults(onemap) == []
    layer = onemap.layer("L06")
    greedy = replace(layer, draws=(replace(layer.draws[0], columns=("owner_name",), popup=("note",)),))
    found = faults(replace(onemap, layers=(greedy,)))
    assert [f.where["layer"] for f in found] == ["L06", "L06"]
    assert "owner_name" in found[0].en


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("holder_name", "张三丰", "张**"),
        ("worker_phone", "13900000103", "139****0103"),
        ("worker_phone", "139 0000 0103", "139****0103"),
        ("contact_phone", "0572-8001234", "057****1234"),
        ("contact_phone", "8001234", "****34"),
        ("id_card", "330521199001010103", "330***********0103"),
        ("address", "浙江省德清县示范村12号", "浙江省德清县示范村***"),
        ("address", "12 Hill Road", "***"),
        ("income", 12000, "***"),
        ("holder_name", None, None),
    ],
)
def test_masks_keep_what_custom_keeps(column: str, value: object, shown: object) -> None:
    assert mask(column, value) == shown


@given(st.text(min_size=3, max_size=40), st.sampled_from(["holder_name", "phone", "id_card", "address", "free_text"]))
def test_no_mask_ever_gives_the_value_back(value: str, column: str) -> None:
    assert mask(column, value) != value or value in (HIDDEN, f"{value[:1]}**")


def test_digests_differ_by_what_is_permitted(policy: Policy) -> None:
    other = Policy(replace(village.onemap(), layers=village.layers()[:3]))
    assert policy.digest(LOCAL, ["L06", "cover"]) == other.digest(LOCAL, ["L06", "cover"])
    assert policy.digest(LOCAL, ["L06", "cover"]) != policy.digest(LOCAL, ["L06", "house"])
