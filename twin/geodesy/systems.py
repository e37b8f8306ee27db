"""Which coordinate systems exist in a Chinese county's files, and what a clerk is told when one is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from twin.errors import CrsError

Family = Literal["cgcs2000", "wgs84", "mercator", "xian80", "beijing54", "new_beijing", "obfuscated", "other"]

HUB = frozenset({4326, 4490, 4480})
"""Geographic systems that agree within a metre (CGCS2000 and WGS 84), taken as identical."""

GK3_ZONE = range(4513, 4534)
GK3_CM = range(4534, 4555)
GK6_ZONE = range(4491, 4502)
GK6_CM = range(4502, 4513)
_XIAN80 = (range(2327, 2391), range(4610, 4611))
_BEIJING54 = (range(2401, 2443), range(21413, 21424), range(21453, 21464), range(21473, 21484), range(4214, 4215))
_FILES = re.compile(r"PARAMETERFILE|GRIDS|INIT=", re.IGNORECASE)
_CODE = re.compile(r"(?:EPSG:)?(\d{4,6})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GaussKruger:
    """One CGCS2000 Gauss-Kruger zone: `width` 3 or 6 degrees, `prefixed` where eastings carry the zone number.

    `swapped` says that the given x were northings and the given y eastings (X = north, Y = east, as surveyors write).
    """

    width: Literal[3, 6]
    zone: int
    central_meridian: int
    prefixed: bool = True
    swapped: bool = False

    @property
    def crs(self) -> str:
        """Give the zone's "EPSG:n"."""
        if self.width == 3:
            first, base = (GK3_ZONE, GK3_CM)[not self.prefixed].start, 25
        else:
            first, base = (GK6_ZONE, GK6_CM)[not self.prefixed].start, 13
        return f"EPSG:{first + self.zone - base}"

    @property
    def false_easting_m(self) -> int:
        """Give the false easting in metres: 500 000, after the zone number where it is prefixed."""
        return 500_000 + (self.zone * 1_000_000 if self.prefixed else 0)


def gauss_kruger(code: int) -> GaussKruger | None:
    """Give the CGCS2000 Gauss-Kruger zone of an EPSG code, or None where the code is something else."""
    if code in GK3_ZONE or code in GK3_CM:
        zone = 25 + (code - GK3_ZONE.start) % 21
        return GaussKruger(width=3, zone=zone, central_meridian=3 * zone, prefixed=code in GK3_ZONE)
    if code in GK6_ZONE or code in GK6_CM:
        zone = 13 + (code - GK6_ZONE.start) % 11
        return GaussKruger(width=6, zone=zone, central_meridian=6 * zone - 3, prefixed=code in GK6_ZONE)
    return None


def family(code: int) -> Family:
    """Give the family an EPSG code belongs to."""
    if code == 4326:
        return "wgs84"
    if code in HUB or gauss_kruger(code) is not None:
        return "cgcs2000"
    if code == 3857:
        return "mercator"
    if any(code in codes for codes in _XIAN80):
        return "xian80"
    if any(code in codes for codes in _BEIJING54):
        return "beijing54"
    return "new_beijing" if code in (4555, 4568) else "other"


def code_of(crs: str) -> int:
    """Give the number of "EPSG:n"; raises CrsError where `crs` is not written so."""
    found = _CODE.fullmatch(crs.strip())
    if found is None:
        raise unknown(crs)
    return int(found[1])


_OLD = {
    "xian80": ("1980西安坐标系", "the Xian 1980 system"),
    "beijing54": ("1954北京坐标系", "the Beijing 1954 system"),
    "new_beijing": ("新1954北京坐标系", "the New Beijing system"),
}


def refusal(crs: str, kind: Family) -> CrsError:
    """Give the sentence for a system we do not transform: what to ask for, and from whom."""
    if kind not in _OLD:
        return unknown(crs)
    zh, en = _OLD[kind]
    return CrsError(
        f"{crs} 是{zh}，没有公开的高精度转换参数，按软件默认换算会偏几十到上百米，因此拒收。"
        "请向县自然资源和规划局测绘科申请把数据转换为2000国家大地坐标系(EPSG:4490 或 3度带 EPSG:4513–4554)后重报，"
        "或由其提供本县四参数/七参数转换成果。",
        f"{crs} is {en}; no public transformation of known accuracy "
        "exists and a default conversion is wrong by tens to "
        "hundreds of metres, so the file is refused. Ask the county "
        "natural-resources bureau (surveying section) to deliver "
        "it in CGCS2000 (EPSG:4490, or a 3-degree zone EPSG:4513-4554), "
        "or to give the county's four- or seven-parameter set.",
        crs=crs,
    )


def names_a_file(definition: str) -> bool:
    """Tell whether a definition has its library open a file that it names (a grid of shifts)."""
    return _FILES.search(definition) is not None


def unknown(crs: str) -> CrsError:
    """Give the sentence for a system that is neither known nor accepted by the village's declaration."""
    shown = crs if len(crs) <= 80 else crs[:77] + "…"
    return CrsError(
        f"坐标系“{shown}”不在允许清单内。请报送单位说明数据的坐标系并转换为2000国家大地坐标系(EPSG:4490 "
        "或对应的高斯-克吕格带)；"
        "确需直接接收的，由数据负责人在 village.toml 的 accepted_crs 中登记代码和精度(米)。",
        f"The coordinate system “{shown}” is not on the allow-list. Ask the sender which system it is and to deliver "
        "CGCS2000 (EPSG:4490 or its Gauss-Kruger zone); to accept another one, the data owner registers its code and "
        "accuracy in metres under accepted_crs in village.toml.",
        crs=shown,
    )


def absent() -> CrsError:
    """Give the sentence for a file that states no system where the declaration states none either."""
    return CrsError(
        "文件没有写明坐标系(缺 .prj 或未定义)，目录也没有声明。请报送单位补充坐标系，"
        '或在目录该来源下写明 crs = "EPSG:…"(高德、腾讯取点写 "gcj02"，百度取点写 "bd09")。',
        "The file states no coordinate system and neither does the catalogue. Ask the sender for it, or declare "
        'crs = "EPSG:…" in the source\'s entry ("gcj02" for AutoNavi/Tencent pickers, "bd09" for Baidu).',
    )
