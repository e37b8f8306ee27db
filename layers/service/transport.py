"""L14 交通出行与公用: roads, buses, power, and pipes once they are delivered."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

SURFACES = Classes(
    column="surface",
    other="#8C8C8C",
    items=(
        ClassItem(value="沥青", title=Text("沥青路面", "Asphalt"), colour="#4A4F57"),
        ClassItem(value="水泥", title=Text("水泥路面", "Concrete"), colour="#7A6BA8"),
        ClassItem(value="砂石", title=Text("砂石路面", "Gravel"), colour="#C98A2B"),
        ClassItem(value="土路", title=Text("土路", "Earth"), colour="#A67C52"),
    ),
)
SUPPLY = Classes(
    column="supply_state",
    other="#9AA3A8",
    items=(
        ClassItem(value="正常", title=Text("台区正常", "Supply normal"), colour="#1B6E3C", icon="bolt"),
        ClassItem(value="计划停电", title=Text("计划停电", "Planned outage"), colour="#E69F00", icon="bolt"),
        ClassItem(value="故障", title=Text("故障", "Fault"), colour="#A3151A", icon="bolt"),
    ),
)
STOPS = Classes(
    column="has_shelter",
    items=(
        ClassItem(value="true", title=Text("公交站(有候车亭)", "Bus stop, sheltered"), colour="#0B5CAD", icon="bus"),
        ClassItem(value="false", title=Text("公交站", "Bus stop"), colour="#4F99E3", icon="bus"),
    ),
)
DOT = {"circle-radius": 9, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}

LAYER = Layer(
    id="L14",
    slug="transport",
    theme="service",
    title=Text("交通出行与公用", "Transport and utilities"),
    abstract=Text("农村公路、公交站、供电台区与污水管网。", "Rural roads, bus stops, transformers and sewers."),
    department="transport",
    share="open",
    keywords=("公路", "公交", "停电", "台区", "bus"),
    draws=(
        Draw(
            id="road",
            table="road",
            type="line",
            title=Text("农村公路", "Rural roads"),
            classes=SURFACES,
            paint={"line-width": ("interpolate", ("exponential", 1.6), ("zoom",), 11, 1.2, 17, 6), "line-opacity": 0.9},
            layout={"line-cap": "round", "line-join": "round"},
            columns=("road_name", "road_class"),
            popup=("road_name", "road_class", "width_m", "surface", "length_m"),
        ),
        Draw(
            id="sewer",
            table="sewer_pipe",
            type="line",
            title=Text("污水管网", "Sewers"),
            paint={"line-color": "#7A4B2A", "line-width": 1.6, "line-dasharray": (4, 2)},
            columns=("pipe_type",),
            popup=("pipe_type", "diameter_mm", "length_m"),
            minzoom=13,
        ),
        Draw(
            id="transformer",
            table="transformer",
            type="circle",
            title=Text("配电台区", "Transformers"),
            classes=SUPPLY,
            paint=DOT,
            columns=("transformer_name",),
            popup=("transformer_name", "capacity_kva", "household_count", "supply_state"),
            minzoom=12,
        ),
        Draw(
            id="stop",
            table="bus_stop",
            type="circle",
            title=Text("公交站", "Bus stops"),
            classes=STOPS,
            paint=DOT,
            columns=("stop_name",),
            popup=("stop_name", "line_names", "headway_min", "has_shelter"),
            minzoom=12,
        ),
        Draw(
            id="stop_label",
            table="bus_stop",
            type="symbol",
            title=Text("站名", "Stop names"),
            layout={"text-field": ("get", "stop_name"), "text-size": 13, "text-offset": (0, 1.2), "text-anchor": "top"},
            paint={"text-color": "#0B5CAD", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=15,
            interactive=False,
            in_legend=False,
        ),
    ),
)
