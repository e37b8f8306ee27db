"""L16 网格与房屋: grids with their workers, houses, and door numbers."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

GRID = "#5B3F8C"
USES = Classes(
    column="use_name",
    other="#B9B1A8",
    items=(
        ClassItem(value="住宅", title=Text("住宅", "Dwelling"), colour="#D9B98C"),
        ClassItem(value="附属用房", title=Text("附属用房", "Outbuilding"), colour="#C9C2B8"),
        ClassItem(value="公共建筑", title=Text("公共建筑", "Public building"), colour="#C77FB8"),
        ClassItem(value="商业", title=Text("商业", "Commerce"), colour="#D9776B"),
        ClassItem(value="厂房", title=Text("厂房", "Workshop"), colour="#A98A6B"),
        ClassItem(value="公用设施", title=Text("公用设施", "Utility"), colour="#7F9AA3"),
    ),
)

LAYER = Layer(
    id="L16",
    slug="grid",
    theme="governance",
    title=Text("网格与房屋", "Grids and buildings"),
    abstract=Text(
        "治理网格与网格员、房屋与安全等级、标准门牌。",
        "Governance grids and their workers, houses and their safety, standard addresses.",
    ),
    department="politics_law",
    share="conditional",
    default_on=True,
    keywords=("网格员", "房屋", "门牌", "危房", "grid"),
    draws=(
        Draw(
            id="grid",
            table="grid_cell",
            type="fill",
            title=Text("网格", "Grids"),
            paint={"fill-color": GRID, "fill-opacity": 0.03},
            columns=("grid_name",),
            popup=("grid_name", "grid_code", "worker_name", "worker_phone", "household_count", "area_m2"),
            in_legend=False,
        ),
        Draw(
            id="building",
            table="building",
            type="fill",
            title=Text("房屋", "Buildings"),
            classes=USES,
            paint={"fill-opacity": 0.85, "fill-outline-color": "#8A7A68"},
            columns=("building_name", "storeys"),
            popup=("building_name", "building_id", "use_name", "storeys", "height_m", "structure", "built_year"),
            minzoom=13,
        ),
        Draw(
            id="building_3d",
            table="building",
            type="fill-extrusion",
            title=Text("房屋(立体)", "Buildings in 3D"),
            classes=USES,
            paint={"fill-extrusion-height": ("get", "height_m"), "fill-extrusion-opacity": 0.95},
            columns=("building_name",),
            popup=("building_name", "building_id", "use_name", "storeys", "height_m", "structure", "built_year"),
            minzoom=13,
            in_legend=False,
        ),
        Draw(
            id="grid_casing",
            table="grid_cell",
            type="line",
            title=Text("网格衬线", "Grid casing"),
            paint={"line-color": "#FFFFFF", "line-width": 3.4, "line-opacity": 0.65},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="grid_edge",
            table="grid_cell",
            type="line",
            title=Text("网格边界", "Grid boundary"),
            paint={"line-color": GRID, "line-width": 1.5, "line-dasharray": (6, 3)},
            interactive=False,
        ),
        Draw(
            id="address",
            table="address_point",
            type="circle",
            title=Text("门牌", "Addresses"),
            paint={
                "circle-color": "#0B6B50",
                "circle-radius": 3.5,
                "circle-stroke-color": "#FFFFFF",
                "circle-stroke-width": 1,
            },
            columns=("door_number",),
            popup=("address", "building_id"),
            minzoom=17,
        ),
        Draw(
            id="address_label",
            table="address_point",
            type="symbol",
            title=Text("门牌号", "Door numbers"),
            layout={
                "text-field": ("get", "door_number"),
                "text-size": 12,
                "text-offset": (0, 0.9),
                "text-anchor": "top",
            },
            paint={"text-color": "#0B6B50", "text-halo-color": "#FFFFFF", "text-halo-width": 1.5},
            minzoom=17,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="grid_label",
            table="grid_cell",
            type="symbol",
            title=Text("网格名", "Grid names"),
            layout={"text-field": ("get", "grid_name"), "text-size": 14, "text-padding": 6},
            paint={"text-color": GRID, "text-halo-color": "#FFFFFF", "text-halo-width": 2},
            minzoom=12,
            interactive=False,
            in_legend=False,
        ),
    ),
)
