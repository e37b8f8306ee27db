"""What a department would have written into one item of one row: read off the declaration and the place; invented."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from etl.demo.frame import CLOCK, VILLAGE_NAME
from etl.demo.people import telephone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from etl.demo.anchors import Spot
    from twin.model import Field, Resource

NOW = CLOCK.replace(tzinfo=None)
_CHOICES = re.compile(r"^\^\((.*)\)\$$")
_SOON = re.compile(r"valid_until|next_|planned|deadline|term_end|contract_end|^end_date|revise|rent_due|lifted|^end_at")
_LONG_AGO = re.compile(r"built|installed|registered|connected|approved|elected|mapped|issued_date|published|listed")
_LATER: Mapping[str, tuple[str, int]] = {
    "closed_at": ("accepted_at happened_at found_date", 6), "end_date": ("start_date", 500),
    "notice_end_date": ("notice_start_date", 30), "lifted_at": ("issued_at", 1), "end_at": ("start_at", 1),
    "deadline_date": ("found_date checked_date taken_date", 45), "accepted_date": ("start_date", 200),
    "handover_at": ("duty_date", 1), "rectified_date": ("deadline_date", 5),
}  # fmt: skip
"""An item that comes after another: which, and within how many days."""
_WITHIN: Mapping[str, str] = {
    "used_count": "place_count", "free_count": "space_count", "stock_t": "capacity_t", "arable_mu": "area_mu",
    "harvested_mu": "sown_mu", "non_grain_mu": "sown_mu", "closed_count": "accepted_count",
    "handled_count": "case_count", "settled_count": "case_count", "insured_count": "due_count",
    "done_count": "due_count", "paid_yuan": "budget_yuan", "used_wan": "granted_wan", "year_plan_wan": "invest_wan",
    "used_household_count": "granted_household_count", "passed_count": "trained_count", "solved_count": "problem_count",
    "elder_signed_count": "signed_count", "overnight_count": "visitor_count", "resolved_count": "repeat_count",
    "fitted_count": "request_count", "promise_days": "limit_days", "guest_count": "bed_count",
}  # fmt: skip
"""An item that never exceeds another of its row."""
_OPEN = re.compile(r"办理中|受理中|待|处理中|整改中|挂账|立案|调解中|推进中")
_SHARES: Mapping[str, tuple[str, float]] = {
    "household_count": ("households", 1.0), "person_count": ("persons", 1.0), "signed_count": ("persons", 0.62),
    "elder_signed_count": ("elders_60", 0.85), "hypertension_count": ("elders_60", 0.45),
    "diabetes_count": ("elders_60", 0.16), "due_count": ("persons", 0.95), "insured_count": ("persons", 0.93),
    "aided_count": ("elders_80", 0.6), "subsidised_count": ("elders_80", 0.7), "floating_count": ("persons", 0.06),
    "permit_count": ("persons", 0.04), "visited_count": ("elders_60", 0.35), "done_count": ("elders_60", 0.7),
    "warned_count": ("persons", 0.05), "person_flow_count": ("persons", 0.4),
}  # fmt: skip
"""Which count of the village an item is a share of."""
_SAID: Mapping[str, Sequence[str]] = {
    "project_name": ("溪口路拓宽工程", "东坞渠道修复", "上塘水库绿道", "石坞污水管网改造", "茶园机耕路"),
    "plan_name": ("示范村村庄规划(2021-2035年)", "示范村防汛防台应急预案", "屋顶光伏布局方案"),
    "subject_name": ("溪口商业街3号店面", "东坞茶园30亩经营权", "上塘水库养殖水面", "石坞旧厂房", "前山竹林20亩"),
    "asset_name": ("溪口商业街店面", "老村部办公楼", "石坞标准厂房", "东坞茶叶初制车间", "文化礼堂停车场", "前山仓库"),
    "archive_title": ("一九七二年航摄像片", "示溪沈氏宗谱", "示范村志(初稿)", "民国地籍图册", "上塘水库老照片"),
    "resource_title": ("三调图斑", "标准门牌", "农村公路", "河湖名录", "低保特困(汇总)", "市场主体", "气象自动站"),
    "department_name": ("自然资源和规划局", "公安局", "交通运输局", "水利局", "民政局", "市场监督管理局", "气象局"),
    "from_code": ("330521", "0101", "330521199201001", "XZQ-01"),
    "to_code": ("330521000000", "0101", "3305211992010010"),
    "approval_number": ("德自然资规〔2024〕18号", "德政土〔2025〕7号", "德农宅〔2025〕31号", "德规审〔2025〕4号"),
    "certificate_number": ("ZJ2024330521", "NJ2025330521", "ZS2023330521"),
    "permit_number": ("(浙)农药经许33052110012",),
    "visited_place": ("示范村文化礼堂", "居家养老服务照料中心", "上塘文体活动点"),
    "place_note": ("示范村文化礼堂", "溪口文化广场", "示溪沿线", "东坞文体活动点"), "phone_office": ("0572-8000201",),
    "school_name": ("示范村小学",),
    "district_name": ("示范村小学学区",), "block_name": ("示范村普查小区",),
    "name": ("示范村",), "resource_name": ("上塘水库", "示溪滨水带", "东坞茶园", "前山古道", "石埠老街"),
}  # fmt: skip


@dataclass(kw_only=True)
class Row:
    """One row being written: where it lies, what already stands in it, and the chance it is drawn by."""

    resource: Resource
    number: int
    spot: Spot
    counts: Mapping[str, int]
    rng: np.random.Generator
    period: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def said(self, item: Field) -> Any:
        """Give the value of one item: None where a clerk would leave it empty or must withhold it."""
        if item.name == self.resource.key and not self.period and item.name not in _BY_NAME:
            return f"{self.resource.code[-6:]}{self.number + 1:04d}"
        if item.name in ("period", "quarter", "stat_year"):
            return _period(self, item)
        if item.name in _BY_NAME:
            return _BY_NAME[item.name](self)
        return _BY_TYPE[item.type](self, item)


def fill(row: Row) -> dict[str, Any]:
    """Give the row's values by item name, items that depend on others after them."""
    named = [f for f in row.resource.fields if not f.pattern]
    for item in (*(f for f in row.resource.fields if f.pattern), *named):
        row.values[item.name] = row.said(item)
    for item in row.resource.fields:
        _after(row, item)
    if "is_suppressed" in row.values:
        row.values["is_suppressed"] = any(row.values[f.name] is None for f in row.resource.fields if f.minimum == FLOOR)
    return row.values


USUAL_YUAN = 400_000.0
"""What one village turns over in one row, however much the declaration allows."""
FLOOR = 5.0
"""Numbers of people under this are withheld: the declaration says so by `minimum`."""


def _after(row: Row, item: Field) -> None:
    value, other = row.values[item.name], row.values.get(_WITHIN.get(item.name, ""))
    if isinstance(value, int | float) and isinstance(other, int | float) and value > other:
        row.values[item.name] = other if item.type == "number" else int(other)
        if item.minimum and row.values[item.name] < item.minimum:
            row.values[item.name] = None
    if item.name in _LATER:
        names, days = _LATER[item.name]
        first = next((row.values[n] for n in names.split() if isinstance(row.values.get(n), datetime)), None)
        if first is not None:
            row.values[item.name] = first + timedelta(days=float(row.rng.uniform(0.1, days)))
    if item.name in ("closed_at", "rectified_date", "is_satisfied", "is_replied") and any(
        _OPEN.search(v) for v in _words(row)
    ):
        row.values[item.name] = None


def _words(row: Row) -> list[str]:
    return [str(row.values[f.name]) for f in row.resource.fields if f.name.endswith(("state", "progress"))]


def _period(row: Row, item: Field) -> Any:
    if item.name == "stat_year":
        return 2024 - row.number % 3
    if row.period:
        return row.period
    months_ago = row.number % 12 + (item.name == "quarter")
    year, month = divmod(2025 * 12 + 9 - months_ago, 12)
    return f"{year}-{month + 1:02d}" if item.name == "period" else f"{year}Q{month // 3 + 1}"


def _string(row: Row, item: Field) -> str | None:
    found = _CHOICES.match(item.pattern)
    if found:
        words = [re.sub(r"\\(.)", r"\1", w) for w in found.group(1).split("|")]
        weights = [1 / (k + 1) ** (2.2 if "state" in item.name else 0.7) for k in range(len(words))]
        return words[int(row.rng.choice(len(words), p=[w / sum(weights) for w in weights]))]
    if said := _SAID.get(item.name):
        word = said[int(row.rng.integers(len(said)))]
        return f"{word}{row.number + 1:04d}" if item.name == "certificate_number" else word
    if item.sensitivity in ("personal", "sensitive", "internal") and item.name.endswith("_name"):
        return row.spot.holder
    return _named(row, item)


def _named(row: Row, item: Field) -> str:
    """Give a name as offices give them: the hamlet, what it is, and a number where there are several."""
    own = item.title.zh.removesuffix("名称").removesuffix("名")
    kind = next((str(row.values[f.name]) for f in row.resource.fields if f.name.endswith("_kind") and f.pattern), "")
    if len(own) < 2 or own in _VAGUE:
        own = kind if own in ("机构", "组织", "设施") and kind else re.split(r"[与、(和]", row.resource.title.zh)[0]
    if "firm" in item.name or item.name in ("unit_name", "business_name", "user_unit", "employer_name"):
        return row.spot.name or f"{row.spot.hamlet}惠民小卖部"
    number = "" if row.number < len(_HAMLETS) else f"{row.number // len(_HAMLETS) + 1}号"
    return f"{row.spot.hamlet or VILLAGE_NAME}{number}{own}"


_VAGUE = ("机构", "组织", "设施", "网点", "点位", "站点", "场所", "单位", "基地", "工程", "队伍", "场馆", "建筑")
_HAMLETS = ("上塘", "溪口", "石坞", "东坞", "前山", "石埠")


def _integer(row: Row, item: Field) -> int | None:
    value = _number(row, item)
    return None if value is None else round(value)


def _number(row: Row, item: Field) -> float | None:
    table, share = _SHARES.get(item.name, ("", 0.0))
    if table and row.counts:
        value = row.counts[table] * share * float(row.rng.uniform(0.9, 1.1) if share != 1.0 else 1.0)
        return None if item.minimum == FLOOR and value < FLOOR else value
    low = item.minimum if item.minimum is not None else 0.0
    high = item.maximum if item.maximum is not None else max(low + 60.0, 60.0)
    if item.unit == "元":
        high = min(high, USUAL_YUAN)
    if item.minimum == FLOOR:
        high = min(high, 5 + 0.2 * (row.counts.get("persons", 1700)))
        value = low - 4 + (high - low) * float(row.rng.beta(1.2, 5))
        return None if value < FLOOR else value
    if low < 0:
        value = (low + high) / 2 + (high - low) / 8 * float(row.rng.standard_normal())
    elif item.unit == "%" and high == 100:
        value = 100 * float(row.rng.beta(9, 2))
    elif item.unit in ("", "dB(A)", "分") or low / max(high, 1) > 0.4:
        value = low + (high - low) * float(row.rng.beta(4, 4))
    else:
        value = low + (high - low) * float(row.rng.beta(1.3, 6))
    value = min(max(value, low), high)
    digits = 0 if high >= 2000 else 1 if high > 60 else 2
    return round(value, digits)


def _boolean(row: Row, item: Field) -> bool:
    return bool(row.rng.random() < (0.5 if "digitised" in item.name else 0.88))


def _moment(row: Row, item: Field) -> datetime:
    """Give a moment: soon, long ago, or within the last turn of the resource's cadence."""
    if _SOON.search(item.name):
        return NOW + timedelta(days=float(row.rng.uniform(5, 700)))
    if _LONG_AGO.search(item.name):
        return NOW - timedelta(days=float(row.rng.uniform(200, 3000)))
    if item.name == "observed_at" or row.resource.cadence_seconds <= 3600:
        return NOW - timedelta(seconds=float(row.rng.uniform(0, max(row.resource.cadence_seconds, 3600))))
    back = min(max(row.resource.cadence_seconds / 86400 * 4, 60), 400)
    day = NOW - timedelta(days=float(row.rng.uniform(1, back)))
    return day.replace(hour=8 + int(row.rng.integers(0, 10)), minute=int(row.rng.integers(0, 60)))


def _person(row: Row) -> str:
    return row.spot.holder


_BY_NAME: Mapping[str, Callable[[Row], Any]] = {
    "grid_code": lambda row: row.spot.grid_code,
    "grid_name": lambda row: row.spot.grid_name,
    "village_name": lambda _row: VILLAGE_NAME,
    "hamlet_name": lambda row: row.spot.hamlet,
    "address": lambda row: f"{VILLAGE_NAME}{row.spot.address}",
    "house_address": lambda row: row.spot.address,
    "road_name": lambda row: row.spot.road,
    "river_name": lambda row: row.spot.river,
    "receiving_water": lambda row: row.spot.river,
    "zone_name": lambda row: f"{row.spot.hamlet}山洪危险区",
    "contact_phone": lambda row: telephone(2000 + int(row.resource.code[-6:-4]) * 60 + row.number % 60),
    "deputy_phone": lambda row: telephone(6000 + row.number),
    "backup_phone": lambda row: telephone(6500 + row.number),
    "credit_code": lambda row: f"9233059900{row.number:07d}X",
    "vehicle_plate": lambda row: f"浙E{71000 + 137 * row.number:05d}",
    "reporter_name": _person,
    "worker_name": _person,
}
_BY_TYPE: Mapping[str, Callable[[Row, Field], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _moment,
    "datetime": _moment,
}
