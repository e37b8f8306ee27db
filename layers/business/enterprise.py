"""L09 乡村经营主体: enterprises and homestays."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

KINDS = Classes(
    column="enterprise_type",
    other="#6B777D",
    items=(
        ClassItem(value="企业", title=Text("企业", "Company"), colour="#0B5CAD", icon="factory"),
        ClassItem(value="个体工商户", title=Text("个体工商户", "Sole trader"), colour="#E37100", icon="person"),
        ClassItem(value="农民专业合作社", title=Text("农民专业合作社", "Cooperative"), colour="#1B6E3C", icon="leaf"),
        ClassItem(value="家庭农场", title=Text("家庭农场", "Family farm"), colour="#5D693A", icon="cow"),
    ),
)
GRADES = Classes(
    column="grade",
    other="#692558",
    items=(
        ClassItem(value="白金宿", title=Text("白金级民宿", "Platinum homestay"), colour="#7D5BA6", icon="bed"),
        ClassItem(value="金宿", title=Text("金宿级民宿", "Gold homestay"), colour="#B8860B", icon="bed"),
        ClassItem(value="银宿", title=Text("银宿级民宿", "Silver homestay"), colour="#7B8A91", icon="bed"),
        ClassItem(value="未评级", title=Text("未评级民宿", "Homestay, not graded"), colour="#692558", icon="bed"),
    ),
)
DOT = {"circle-radius": 8, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}

LAYER = Layer(
    id="L09",
    slug="enterprise",
    theme="business",
    title=Text("乡村经营主体", "Rural enterprises"),
    abstract=Text("在册市场主体与民宿。", "Registered enterprises and homestays."),
    department="market",
    share="masked",
    keywords=("企业", "民宿", "合作社", "农家乐", "homestay"),
    draws=(
        Draw(
            id="enterprise",
            table="enterprise",
            type="circle",
            title=Text("市场主体", "Enterprises"),
            classes=KINDS,
            paint=DOT,
            columns=("enterprise_name",),
            popup=(
                "enterprise_name",
                "enterprise_type",
                "industry_name",
                "credit_code",
                "legal_person_name",
                "established_date",
                "employee_count",
            ),
            minzoom=12,
        ),
        Draw(
            id="homestay",
            table="homestay",
            type="circle",
            title=Text("民宿", "Homestays"),
            classes=GRADES,
            paint=DOT,
            columns=("homestay_name",),
            popup=("homestay_name", "grade", "room_count", "bed_count", "owner_name", "phone"),
            minzoom=12,
        ),
        Draw(
            id="homestay_label",
            table="homestay",
            type="symbol",
            title=Text("民宿名", "Homestay names"),
            layout={
                "text-field": ("get", "homestay_name"),
                "text-size": 13,
                "text-offset": (0, 1.3),
                "text-anchor": "top",
            },
            paint={"text-color": "#692558", "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
            minzoom=15,
            interactive=False,
            in_legend=False,
        ),
    ),
)
