"""A department's declarations as the TOML text that stands in data/catalog; the only writer of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from twin.model import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.model import Department

_ELSEWHERE = ("department", "sources", "fields", "resources")
"""What stands in tables of its own, or in the file's name."""


def of(department: Department) -> str:
    """Give one department with its resources as TOML; reading it back gives the same value."""
    blocks = ["\n".join(["[department]", *_lines(department)])]
    for resource in department.resources:
        blocks.append("\n".join(["[[resource]]", *_lines(resource)]))
        blocks += ["\n".join(["[[resource.source]]", *_lines(s)]) for s in resource.sources]
        blocks += ["\n".join(["[[resource.field]]", *_lines(f)]) for f in resource.fields]
    return "\n\n".join(blocks) + "\n"


def value(held: Any) -> str:
    """Give one value as TOML writes it."""
    return _toml(held)


def _lines(value: Any) -> Iterator[str]:
    for spec in dataclasses.fields(value):
        held = getattr(value, spec.name)
        if spec.name not in _ELSEWHERE and not (_is_default(spec, held) or held is None):
            yield f"{spec.name} = {_toml(held)}"


def _is_default(spec: dataclasses.Field[Any], held: object) -> bool:
    if spec.default is not dataclasses.MISSING:
        return held == spec.default and type(held) is type(spec.default)
    return spec.default_factory is not dataclasses.MISSING and held == spec.default_factory()


def _toml(value: Any) -> str:
    if isinstance(value, Text):
        return f"{{ zh = {_toml(value.zh)}, en = {_toml(value.en)} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return value.isoformat() if isinstance(value, date) else repr(value)
