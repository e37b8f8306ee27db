"""L02 遥感影像: the orthophotos, one per year."""

from __future__ import annotations

from twin.model import Draw, Layer, Text

LAYER = Layer(
    id="L02",
    slug="imagery",
    theme="base",
    title=Text("遥感影像", "Imagery"),
    abstract=Text(
        "0.5 米正射影像,2020、2025 两期,可左右对比。", "Orthophotos of 0.5 m, 2020 and 2025, to be compared."
    ),
    department="natural_resources",
    share="conditional",
    keywords=("正射影像", "卫片", "DOM", "orthophoto"),
    draws=(
        Draw(
            id="photo",
            table="imagery",
            type="raster",
            title=Text("正射影像", "Orthophoto"),
            paint={"raster-fade-duration": 120, "raster-resampling": "linear"},
            interactive=False,
            in_legend=False,
        ),
    ),
)
