"""L15 民生关爱: how many need care in each grid; numbers under five are withheld, names are never here."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

LEVELS = Classes(
    column="care_level",
    items=(
        ClassItem(
            value="少于5人", title=Text("少于 5 人,不提供", "Under 5, withheld"), colour="#B9C0C3", pattern="dots"
        ),
        ClassItem(value="5-9人", title=Text("5—9 人", "5 to 9"), colour="#F6D9B8"),
        ClassItem(value="10-14人", title=Text("10—14 人", "10 to 14"), colour="#EBA865"),
        ClassItem(value="15人以上", title=Text("15 人以上", "15 and more"), colour="#C96A1B"),
    ),
)

LAYER = Layer(
    id="L15",
    slug="care",
    theme="service",
    title=Text("民生关爱", "Care"),
    abstract=Text(
        "按网格汇总的独居老人等关爱对象,少于 5 人不提供。",
        "Elders living alone and others by grid; numbers under five are withheld.",
    ),
    department="civil_affairs",
    share="sensitive",
    keywords=("独居", "老人", "残疾人", "走访", "care"),
    draws=(
        Draw(
            id="grid",
            table="care_grid",
            type="fill",
            title=Text("独居老人", "Elders living alone"),
            classes=LEVELS,
            paint={"fill-opacity": 0.6},
            columns=("grid_name",),
            popup=("grid_name", "elder_alone_count", "elder_count", "child_count", "visit_count", "is_suppressed"),
        ),
        Draw(
            id="grid_edge",
            table="care_grid",
            type="line",
            title=Text("网格界线", "Grid outlines"),
            paint={"line-color": "#8A4B00", "line-width": 1.0, "line-opacity": 0.7},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="grid_label",
            table="care_grid",
            type="symbol",
            title=Text("独居人数", "Numbers"),
            layout={
                "text-field": ("concat", ("get", "grid_name"), "\n", ("get", "care_level")),
                "text-size": 13,
            },
            paint={"text-color": "#4A2A06", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=13,
            interactive=False,
            in_legend=False,
        ),
    ),
)
