"""What the village's catalogue already calls things: headings, units, meanings, as other resources declare them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl.proofs import COMPUTED, PROVENANCE
from twin.search import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from twin.model import CodeSystem, Field, Resource

_UNIT = re.compile(r"[(（\[【]([^()（）\[\]【】]{1,12})[)）\]】]\s*$")
_PLAIN = re.compile(r"[^a-z0-9]+")
LONGEST = 40
AGREED = 0.6
"""The share of the resources with a heading that must call it by one name before that is taken for its name."""
UNITS: Mapping[str, tuple[str, float]] = {
    "亩": ("m²", 666.6667), "公顷": ("m²", 10_000.0), "平方米": ("m²", 1.0), "㎡": ("m²", 1.0), "m2": ("m²", 1.0),
    "m²": ("m²", 1.0), "平方公里": ("m²", 1_000_000.0), "km²": ("m²", 1_000_000.0), "米": ("m", 1.0), "m": ("m", 1.0),
    "公里": ("m", 1000.0), "千米": ("m", 1000.0), "km": ("m", 1000.0), "厘米": ("cm", 1.0), "cm": ("cm", 1.0),
    "毫米": ("mm", 1.0), "mm": ("mm", 1.0), "元": ("元", 1.0), "万元": ("元", 10_000.0), "千克": ("kg", 1.0),
    "公斤": ("kg", 1.0), "kg": ("kg", 1.0), "吨": ("kg", 1000.0), "%": ("%", 1.0), "人": ("人", 1.0),
    "户": ("户", 1.0), "个": ("个", 1.0), "岁": ("岁", 1.0), "℃": ("°C", 1.0), "kw": ("kW", 1.0), "kva": ("kVA", 1.0),
}  # fmt: skip
"""What a unit in a heading is in the store, and how many store units it is."""


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Declared fields by heading, the most common declaration of each first, with how many resources say so."""

    fields: Mapping[str, tuple[Field, int]]
    systems: tuple[CodeSystem, ...]

    def field(self, heading: str) -> tuple[Field, int] | None:
        """Give how the catalogue declares a heading, and in how many resources, or None."""
        for word in (heading, tail(heading), bare(tail(heading))):
            if found := self.fields.get(word):
                return found
        return None


def of(resources: Iterable[Resource], systems: Iterable[CodeSystem]) -> Lexicon:
    """Gather what `resources` call things."""
    said: dict[str, Counter[str]] = {}
    known: dict[tuple[str, str], Field] = {}
    for resource in resources:
        for item in resource.fields:
            for word in {item.source, tail(item.source), item.title.zh}:
                said.setdefault(word, Counter())[item.name] += 1
                known.setdefault((word, item.name), item)
    agreed = {w: (names.most_common(1)[0], names.total()) for w, names in said.items()}
    best = {word: top for word, (top, total) in agreed.items() if top[1] >= AGREED * total}
    return Lexicon(fields={w: (known[w, name], count) for w, (name, count) in best.items()}, systems=tuple(systems))


def tail(heading: str) -> str:
    """Give the last line of a heading of several ("发生地点/经度" → "经度")."""
    return heading.rsplit("/", 1)[-1].strip()


def bare(heading: str) -> str:
    """Give a heading without the unit behind it."""
    return _UNIT.sub("", heading).strip()


def unit(heading: str) -> tuple[str, str, float] | None:
    """Give (the unit as written, the store's unit, its scale) of a heading such as "面积(亩)", or None."""
    found = _UNIT.search(heading)
    if found is None:
        return None
    written = found[1].strip().lower()
    return (found[1].strip(), *UNITS[written]) if written in UNITS else None


def column_name(heading: str, taken: set[str]) -> str:
    """Give a name a column may have in the store, which no other has."""
    plain = _PLAIN.sub("_", spelled(bare(tail(heading)))).strip("_")[:LONGEST].strip("_") or "column"
    name = plain if plain[0].isalpha() else f"c_{plain}"
    free = (n for n in (name, *(f"{name}_{k}" for k in range(2, 999))) if n not in taken)
    return next(n for n in free if n not in (*COMPUTED, *PROVENANCE))
