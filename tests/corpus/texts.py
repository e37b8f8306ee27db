"""Classes 1-12 of the table: text files, their encodings, quotes, headings, delimiters, sizes, and what stands in them."""

from __future__ import annotations

from tests.corpus.items import Class, File, Make, csv, write

GOOD = ("A1,好,1", "A2,中,2")
_NAMES = "A1,龙泉村㐂,1\nA2,东山,2\n"
_HEAD = "编号,名称,数量\n"


def _mixed(*parts: tuple[str, str]) -> Make:
    """Give what writes one file of pieces, each in an encoding of its own."""
    return write(b"".join(text.encode(encoding) for text, encoding in parts))


def _huge_field(size: int) -> Make:
    return write(_HEAD + 'A1,"' + "长" * size + '",1\n')


ENCODINGS = Class(
    number=1,
    title="GB18030/GBK/UTF-16/UTF-8-BOM, mislabelled",
    files=(
        File(name="gb18030", suffix=".csv", outcome="N", make=write(_HEAD + _NAMES, "gb18030"), published=2, values={"A1": {"label": "龙泉村㐂"}}, says="GB18030"),
        File(name="utf16", suffix=".csv", outcome="N", make=write(_HEAD + _NAMES, "utf-16"), published=2, values={"A1": {"label": "龙泉村㐂"}}, says="UTF-16"),
        File(name="bom", suffix=".csv", outcome="N", make=write(_HEAD + _NAMES, "utf-8-sig"), published=2, values={"A1": {"label": "龙泉村㐂"}}),
        File(name="mislabelled", suffix=".csv", outcome="R", make=write(_HEAD + _NAMES, "gb18030"), source={"encoding": "utf-8"}, says="utf-8"),
        File(name="utf16-cut", suffix=".csv", outcome="R", make=write((_HEAD + _NAMES).encode("utf-16")[:-1]), says="decode"),
    ),
)  # fmt: skip
MIXED = Class(
    number=2,
    title="mixed encodings in one file",
    files=(
        File(name="one-line", suffix=".csv", outcome="Q", make=_mixed((_HEAD + _NAMES, "utf-8"), ("A3,龙泉村,3\n", "gb18030"), ("A4,好,4\n", "utf-8")), published=3, rows={"4": "mixed_encoding"}),
        File(name="in-gb18030", suffix=".csv", outcome="Q", make=_mixed((_HEAD + _NAMES, "gb18030"), ("A3,龙泉村委会,3\n", "utf-8"), ("A4,联通,4\n", "gb18030")), published=3, rows={"4": "mixed_encoding"}, values={"A4": {"label": "联通"}}),
        File(name="broken-bytes", suffix=".csv", outcome="Q", make=write((_HEAD + _NAMES).encode() + b"A3,\xff\xfe\xfd,3\n"), published=2, rows={"4": "mixed_encoding"}),
        File(name="nothing-sure", suffix=".csv", outcome="R", make=write(b"\xff\xff,\xfe\xfe\n\xff\xff,\xfe\xfe\n" * 5), says="decode"),
    ),
)  # fmt: skip
INVISIBLE = Class(
    number=3,
    title="NUL bytes, control chars, bidi/zero-width",
    files=(
        File(name="nul", suffix=".csv", outcome="Q", make=csv(*GOOD, "A3,好\0坏,3", "A4,\x07,4"), published=2, rows={"4": "control_character|label", "5": "control_character|label"}),
        File(name="zero-width", suffix=".csv", outcome="N", make=csv("A1,龙\u200b泉,1", "A\ufeff2,中,\u200b2"), published=2, values={"A1": {"label": "龙泉"}, "A2": {"amount": 2.0}}, repairs={"invisible_removed": 2}),
        File(name="bidi", suffix=".csv", outcome="N", make=csv("A1,\u202egnp.exe\u202c,1", "A2,👨\u200d👩\u200d👧,2"), published=2, values={"A1": {"label": "gnp.exe"}, "A2": {"label": "👨\u200d👩\u200d👧"}}, repairs={"invisible_removed": 1}),
    ),
)  # fmt: skip
QUOTES = Class(
    number=4,
    title="unbalanced quotes, embedded newlines",
    files=(
        File(name="newline", suffix=".csv", outcome="N", make=csv('A1,"龙\n泉",1', *GOOD[1:]), published=2, values={"A1": {"label": "龙\n泉"}}),
        File(name="open", suffix=".csv", outcome="R", make=csv(*GOOD, 'A3,"从不闭合,3', "A4,x,4"), says="quotes"),
        File(name="inside", suffix=".csv", outcome="R", make=csv(*GOOD, 'A3,"甲"乙",3', "A4,x,4"), says="quotes"),
        File(name="doubled", suffix=".csv", outcome="N", make=csv('A1,"他说""好""",1', 'A2,中"间,2'), published=2, values={"A1": {"label": '他说"好"'}, "A2": {"label": '中"间'}}),
    ),
)  # fmt: skip
RAGGED = Class(
    number=5,
    title="ragged rows, extra/missing columns",
    files=(
        File(name="short", suffix=".csv", outcome="Q", make=csv(*GOOD, "A3,缺"), published=2, rows={"4": "row_ragged"}),
        File(name="long", suffix=".csv", outcome="Q", make=csv(*GOOD, "A3,甲,乙,3", "A4,好,4,,"), published=3, rows={"4": "row_ragged"}),
        File(name="extra-column", suffix=".csv", outcome="N", make=csv("A1,好,1,x", head=_HEAD.strip() + ",备注"), published=1, says="undeclared columns, left out: 备注"),
        File(name="in-quotes", suffix=".csv", outcome="Q", make=csv(*GOOD, '"A3,甲",3'), published=2, rows={"4": "row_ragged"}),
    ),
)  # fmt: skip
HEADINGS = Class(
    number=6,
    title="duplicate/blank/merged headers, two-row headers",
    files=(
        File(name="twice", suffix=".csv", outcome="R", make=csv("A1,好,1,2", head="编号,名称,数量,数量"), says="数量"),
        File(name="others-twice", suffix=".csv", outcome="N", make=csv("A1,好,1,x,y", head="编号,名称,数量,备注,备注"), published=1, says="备注"),
        File(name="blank", suffix=".csv", outcome="N", make=csv("A1,好,1,x", head="编号,名称,数量,"), published=1, says="列D"),
        File(name="two-rows", suffix=".csv", outcome="N", make=csv("A1,好,1", head="登记表,,\n编号,名称,数量"), published=1, source={"options": '{ header_rows = "2" }'}),
    ),
)  # fmt: skip
DELIMITERS = Class(
    number=7,
    title="delimiter ; / tab / full-width ，",
    files=(
        File(name="semicolon", suffix=".csv", outcome="N", make=write("编号;名称;数量\nA1;好,的;1\nA2;中;2\n"), published=2, values={"A1": {"label": "好,的"}}, says="“;”"),
        File(name="tab", suffix=".txt", outcome="N", make=write("编号\t名称\t数量\nA1\t好\t1\n"), published=1, says="tab"),
        File(name="full-width", suffix=".csv", outcome="N", make=write("编号，名称，数量\nA1，好，1\nA2，中，2\n"), published=2, says="“，”"),
    ),
)  # fmt: skip
NUMBERS = Class(
    number=8,
    title="thousand separators, full-width digits, 万 and 亩",
    fields=("number", "label", "amount", "size_m2"),
    files=(
        File(name="separators", suffix=".csv", outcome="N", make=csv('A1,好,"1,234.5",1', "A2,中,2,2", head="编号,名称,数量,面积"), published=2, values={"A1": {"amount": 1234.5}}, repairs={"number_rewritten": 1}),
        File(name="full-width", suffix=".csv", outcome="N", make=csv("A1,好,１２３．５,1", head="编号,名称,数量,面积"), published=1, values={"A1": {"amount": 123.5}}, repairs={"number_rewritten": 1}),
        File(name="ten-thousands", suffix=".csv", outcome="N", make=csv("A1,好,1.2万,1", "A2,中,3亿,1", head="编号,名称,数量,面积"), published=2, values={"A1": {"amount": 12000.0}, "A2": {"amount": 3e8}}, repairs={"number_rewritten": 2}),
        File(name="not-sure", suffix=".csv", outcome="Q", make=csv("A1,好,1,1", 'A2,好,"1,23",1', "A3,好,约3,1", "A4,好,3-5,1", head="编号,名称,数量,面积"), published=1, rows={"3": "type_unreadable|amount", "4": "type_unreadable|amount", "5": "type_unreadable|amount"}),
    ),
)  # fmt: skip
NOTHING = Class(
    number=9,
    title="0-byte, header only, 1 row",
    files=(
        File(name="empty", suffix=".csv", outcome="R", make=write(b""), says="is empty"),
        File(name="header-only", suffix=".csv", outcome="R", make=write(_HEAD), held=True, says="Not one row"),
        File(name="one-row", suffix=".csv", outcome="N", make=csv("A1,好,1"), published=1),
        File(name="blank-lines", suffix=".csv", outcome="R", make=write("\n\n \n,,\n"), held=True, says="has no column"),
    ),
)  # fmt: skip
LONG = Class(
    number=10,
    title="10 GB file / 100 MB single field",
    files=(
        File(name="small", suffix=".csv", outcome="N", make=_huge_field(1000), published=1),
        File(name="boundary", suffix=".csv", outcome="R", make=_huge_field((1 << 20) + 1), says="too long"),
        File(name="hostile", suffix=".csv", outcome="R", make=_huge_field(8 << 20), says="too long"),
    ),
)  # fmt: skip
_FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK(""http://127.0.0.1/"")')
FORMULAS = Class(
    number=11,
    title="formula-leading cells",
    files=tuple(
        File(name=name, suffix=".csv", outcome="N", make=csv(f'A1,"{cell}",1'), published=1, values={"A1": {"label": cell.replace('""', '"')}})
        for name, cell in zip(("equals", "plus", "minus", "at", "link"), _FORMULAS, strict=True)
    ),
)  # fmt: skip
_PAYLOADS = {
    "sql": '""; DROP TABLE staged; --',
    "template": "{{7*7}}${7*7}",
    "script": "<script>alert(1)</script>",
    "address": "javascript:alert(1)",
    "path": "../../etc/passwd%00",
}
INERT = Class(
    number=12,
    title='"; DROP, {{7*7}}, <script>, javascript:',
    files=tuple(
        File(name=name, suffix=".csv", outcome="N", make=csv(f'A1,"{cell}",1'), published=1, values={"A1": {"label": cell.replace('""', '"')}})
        for name, cell in _PAYLOADS.items()
    ),
)  # fmt: skip
CLASSES = (
    ENCODINGS, MIXED, INVISIBLE, QUOTES, RAGGED, HEADINGS, DELIMITERS, NUMBERS, NOTHING, LONG, FORMULAS, INERT
)  # fmt: skip
