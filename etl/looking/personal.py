"""Whether the values of a column are likely somebody's own: identity cards, telephones, bank cards, plates, names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.looking.values import Said, Sure

ENOUGH, MANY, FEWEST = 0.8, 0.5, 5
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤俞费章施凌盛"
)
"""The commonest surnames (Ministry of Public Security, 2020 report), some nine persons of ten."""
_PHONE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_MASKED_PHONE = re.compile(r"1[3-9]\d\*{4}\d{4}|\d{3}\*{4}\d{4}")
_LAND_LINE = re.compile(r"0\d{2,3}[- ]?\d{7,8}")
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][·. ]?[A-Z0-9]{5,6}")
_NAME = re.compile(r"[\u4e00-\u9fff]{1}[\u4e00-\u9fff*]{1,3}")
_ADDRESS = re.compile(r"(?:省|市|县|区|镇|乡|街道|村|社区|路|组).*\d+.*(?:号|室|幢|组)|.*(?:镇|乡|街道).*村.*")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of personal value: how it is told from values and from headings, and its class at least."""

    meaning: str
    sensitivity: str
    words: str
    looks: Callable[[str], bool]
    zh: str
    en: str
    proof: bool = False


def is_id_card(text: str) -> bool:
    """Say whether a text is a resident identity number whose check character is right (GB 11643-1999)."""
    if not re.fullmatch(r"[1-9]\d{16}[\dXx]", text):
        return False
    total = sum(int(c) * w for c, w in zip(text[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


def is_bank_card(text: str) -> bool:
    """Say whether a text is a card number of 16 to 19 digits whose check digit is right (Luhn, ISO/IEC 7812-1)."""
    digits = text.replace(" ", "")
    if not re.fullmatch(r"[3-6]\d{15,18}", digits):
        return False
    doubled = (int(c) * (2 if k % 2 else 1) for k, c in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_phone(text: str) -> bool:
    return any(p.fullmatch(text) for p in (_PHONE, _MASKED_PHONE, _LAND_LINE))


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and (text[0] in _SURNAMES)


KINDS: tuple[Kind, ...] = (
    Kind(
        meaning="id_card", sensitivity="sensitive", words="身份证|证件号|公民身份|idcard|sfzh|zjhm", looks=is_id_card,
        zh="身份证号(校验位正确)", en="identity numbers (check digit right)", proof=True,
    ),
    Kind(
        meaning="bank_card", sensitivity="sensitive", words="银行卡|银行账|卡号|社保卡|一卡通", looks=is_bank_card,
        zh="银行卡号(校验位正确)", en="bank card numbers (check digit right)", proof=True,
    ),
    Kind(
        meaning="phone", sensitivity="personal", words="电话|手机|联系方式|phone|mobile|tel|lxdh|yddh", looks=_is_phone,
        zh="电话号码", en="telephone numbers", proof=True,
    ),
    Kind(
        meaning="plate", sensitivity="personal", words="车牌|号牌|plate", looks=lambda t: bool(_PLATE.fullmatch(t)),
        zh="车牌号", en="number plates", proof=True,
    ),
    Kind(
        meaning="name", sensitivity="personal",
        words="姓名|户主|联系人|负责人|责任人|法人|法定代表人|代表|经营者|权利人|诉求人|申请人|监护人|xm$|_name$|jyz|cbfmc|qlr",
        looks=_is_name, zh="像人名", en="like names of people",
    ),
    Kind(
        meaning="address", sensitivity="personal", words="住址|家庭地址|户籍地址|通讯地址|门牌|地址",
        looks=lambda t: bool(_ADDRESS.search(t)), zh="像住址", en="like addresses",
    ),
)  # fmt: skip
SENSITIVE: Mapping[str, str] = {
    "病|诊断|残疾|健康|用药|过敏": "health",
    "宗教|信仰": "belief",
    "低保|救助|收入": "need",
    "未成年|儿童|留守": "minors",
}
"""Headings whose values are sensitive of whomever they are told (PIPL article 28)."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a column was told to be, how surely, and why."""

    meaning: str
    sensitivity: str
    sure: Sure
    why: Said


def tell(heading: str, values: Sequence[str]) -> Told | None:
    """Tell whether the distinct values of a column are likely personal; None where nothing speaks for it."""
    word = heading.lower()
    for kind in KINDS:
        named = re.search(kind.words, word) is not None
        share = sum(kind.looks(v.strip()) for v in values) / len(values) if values else 0.0
        bar = (
            MANY
            if named
            else 0.9
            if kind.meaning == "name" and len(values) >= FEWEST
            else ENOUGH
            if kind.proof
            else 1.1
        )
        if share < bar and not (named and share < MANY and _speaks(kind, values)):
            continue
        percent = f"{share:.0%}"
        sure: Sure = "sure" if share >= ENOUGH and kind.proof else "likely" if share >= MANY else "guess"
        zh = f"{percent} 的不同取值是{kind.zh}" if share >= MANY else "表头如此,取值不足以证明"
        en = (
            f"{percent} of its distinct values are {kind.en}"
            if share >= MANY
            else "its heading says so, its values do not"
        )
        more = (",表头也这样说", ", and its heading says so") if named and share >= MANY else ("", "")
        return Told(meaning=kind.meaning, sensitivity=kind.sensitivity, sure=sure, why=(zh + more[0], en + more[1]))
    if any(re.search(words, heading) for words in SENSITIVE):
        why = ("表头涉及健康、信仰、救助或未成年人", "its heading is about health, belief, need or minors")
        return Told(meaning="other", sensitivity="sensitive", sure="likely", why=why)
    return None


def _speaks(kind: Kind, values: Sequence[str]) -> bool:
    """Say whether a heading alone is enough: the values are text, or there are none, or they were masked before."""
    if kind.meaning == "address":
        return False
    texts = [v for v in values if not re.fullmatch(r"[-+]?\d{1,6}(\.\d+)?", v)]
    return len(texts) * 2 >= len(values)
