"""The departments that send what their declaration says and little else: one writer for all, format by format."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.demo.anchors import Ground
from etl.demo.departments import databases, vectors
from etl.demo.departments.coordinates import gcj02, in_crs, lon_lat, place
from etl.demo.departments.sheets import Sheet, full_width, table, workbook
from etl.demo.frame import chance
from etl.demo.invented import Row, fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl.demo.defects import Planter
    from etl.demo.village import Truth
    from twin.model import Field, Resource, Source

Written = dict[str, Any]
MOST = 60
FEW: Mapping[str, int] = {
    "emergency_point": 1, "police_post": 1, "reservoir": 5, "school": 2, "school_district": 2, "school_bus_route": 3,
    "bus_route": 4, "bus_position": 3, "short_forecast": 8, "weather_warning": 9, "plan_approval": 2, "bridge": 14,
    "noise_point": 4, "village_organisation": 13, "party_branch": 5, "memorial_site": 2, "religious_site": 3,
    "survey_mark": 8, "lamp": 60, "hydrant": 18, "base_station": 5, "small_park": 1, "contingency_plan": 6,
    "rural_water_supply": 3, "legal_adviser": 22, "village_cadre": 9, "duty_roster": 60, "interface_log": 60,
    "grid_event": 60, "elder_visit": 60, "power_outage": 3, "water_cut": 2, "crowd_grid": 12, "historical_archive": 40,
    "house_registration": 60, "toilet_retrofit": 60, "sewage_household": 60, "resource_catalogue": 60,
    "care_home": 3, "elder_meal": 4, "vaccination_point": 1, "medical_outreach": 16, "intangible_heritage": 4,
}  # fmt: skip
"""How many there are in one village, where that is not what is usual for the kind."""
USUAL = {"point": 9, "polygon": 8, "line": 8, "none": 24}
MONTHS = tuple(f"{2024 + (10 + k) // 12}-{(10 + k) % 12 + 1:02d}" for k in range(12))
QUARTERS = tuple(f"{2023 + (3 + k) // 4}Q{(3 + k) % 4 + 1}" for k in range(8))
TURNS = {"period": MONTHS, "quarter": QUARTERS}
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d")
MOMENTS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S")
ENCODINGS = {"GB18030": "gb18030", "UTF-8": "utf-8-sig", "": "utf-8-sig"}


def write(truth: Truth, raw: Path, planter: Planter, resources: Sequence[Resource]) -> None:
    """Write one delivery for every source of `resources`, each in the format, system and headings it declares."""
    ground = Ground(truth)
    for resource in resources:
        for source in resource.sources:
            rows, shapes = _rows(ground, truth, resource)
            _write(raw / source.location, resource, source, rows, shapes, planter)


def _rows(ground: Ground, truth: Truth, resource: Resource) -> tuple[list[Written], list[Any]]:
    rng = chance(truth.seed, f"declared {resource.id}")
    turns = TURNS.get(resource.key, ())
    wanted = len(turns) or FEW.get(resource.id, USUAL[resource.kind] + int(rng.integers(0, 6)))
    spots = ground.spots(resource, min(wanted, MOST), rng)
    by_grid = {r["grid_code"]: r for r in truth.tables["care"]}
    village = {k: sum(r[k] for r in by_grid.values()) for k in ("households", "persons", "elders_60", "elders_80")}
    rows: list[Written] = []
    for number, spot in enumerate(spots):
        row = Row(
            resource=resource,
            number=number,
            spot=spot,
            counts=by_grid[spot.grid_code] if resource.key == "grid_code" else village,
            rng=rng,
            period=turns[number] if turns else "",
        )
        rows.append(fill(row))
    return rows, [s.geometry for s in spots]


def _write(
    path: Path, resource: Resource, source: Source, rows: list[Written], shapes: list[Any], planter: Planter
) -> None:
    style = sum(map(ord, resource.id))
    written = [_as_sent(resource, row, shape, style) for row, shape in zip(rows, shapes, strict=True)]
    if source.watermark:
        written = [row | {source.watermark: databases.changed_at(number)} for number, row in enumerate(written)]
    if resource.reader == "vector":
        _vector(path, resource, source, written, shapes)
        return
    if source.x:
        at = gcj02(shapes) if source.crs == "gcj02" else lon_lat(shapes)
        written = [row | {source.x: lon, source.y: lat} for row, (lon, lat) in zip(written, at, strict=True)]
    _spoil(resource, source, written, planter)
    if resource.reader == "database":
        _database(path, resource, source, written, shapes)
        return
    if path.suffix == ".csv":
        table(path, written, ENCODINGS[source.encoding])
        return
    deep = source.options["header_rows"].startswith("3")
    title = [f"{VILLAGE}{resource.title.zh}一览表", *(["填报单位:办公室   填报日期:2025年11月20日"] if deep else [])]
    workbook(path, Sheet(name=resource.title.zh[:20].replace("/", ""), title=title, rows=written))


VILLAGE = "示范村"


def _spoil(resource: Resource, source: Source, rows: list[Written], planter: Planter) -> None:
    """Plant what clerks get wrong: an empty key, a row twice, exchanged coordinates, a row of totals."""
    key = next(f.source for f in resource.fields if f.name == resource.key)
    for row in planter.some("required_missing", resource.id, rows):
        row[key] = None
    for row in planter.some("axes_swapped", resource.id, rows):
        row[source.x], row[source.y] = row[source.y], row[source.x]
    planter.repeat(resource.id, rows)
    if planter.wanted("totals_row", resource.id):
        rows.append({next(iter(rows[0])): "合计", **dict.fromkeys(list(rows[0])[1:])})
        planter.count("totals_row", resource.id, 1)


def _vector(path: Path, resource: Resource, source: Source, rows: list[Written], shapes: list[Any]) -> None:
    placed = [row | {"geometry": shape} for row, shape in zip(rows, shapes, strict=True)]
    place(placed, source.crs)
    if path.suffix == ".shp":
        vectors.shapefile(path, placed, source.crs)
    elif path.suffix == ".gpkg":
        path.unlink(missing_ok=True)
        vectors.geopackage(path, resource.id, placed, source.crs)
    else:
        vectors.geojson(path, placed)


def _database(path: Path, resource: Resource, source: Source, rows: list[Written], shapes: list[Any]) -> None:
    """Write the table that stands for a department's database, or for what its service answers."""
    kinds = {f.source: databases.TYPES.get(f.type, "TEXT") for f in resource.fields}
    numbers = {source.x: "REAL", source.y: "REAL", source.watermark: "TIMESTAMP"}
    columns = {name: kinds.get(name) or numbers.get(name, "TEXT") for name in rows[0]}
    if place_in := source.options.get("geometry"):
        rows = [row | {place_in: shape} for row, shape in zip(rows, in_crs(shapes, source.crs), strict=True)]
        columns[place_in] = "GEOMETRY"
    databases.table(path, source.options.get("layer", source.part), columns, rows)


def _as_sent(resource: Resource, row: Written, shape: Any, style: int) -> Written:
    """Give one row under the department's headings, dates, truths and numbers as its office types them."""
    sent: Written = {}
    for item in resource.fields:
        value = row[item.name]
        if item.name == resource.stated_area:
            value = round(float(shape.area) / item.scale, 4 if item.scale > 1 else 1)
        sent[item.source] = _typed(item, value, style, plain=resource.reader in ("vector", "database"))
    return sent


def _typed(item: Field, value: Any, style: int, *, plain: bool) -> Any:
    """Write a value as an office types it; `plain` is how a program writes it, where every date has one form."""
    if isinstance(value, datetime):
        forms = DATES if item.type == "date" else MOMENTS
        one = "%Y-%m-%d" if item.type == "date" else "%Y-%m-%d %H:%M:%S"
        return value.strftime(one if plain else forms[style % len(forms)])
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is not None and item.type == "integer" and not plain and style % 11 == 0:
        return full_width(value)
    return value
