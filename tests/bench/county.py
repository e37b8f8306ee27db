"""The benchmark's county as a village of its own: its declarations, its one layer and its server."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from twin.model import Classes, Draw, Layer, OneMap, Text, Theme

ROOT = Path(__file__).resolve().parents[2]
FILE = "01_county/county.gpkg"

VILLAGE = """
[village]
id = "bench"
name = {{ zh = "基准县", en = "Benchmark county" }}
code = "330521"
county = {{ zh = "德清县", en = "Deqing" }}
county_code = "330521"
bbox = [{west}, {south}, {east}, {north}]
plausible_bbox = [{west}, {south}, {east}, {north}]
metric_crs = "EPSG:4549"
storage_crs = "EPSG:4490"
center = [{lon}, {lat}]
zoom = 12.0
time_zone = "Asia/Shanghai"
"""

CATALOG = """
[department]
id = "county"
title = { zh = "基准部门", en = "Benchmark department" }
provider_code = "11330521000000000X"
"""

RESOURCE = """
[[resource]]
id = "{id}"
code = "306001/{number:06d}"
title = {{ zh = "{zh}", en = "{en}" }}
class_path = ["试验", "自然资源", "{zh}"]
abstract = {{ zh = "{zh}", en = "{en}" }}
format = "GPKG"
reader = "vector"
kind = "{kind}"
key = "{key}"
share_type = "conditional"
share_condition = "基准"
share_method = "文件"
open_attr = "不开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2025-01-01
theme = "planning"
layers = ["B01"]
entity = "{id}"
{extra}
[[resource.source]]
location = "01_county/county.gpkg"
part = "{part}"
as_of = 2025-01-01
{fields}
"""

FIELD = """
[[resource.field]]
name = "{name}"
source = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
type = "{type}"
sensitivity = "public"
{extra}"""


def environment(folder: Path) -> dict[str, str]:
    """Give the environment that points every command at the benchmark's own village and data."""
    return {
        **os.environ,
        "ONEMAP_DEMO": "1",
        "ONEMAP_DATA": str(folder / "data"),
        "ONEMAP_VILLAGE": str(folder / "village"),
    }


def declare(folder: Path, source: Path) -> None:
    """Write village.toml, the catalogue and the code lists beside the county's one file."""
    village = folder / "village"
    shutil.rmtree(village, ignore_errors=True)
    (village / "catalog").mkdir(parents=True)
    shutil.copytree(ROOT / "data" / "codes", village / "codes")
    shutil.copy(ROOT / "data" / "grants.toml", village)
    west, south, east, north = extent(source)
    text = VILLAGE.format(
        west=west, south=south, east=east, north=north, lon=(west + east) / 2, lat=(south + north) / 2
    )
    (village / "village.toml").write_text(text, encoding="utf-8")
    (village / "catalog" / "01_county.toml").write_text(CATALOG + parcels(), encoding="utf-8")
    raw = folder / "data" / "raw" / FILE
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.unlink(missing_ok=True)
    os.link(source, raw)


def parcels() -> str:
    """Declare the parcels."""
    columns = {
        "parcel_id": ("string", "required = true\n"),
        "land_class": ("string", 'code_system = "sandiao@2019"\n'),
        "village_code": ("string", ""),
        "stated_area_m2": ("number", 'unit = "m²"\n'),
        "owner_kind": ("string", ""),
    }
    fields = "".join(FIELD.format(name=n, type=t, extra=e) for n, (t, e) in columns.items())
    extra = 'code_system = "sandiao@2019"\nstated_area = "stated_area_m2"'
    return RESOURCE.format(
        id="parcels",
        number=1,
        zh="地块",
        en="Parcels",
        kind="polygon",
        key="parcel_id",
        part="parcels",
        fields=fields,
        extra=extra,
    )


def extent(source: Path) -> tuple[float, float, float, float]:
    """Give the parcels' extent in degrees, a little widened."""
    import pyogrio

    from twin import geodesy

    x0, y0, x1, y1 = pyogrio.read_info(source, layer="parcels")["total_bounds"]
    turn = geodesy.transformer("EPSG:4549", "EPSG:4490", accepted={})
    (w, s), (e, n) = turn.transform(x0, y0), turn.transform(x1, y1)
    return w - 0.01, s - 0.01, e + 0.01, n + 0.01


def bbox(folder: Path) -> tuple[float, float, float, float]:
    """Give the published parcels' extent (degrees)."""
    from twin.store import Store

    return tuple(Store(folder / "data" / "store").current("parcels").manifest["bbox"])


LAYER = Layer(
    id="B01",
    slug="parcels",
    theme="planning",
    title=Text("地块", "Parcels"),
    abstract=Text("基准", "Benchmark"),
    department="county",
    share="open",
    code_system="sandiao@2019",
    default_on=True,
    draws=(
        Draw(
            id="parcels",
            table="parcels",
            type="fill",
            title=Text("地块", "Parcels"),
            classes=Classes(column="land_class", system="sandiao@2019", digits=2),
            columns=("parcel_id", "village_code", "stated_area_m2", "owner_kind"),
            popup=("parcel_id", "land_class", "stated_area_m2"),
            minzoom=8,
        ),
    ),
)


def onemap(folder: Path) -> OneMap:
    """Join the benchmark's declarations with its one layer."""
    from etl import catalog

    read = catalog.read(folder / "village")
    themes = (Theme(id="planning", title=Text("规划", "Planning")),)
    return OneMap(
        village=read.village,
        departments=read.departments,
        code_systems=read.code_systems,
        themes=themes,
        layers=(LAYER,),
    )


def serve(folder: Path, port: int) -> None:
    """Serve the county with the product's own API, without the page."""
    import uvicorn

    from twin import api, settings
    from twin.store import Store

    chosen = settings.read()
    app = api.create(onemap(folder), Store(chosen.store), chosen)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def snapshot() -> int:
    """Receive the parcels and publish the GeoParquet snapshot alone: nothing that is derived from it."""
    from etl import __main__ as command
    from etl import publishing

    publishing.copy.derive = lambda *_, **__: None
    return command.main(["run", "parcels"])


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(snapshot())
