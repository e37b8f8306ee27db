"""A person as an officer names one: numbers that are theirs alone, names others bear too, rows named one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from twin.errors import BadRequest
from twin.retention import marks
from twin.retention.marks import Marks, numbers, plain

Sure = Literal["number", "row", "name", ""]
"""How a row is known to be the person's: "name" alone is a question, for others bear it too; "" is not at all."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom a request is about; `rows` are (table, key) that the officer has made sure of."""

    numbers: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    rows: frozenset[tuple[str, str]] = frozenset()

    def known_in(self, table: str, key: Any, values: Iterable[Any]) -> Sure:
        """Say how a row with these personal values is known to be the person's."""
        told = [v for v in values if v not in (None, "")]
        if any(n in self.numbers for v in told for n in numbers(v)):
            return "number"
        if any(plain(v) in self.names for v in told):
            return "row" if (table, str(key)) in self.rows else "name"
        return ""

    def marks(self, keys: Mapping[str, bytes]) -> Marks:
        """Give the marks of the person under the first of `keys`; a row is marked under each of the names."""
        name, key = next(iter(keys.items()))
        rows: dict[str, set[str]] = {}
        for table, row in self.rows:
            rows.setdefault(table, set()).update(marks.mark(key, name, marks.of_row(table, row, n)) for n in self.names)
        return Marks(
            keys=keys,
            numbers=frozenset(marks.mark(key, name, n) for n in self.numbers),
            rows={t: frozenset(some) for t, some in rows.items()},
        )


def of(told: Mapping[str, Any]) -> Person:
    """Read a person from {"numbers": […], "names": […], "rows": ["table:key", …]}; raises BadRequest."""
    given = {k: _texts(told.get(k, ())) for k in ("numbers", "names", "rows")}
    wrong = [t for t in given["numbers"] if not any(True for _ in numbers(t))]
    if wrong or any(":" not in t for t in given["rows"]) or set(told) - {*given, "reason"}:
        raise BadRequest(
            "号码至少 6 位且以数字为主;行写作 表:编号",
            "A number has six characters or more, mostly digits; a row is written table:key",
        )
    if not (given["numbers"] or given["names"]) or (given["rows"] and not given["names"]):
        raise BadRequest("请写明号码,或姓名;按行指定时要写姓名", "Give numbers or names; rows are named with a name")
    rows = (t.partition(":") for t in given["rows"])
    return Person(
        numbers=frozenset(n for t in given["numbers"] for n in numbers(t)),
        names=frozenset(map(plain, given["names"])),
        rows=frozenset((table, key) for table, _, key in rows),
    )


def _texts(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(v, str | int) for v in listed):
        raise BadRequest("应为文字的列表", "A list of texts is wanted")
    return tuple(t for v in listed if (t := str(v).strip()))
