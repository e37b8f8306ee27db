"""L03 三维实景: imagery over the terrain, and the buildings as a 3D Tiles set."""

from __future__ import annotations

from twin.model import Draw, Layer, Text

LAYER = Layer(
    id="L03",
    slug="real_scene",
    theme="base",
    title=Text("三维实景", "3D real scene"),
    abstract=Text(
        "地形、影像与房屋三维模型,高程为 1985 国家高程基准。",
        "Terrain, imagery and modelled buildings; heights above the 1985 datum.",
    ),
    department="natural_resources",
    share="conditional",
    keywords=("三维", "地形", "倾斜摄影", "3D"),
    draws=(
        Draw(
            id="photo",
            table="imagery",
            type="raster",
            title=Text("正射影像", "Orthophoto"),
            paint={"raster-fade-duration": 120},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="model",
            table="building",
            type="scene",
            title=Text("房屋模型", "Building models"),
            columns=("building_name", "storeys", "height_m"),
            popup=("building_name", "use_name", "storeys", "height_m", "built_year"),
            minzoom=13,
        ),
    ),
)
