"""L11 人居环境: where waste goes, and how well each household sorts it."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

KINDS = Classes(
    column="point_type",
    other="#6B777D",
    items=(
        ClassItem(value="分类投放点", title=Text("分类投放点", "Sorted waste point"), colour="#1B6E3C", icon="bin"),
        ClassItem(value="公厕", title=Text("公厕", "Public toilet"), colour="#0B5CAD", icon="person"),
        ClassItem(value="分拣中心", title=Text("分拣中心", "Sorting centre"), colour="#692558", icon="recycle"),
    ),
)
GRADES = Classes(
    column="sorting_grade",
    items=(
        ClassItem(value="优秀", title=Text("优秀", "Excellent"), colour="#009E73"),
        ClassItem(value="良好", title=Text("良好", "Good"), colour="#4F99E3"),
        ClassItem(value="合格", title=Text("合格", "Passed"), colour="#F0B400"),
        ClassItem(value="待改进", title=Text("待改进", "To improve"), colour="#A3151A"),
    ),
)

LAYER = Layer(
    id="L11",
    slug="sanitation",
    theme="environment",
    title=Text("人居环境", "Waste and sanitation"),
    abstract=Text("环卫设施与垃圾分类户评,户主信息脱敏。", "Sanitation points and sorting by household, names masked."),
    department="law_enforcement",
    share="masked",
    keywords=("垃圾分类", "公厕", "户评", "waste"),
    draws=(
        Draw(
            id="household",
            table="household_sorting",
            type="circle",
            title=Text("垃圾分类户评", "Sorting by household"),
            classes=GRADES,
            paint={
                "circle-radius": ("interpolate", ("linear",), ("zoom",), 12, 2, 17, 7),
                "circle-opacity": 0.9,
                "circle-stroke-color": "#FFFFFF",
                "circle-stroke-width": 1,
            },
            columns=("score",),
            popup=("sorting_grade", "score", "head_name", "scored_date"),
            minzoom=13,
        ),
        Draw(
            id="point",
            table="sanitation_point",
            type="circle",
            title=Text("环卫设施", "Sanitation points"),
            classes=KINDS,
            paint={"circle-radius": 9, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2},
            columns=("point_name",),
            popup=("point_name", "point_type", "bin_count", "point_state"),
            minzoom=12,
        ),
    ),
)
