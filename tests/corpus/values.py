"""Classes 20 and 70-80 of the table: values that are text like any other, and wrong all the same."""

from __future__ import annotations

from tests.corpus.items import Class, File, csv, write

_PERSON = "编号,名称,身份证号"
IDS = Class(
    number=70,
    title="18-digit id checksum, 15-digit, X/x, impossible birth",
    fields=("number", "label", "id_card"),
    files=(
        File(name="good", suffix=".csv", outcome="N", make=csv("A1,好,11010519491231002X", "A2,好,11010519491231002x", "A3,好,", head=_PERSON), published=3, values={"A2": {"id_card": "11010519491231002x"}}),
        File(name="checksum", suffix=".csv", outcome="Q", make=csv("A1,好,110105194912310021", "A2,好,1101051949123100", "A3,好,", head=_PERSON), published=1, rows={"2": "id_damaged|id_card", "3": "id_damaged|id_card"}),
        File(name="fifteen", suffix=".csv", outcome="Q", make=csv("A1,好,110105491231002", "A2,好,", head=_PERSON), published=1, rows={"2": "id_fifteen|id_card"}),
        File(name="never-born", suffix=".csv", outcome="Q", make=csv("A1,好,330521199002301230", "A2,好,330521209901011232", "A3,好,990521199001011239", "A4,好,", head=_PERSON), published=1, rows={"2": "id_damaged|id_card", "3": "id_damaged|id_card", "4": "id_damaged|id_card"}),
    ),
)  # fmt: skip
AREAS = Class(
    number=71,
    title="admin code unknown, abolished",
    fields=("number", "label", "area_code"),
    files=(
        File(name="known", suffix=".csv", outcome="N", make=csv("A1,好,330521199299", "A2,中,", head="编号,名称,行政区划代码"), published=2),
        File(name="unknown", suffix=".csv", outcome="Q", make=csv("A1,好,330521199298", "A2,中,330521", "A3,中,330521199299", head="编号,名称,行政区划代码"), published=1, rows={"2": "code_unknown|area_code", "3": "code_unknown|area_code"}),
        File(name="abolished", suffix=".csv", outcome="Q", make=csv("A1,好,330522100200", "A2,中,330521199299", head="编号,名称,行政区划代码"), published=1, rows={"2": "code_abolished|area_code"}),
    ),
)  # fmt: skip
NUMBERS = Class(
    number=72,
    title="phone/bank/plate malformed",
    fields=("number", "phone", "bank_card", "plate"),
    files=(
        File(name="good", suffix=".csv", outcome="N", make=csv("A1,13900000103,4111111111111111,浙E12345", "A2,,,", head="编号,电话,银行卡号,车牌"), published=2),
        File(name="wrong", suffix=".csv", outcome="Q", make=csv("A1,12345678901,,", "A2,,4111111111111112,", "A3,,,浙I1234", "A4,,,", head="编号,电话,银行卡号,车牌"), published=1, rows={"2": "pattern|phone", "3": "card_invalid|bank_card", "4": "plate_invalid|plate"}),
        File(name="shown", suffix=".csv", outcome="Q", make=csv("A1,1.39E+10,,", "A2,+86 139 0000 0103,,", "A3,,,", head="编号,电话,银行卡号,车牌"), published=1, rows={"2": "id_damaged|phone", "3": "pattern|phone"}),
    ),
)  # fmt: skip
LIVES = Class(
    number=73,
    title="negative area, age 200, death < birth",
    fields=("number", "size_m2", "age", "born", "died"),
    files=(
        File(name="good", suffix=".csv", outcome="N", make=csv("A1,3.5,0,2020-01-01,2020-01-01", "A2,1,130,,", head="编号,面积,年龄,出生日期,死亡日期"), published=2),
        File(name="beyond", suffix=".csv", outcome="Q", make=csv("A1,-3,30,,", "A2,0,30,,", "A3,1,200,,", "A4,1,-1,,", "A5,1,1,,", head="编号,面积,年龄,出生日期,死亡日期"), published=1, rows={"2": "not_above|size_m2", "3": "not_above|size_m2", "4": "above_maximum|age", "5": "below_minimum|age"}),
        File(name="before", suffix=".csv", outcome="Q", make=csv("A1,1,1,2020-01-02,2020-01-01", "A2,1,30.5,,", "A3,1,1,,2020-01-01", head="编号,面积,年龄,出生日期,死亡日期"), published=1, rows={"2": "before_other|died", "3": "type_unreadable|age"}),
    ),
)  # fmt: skip
_NAMES = {"A1": "𠮷田·𪚥", "A2": "吐尔逊·买买提", "A3": "\ue863张", "A4": "𬀩𰀀", "A5": "王 小二"}
NAMES = Class(
    number=75,
    title="homonyms, minority names with ·, rare hanzi (Ext B-G), PUA",
    files=(
        File(name="utf-8", suffix=".csv", outcome="N", make=csv(*(f"{k},{v},1" for k, v in _NAMES.items()), "A6,张三,1", "A7,张三,1"), published=7, values={k: {"label": v} for k, v in _NAMES.items()}),
        File(name="gb18030", suffix=".csv", outcome="N", make=csv(*(f"{k},{v},1" for k, v in _NAMES.items()), encoding="gb18030"), published=5, values={k: {"label": v} for k, v in _NAMES.items()}, says="GB18030"),
        File(name="utf-16", suffix=".csv", outcome="N", make=csv(*(f"{k},{v},1" for k, v in _NAMES.items()), encoding="utf-16"), published=5, values={k: {"label": v} for k, v in _NAMES.items()}, says="UTF-16"),
    ),
)  # fmt: skip
EMPTY = Class(
    number=76,
    title='empty vs 0 vs "无" vs "—"',
    fields=("number", "label", "age"),
    files=(
        File(name="number", suffix=".csv", outcome="N", make=csv("A1,好,0", "A2,好,", "A3,好,无", "A4,好,—", "A5,好,/", head="编号,名称,年龄"), published=5, values={"A1": {"age": 0}, "A2": {"age": None}, "A3": {"age": None}, "A4": {"age": None}, "A5": {"age": None}}),
        File(name="text", suffix=".csv", outcome="N", make=csv("A1,无,1", "A2,0,1", "A3,—,1", "A4,,1", head="编号,名称,年龄"), published=4, values={"A1": {"label": "无"}, "A2": {"label": "0"}, "A3": {"label": "—"}, "A4": {"label": None}}),
        File(name="key", suffix=".csv", outcome="Q", make=csv("A1,好,1", ",好,1", "  ,好,1", head="编号,名称,年龄"), published=1, rows={"3": "required_missing|number", "4": "required_missing|number"}),
    ),
)  # fmt: skip
UNITS = Class(
    number=77,
    title="units 亩/公顷/㎡ mixed",
    fields=("number", "label", "size_m2"),
    files=(
        File(name="named", suffix=".csv", outcome="N", make=csv("A1,好,3亩", "A2,好,1.5公顷", "A3,好,20㎡", "A4,好,20", head="编号,名称,面积"), published=4, values={"A1": {"size_m2": 2000.0}, "A2": {"size_m2": 15000.0}, "A3": {"size_m2": 20.0}, "A4": {"size_m2": 20.0}}, repairs={"number_rewritten": 3}),
        File(name="unknown", suffix=".csv", outcome="Q", make=csv("A1,好,3分", "A2,好,3kg", "A3,好,1", head="编号,名称,面积"), published=1, rows={"2": "type_unreadable|size_m2", "3": "type_unreadable|size_m2"}),
        File(name="two", suffix=".csv", outcome="Q", make=csv("A1,好,3亩2分", "A2,好,3亩(2000㎡)", "A3,好,1", head="编号,名称,面积"), published=1, rows={"2": "type_unreadable|size_m2", "3": "type_unreadable|size_m2"}),
    ),
)  # fmt: skip
_LONG = "诉" * 10_000
RESIDENTS = Class(
    number=80,
    title="resident text: 10 k chars, emoji, links, a third person's phone",
    files=(
        File(name="long", suffix=".csv", outcome="N", make=csv(f"A1,{_LONG},1"), published=1, values={"A1": {"label": _LONG}}),
        File(name="emoji", suffix=".csv", outcome="N", make=csv("A1,👍🏽👩\u200d🌾🇨🇳,1"), published=1, values={"A1": {"label": "👍🏽👩\u200d🌾🇨🇳"}}),
        File(name="link", suffix=".csv", outcome="N", make=csv("A1,他电话13900000103 http://127.0.0.1:9/x,1"), published=1, values={"A1": {"label": "他电话13900000103 http://127.0.0.1:9/x"}}),
    ),
)  # fmt: skip
TIMES = Class(
    number=20,
    title='time 1970, 2099, "24:00", no zone',
    fields=("number", "seen"),
    files=(
        File(name="good", suffix=".csv", outcome="N", make=write("编号,时间\nA1,2025-11-21 10:00:00\nA2,2025-11-21T02:00:00Z\nA3,2025-11-21T10:00:00.000+08:00\nA4,2025年11月21日 10:00\n"), published=4),
        File(name="clock", suffix=".csv", outcome="Q", make=write("编号,时间\nA1,1970-01-01T00:00:00Z\nA2,2099-12-31 00:00\nA3,2025-01-01\n"), published=1, rows={"2": "below_minimum|seen", "3": "above_maximum|seen"}),
        File(name="no-time", suffix=".csv", outcome="Q", make=write("编号,时间\nA1,2025-01-01 24:00\nA2,2025-02-30 01:00\nA3,2025-01-01T00:00:00+99:00\nA4,1735689600\nA5,2025-01-01\n"), published=1, rows={str(n): "type_unreadable|seen" for n in range(2, 6)}),
    ),
)  # fmt: skip
CLASSES = (TIMES, IDS, AREAS, NUMBERS, LIVES, NAMES, EMPTY, UNITS, RESIDENTS)
