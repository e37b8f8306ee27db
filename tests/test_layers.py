"""The eighteen layers stand on the catalogue: every table declared, every column there and public, land layers coded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import layers
from etl import catalog
from twin import style
from twin.model import Draw, Indicator, Layer, OneMap

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
COMPUTED = {"id", "year", "area_m2", "length_m", "area_disagrees"}
LAND = ("sandiao@", "ydyh@")


@pytest.fixture(scope="module")
def onemap() -> OneMap:
    declared = catalog.read(ROOT / "data")
    return OneMap(
        village=declared.village,
        departments=declared.departments,
        code_systems=declared.code_systems,
        themes=layers.THEMES,
        layers=layers.LAYERS,
    )


def draws() -> list[tuple[Layer, Draw]]:
    return [(layer, draw) for layer in layers.LAYERS for draw in layer.draws]


def gets(value: Any) -> Iterator[str]:
    """Give every column a MapLibre expression reads."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and value[0] in ("get", "has") and isinstance(value[1], str):
            yield value[1]
        for part in value:
            yield from gets(part)


def columns_of(draw: Draw) -> set[str]:
    found = {*draw.columns, *gets(draw.paint), *gets(draw.layout), *gets(draw.filter)}
    return found | ({draw.classes.column} if draw.classes else set())


def test_the_ids_are_l01_to_l18_in_order_three_a_theme() -> None:
    assert [layer.id for layer in layers.LAYERS] == [f"L{k:02d}" for k in range(1, 19)]
    assert [layer.theme for layer in layers.LAYERS] == [theme.id for theme in layers.THEMES for _ in range(3)]


def test_one_layer_is_one_file_named_by_its_slug() -> None:
    for layer in layers.LAYERS:
        assert (ROOT / "layers" / layer.theme / f"{layer.slug}.py").is_file(), layer.id


def test_themes_keep_their_ids_and_the_village_its_words() -> None:
    words = {theme.id: theme.title.zh for theme in layers.THEMES}
    assert words == {
        "base": "底图",
        "planning": "乡村规划",
        "business": "乡村经营",
        "environment": "乡村环境",
        "service": "乡村服务",
        "governance": "乡村治理",
    }


def test_everything_a_person_reads_is_in_both_languages() -> None:
    for layer in layers.LAYERS:
        texts = [layer.title, layer.abstract, *(draw.title for draw in layer.draws)]
        texts += [item.title for draw in layer.draws if draw.classes for item in draw.classes.items]
        for text in texts:
            assert text.zh, layer.id
            assert text.en, layer.id


def test_every_layer_names_a_department_of_the_catalogue(onemap: OneMap) -> None:
    for layer in layers.LAYERS:
        assert onemap.department(layer.department), layer.id


@pytest.mark.parametrize(("layer", "draw"), draws(), ids=lambda x: x.id)
def test_every_column_drawn_is_declared_and_public(onemap: OneMap, layer: Layer, draw: Draw) -> None:
    resource = onemap.resource(draw.table)
    assert resource is not None, f"{layer.id}: no table {draw.table}"
    for name in columns_of(draw) - COMPUTED:
        found = resource.field_named(name)
        assert found is not None, f"{draw.table} has no {name}"
        assert found.sensitivity == "public", f"{draw.table}.{name} is {found.sensitivity}"


@pytest.mark.parametrize(("layer", "draw"), draws(), ids=lambda x: x.id)
def test_every_popup_column_is_declared_and_never_sensitive(onemap: OneMap, layer: Layer, draw: Draw) -> None:
    resource = onemap.resource(draw.table)
    assert resource is not None, layer.id
    for name in set(draw.popup) - COMPUTED:
        found = resource.field_named(name)
        assert found is not None, f"{draw.table} has no {name}"
        assert found.sensitivity != "sensitive"


@pytest.mark.parametrize(("layer", "draw"), draws(), ids=lambda x: x.id)
def test_a_draw_fits_the_geometry_of_its_table(onemap: OneMap, layer: Layer, draw: Draw) -> None:
    kinds = {
        "fill": {"polygon"},
        "fill-extrusion": {"polygon"},
        "scene": {"polygon", "scene"},
        "line": {"polygon", "line"},
        "circle": {"point"},
        "symbol": {"polygon", "line", "point"},
        "raster": {"raster"},
        "hillshade": {"raster"},
    }
    resource = onemap.resource(draw.table)
    assert resource is not None, layer.id
    assert resource.kind in kinds[draw.type]


def test_draws_of_a_layer_have_ids_of_their_own() -> None:
    for layer in layers.LAYERS:
        ids = [draw.id for draw in layer.draws]
        assert len(set(ids)) == len(ids), layer.id


def test_a_layer_that_draws_coded_land_states_the_code_system(onemap: OneMap) -> None:
    for layer, draw in draws():
        resource = onemap.resource(draw.table)
        coded = resource.code_system if resource else ""
        if coded.startswith(LAND):
            assert layer.code_system == coded, f"{layer.id} draws {draw.table}"
    assert {layer.id for layer in layers.LAYERS if layer.code_system} == {"L01", "L04", "L06"}


def test_land_layers_never_draw_with_the_other_systems_colours(onemap: OneMap) -> None:
    used = {
        (layer.id, draw.table): draw.classes.system for layer, draw in draws() if draw.classes and draw.classes.system
    }
    assert used["L04", "plan_zone"] == "ydyh@2023"
    assert used["L06", "land_cover"] == "sandiao@2019"


def test_resources_and_layers_name_each_other(onemap: OneMap) -> None:
    drawn = {(draw.table, layer.id) for layer, draw in draws()}
    declared = {(resource.id, layer) for resource in onemap.resources for layer in resource.layers}
    assert drawn == declared


def test_the_style_of_all_layers_can_be_made(onemap: OneMap) -> None:
    assert style.check(onemap) == []
    assert len(style.style(onemap)["layers"]) > len(draws())


def test_no_style_asks_for_glyphs_or_fonts() -> None:
    for layer, draw in draws():
        assert "text-font" not in draw.layout, f"{layer.id}.{draw.id}"


def test_parcel_outlines_and_labels_wait_for_a_readable_scale() -> None:
    for layer, draw in draws():
        if draw.table in ("land_cover", "plan_zone", "farm_contract") and draw.type in ("line", "symbol"):
            assert draw.minzoom >= 14, f"{layer.id}.{draw.id}"


INDICATORS = [indicator for theme in layers.THEMES for indicator in theme.indicators]


def test_each_theme_but_the_base_has_three_to_five_indicators() -> None:
    for theme in layers.THEMES[1:]:
        assert 3 <= len(theme.indicators) <= 5, theme.id


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda x: x.id)
def test_an_indicator_reads_public_columns_of_a_declared_table(onemap: OneMap, indicator: Indicator) -> None:
    resource = onemap.resource(indicator.table)
    assert resource is not None
    names = {indicator.column, indicator.by, *(column for column, _, _ in indicator.where)} - {"", *COMPUTED}
    for name in names:
        found = resource.field_named(name)
        assert found is not None, name
        assert found.sensitivity == "public", name
    assert (indicator.measure == "sum") == bool(indicator.column)


def test_indicators_by_code_use_codes_that_exist(onemap: OneMap) -> None:
    for indicator in INDICATORS:
        resource = onemap.resource(indicator.table)
        for column, _, value in indicator.where:
            found = resource.field_named(column) if resource else None
            if found is None or not found.code_system:
                continue
            system = onemap.code_system(found.code_system)
            assert system is not None
            for code in value if isinstance(value, tuple) else (value,):
                assert system.find(code), f"{indicator.id}: {code}"


def test_the_catalogue_is_complete_and_classified(onemap: OneMap) -> None:
    assert len(onemap.departments) == 58
    assert len(onemap.resources) >= 282
    for resource in onemap.resources:
        for text in (resource.legal_basis, resource.retention, resource.contact_person, resource.contact_phone):
            assert text, resource.id
        assert resource.responsibility_item, resource.id
        assert resource.contact_phone.startswith("139 0000 "), "telephones ring nowhere"
        for field in resource.fields:
            assert field.sensitivity is not None, f"{resource.id}.{field.name}"
            assert field.title.en, f"{resource.id}.{field.name}"


def test_names_and_numbers_of_persons_are_never_public(onemap: OneMap) -> None:
    for resource in onemap.resources:
        for field in resource.fields:
            if field.name == "id_card":
                assert field.sensitivity == "sensitive", resource.id
            if field.name in (
                "holder_name",
                "contractor_name",
                "owner_name",
                "head_name",
                "requester_name",
                "requester_phone",
                "legal_person_name",
            ):
                assert field.sensitivity == "personal", f"{resource.id}.{field.name}"


def test_the_catalogue_has_no_fault() -> None:
    assert catalog.check(ROOT / "data") == []


def test_resource_codes_and_provider_codes_are_unique(onemap: OneMap) -> None:
    codes = [resource.code for resource in onemap.resources]
    providers = [department.provider_code for department in onemap.departments]
    assert len(set(codes)) == len(codes)
    assert len(set(providers)) == len(providers)
    assert all("DEM0" in code for code in providers), "invented codes are seen to be invented"


def test_most_resources_are_fresh_at_the_demos_clock_and_eight_are_stale(onemap: OneMap) -> None:
    now = onemap.village.clock
    assert now is not None
    late = set()
    for resource in onemap.resources:
        dates = [source.as_of for source in resource.sources if source.as_of]
        if dates and (now.date() - max(dates)).days * 86400 > resource.cadence_seconds:
            late.add(resource.id)
    drawn = {r.id for r in onemap.resources if r.layers}
    assert late & drawn == {"bus_stop", "household_sorting"}
    assert late - drawn == {
        "farm_product_test", "job_station", "police_post", "price_monitor", "school_bus_route", "scenic_flow",
    }  # fmt: skip
