"""A small village whose two departments deliver people, real files in their real mess, for the tests of erasing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from etl import catalog, run
from etl.ledger import Report
from tests import receiving
from twin.settings import Settings

SECRET = "qV7tN3xJ8bL2wZ6cR9mF4hK1dG5sP0yA"
HOUSEHOLDS = """
[department]
id = "land"
title = { zh = "民政局", en = "Civil Affairs" }
provider_code = "Y"

[[resource]]
id = "household"
code = "2"
title = { zh = "低收入家庭", en = "Low-income households" }
class_path = ["试验"]
abstract = { zh = "名册", en = "A register" }
format = "CSV"
reader = "table"
kind = "none"
key = "household_id"
share_type = "conditional"
share_condition = ""
share_method = ""
open_attr = "不开放"
update_cycle = "每月"
cadence_seconds = 2678400
published = 2024-01-01
theme = "service"
layers = []
[[resource.source]]
location = "05_civil/户.csv"
as_of = 2025-10-01
encoding = "gb18030"
[[resource.field]]
name = "household_id"
title = { zh = "户号", en = "Household" }
type = "string"
source = "户号"
sensitivity = "public"
required = true
pattern = "^H\\\\d+$"
[[resource.field]]
name = "head_name"
title = { zh = "户主", en = "Head" }
type = "string"
source = "户主"
sensitivity = "personal"
[[resource.field]]
name = "phone"
title = { zh = "电话", en = "Phone" }
type = "string"
source = "电话"
sensitivity = "personal"
[[resource.field]]
name = "id_card"
title = { zh = "身份证号", en = "Identity card" }
type = "string"
source = "身份证号"
sensitivity = "sensitive"
"""
PLOTS = """

[[resource]]
id = "plot"
code = "3"
title = { zh = "宅基地", en = "Homesteads" }
class_path = ["试验"]
abstract = { zh = "宗地", en = "Plots" }
format = "GeoJSON"
reader = "vector"
kind = "polygon"
key = "plot_id"
about = "things"
share_type = "conditional"
share_condition = ""
share_method = ""
open_attr = "不开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2024-01-01
theme = "planning"
layers = []
[[resource.source]]
location = "54_land/宗地.geojson"
as_of = 2025-10-01
crs = "EPSG:4490"
[[resource.field]]
name = "plot_id"
title = { zh = "宗地号", en = "Plot" }
type = "string"
source = "ZDDM"
sensitivity = "public"
required = true
pattern = "^Z\\\\d+$"
[[resource.field]]
name = "holder_name"
title = { zh = "权利人", en = "Holder" }
type = "string"
source = "QLR"
sensitivity = "personal"
[[resource.field]]
name = "id_card"
title = { zh = "证件号", en = "Identity card" }
type = "string"
source = "ZJH"
sensitivity = "sensitive"
"""
HEAD = "户号,户主,电话,身份证号"
NAME, CARD, PHONE = "章小雨", "330521198803070022", "13912345678"
"""The person who asks to be erased; a name that others bear too."""


def card(number: int) -> str:
    """Give a sound identity number of somebody else."""
    body = f"33052119700101{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def settings(root: Path) -> Settings:
    """Declare the village below `root`."""
    receiving.village(root, HOUSEHOLDS + PLOTS)
    return Settings(data=root, village=root, secret=SECRET)


def household(number: int, name: str = "", phone: str = "", identity: str = "", key: str = "") -> str:
    """Give one line of the register; somebody else's where nothing is said."""
    told = name or f"户主{number}", phone or f"1380000{number:04d}", identity or card(number)
    return ",".join((key or f"H{number}", *told))


def deliver_households(data: Path, lines: Iterable[str]) -> Path:
    """Write the register as its department does, in GB 18030."""
    path = data / "raw" / "05_civil" / "户.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\r\n".join((HEAD, *lines, "")).encode("gb18030"))
    return path


def plot(number: int, name: str = "", identity: str = "") -> dict:
    """Give one plot; somebody else's where nothing is said."""
    told = {"ZDDM": f"Z{number}", "QLR": name or f"权利人{number}", "ZJH": identity or card(500 + number)}
    geometry = {"type": "Polygon", "coordinates": [receiving.square(number)]}
    return {"type": "Feature", "properties": told, "geometry": geometry}


def deliver_plots(data: Path, plots: Iterable[dict]) -> Path:
    """Write the plots as their department does."""
    return receiving.deliver(data, list(plots), "54_land/宗地.geojson")


def receive(given: Settings, resource: str, **flags: bool) -> Report:
    """Receive one resource."""
    known = catalog.read(given.village)
    found = known.resource(resource)
    assert found is not None
    return run.run(found, known, given, **flags)


def lines(path: Path) -> list[dict]:
    """Give the lines of a file of JSON lines."""
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]
