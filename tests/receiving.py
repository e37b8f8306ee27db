"""A small village and its tiny deliveries, for the tests of the receiving pipeline."""

import json
from pathlib import Path

VILLAGE = """
[village]
id = "hamlet"
name = { zh = "小村", en = "Hamlet" }
code = "330521199299"
county = { zh = "某县", en = "County" }
county_code = "330521"
bbox = [119.95, 30.51, 119.99, 30.55]
plausible_bbox = [119.75, 30.43, 120.36, 30.71]
metric_crs = "EPSG:4549"
storage_crs = "EPSG:4490"
center = [119.97, 30.53]
zoom = 14.0
time_zone = "Asia/Shanghai"
clock = 2025-11-21T10:32:00+08:00
[village.accepted_crs]
"EPSG:4490" = 0.01
"EPSG:4549" = 0.01
"EPSG:4326" = 1.0
"""
CODES = """
id = "cover@2019"
title = { zh = "地类", en = "Land cover" }
source = "test"
[[code]]
code = "0101"
title = { zh = "水田", en = "Paddy" }
colour = "#FFFF64"
[[code]]
code = "0999"
title = { zh = "旧类", en = "Old class" }
abolished = true
"""
DEPARTMENT = """
[department]
id = "land"
title = { zh = "自然资源局", en = "Land Bureau" }
provider_code = "X"

[[resource]]
id = "cover"
code = "1"
title = { zh = "图斑", en = "Cover" }
class_path = ["试验"]
abstract = { zh = "图斑", en = "Cover" }
format = "GeoJSON"
reader = "vector"
kind = "polygon"
key = "parcel_id"
share_type = "unconditional"
share_condition = ""
share_method = ""
open_attr = "开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2024-01-01
theme = "planning"
layers = []
code_system = "cover@2019"
stated_area = "stated_area_m2"
[[resource.source]]
location = "01_land/cover.geojson"
year = 2025
as_of = 2025-10-01
crs = "EPSG:4490"
[[resource.field]]
name = "parcel_id"
title = { zh = "图斑号", en = "Parcel" }
type = "string"
source = "TBBH"
sensitivity = "public"
required = true
length = 8
pattern = "^P\\\\d+$"
[[resource.field]]
name = "land_class"
title = { zh = "地类", en = "Class" }
type = "string"
source = "DLBM"
sensitivity = "public"
code_system = "cover@2019"
[[resource.field]]
name = "stated_area_m2"
title = { zh = "面积", en = "Stated area" }
type = "number"
source = "TBMJ"
sensitivity = "public"
unit = "m²"
above = 0.0
"""


def village(root: Path, department: str = DEPARTMENT) -> Path:
    """Write the declarations below `root` and give their folder."""
    for name in ("catalog", "codes"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "village.toml").write_text(VILLAGE, "utf-8")
    (root / "codes" / "cover.toml").write_text(CODES, "utf-8")
    (root / "catalog" / "01_land.toml").write_text(department, "utf-8")
    return root


WIDTH = 0.0005
AREA = 2659.0
"""Square metres of `square`, about."""


def square(index: int) -> list[list[float]]:
    """Give the ring of the `index`-th square: 16 a row, inside the village, touching nothing."""
    x, y = 119.96 + (index % 16) * 0.001, 30.52 + (index // 16) * 0.001
    return [[x, y], [x + WIDTH, y], [x + WIDTH, y + WIDTH], [x, y + WIDTH], [x, y]]


def feature(index: int, ring: list | None = None, **values: object) -> dict:
    """Give one sound feature, changed by `values` (TBBH, DLBM, TBMJ) or another `ring`."""
    properties = {"TBBH": f"P{index}", "DLBM": "0101", "TBMJ": AREA, **values}
    geometry = None if ring == [] else {"type": "Polygon", "coordinates": [ring or square(index)]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def deliver(data: Path, features: list[dict], name: str = "01_land/cover.geojson") -> Path:
    """Write a GeoJSON delivery below `data`/raw and give its path."""
    path = data / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), "utf-8")
    return path
