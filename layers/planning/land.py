"""L06 土地现状与权属: what the land is today, whose homestead it is, and where it is changing."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

CHECKED = Classes(
    column="check_status",
    other="#A3151A",
    items=(
        ClassItem(value="待核查", title=Text("待核查", "To be checked"), colour="#A3151A"),
        ClassItem(value="合法", title=Text("已核查,合法", "Checked, lawful"), colour="#1B6E3C"),
        ClassItem(value="违法待整改", title=Text("已核查,待整改", "Checked, to be undone"), colour="#E37100"),
    ),
)

LAYER = Layer(
    id="L06",
    slug="land",
    theme="planning",
    title=Text("土地现状与权属", "Land cover and tenure"),
    abstract=Text(
        "三调地类、宅基地宗地与变化图斑;图上面积与申报面积并列。",
        "Land cover, homesteads and change suspects; computed areas beside the stated ones.",
    ),
    department="natural_resources",
    share="conditional",
    code_system="sandiao@2019",
    keywords=("三调", "地类图斑", "宗地", "宅基地", "land cover", "tenure"),
    draws=(
        Draw(
            id="cover",
            table="land_cover",
            type="fill",
            title=Text("地类图斑", "Land cover"),
            classes=Classes(column="land_class", system="sandiao@2019", digits=4),
            paint={"fill-opacity": 0.5},
            columns=("land_class_name",),
            popup=("land_class_name", "land_class", "owner_unit_name", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="cover_edge",
            table="land_cover",
            type="line",
            title=Text("图斑界线", "Parcel outlines"),
            paint={"line-color": "#6B7F6B", "line-width": 0.6, "line-opacity": 0.45},
            minzoom=14,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="homestead",
            table="homestead",
            type="fill",
            title=Text("宅基地宗地", "Homesteads"),
            paint={"fill-color": "#FFD380", "fill-opacity": 0.35},
            columns=("address",),
            popup=(
                "parcel_id",
                "address",
                "holder_name",
                "stated_area_m2",
                "approved_area_m2",
                "over_area_m2",
                "area_m2",
            ),
            minzoom=14,
        ),
        Draw(
            id="homestead_edge",
            table="homestead",
            type="line",
            title=Text("宅基地界线", "Homestead outlines"),
            paint={
                "line-color": ("case", (">", ("coalesce", ("get", "over_area_m2"), 0), 0), "#B3261E", "#8A6410"),
                "line-width": ("interpolate", ("linear",), ("zoom",), 14, 0.6, 18, 1.8),
            },
            minzoom=14,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="change",
            table="change_spot",
            type="line",
            title=Text("变化图斑", "Change suspects"),
            classes=CHECKED,
            paint={"line-width": 2.4, "line-dasharray": (3, 1.5)},
            columns=("spot_id",),
            popup=("spot_id", "class_before", "class_after", "check_status", "stated_area_m2", "area_m2"),
            minzoom=12,
        ),
        Draw(
            id="cover_label",
            table="land_cover",
            type="symbol",
            title=Text("地类代码", "Land class codes"),
            layout={"text-field": ("get", "land_class"), "text-size": 13, "text-padding": 10},
            paint={"text-color": "#4F5B62", "text-halo-color": "#FFFFFF", "text-halo-width": 1.5},
            minzoom=16,
            interactive=False,
            in_legend=False,
        ),
    ),
)
