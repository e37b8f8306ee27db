"""L10 水环境与水利: waters with the people who answer for them, and the stations that watch them."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

STATES = Classes(
    column="station_state",
    other="#9AA3A8",
    items=(
        ClassItem(value="正常", title=Text("正常", "Normal"), colour="#007A5A", icon="drop"),
        ClassItem(value="超警戒", title=Text("超警戒", "Above warning level"), colour="#A3151A", icon="wave"),
        ClassItem(value="水质超标", title=Text("水质超标", "Quality below standard"), colour="#B86E00", icon="drop"),
        ClassItem(value="离线", title=Text("离线", "Offline"), colour="#6B777D", icon="cross"),
    ),
)
RUNNING = Classes(
    column="run_state",
    other="#9AA3A8",
    items=(
        ClassItem(value="正常", title=Text("终端正常", "Terminal running"), colour="#1B6E3C", icon="recycle"),
        ClassItem(value="停运检修", title=Text("终端停运检修", "Stopped for repair"), colour="#A3151A", icon="recycle"),
    ),
)
DOT = {"circle-radius": 8, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}

LAYER = Layer(
    id="L10",
    slug="water",
    theme="environment",
    title=Text("水环境与水利", "Water"),
    abstract=Text(
        "河道与河长、水域、水位水质站、农村污水终端。",
        "Rivers and their chiefs, water bodies, level and quality stations, sewage terminals.",
    ),
    department="water_resources",
    share="conditional",
    default_on=True,
    keywords=("河长", "水位", "水质", "污水", "river chief"),
    draws=(
        Draw(
            id="body",
            table="water_body",
            type="fill",
            title=Text("水域", "Water bodies"),
            paint={"fill-color": "#7DB8DA", "fill-opacity": 0.55, "fill-outline-color": "#2F7BAA"},
            columns=("body_name",),
            popup=("body_name", "body_type", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="river",
            table="river",
            type="line",
            title=Text("河道", "Rivers"),
            paint={
                "line-color": "#2F7BAA",
                "line-width": ("interpolate", ("linear",), ("zoom",), 11, 1, 17, 3),
                "line-opacity": ("match", ("get", "river_grade"), "村级", 0.9, 0.25),
            },
            layout={"line-cap": "round", "line-join": "round"},
            columns=("river_name", "river_grade"),
            popup=("river_name", "river_grade", "river_chief_name", "river_chief_phone", "width_m", "length_m"),
        ),
        Draw(
            id="terminal",
            table="sewage_terminal",
            type="circle",
            title=Text("污水终端", "Sewage terminals"),
            classes=RUNNING,
            paint=DOT,
            columns=("terminal_name",),
            popup=("terminal_name", "run_state", "capacity_m3_d", "household_count", "operator_name"),
            minzoom=12,
        ),
        Draw(
            id="station",
            table="water_station",
            type="circle",
            title=Text("水位水质站", "Water stations"),
            classes=STATES,
            paint={**DOT, "circle-radius": 10},
            columns=("station_name",),
            popup=(
                "station_name",
                "station_type",
                "water_level_m",
                "warning_level_m",
                "quality_class",
                "station_state",
                "observed_at",
            ),
            minzoom=11,
        ),
        Draw(
            id="station_label",
            table="water_station",
            type="symbol",
            title=Text("站名与水位", "Stations and levels"),
            layout={
                "text-field": (
                    "case",
                    ("has", "water_level_m"),
                    ("concat", ("get", "station_name"), " ", ("to-string", ("get", "water_level_m")), " m"),
                    ("get", "station_name"),
                ),
                "text-size": 14,
                "text-offset": (1.1, 0),
                "text-anchor": "left",
            },
            paint={"text-color": "#1B2A2F", "text-halo-color": "#FFFFFF", "text-halo-width": 2},
            minzoom=13,
            interactive=False,
            in_legend=False,
        ),
    ),
)
