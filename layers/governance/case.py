"""L17 事件与工单: what people asked for, whose turn it is, and what is late."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

ALERTS = Classes(
    column="alert_state",
    other="#0072B2",
    items=(
        ClassItem(value="超期", title=Text("超期", "Overdue"), colour="#A3151A", icon="clock"),
        ClassItem(value="预警", title=Text("临期预警", "Due soon"), colour="#B86E00", icon="clock"),
        ClassItem(value="正常", title=Text("办理中", "In progress"), colour="#0072B2", icon="alert"),
    ),
)
CLOSED = Classes(
    column="alert_state",
    items=(ClassItem(value="已办结", title=Text("已办结", "Closed"), colour="#8FA89A"),),
)
POPUP = (
    "subject",
    "case_status",
    "alert_state",
    "unit_name",
    "section_name",
    "assigned_at",
    "deadline_at",
    "category_name",
    "grid_name",
    "requester_name",
)

LAYER = Layer(
    id="L17",
    slug="case",
    theme="governance",
    title=Text("事件与工单", "Cases"),
    abstract=Text(
        "12345 工单的状态、时限与责任单位,诉求人脱敏。", "Hotline cases: state, deadline, unit; names masked."
    ),
    department="social_work",
    share="masked",
    default_on=True,
    keywords=("工单", "12345", "诉求", "超期", "case"),
    draws=(
        Draw(
            id="closed",
            table="case_order",
            type="circle",
            title=Text("已办结工单", "Closed cases"),
            classes=CLOSED,
            filter=("==", ("get", "alert_state"), "已办结"),
            paint={"circle-radius": 4, "circle-opacity": 0.7},
            columns=("subject", "case_status"),
            popup=POPUP,
            minzoom=16,
        ),
        Draw(
            id="case",
            table="case_order",
            type="circle",
            title=Text("工单", "Cases"),
            classes=ALERTS,
            filter=("!=", ("get", "alert_state"), "已办结"),
            paint={
                "circle-radius": ("match", ("get", "alert_state"), "超期", 11, 9),
                "circle-stroke-color": "#FFFFFF",
                "circle-stroke-width": 2,
            },
            layout={"circle-sort-key": ("match", ("get", "alert_state"), "超期", 3, "预警", 2, "正常", 1, 0)},
            columns=("subject", "case_status"),
            popup=POPUP,
            minzoom=11,
        ),
        Draw(
            id="late_label",
            table="case_order",
            type="symbol",
            title=Text("超期工单", "Overdue cases"),
            filter=("==", ("get", "alert_state"), "超期"),
            layout={"text-field": ("get", "subject"), "text-size": 14, "text-offset": (1.1, 0), "text-anchor": "left"},
            paint={"text-color": "#A3151A", "text-halo-color": "#FFFFFF", "text-halo-width": 2},
            minzoom=13,
            interactive=False,
            in_legend=False,
        ),
    ),
)
