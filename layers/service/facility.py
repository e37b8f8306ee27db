"""L13 公共服务设施: where help and services are, and when they are open."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

KINDS = Classes(
    column="facility_type",
    other="#6B777D",
    items=(
        ClassItem(value="便民服务中心", title=Text("便民服务中心", "Service centre"), colour="#B3261E", icon="flag"),
        ClassItem(value="文化礼堂", title=Text("文化礼堂", "Culture hall"), colour="#692558", icon="house"),
        ClassItem(value="小学", title=Text("小学", "Primary school"), colour="#C2478F", icon="school"),
        ClassItem(value="幼儿园", title=Text("幼儿园", "Kindergarten"), colour="#D96BA8", icon="school"),
        ClassItem(value="居家养老中心", title=Text("居家养老中心", "Care centre"), colour="#E37100", icon="heart"),
        ClassItem(value="健身广场", title=Text("健身广场", "Sports ground"), colour="#1B6E3C", icon="person"),
        ClassItem(value="电商服务站", title=Text("电商服务站", "E-commerce station"), colour="#0B5CAD", icon="post"),
        ClassItem(value="农家书屋", title=Text("农家书屋", "Library"), colour="#5D693A", icon="info"),
    ),
)
CLINIC = Classes(
    column="clinic_kind",
    items=(ClassItem(value="村卫生室", title=Text("村卫生室", "Village clinic"), colour="#0072B2", icon="aid"),),
)
AED = Classes(
    column="device_kind",
    items=(ClassItem(value="AED", title=Text("AED", "Defibrillator"), colour="#A3151A", icon="heart"),),
)
DOT = {"circle-radius": 10, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}

LAYER = Layer(
    id="L13",
    slug="facility",
    theme="service",
    title=Text("公共服务设施", "Public services"),
    abstract=Text("公共服务设施、村卫生室与 AED,附开放时间。", "Facilities, clinics and defibrillators, with hours."),
    department="government_service",
    share="open",
    keywords=("卫生室", "学校", "礼堂", "AED", "services"),
    draws=(
        Draw(
            id="facility",
            table="public_facility",
            type="circle",
            title=Text("公共设施", "Facilities"),
            classes=KINDS,
            paint=DOT,
            columns=("facility_name",),
            popup=("facility_name", "facility_type", "opening_hours", "phone", "built_date", "floor_area_m2"),
            minzoom=11,
        ),
        Draw(
            id="clinic",
            table="clinic",
            type="circle",
            title=Text("村卫生室", "Clinics"),
            classes=CLINIC,
            paint=DOT,
            columns=("clinic_name",),
            popup=("clinic_name", "opening_hours", "doctor_count", "phone"),
            minzoom=11,
        ),
        Draw(
            id="aed",
            table="aed",
            type="circle",
            title=Text("AED", "Defibrillators"),
            classes=AED,
            paint=DOT,
            columns=("place",),
            popup=("place", "aed_id", "expires_date", "keeper_name"),
            minzoom=12,
        ),
        Draw(
            id="facility_label",
            table="public_facility",
            type="symbol",
            title=Text("设施名", "Facility names"),
            layout={
                "text-field": ("get", "facility_name"),
                "text-size": 13,
                "text-offset": (0, 1.3),
                "text-anchor": "top",
            },
            paint={"text-color": "#1B2A2F", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=15,
            interactive=False,
            in_legend=False,
        ),
    ),
)
