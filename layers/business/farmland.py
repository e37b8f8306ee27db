"""L07 承包地与种植: who farms which plot, and what grows there."""

from __future__ import annotations

from twin.model import Classes, Draw, Layer, Text

LAYER = Layer(
    id="L07",
    slug="farmland",
    theme="business",
    title=Text("承包地与种植", "Farmland and crops"),
    abstract=Text(
        "承包地块、当季作物与流转;合同面积以亩申报。",
        "Contracted plots, this season's crops and transfers; contract areas as stated in mu.",
    ),
    department="agriculture",
    share="masked",
    keywords=("承包地", "流转", "作物", "非粮化", "crops"),
    draws=(
        Draw(
            id="plot",
            table="farm_contract",
            type="fill",
            title=Text("种植作物", "Crops"),
            classes=Classes(column="crop_name", system="crop@2021"),
            paint={"fill-opacity": 0.6},
            columns=("plot_code", "is_transferred"),
            popup=("plot_code", "crop_name", "contractor_name", "is_transferred", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="plot_edge",
            table="farm_contract",
            type="line",
            title=Text("地块界线", "Plot outlines"),
            paint={"line-color": "#4F5B3A", "line-width": 0.6, "line-opacity": 0.6},
            minzoom=14,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="transferred",
            table="farm_contract",
            type="line",
            title=Text("已流转", "Transferred"),
            filter=("==", ("get", "is_transferred"), True),
            paint={"line-color": "#0B5CAD", "line-width": 1.2, "line-opacity": 0.7, "line-dasharray": (3, 2)},
            minzoom=14,
            interactive=False,
        ),
        Draw(
            id="plot_label",
            table="farm_contract",
            type="symbol",
            title=Text("作物名", "Crop names"),
            layout={"text-field": ("get", "crop_name"), "text-size": 13, "text-padding": 14},
            paint={"text-color": "#33402A", "text-halo-color": "#FFFFFF", "text-halo-width": 1.5},
            minzoom=16,
            interactive=False,
            in_legend=False,
        ),
    ),
)
