"""What citizens asked for in the last weeks, as the hotline would record it, and what the grids count."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import CLOCK, chance
from etl.demo.people import WALKED_ADDRESS, telephone

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
# topic, text, unit, office, big class, small class, days allowed
_MATTERS = (
    ("路灯不亮", "{place}附近路灯已有{n}天不亮，夜间出行不便", "镇村镇建设办", "市政科", "城乡建设", "路灯照明", 3),
    ("沟渠堵塞", "{place}旁沟渠被杂物堵塞，雨天倒灌", "水利局", "农水科", "农业农村", "沟渠管护", 5),
    ("路面积水", "{place}门前道路破损积水", "交通运输局", "公路科", "交通运输", "路面养护", 5),
    ("垃圾未清运", "{place}投放点垃圾{n}天未清运", "综合行政执法局", "市容科", "市容环卫", "垃圾清运", 2),
    ("邻里宅基地纠纷", "反映{place}邻居建房超出批准面积", "自然资源和规划局", "用途管制科", "自然资源", "宅基地", 13),
    ("咨询老年优待证", "咨询{place}老人如何办理优待证", "民政局", "养老服务科", "民政", "养老服务", 3),
    ("自来水水压低", "{place}傍晚水压偏低", "水务集团", "供水所", "公用事业", "供水", 3),
    ("秸秆焚烧", "{place}附近田间焚烧秸秆，烟雾大", "生态环境分局", "大气科", "生态环境", "露天焚烧", 1),
    ("公交班次少", "建议{place}站增加早班车", "交通运输局", "客运科", "交通运输", "公交服务", 13),
    ("鱼塘尾水", "反映鱼塘尾水直排，{place}溪水发黑", "农业农村局", "渔业科", "农业农村", "养殖尾水", 5),
    ("犬只扰民", "{place}夜间犬吠", "综合行政执法局", "执法中队", "社会治安", "养犬管理", 5),
    ("停电查询", "{place}上午停电，询问来电时间", "供电公司", "供电所", "公用事业", "供电", 1),
)
_SOURCES = ("12345热线", "基层治理四平台", "网格上报", "浙里办", "来信来访")


def make_cases(houses: Sequence[Row], households: Sequence[Row], seed: int) -> list[Row]:
    """Return 64 cases of September to November 2025 at houses, in all states, some past their limit."""
    rng = chance(seed, "cases")
    people = {row["household_id"]: row for row in households}
    homes = [row for row in houses if row["year"] == 2025 and row["use"] == "住宅"]
    begin, rows = datetime(2025, 9, 1, 8, 0, tzinfo=CLOCK.tzinfo), []
    minutes = np.sort(rng.integers(0, int((CLOCK - begin).total_seconds() / 60) - 40, 64))
    walked = next(row for row in homes if row["address"] == WALKED_ADDRESS)
    for k, minute in enumerate(minutes):
        home = homes[int(rng.integers(len(homes)))]
        rows.append(_case(k, begin + timedelta(minutes=int(minute)), home, people[home["household_id"]], rng))
    rows[-9] |= _overdue(rows[-9], walked, people[walked["household_id"]], 3, _MATTERS[0])
    rows[-7] |= _overdue(rows[-7], homes[300], people[homes[300]["household_id"]], 1, _MATTERS[1])
    return rows


def _overdue(case: Row, home: Row, household: Row, days: int, matter: tuple) -> Row:
    """Return what makes a case one of the two that are late at the village's clock."""
    topic, text, unit, office, large, small, limit = matter
    due = CLOCK.replace(hour=9, minute=0) - timedelta(days=days)
    content = text.format(place=home["address"], n=4) + ("(灯杆 L-0231)" if topic == "路灯不亮" else "")
    return {
        "topic": topic,
        "content": content,
        "unit": unit,
        "office": office,
        "category": large,
        "subcategory": small,
        "sent_at": due - timedelta(days=limit),
        "due_at": due,
        "state": "处理中",
        "alert": "超期",
        "result": "",
        "satisfaction": "",
        "caller_name": household["head_name"],
        "address": home["address"],
        "geometry": home["geometry"].centroid,
        "case_id": f"DQ{due - timedelta(days=limit):%Y%m%d}" + case["case_id"][-4:],
    }


def _case(k: int, sent: datetime, home: Row, household: Row, rng: np.random.Generator) -> Row:
    topic, text, unit, office, large, small, days = _MATTERS[int(rng.integers(len(_MATTERS)))]
    due = sent + timedelta(days=days)
    age = (CLOCK - sent) / timedelta(days=1)
    done = age > days or rng.random() < (0.97 if age > 20 else 0.75 if age > days else 0.35)
    state = "办结" if done else "处理中" if age > 0.5 else rng.choice(["待受理", "已派单", "已签收"])
    late = not done and due < CLOCK
    place = home["address"]
    xy = np.round(shapely.get_coordinates(home["geometry"].centroid)[0] + rng.normal(0, 6, 2), 3)
    return {
        "case_id": f"DQ{sent:%Y%m%d}{k + 1:04d}",
        "sequence": k + 1,
        "source": str(rng.choice(_SOURCES, p=[0.5, 0.2, 0.16, 0.1, 0.04])),
        "city_number": f"HZ{sent:%y%m%d}{k * 37 % 10000:04d}",
        "topic": topic,
        "content": text.format(place=place, n=int(rng.integers(2, 9))),
        "unit": unit,
        "office": office,
        "caller_name": household["head_name"],
        "caller_phone": telephone(700 + k),
        "result": "已现场处理并回访" if done else "",
        "category": large,
        "subcategory": small,
        "sent_at": sent,
        "due_at": due,
        "state": str(state),
        "dispatcher": str(rng.choice(["王建平", "李敏", "周敏"])),
        "alert": "超期" if late else "预警" if not done and due - CLOCK < timedelta(days=1) else "正常",
        "satisfaction": str(rng.choice(["满意", "基本满意", "不满意"], p=[0.86, 0.1, 0.04])) if done else "",
        "address": place,
        "geometry": shapely.Point(xy),
    }
