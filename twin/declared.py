"""A TOML table → a frozen dataclass of twin.model, or faults with file, line, field and remedy; it knows no village."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from twin.toml_lines import Path as KeyPath
from twin.toml_lines import line_of, positions

if typing.TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong in a declaration: where it stands, what is wrong, what to do."""

    file: str
    line: int
    field: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


@dataclasses.dataclass(frozen=True)
class Document:
    """One TOML file, parsed, with the line of every key and the faults found so far."""

    file: str
    table: Mapping[str, Any]
    lines: Mapping[KeyPath, int]
    faults: list[Fault]

    def fault(self, path: KeyPath, words: tuple[str, str], remedy: tuple[str, str]) -> None:
        """Note that what stands at `path` is wrong; `words` and `remedy` are (zh, en)."""
        self.faults.append(
            Fault(
                file=self.file,
                line=line_of(dict(self.lines), path),
                field=".".join(str(p) for p in path),
                zh=words[0],
                en=words[1],
                remedy_zh=remedy[0],
                remedy_en=remedy[1],
            )
        )


FOLDERS = ("catalog", "codes", "derived")
"""Below a village's folder, what declares what is received; it is followed while a process runs."""
Stamp = tuple[tuple[str, int, int], ...]


def stamp(village: Path) -> Stamp:
    """Name what the declarations under `village` are now, by names, sizes and times."""
    found: list[tuple[str, int, int]] = []
    for path in (p for folder in FOLDERS for p in sorted((village / folder).rglob("*.toml"))):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        found.append((str(path.relative_to(village)), facts.st_size, facts.st_mtime_ns))
    return tuple(found)


def load(path: Path) -> Document:
    """Read the TOML file at `path`; text that is not TOML or not UTF-8 becomes a fault, and the table is empty."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except (UnicodeDecodeError, FileNotFoundError) as error:
        return _unread(str(path), error)


def parse(text: str, file: str) -> Document:
    """Read a TOML text that is called `file`; one that is not TOML becomes a fault, and the table is empty."""
    try:
        return Document(file, tomllib.loads(text), positions(text), [])
    except tomllib.TOMLDecodeError as error:
        return _unread(file, error)


def _unread(file: str, error: Exception) -> Document:
    document = Document(file, {}, {(): _error_line(str(error))}, [])
    remedy = ("按 TOML 语法改正此行,文件用 UTF-8 保存。", "Mend this line by TOML's rules; save the file as UTF-8.")
    document.fault((), (f"文件读不了:{error}", f"The file cannot be read: {error}"), remedy)
    return document


def _error_line(message: str) -> int:
    digits = message.rpartition("(at line ")[2].split(",")[0]
    return int(digits) if digits.isdigit() else 1


_hints = functools.cache(typing.get_type_hints)


def value_of(
    document: Document,
    cls: type[T],
    path: KeyPath,
    table: object,
    *,
    given: Mapping[str, Any] | None = None,
) -> T | None:
    """Build a `cls` from the TOML `table` at `path`; faults go into `document`, and None comes back for a broken one.

    `given` are values that do not stand in the table.
    """
    if not isinstance(table, Mapping):
        document.fault(
            path, ("这里应是一个表", "A table is expected here"), ("写成 [表] 或 {…}", "Write [table] or {…}")
        )
        return None
    given = given or {}
    rows: Mapping[str, Any] = table
    before = len(document.faults)
    specs = {f.name: f for f in dataclasses.fields(cls) if f.name not in given}  # type: ignore[arg-type]
    _unknown_keys(document, path, rows, specs)
    hints = _hints(cls)
    values: dict[str, Any] = dict(given)
    for key, spec in specs.items():
        if key in rows:
            values[key] = _convert(document, (*path, key), hints[key], rows[key])
        elif spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING:
            words = (f"缺少必填项 {key}", f"The required key {key} is missing")
            document.fault(path, words, (f"补上 {key} = …", f"Add {key} = …"))
    return cls(**values) if len(document.faults) == before else None


def _unknown_keys(document: Document, path: KeyPath, table: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key in table:
        if key not in known:
            words = (f"不认识的项 {key}", f"Unknown key {key}")
            near = _nearest(key, known)
            remedy = ("删去,或改为:" + near, "Remove it, or use: " + near)
            document.fault((*path, key), words, remedy)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    shared = sorted(known, key=lambda k: (-len(set(k) & set(key)) / len(set(k) | set(key)), k))
    return " / ".join(shared[:3])


def _convert(document: Document, path: KeyPath, hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert(document, path, next(a for a in typing.get_args(hint) if a is not type(None)), value)
    if origin is Literal:
        return _choice(document, path, typing.get_args(hint), value)
    if origin is tuple:
        return _tuple(document, path, typing.get_args(hint), value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(document, path, typing.get_args(hint)[1], value)
    if dataclasses.is_dataclass(hint):
        return value_of(document, typing.cast("type[Any]", hint), path, value)
    return _scalar(document, path, hint, value)


def _choice(document: Document, path: KeyPath, allowed: Sequence[str], value: object) -> object:
    if value not in allowed:
        listed = " / ".join(allowed)
        words = (f"取值 {value!r} 不在允许范围", f"{value!r} is not an allowed value")
        document.fault(path, words, (f"改为其中之一:{listed}", f"Use one of: {listed}"))
    return value


def _tuple(document: Document, path: KeyPath, args: Sequence[Any], value: object) -> tuple[Any, ...]:
    fixed = Ellipsis not in args
    if not isinstance(value, list) or (fixed and len(typing.cast("list[object]", value)) != len(args)):
        count = f"{len(args)} " if fixed else ""
        document.fault(
            path,
            (f"应为{count}个值的数组", f"An array of {count}values is expected"),
            ("写成 [a, b, …]", "Write [a, b, …]"),
        )
        return ()
    items = typing.cast("list[object]", value)
    kinds = args if fixed else [args[0]] * len(items)
    return tuple(_convert(document, (*path, i), kinds[i], item) for i, item in enumerate(items))


def _mapping(document: Document, path: KeyPath, kind: object, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        document.fault(
            path, ("这里应是一个表", "A table is expected here"), ("写成 { 键 = 值 }", "Write { key = value }")
        )
        return {}
    rows = typing.cast("Mapping[str, object]", value)
    return {k: _convert(document, (*path, k), kind, v) for k, v in rows.items()}


_NAMES: Mapping[Any, tuple[str, str]] = {
    str: ("文字", "text in quotes"),
    int: ("整数", "an integer"),
    float: ("数字", "a number"),
    bool: ("true 或 false", "true or false"),
    date: ("日期,如 2025-11-21", "a date such as 2025-11-21"),
    datetime: ("带时区的时刻", "a time with its offset, such as 2025-11-21T10:32:00+08:00"),
}


def _scalar(document: Document, path: KeyPath, kind: Any, value: object) -> object:
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or (isinstance(value, datetime) and value.tzinfo is None):
        zh, en = _NAMES.get(kind, (str(kind), str(kind)))
        document.fault(path, (f"{value!r} 不是{zh}", f"{value!r} is not {en}"), (f"改为{zh}", f"Write {en}"))
    return value
