"""L04 规划用途与管控: what the approved village plan allows where."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

CONTROLS = Classes(
    column="control_type",
    other="#5B3F8C",
    items=(
        ClassItem(value="村庄建设边界", title=Text("村庄建设边界", "Village building boundary"), colour="#8A5A3C"),
        ClassItem(value="河道管理范围线", title=Text("河道管理范围线", "River management line"), colour="#0B5CAD"),
    ),
)

LAYER = Layer(
    id="L04",
    slug="plan",
    theme="planning",
    title=Text("规划用途与管控", "Plan use and control"),
    abstract=Text(
        "村庄规划(2021—2035)的规划用地与管控边界,附批复文号。",
        "Zones and control lines of the village plan 2021-2035, with the approval they rest on.",
    ),
    department="natural_resources",
    share="conditional",
    code_system="ydyh@2023",
    default_on=True,
    opacity=1.0,
    keywords=("规划用地", "用地用海", "管控边界", "land use plan"),
    draws=(
        Draw(
            id="zone",
            table="plan_zone",
            type="fill",
            title=Text("规划用地", "Plan zones"),
            classes=Classes(column="plan_class", system="ydyh@2023", digits=4),
            paint={"fill-opacity": 0.46},
            columns=("zone_name", "plan_status"),
            popup=("zone_name", "plan_class", "approval_number", "plan_status", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="zone_edge",
            table="plan_zone",
            type="line",
            title=Text("规划图斑界线", "Zone outlines"),
            paint={"line-color": "#6B7F6B", "line-width": 0.6, "line-opacity": 0.35},
            minzoom=14,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="control",
            table="plan_control",
            type="line",
            title=Text("管控边界", "Control lines"),
            classes=CONTROLS,
            paint={"line-width": ("interpolate", ("linear",), ("zoom",), 13, 0.7, 16, 1.8), "line-dasharray": (5, 2.5)},
            columns=("control_type",),
            popup=("control_type", "control_id", "length_m"),
            minzoom=12,
        ),
        Draw(
            id="zone_label",
            table="plan_zone",
            type="symbol",
            title=Text("规划地类代码", "Plan class codes"),
            layout={"text-field": ("get", "plan_class"), "text-size": 14, "text-padding": 12},
            paint={"text-color": "#4F5B62", "text-halo-color": "#FFFFFF", "text-halo-width": 1.5},
            minzoom=16,
            interactive=False,
            in_legend=False,
        ),
    ),
)
