"""L08 养殖与设施农业: fish ponds, their water, and farm facilities."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

TREATED = Classes(
    column="is_tail_water_treated",
    items=(
        ClassItem(value="true", title=Text("尾水已治理", "Tail water treated"), colour="#4F99E3"),
        ClassItem(value="false", title=Text("尾水未治理", "Not treated"), colour="#D9A86C", pattern="waves"),
    ),
)
FACILITIES = Classes(
    column="facility_type",
    other="#C98BB9",
    items=(
        ClassItem(value="单体大棚", title=Text("单体大棚", "Single greenhouse"), colour="#8FBF6B"),
        ClassItem(value="连栋大棚", title=Text("连栋大棚", "Joined greenhouse"), colour="#C98A4B"),
        ClassItem(value="玻璃温室", title=Text("玻璃温室", "Glasshouse"), colour="#4FB3C9"),
    ),
)

LAYER = Layer(
    id="L08",
    slug="pond",
    theme="business",
    title=Text("养殖与设施农业", "Ponds and farm facilities"),
    abstract=Text(
        "养殖塘的溶解氧与尾水治理,设施农业备案。", "Oxygen and tail water of fish ponds; registered facilities."
    ),
    department="agriculture",
    share="conditional",
    keywords=("鱼塘", "大棚", "尾水", "溶解氧", "pond"),
    draws=(
        Draw(
            id="facility",
            table="facility_farm",
            type="fill",
            title=Text("设施农业", "Facilities"),
            classes=FACILITIES,
            paint={"fill-opacity": 0.65},
            columns=("facility_name",),
            popup=("facility_name", "facility_type", "operator_name", "stated_area_m2", "area_m2"),
        ),
        Draw(
            id="pond",
            table="pond",
            type="fill",
            title=Text("养殖塘", "Fish ponds"),
            classes=TREATED,
            paint={"fill-opacity": 0.6},
            columns=("pond_name", "species_name"),
            popup=(
                "pond_name",
                "species_name",
                "dissolved_oxygen_mg_l",
                "is_tail_water_treated",
                "operator_name",
                "stated_area_m2",
                "area_m2",
            ),
        ),
        Draw(
            id="pond_edge",
            table="pond",
            type="line",
            title=Text("塘埂", "Pond banks"),
            paint={"line-color": "#0B4F80", "line-width": 1.0, "line-opacity": 0.7},
            minzoom=13,
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="low_oxygen",
            table="pond",
            type="line",
            title=Text("溶解氧偏低", "Low oxygen"),
            filter=("<", ("coalesce", ("get", "dissolved_oxygen_mg_l"), 99), 5),
            paint={"line-color": "#B86E00", "line-width": 3.0},
            interactive=False,
        ),
        Draw(
            id="pond_label",
            table="pond",
            type="symbol",
            title=Text("塘名", "Pond names"),
            layout={"text-field": ("get", "pond_name"), "text-size": 13},
            paint={"text-color": "#0B4F80", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=15,
            interactive=False,
            in_legend=False,
        ),
    ),
)
