"""L18 风险与应急: who must be moved from where, and to which shelter."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text


def levels(icon: str = "", pattern: str = "") -> Classes:
    """Give the four reserved warning colours, each with its word, as zones (pattern) or points (icon)."""
    words = (
        ("红", Text("Ⅰ级 红", "Level I, red"), "#C8102E"),
        ("橙", Text("Ⅱ级 橙", "Level II, orange"), "#F28C00"),
        ("黄", Text("Ⅲ级 黄", "Level III, yellow"), "#F7D417"),
        ("蓝", Text("Ⅳ级 蓝", "Level IV, blue"), "#1F6FEB"),
    )
    return Classes(
        column="warning_level",
        items=tuple(ClassItem(value=v, title=t, colour=c, icon=icon, pattern=pattern) for v, t, c in words),
    )


SHELTERS = Classes(
    column="shelter_kind",
    items=(ClassItem(value="避灾安置点", title=Text("避灾安置点", "Shelter"), colour="#1B6E3C", icon="shelter"),),
)

LAYER = Layer(
    id="L18",
    slug="risk",
    theme="governance",
    title=Text("风险与应急", "Risk and emergency"),
    abstract=Text(
        "山洪危险区、地灾隐患点与避灾安置点,附责任人与应转移人数。",
        "Flash flood zones, hazard points and shelters, with duty holders and people to move.",
    ),
    department="emergency",
    share="conditional",
    keywords=("地灾", "山洪", "避灾", "转移", "risk"),
    draws=(
        Draw(
            id="zone",
            table="hazard_zone",
            type="fill",
            title=Text("山洪危险区", "Flash flood zones"),
            classes=levels(pattern="diagonal"),
            paint={"fill-opacity": 0.35},
            columns=("zone_name",),
            popup=(
                "zone_name",
                "warning_level",
                "household_count",
                "people_count",
                "duty_name",
                "duty_phone",
                "area_m2",
            ),
        ),
        Draw(
            id="zone_edge",
            table="hazard_zone",
            type="line",
            title=Text("危险区边线", "Zone edges"),
            classes=levels(),
            paint={"line-width": 2.0},
            interactive=False,
            in_legend=False,
        ),
        Draw(
            id="hazard",
            table="geohazard",
            type="circle",
            title=Text("地灾隐患点", "Hazard points"),
            classes=levels(icon="slope"),
            paint={"circle-radius": 10, "circle-stroke-color": "#1B2A2F", "circle-stroke-width": 1.5},
            columns=("hazard_name",),
            popup=(
                "hazard_name",
                "hazard_type",
                "warning_level",
                "household_count",
                "people_count",
                "duty_name",
                "duty_phone",
                "checked_date",
            ),
            minzoom=11,
        ),
        Draw(
            id="shelter",
            table="shelter",
            type="circle",
            title=Text("避灾安置点", "Shelters"),
            classes=SHELTERS,
            paint={"circle-radius": 10, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2},
            columns=("shelter_name",),
            popup=("shelter_name", "capacity_count", "duty_name", "duty_phone", "opened_date"),
            minzoom=11,
        ),
    ),
)
