"""Why a row was not published, or was changed, in words a clerk can act on; the only list of contract rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Field, Resource

SEPARATOR = "|"
"""Between rule and column in a staged reason: "above|stated_area_m2"; a rule about the whole row has no column."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """One rule's sentence and its remedy; `{title}` and `{limit}` stand for the column and its declared limit."""

    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


_ASK = ("请报送单位核对后重报", "Ask the department to check and deliver again")


def _words(zh: str, en: str, remedy_zh: str = _ASK[0], remedy_en: str = _ASK[1]) -> Words:
    return Words(zh=zh, en=en, remedy_zh=remedy_zh, remedy_en=remedy_en)


RULES: Mapping[str, Words] = {
    "required_missing": _words("{title}为空", "{title} is empty", "补填该项", "Fill it in"),
    "type_unreadable": _words(
        "{title}读不成{limit}", "{title} cannot be read as {limit}", "改正写法,不加单位与说明", "Write the bare value"
    ),
    "below_minimum": _words("{title}小于下限 {limit}", "{title} is below {limit}"),
    "above_maximum": _words("{title}大于上限 {limit}", "{title} is above {limit}"),
    "not_above": _words("{title}应大于 {limit}", "{title} must exceed {limit}"),
    "area_not_positive": _words(
        "{title}不是正数", "{title} is not positive", "补填实测或批准面积", "State the real area"
    ),
    "too_long": _words("{title}超过 {limit} 字", "{title} is longer than {limit} characters"),
    "pattern": _words("{title}不合格式 {limit}", "{title} does not match {limit}"),
    "id_damaged": _words(
        "{title}不是完整有效的证件号(可能被表格软件丢了位)",
        "{title} is not a whole, valid number (a spreadsheet may have dropped digits)",
        "把该列设为文本后重新录入",
        "Format the column as text and enter it again",
    ),
    "id_fifteen": _words(
        "{title}是已停用的 15 位号码",
        "{title} is a number of 15 digits, no longer in use",
        "换成 18 位公民身份号码",
        "Give the 18-digit number",
    ),
    "card_invalid": _words(
        "{title}不是有效的银行卡号(位数或校验位不符)",
        "{title} is no valid bank card number (length or check digit)",
        "把该列设为文本后重新录入",
        "Format the column as text and enter it again",
    ),
    "plate_invalid": _words("{title}不是有效的号牌号码", "{title} is no valid number plate"),
    "before_other": _words("{title}早于{limit}", "{title} is before {limit}"),
    "code_unknown": _words(
        "{title}的代码不在 {limit} 中",
        "The code of {title} is not in {limit}",
        "按代码表改正",
        "Use a code of the list",
    ),
    "code_abolished": _words(
        "{title}的代码在 {limit} 中已废止",
        "The code of {title} is abolished in {limit}",
        "换成现行代码",
        "Use a current one",
    ),
    "duplicate_key": _words(
        "{title}与前面的一行相同而内容不同(已发布前面一行)",
        "{title} repeats an earlier row with other content (the earlier row is published)",
        "请报送单位确认哪一行有效",
        "Ask the department which row is right",
    ),
    "control_character": _words(
        "{title}含有空字节或控制字符",
        "{title} holds NUL or control characters",
        "删去该字符,重新录入",
        "Remove the character and enter it again",
    ),
    "formula_empty": _words(
        "{title}是公式,文件中没有算出的值",
        "{title} is a formula whose value is not in the file",
        "在表格软件中打开、计算并保存后重报",
        "Open it in a spreadsheet program, let it calculate, save",
    ),
    "cell_error": _words(
        "{title}是错误值(#REF!、#N/A 等)",
        "{title} is an error (#REF!, #N/A, …)",
        "改正公式或填入数值",
        "Mend the formula or enter the value",
    ),
    "row_ragged": _words(
        "这一行的格数与表头不符",
        "The row has more or fewer cells than the heading",
        "补齐或合并单元格,含分隔符的内容加引号",
        "Fill in or join the cells; quote what holds a delimiter",
    ),
    "mixed_encoding": _words(
        "这一行的文字编码与全文不同",
        "The text of this row is in another encoding than the file",
        "整份文件另存为 UTF-8 后重报",
        "Save the whole file as UTF-8 and deliver again",
    ),
    "totals_row": _words("合计行,不是数据", "A totals row, not data", "无需处理", "Nothing to do"),
    "row_unreadable": _words("这一行读不成({limit})", "The row cannot be read ({limit})"),
    "geometry_missing": _words("没有图形", "It has no geometry", "补绘图形", "Draw it"),
    "geometry_not_finite": _words("坐标不是数", "A coordinate is not a number"),
    "geometry_unreadable": _words("图形读不成", "The geometry cannot be read"),
    "geometry_unsupported": _words(
        "图形是曲线或三角网,地图不收",
        "The geometry is a curve or a mesh, which no map here takes",
        "打散为折线、面后重报",
        "Convert it to lines or polygons",
    ),
    "coordinate_unreadable": _words(
        "坐标读不成数字或度分秒",
        "A coordinate cannot be read as a number or an angle",
        "经纬度写成十进制度或度分秒",
        "Write degrees, or degrees, minutes and seconds",
    ),
    "geometry_kind": _words(
        "图形类型应为{limit}",
        "The geometry should be a {limit}",
        "把它报到对应的资源",
        "Deliver it with the right resource",
    ),
    "geometry_repair_area": _words(
        "图形自相交,修复会使面积改变 1% 以上",
        "It crosses itself, and mending it would change its area by more than 1 %",
        "请报送单位按实地改正边界",
        "Ask the department to correct the boundary",
    ),
    "geometry_too_large": _words(
        "图形远远超出本地范围(如整个省、全球)",
        "It reaches far beyond the area (a province, the world)",
        "裁剪到本地,或核对坐标系",
        "Cut it to the area, or check the coordinate system",
    ),
    "axes_swapped": _words(
        "坐标次序颠倒(对调后落在本地)",
        "Its coordinates are exchanged (swapped, they fall here)",
        "对调经纬度(或 X、Y)后重报",
        "Exchange longitude and latitude (or X and Y)",
    ),
    "outside_plausible": _words(
        "位置在可信范围之外",
        "It lies outside the plausible area",
        "核对坐标系与坐标",
        "Check the coordinates and their system",
    ),
    "outside_village": _words(
        "位置在本村之外", "It lies outside the village", "报给所在的村", "Deliver it to its village"
    ),
}

NOTES: Mapping[str, Words] = {
    "area_mismatch": _words(
        "申报面积与图形面积相差超过允许值(两者都保留)",
        "Stated and computed area differ by more than allowed (both are kept)",
        "由主管部门核实",
        "The department verifies",
    ),
    "self_intersection": _words("自相交已修复", "A self-intersection was mended"),
    "ring_unclosed": _words("未闭合的环已闭合", "An unclosed ring was closed"),
    "desk_corrected": _words("在隔离区更正过", "Corrected on the quarantine desk"),
    "desk_accepted": _words("在隔离区核实后接受", "Accepted on the quarantine desk"),
    "invisible_removed": _words("已去掉看不见的字符", "Invisible characters were taken out"),
    "number_rewritten": _words(
        "数字写法已规整(分隔符、全角、万、单位)", "A number was written otherwise (separators, full width, 万, a unit)"
    ),
    "merged_filled": _words("合并单元格已逐行填入", "A merged cell was filled into each of its rows"),
    "text_cut": _words("文字在字段宽度处被截断", "A text was cut off at its field's width"),
    "z_dropped": _words("高程未收录(地图为平面)", "Heights were left out (the map is flat)"),
}


def sentence(staged: str, resource: Resource) -> dict[str, str]:
    """Give {rule, column, zh, en, remedy_zh, remedy_en} of a staged reason "rule|column"."""
    rule, _, column = staged.partition(SEPARATOR)
    words = RULES.get(rule) or NOTES[rule]
    field = resource.field_named(column)
    zh, en = (field.title.zh, field.title.en) if field else (column, column)
    limit = _limit(rule, field, resource) or ("", "")
    return {
        "rule": rule,
        "column": column,
        "zh": words.zh.format(title=zh, limit=limit[0]),
        "en": words.en.format(title=en, limit=limit[1]),
        "remedy_zh": words.remedy_zh,
        "remedy_en": words.remedy_en,
    }


_TYPES = {
    "string": ("文字", "text"),
    "integer": ("整数", "an integer"),
    "number": ("数字", "a number"),
    "boolean": ("是/否", "yes or no"),
    "date": ("日期", "a date"),
    "datetime": ("时刻", "a time"),
}
_KINDS = {"polygon": ("面", "polygon"), "line": ("线", "line"), "point": ("点", "point")}


def _limit(rule: str, field: Field | None, resource: Resource) -> tuple[str, str] | None:
    if rule == "geometry_kind":
        return _KINDS.get(resource.kind)
    if field is None:
        return None
    if rule == "type_unreadable":
        return _TYPES[field.type]
    if rule == "before_other":
        other = resource.field_named(field.not_before)
        return (other.title.zh, other.title.en) if other else None
    limits = {
        "below_minimum": field.minimum,
        "above_maximum": field.maximum,
        "not_above": field.above,
        "too_long": field.length,
        "pattern": field.pattern,
        "code_unknown": field.code_system,
        "code_abolished": field.code_system,
    }
    limit = limits.get(rule)
    return (f"{limit}", f"{limit}")
