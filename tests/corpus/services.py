"""Classes 13-18 of the table: what a JSON interface answers when it is not well, asked over a real connection."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from tests.corpus.items import Class, File, Make

HEADERS: dict[str, Mapping[str, str]] = {}
"""Path below the service → headers its answer has beside the usual ones."""
_GOOD = {"编号": "A1", "名称": "好", "数量": 1}


def _rows(*rows: Mapping[str, Any]) -> str:
    return json.dumps({"data": list(rows)}, ensure_ascii=False)


def _body(text: str | bytes) -> Make:
    return lambda path: path.write_bytes(text if isinstance(text, bytes) else text.encode())


def _answer(name: str, text: str | bytes, outcome: str, **more: Any) -> File:
    options = '{ paging = "none", items = "data" }'
    source = {"connection": "corpus", "options": options}
    return File(name=name, suffix=".json", outcome=outcome, make=_body(text), source=source, **more)  # type: ignore[arg-type]


def _class(number: int, title: str, *files: File) -> Class:
    return Class(number=number, title=title, files=files, served=True)


_GOOD_FILE = _answer("good", _rows(_GOOD), "N", published=1)
BROKEN = _class(
    13, "truncated, trailing comma, BOM, JSON5",
    _answer("truncated", _rows(_GOOD)[:-9], "R", says="not JSON"),
    _answer("comma", '{"data": [{"编号": "A1",}]}', "R", says="not JSON"),
    _answer("json5", "{data: [{'编号': 'A1'}]}", "R", says="not JSON"),
    _answer("bom", b"\xef\xbb\xbf" + _rows(_GOOD).encode(), "N", published=1),
)  # fmt: skip
NUMBERS = _class(
    14, "NaN/Infinity/1e999/-0",
    _answer("nan", '{"data": [{"编号": "A1", "名称": "x", "数量": NaN}]}', "R", says="not JSON"),
    _answer("infinity", '{"data": [{"编号": "A1", "名称": "x", "数量": -Infinity}]}', "R", says="not JSON"),
    _answer("huge", '{"data": [{"编号": "A1", "名称": "x", "数量": 1e999}, {"编号": "A2", "名称": "x", "数量": 1}, {"编号": "A3", "名称": "x", "数量": -0.0}]}', "Q", published=1, rows={"A1": "type_unreadable|amount", "A3": "not_above|amount"}),
)  # fmt: skip
KEYS = _class(
    15, "duplicate keys, wrong case, 1e6 keys",
    _answer("twice", '{"data": [{"编号": "A1", "名称": "甲", "名称": "乙", "数量": 1}]}', "R", says="twice"),
    _answer("case", '{"DATA": []}', "R", says="no list of rows"),
    _answer("many", json.dumps({"data": [{**_GOOD, **{f"k{i}": i for i in range(20_000)}}]}), "N", published=1, says="20000 in all"),
)  # fmt: skip
DEEP = _class(
    16, "depth 100 000",
    _answer("shallow", _rows({**_GOOD, "名称": "好"}), "N", published=1),
    _answer("deep", '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}", "R", says="not JSON"),
    _answer("in-a-row", '{"data": [{"编号": "A1", "名称": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}]}", "R", says="not JSON"),
)  # fmt: skip
IDS = _class(
    17, "64-bit ids as floats",
    _answer("whole", '{"data": [{"编号": 12345678901234567890, "名称": "x", "数量": 1}]}', "N", published=1, values={"12345678901234567890": {"amount": 1.0}}),
    _answer("float", '{"data": [{"编号": 1.2345678901234567e19, "名称": "x", "数量": 1}, {"编号": "A2", "名称": "x", "数量": 1}]}', "Q", published=1, rows={"1.2345678901234567e19": "id_damaged|number"}),
    _answer("rounded", '{"data": [{"编号": 1.23E+17, "名称": "x", "数量": 1}, {"编号": "A2", "名称": "x", "数量": 1}]}', "Q", published=1, rows={"1.23E+17": "id_damaged|number"}),
)  # fmt: skip
LIES = _class(
    18, "wrong content-type, gzip bomb, chunked lies",
    _answer("html", "<!DOCTYPE html><title>login</title>", "R", says="login"),
    _answer("gzip-bomb", gzip.compress(b'{"data": [' + b" " * (9 << 20)), "R", says="limit of"),
    _answer("long-length", _rows(_GOOD), "R", says="cut"),
    _answer("brotli", _rows(_GOOD), "R", says="br"),
    _answer("text-plain", _rows(_GOOD), "N", published=1),
)  # fmt: skip
HEADERS |= {
    "c18/gzip-bomb.json": {"Content-Encoding": "gzip"},
    "c18/long-length.json": {"Content-Length": "999999"},
    "c18/brotli.json": {"Content-Encoding": "br"},
    "c18/text-plain.json": {"Content-Type": "text/plain"},
    "c18/html.json": {"Content-Type": "text/html"},
}
CLASSES = (BROKEN, NUMBERS, KEYS, DEEP, IDS, LIES)
