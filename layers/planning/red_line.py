"""L05 底线控制: where nothing may be built, and whom to ask."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

KINDS = Classes(
    column="control_type",
    items=(
        ClassItem(
            value="永久基本农田",
            title=Text("永久基本农田", "Permanent basic farmland"),
            colour="#C99700",
            pattern="diagonal",
        ),
        ClassItem(
            value="生态保护红线",
            title=Text("生态保护红线", "Ecological red line"),
            colour="#B3261E",
            pattern="back",
        ),
        ClassItem(
            value="城镇开发边界",
            title=Text("城镇开发边界", "Urban development boundary"),
            colour="#5B3F8C",
            pattern="grid",
        ),
        ClassItem(
            value="水源保护",
            title=Text("水源保护范围", "Water source protection"),
            colour="#0B5CAD",
            pattern="horizontal",
        ),
        ClassItem(
            value="文物保护",
            title=Text("文物保护范围", "Heritage zone"),
            colour="#8A4B00",
            pattern="dots",
        ),
    ),
)
HATCH = (
    "match",
    ("get", "control_type"),
    *(part for item in KINDS.items for part in (item.value, f"hatch-{item.pattern}-{item.colour[1:].lower()}")),
    "hatch-diagonal-9aa3a8",
)
"""Hatched stronger than tinted, so that what lies below stays readable."""

LAYER = Layer(
    id="L05",
    slug="red_line",
    theme="planning",
    title=Text("底线控制", "Red lines"),
    abstract=Text(
        "永久基本农田、生态保护红线等底线,点击可见禁止事项与咨询电话。",
        "Basic farmland, ecological red line and others; a click says what is forbidden and whom to ask.",
    ),
    department="natural_resources",
    share="conditional",
    keywords=("红线", "永农", "三区三线", "red line"),
    draws=(
        Draw(
            id="zone",
            table="red_line",
            type="fill",
            title=Text("管控区", "Control zones"),
            classes=KINDS,
            paint={"fill-opacity": 0.14},
            columns=("control_name", "control_type"),
            popup=("control_name", "control_type", "forbidden", "contact", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="hatch",
            table="red_line",
            type="fill",
            title=Text("管控区斜线", "Zone hatch"),
            classes=Classes(column="control_type", system="control_type@2024"),
            paint={"fill-pattern": HATCH, "fill-opacity": 0.7},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="edge",
            table="red_line",
            type="line",
            title=Text("管控区边线", "Zone edges"),
            classes=KINDS,
            paint={"line-width": ("interpolate", ("linear",), ("zoom",), 12, 0.8, 16, 1.8)},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="label",
            table="red_line",
            type="symbol",
            title=Text("管控区名称", "Zone names"),
            layout={"text-field": ("get", "control_name"), "text-size": 14, "text-padding": 60},
            paint={"text-color": "#6B2A12", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=15,
            interactive=False,
            in_legend=False,
        ),
    ),
)
