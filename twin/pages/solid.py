"""What stands on the map in 3D beyond its own layers: modelled scenes, and the theme's amounts as upright columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import deck, editions
from twin.entities import box_of
from twin.errors import TwinError
from twin.policy import noted
from twin.text import both, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Indicator, Layer
    from twin.pages.desk import Desk

Json = dict[str, Any]
TALLEST_M = 160.0
MOST_COLUMNS = 400
"""A table with more rows would make a forest of columns that nobody can read."""
BOX = ("xmin", "ymin", "xmax", "ymax")


def solid(desk: Desk, question: Mapping[str, Any]) -> Json:
    """Give {spec, about}: pydeck's JSON for the base map and theme asked for, None where nothing stands there."""
    layer = desk.onemap.layer(str(question.get("base", "")))
    made = [*_scenes(desk, layer)] if layer else []
    indicator = _chosen(desk, str(question.get("theme", "")))
    rows = _rows(desk, indicator, question) if indicator else []
    about = None
    if indicator and rows:
        most = max(r["value"] for r in rows)
        made.append(deck.columns(indicator.id, rows, value="value", metres_per_unit=TALLEST_M / most, radius_m=16))
        said = both(lambda language: _stands_for(indicator, language))
        about = {"zh": said.zh, "en": said.en}
    return {"spec": deck.spec(*made) if made else None, "about": about}


def _stands_for(indicator: Indicator, language: str) -> str:
    name, unit = indicator.title.in_(language), indicator.unit.in_(language)
    return t("page.three.columns_in" if unit else "page.three.columns", language, name=name, unit=unit)


def _scenes(desk: Desk, layer: Layer) -> list[deck.DeckLayer]:
    """Give the 3D Tiles of a layer whose tables have been published with a scene."""
    tables = [d.table for d in layer.draws if d.type == "scene" and desk.rooms.policy.sees(desk.subject, d.table)]
    known = [t for t in tables if "scene/tileset.json" in desk.manifest(t).get("files", {})]
    return [deck.tileset(f"{layer.id}.{t}", f"{desk.below}/tiles/scene/{t}/tileset.json") for t in known]


def _chosen(desk: Desk, theme: str) -> Indicator | None:
    """Give the first indicator of the theme that sums an amount over few enough places."""
    listed = [i for t in desk.onemap.themes if t.id == theme for i in t.indicators]
    return next((i for i in listed if i.measure == "sum" and i.column and _stands(desk, i)), None)


def _stands(desk: Desk, indicator: Indicator) -> bool:
    resource = desk.onemap.resource(indicator.table)
    rows = desk.manifest(indicator.table).get("rows") or 0
    placed = resource is not None and resource.kind in ("point", "polygon")
    return placed and 0 < rows <= MOST_COLUMNS and desk.rooms.policy.sees(desk.subject, indicator.table)


def _rows(desk: Desk, indicator: Indicator, question: Mapping[str, Any]) -> list[Json]:
    table = indicator.table
    edition = editions.where(desk.manifest(table).get("years"), question.get("year"))
    if edition is None:
        return []
    try:
        used = [indicator.column, *(c for c, _, _ in indicator.where)]
        desk.rooms.policy.columns(desk.subject, table, used, "filter")
        permit = desk.rooms.policy.decide(desk.subject, "filter", table)
        columns = ["id", indicator.column, *BOX]
        where = [*indicator.where, *edition]
        found = desk.rooms.serving.select(table, columns, where, limit=MOST_COLUMNS, permit=permit)
    except TwinError:
        return []
    if len(found) > permit.max_rows:
        return []
    layer = next((x.id for x in desk.onemap.layers if any(d.table == table for d in x.draws)), "")
    made = [_column(r, indicator, layer) for r in found if r[indicator.column] and box_of(r)]
    noted.place(permit, [(c["lon"], c["lat"], c["lon"], c["lat"]) for c in made])
    return made


def _column(row: Mapping[str, Any], indicator: Indicator, layer: str) -> Json:
    west, south, east, north = box_of(row) or (0.0, 0.0, 0.0, 0.0)
    middle = {"lon": (west + east) / 2, "lat": (south + north) / 2}
    known = {"layer": layer, "table": indicator.table, "id": str(row["id"]), "title": str(row["id"])}
    return {**known, **middle, "value": float(row[indicator.column])}
