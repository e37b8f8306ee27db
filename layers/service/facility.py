"""L13 公共服务设施: where help and services are, and when they are open."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

KINDS = Classes(
    column="facility_type",
    other="#6B777D",
    items=(
        ClassItem(value="政务服务", title=Text("政务服务", "Government service"), colour="#B3261E", icon="flag"),
        ClassItem(value="文化", title=Text("文化", "Culture"), colour="#692558", icon="house"),
        ClassItem(value="文体", title=Text("文体活动", "Sports and leisure"), colour="#1B6E3C", icon="person"),
        ClassItem(value="教育", title=Text("教育", "Education"), colour="#C2478F", icon="school"),
        ClassItem(value="卫生", title=Text("卫生", "Health"), colour="#0072B2", icon="aid"),
        ClassItem(value="养老", title=Text("养老", "Care of the elderly"), colour="#E37100", icon="heart"),
        ClassItem(value="商业", title=Text("商业", "Market"), colour="#8A4B00", icon="house"),
        ClassItem(value="邮政", title=Text("邮政", "Post"), colour="#0B5CAD", icon="post"),
        ClassItem(value="金融", title=Text("金融", "Banking"), colour="#5D693A", icon="info"),
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
            popup=("place", "aed_id", "access", "checked_date", "keeper_unit"),
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
