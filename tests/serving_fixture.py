"""A tiny village built through the real store: two parcels and more of each kind, two editions, planted canaries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from tests import warping
from twin import duck, geodesy, rasters
from twin.model import (
    Classes,
    ClassItem,
    Code,
    CodeSystem,
    Department,
    Draw,
    Field,
    Indicator,
    Layer,
    OneMap,
    Resource,
    Source,
    Text,
    Theme,
    Village,
)
from twin.settings import Settings
from twin.store import Store, copy, geoparquet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LON, LAT = 119.970, 30.530
STEP = 0.001
CANARY = {
    "personal": "CANARY-PERSONAL-7261",
    "sensitive": "CANARY-SENSITIVE-7262",
    "unclassified": "CANARY-UNCLASSIFIED-7263",
    "internal": "CANARY-INTERNAL-7264",
}


def text(zh: str, en: str = "") -> Text:
    return Text(zh, en or zh)


def square(i: float, j: float, size: float = 1.0) -> str:
    """Give a square of `size` steps whose south-west corner is (i, j) steps from the village's corner, as WKT."""
    x, y, s = LON + i * STEP, LAT + j * STEP, size * STEP
    return f"POLYGON(({x} {y},{x + s} {y},{x + s} {y + s},{x} {y + s},{x} {y}))"


def point(i: float, j: float) -> str:
    return f"POINT({LON + i * STEP} {LAT + j * STEP})"


def line(*ends: tuple[float, float]) -> str:
    return "LINESTRING(" + ",".join(f"{LON + i * STEP} {LAT + j * STEP}" for i, j in ends) + ")"


def field(name: str, sensitivity: str | None = "public", **more: Any) -> Field:
    return Field(
        **{
            "name": name,
            "title": text(f"字段{name}", name),
            "type": "string",
            "source": name,
            "sensitivity": sensitivity,
            **more,
        }
    )


def resource(table: str, kind: str, key: str, fields: Sequence[Field], **more: Any) -> Resource:
    base = {
        "code": "1/1", "title": text(f"资源{table}", f"The {table}"), "department": "land", "class_path": ("基础",),
        "abstract": text("摘要"), "format": "GPKG", "reader": "vector", "share_type": "conditional", "share_condition": "",
        "share_method": "", "open_attr": "不开放", "update_cycle": "每年", "cadence_seconds": 86400 * 365,
        "published": date(2025, 1, 1), "theme": "planning", "layers": ("L06",),
        "sources": (Source(location=f"01_land/{table}.gpkg", year=2025),),
    }  # fmt: skip
    return Resource(id=table, kind=kind, key=key, fields=tuple(fields), **{**base, **more})


COVER = resource(
    "cover", "polygon", "parcel_id",
    [
        field("parcel_id"), field("land_class", code_system="sandiao@2019"), field("owner_name", "personal"),
        field("owner_phone", "personal"), field("id_card", "sensitive"), field("note", None), field("memo", "internal"),
        field("stated_area_m2", type="number", unit="m²"),
    ],
    entity="parcel", title_field="parcel_id", stated_area="stated_area_m2",
)  # fmt: skip
SURVEY = resource(
    "survey", "none", "parcel_id", [field("parcel_id"), field("grade"), field("surveyor_name", "internal")],
    entity="parcel",
)  # fmt: skip
RED_LINE = resource(
    "red_line", "polygon", "line_id",
    [field("line_id"), field("control_type"), field("forbidden"), field("contact", "internal")],
    title_field="control_type",
)  # fmt: skip
GRID = resource(
    "grid", "polygon", "grid_code",
    [field("grid_code"), field("worker_name", "internal"), field("worker_phone", "internal")], entity="grid",
)  # fmt: skip
ROAD = resource("road", "line", "road_id", [field("road_id"), field("name")], title_field="name")
HOUSE = resource(
    "house", "point", "house_id",
    [field("house_id"), field("name"), field("parcel_id"), field("address", "public"), field("holder_name", "personal")],
    entity="house", title_field="name",
)  # fmt: skip
SECRET = resource("secret", "point", "secret_id", [field("secret_id")], share_type="none")
PHOTO = resource("photo", "raster", "", [], reader="raster")
GROUND = resource("ground", "raster", "", [], reader="raster")
RESOURCES = (COVER, SURVEY, RED_LINE, GRID, ROAD, HOUSE, SECRET, PHOTO, GROUND)

SANDIAO = CodeSystem(
    id="sandiao@2019",
    title=text("三调", "Third survey"),
    source="test",
    codes=(
        Code(code="01", title=text("耕地", "Cultivated"), colour="#F8D072"),
        Code(code="0101", title=text("水田", "Paddy"), colour="#F8D072"),
        Code(code="0103", title=text("旱地", "Dry land")),
        Code(code="0810A", title=text("公园", "Park"), colour="#00FF00"),
        Code(code="0999", title=text("旧码", "Old"), abolished=True),
    ),
)


def layers() -> tuple[Layer, ...]:
    cover = Draw(
        id="cover", table="cover", type="fill", title=text("地类", "Land cover"),
        classes=Classes(column="land_class", system="sandiao@2019", digits=4), popup=("land_class", "owner_name"), minzoom=8,
    )  # fmt: skip
    label = Draw(
        id="label", table="cover", type="symbol", title=text("编号", "Codes"), minzoom=16, interactive=False,
        layout={"text-field": ("get", "parcel_id")}, in_legend=False,
    )  # fmt: skip
    houses = Draw(
        id="house", table="house", type="circle", title=text("房屋", "Houses"), columns=("name",), minzoom=12,
        classes=Classes(column="name", items=(ClassItem(value="祠堂", title=text("祠堂", "Hall"), colour="#C8102E", icon="house"),)),
    )  # fmt: skip
    road = Draw(
        id="road",
        table="road",
        type="line",
        title=text("道路", "Roads"),
        paint={"line-color": "#555555", "line-width": 2},
    )
    lines = Draw(
        id="line", table="red_line", type="fill", title=text("红线", "Red lines"), paint={"fill-color": "#B3261E"},
        classes=Classes(column="control_type", items=(ClassItem(value="永久基本农田", title=text("永久基本农田", "Farmland"), colour="#C99700", pattern="diagonal"),)),
    )  # fmt: skip
    grid = Draw(id="grid", table="grid", type="line", title=text("网格", "Grid"), paint={"line-color": "#5B3F8C"})
    secret = Draw(id="secret", table="secret", type="circle", title=text("密"))
    base = {"abstract": text("摘要"), "department": "land"}
    return (
        Layer(id="L02", slug="imagery", theme="base", title=text("影像", "Imagery"), share="conditional",
              draws=(Draw(id="photo", table="photo", type="raster", title=text("影像")),), **base),
        Layer(id="L03", slug="scene", theme="base", title=text("实景", "Scene"), share="conditional",
              draws=(Draw(id="shade", table="ground", type="hillshade", title=text("晕渲")),), **base),
        Layer(id="L06", slug="land", theme="planning", title=text("土地现状", "Land cover"), share="conditional",
              code_system="sandiao@2019", draws=(cover, label, road), default_on=True, keywords=("地类图斑",), **base),
        Layer(id="L05", slug="red", theme="planning", title=text("底线控制", "Red lines"), share="open", draws=(lines,), **base),
        Layer(id="L16", slug="grid", theme="governance", title=text("网格与房屋", "Grids"), share="conditional", draws=(grid, houses), **base),
        Layer(id="L17", slug="secret", theme="governance", title=text("密", "Secret"), share="conditional", draws=(secret,), **base),
    )  # fmt: skip


def onemap() -> OneMap:
    village = Village(
        id="t", name=text("测试村", "Test Village"), code="330521199999", county=text("德清县"), county_code="330521",
        bbox=(119.95, 30.51, 119.99, 30.55), plausible_bbox=(119.7, 30.4, 120.4, 30.8), metric_crs="EPSG:4549",
        storage_crs="EPSG:4490", center=(LON, LAT), zoom=14, time_zone="Asia/Shanghai",
        clock=datetime(2025, 11, 21, 2, 32, tzinfo=UTC),
    )  # fmt: skip
    themes = (
        Theme(id="base", title=text("底图", "Base")),
        Theme(id="planning", title=text("乡村规划", "Planning"), indicators=(
            Indicator(id="parcels", theme="planning", title=text("地块", "Parcels"), table="cover", by="land_class", by_year=True),
            Indicator(id="area", theme="planning", title=text("面积", "Area"), table="cover", measure="sum", column="area_m2"),
        )),
        Theme(id="governance", title=text("乡村治理", "Governance")),
    )  # fmt: skip
    department = Department(id="land", title=text("自然资源局", "Land Bureau"), provider_code="x", resources=RESOURCES)
    return OneMap(village=village, departments=(department,), code_systems=(SANDIAO,), themes=themes, layers=layers())


def cover_rows() -> list[dict[str, Any]]:
    """Give a 3 × 3 block of parcels in 2020 and 2025; P5 changes class."""
    rows = []
    for year in (2020, 2025):
        for k in range(9):
            code = "0103" if k % 2 or (k == 4 and year == 2020) else "0101"
            rows.append(
                {
                    "id": f"P{k + 1}", "year": year, "parcel_id": f"P{k + 1}", "land_class": code,
                    "owner_name": CANARY["personal"], "owner_phone": "13900000103", "id_card": CANARY["sensitive"],
                    "note": CANARY["unclassified"], "memo": CANARY["internal"], "stated_area_m2": 10_000.0 + k,
                    "wkt": square(k % 3, k // 3),
                }
            )  # fmt: skip
    return rows


TABLES: Mapping[str, list[dict[str, Any]]] = {
    "cover": cover_rows(),
    "survey": [{"id": "P5", "year": None, "parcel_id": "P5", "grade": "C", "surveyor_name": "李四"}],
    "red_line": [
        {"id": "R1", "year": None, "line_id": "R1", "control_type": "永久基本农田", "forbidden": "建房、挖塘", "contact": "0572-8000000",
         "wkt": square(0, 0, 1.5)},
    ],
    "grid": [
        {"id": "330521199999001", "year": None, "grid_code": "330521199999001", "worker_name": "王建国",
         "worker_phone": "13900000001", "wkt": square(-1, -1, 3)},
    ],
    "road": [{"id": "D1", "year": None, "road_id": "D1", "name": "村道", "wkt": line((-2, 1.5), (5, 1.5))}],
    "house": [
        {"id": "H1", "year": None, "house_id": "H1", "name": "祠堂", "parcel_id": "P5", "address": "测试村1号",
         "holder_name": CANARY["personal"], "wkt": point(1.5, 1.5)},
        {"id": "H2", "year": None, "house_id": "H2", "name": "小学", "parcel_id": "P9", "address": "测试村2号",
         "holder_name": CANARY["personal"], "wkt": point(2.5, 2.5)},
    ],
    "secret": [{"id": "S1", "year": None, "secret_id": "S1", "wkt": point(1, 1)}],
}  # fmt: skip


def publish(store: Store, table: str, rows: Sequence[Mapping[str, Any]], *, kind: str, run: str = "r1") -> None:
    """Publish rows (with `wkt` in EPSG:4490 where the kind has geometry) as the road would, provenance and all."""

    def fill(folder: Path) -> Mapping[str, Any]:
        with duck.connect() as connection:
            relation = _relation(connection, table, rows, kind, run)
            projjson = None if kind == "none" else geodesy.projjson("EPSG:4490")
            facts = geoparquet.write(connection, relation, folder / "part.parquet", projjson=projjson)
            copy.derive(
                connection, folder / "part.parquet", folder,
                tile_columns=["land_class"] if table == "cover" else [], class_columns=["land_class"] if table == "cover" else [],
                source_layer=table,
            )  # fmt: skip
        years = sorted({r["year"] for r in rows if r["year"] is not None})
        return {
            "kind": kind, "rows": facts.rows, "bbox": list(facts.bbox) if facts.bbox else None, "years": years,
            "geometry": list(facts.geometry_types), "as_of": "2025-06-30", "run": run, "resource": table,
        }  # fmt: skip

    store.publish(table, fill)


def _relation(connection: duck.Connection, table: str, rows: Sequence[Mapping[str, Any]], kind: str, run: str) -> str:
    columns = [c for c in rows[0] if c != "wkt"]
    types = {"year": "INTEGER", "stated_area_m2": "DOUBLE", "wkt": "VARCHAR"}
    listed = ", ".join(f'"{c}" {types.get(c, "VARCHAR")}' for c in rows[0])
    connection.execute(f"CREATE TABLE given ({listed})")
    connection.executemany(
        f"INSERT INTO given VALUES ({', '.join('?' * len(rows[0]))})", [list(r.values()) for r in rows]
    )
    extra = (
        f", '{table}' AS _resource, '{run}' AS _run, '01_land/{table}.gpkg' AS _source, 'ab12' AS _source_sha256, "
        "row_number() OVER ()::VARCHAR AS _row"
    )
    named = ", ".join(f'"{c}"' for c in columns)
    if kind == "none":
        connection.execute(f"CREATE VIEW good AS SELECT {named}{extra} FROM given")
        return "good"
    shapes = [r["wkt"] for r in rows]
    import shapely

    area = geodesy.area_m2(shapely.from_wkt(shapes), "EPSG:4490", metric_crs="EPSG:4549")
    connection.execute("CREATE TABLE areas (n INTEGER, area_m2 DOUBLE)")
    connection.executemany("INSERT INTO areas VALUES (?, ?)", [[i + 1, float(a)] for i, a in enumerate(area)])
    measured = ", area_m2" if kind == "polygon" else ""
    connection.execute(
        f"CREATE TABLE good AS SELECT {named}{extra}{measured}, ST_GeomFromText(wkt) AS geometry FROM "
        "(SELECT *, row_number() OVER ()::INTEGER AS n FROM given) JOIN areas USING (n)"
    )
    return "good"


def publish_rasters(store: Store) -> None:
    """Publish a two-edition photograph and a sloping ground, 3 × 3 steps."""
    bounds = (LON, LAT, LON + 3 * STEP, LAT + 3 * STEP)

    def photo(folder: Path) -> Mapping[str, Any]:
        for year, red in ((2020, 40), (2025, 200)):
            pixels = np.full((3, 256, 256), red, np.uint8)
            rasters.write_geotiff(folder / "given.tif", pixels, bounds, "EPSG:4490")
            warping.cog([folder / "given.tif"], folder / f"{year}.tif", crs="EPSG:4490")
        (folder / "given.tif").unlink()
        return {"kind": "raster", "rows": 0, "years": [2020, 2025], "bbox": list(bounds)}

    def ground(folder: Path) -> Mapping[str, Any]:
        heights = np.tile(np.linspace(10, 90, 256, dtype=np.float32), (256, 1))[None]
        rasters.write_geotiff(folder / "given.tif", heights, bounds, "EPSG:4490")
        warping.cog([folder / "given.tif"], folder / "terrain.tif", crs="EPSG:4490", form=rasters.TERRAIN)
        (folder / "given.tif").unlink()
        return {"kind": "raster", "rows": 0, "years": [], "bbox": list(bounds)}

    store.publish("photo", photo)
    store.publish("ground", ground)


def build(data: Path, *, with_rasters: bool = True) -> tuple[OneMap, Store, Settings]:
    """Build the village below `data`."""
    settings = replace(Settings(), data=data, tile_cache_mb=8, demo=True)
    store = Store(settings.store)
    kinds = {r.id: r.kind for r in RESOURCES}
    for table, rows in TABLES.items():
        publish(store, table, rows, kind=kinds[table])
    if with_rasters:
        publish_rasters(store)
    return onemap(), store, settings
