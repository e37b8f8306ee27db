"""One record of one table, drawn: its key numbers, its past editions, its facts, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.markup import el, icon
from twin.pages.parts import status, words
from twin.quarantine import rules
from twin.text import age, day, fixed, mu, number, plain, square_metres

if TYPE_CHECKING:
    from twin.model import Text
    from twin.pages.desk import Desk

Json = Mapping[str, Any]
AREA = "m²"
MOST_NUMBERS = 4
STATED, COMPUTED, APPROVED = "stated_area_m2", "area_m2", "approved_area_m2"
"""The canonical columns of an area: as the department states it, as the geometry has it, as it was approved."""


def _is_number(field: Json) -> bool:
    return isinstance(field["value"], (int, float)) and not isinstance(field["value"], bool) and bool(field["unit"])


def _key_numbers(fields: Sequence[Json]) -> list[Json]:
    """Give the numbers the layer's card names, in its order; a computed area only where it is not the stated one."""
    values = {f["name"]: f["value"] for f in fields}
    agree = _told_alike(values.get(STATED), values.get(COMPUTED))
    wanted = [f for f in fields if _is_number(f) and f["main"] and not (agree and f["name"] == COMPUTED)]
    return sorted(wanted, key=lambda f: f["rank"])[:MOST_NUMBERS]


def _told_alike(stated: float | None, computed: float | None) -> bool:
    return None not in (stated, computed) and square_metres(stated, "en") == square_metres(computed, "en")


def numbers(fields: Sequence[Json], question: Mapping[str, Any]) -> Any:
    """Draw the few numbers a person looks for first, large; areas in m² and 亩."""
    chosen = _key_numbers(fields)
    if not chosen:
        return None
    return el("dl", [_number(f, language_of(question)) for f in chosen], class_="numbers")


def _number(field: Json, language: str) -> Any:
    value = field["value"]
    shown = square_metres(value, language) if field["unit"] == AREA else number(value, language, 2)
    also = (
        el("span", mu(value, language), " ", words("page.overlay.mu"), class_="also") if field["unit"] == AREA else None
    )
    inside = el("span", shown, el("span", field["unit"], class_="unit"), class_="value num")
    return el("div", el("dt", field["title"]), el("dd", inside), el("dd", also) if also else None)


def history(section: Json, question: Mapping[str, Any]) -> Any:
    """Draw the first number of the card through its editions, with the approved value as a line."""
    editions = sorted((h for h in section["history"] if h["year"] is not None), key=lambda h: h["year"])
    chosen = next(
        (f for f in _key_numbers(section["fields"]) if f["name"] != APPROVED and "over" not in f["name"]), None
    )
    if len(editions) < 2 or chosen is None:
        return None
    series = [(h["year"], _value(h["fields"], chosen["name"])) for h in editions]
    series = [(y, v) for y, v in series if v is not None]
    if len(series) < 2:
        return None
    mark = next((f for f in section["fields"] if f["name"] == APPROVED and f["value"] and chosen["unit"] == AREA), None)
    most = max([v for _, v in series] + ([mark["value"]] if mark else [])) * 1.02 or 1
    language = language_of(question)
    bars = [_bar(y, v, most, mark, language, now=y == series[-1][0]) for y, v in series]
    under = (
        words("page.feature.line", unit=chosen["unit"], mark=mark["title"], value=number(mark["value"], language))
        if mark
        else words("page.feature.unit_only", unit=chosen["unit"])
    )
    return el(
        "section",
        el("h3", _finding(chosen, series, language)),
        el("p", under, class_="muted"),
        el("div", bars, class_="bars"),
    )


def _finding(field: Json, series: Sequence[tuple[int, float]], language: str) -> Text:
    by = series[-1][1] - series[0][1]
    key = "more" if by > 0 else "less" if by < 0 else "same"
    told = {"name": field["title"], "first": series[0][0], "last": series[-1][0], "unit": field["unit"]}
    return words(f"page.feature.{key}", by=number(abs(by), language), **told)


def _bar(year: int, value: float, most: float, mark: Json | None, language: str, *, now: bool) -> list[Any]:
    line = el("i", class_="mark", style={"left": f"{mark['value'] / most:.2%}"}) if mark else None
    fill = el("i", class_="fill now" if now else "fill", style={"width": f"{max(0, value) / most:.2%}"})
    return [
        el("span", str(year), class_="year num"),
        el("span", fill, line, class_="rail", aria_hidden="true"),
        el("b", fixed(value, language, 1 if value % 1 or mark else 0), class_="num"),
    ]


def _value(fields: Sequence[Json], name: str) -> float | None:
    return next((f["value"] for f in fields if f["name"] == name), None)


def facts(section: Json, question: Mapping[str, Any]) -> Any:
    """Draw every other field as a line, what has changed since the oldest edition beside it."""
    language = language_of(question)
    shown = {f["name"] for f in _key_numbers(section["fields"])} | {"area_disagrees"}
    changes = {c["name"]: c for c in section["changes"]}
    wanted = [f for f in section["fields"] if f["name"] not in shown and f["value"] not in (None, "")]
    wanted.sort(key=lambda f: not f["main"])
    if not wanted:
        return None
    return el("dl", [_fact(f, changes.get(f["name"]), language) for f in wanted], class_="facts")


def _fact(field: Json, change: Json | None, language: str) -> Any:
    was = None
    if change is not None:
        old = change["before_meaning"] or plain(change["before"], language)
        was = el("span", words("page.feature.was", year=change["from_year"], value=old), class_="changed")
    value = [el("span", said(field, language), class_="num")]
    if field["unit"]:
        value += [" ", field["unit"]]
        if field["unit"] == AREA and isinstance(field["value"], (int, float)):
            value += [" · ", mu(field["value"], language), " ", words("page.overlay.mu")]
    if field["meaning"]:
        value.append(el("span", field["meaning"], class_="meaning"))
    if field["masked"]:
        value.append(el("span", words("page.feature.masked"), class_="masked"))
    return el("div", el("dt", field["title"]), el("dd", value, was))


def said(field: Json, language: str) -> str:
    """Write one value as a person reads it: times without seconds, years and counts without grouping."""
    value = field["value"]
    if isinstance(value, str) and field["name"].endswith("_at"):
        return value[:16].replace("T", " ")
    if isinstance(value, int) and not field["unit"] and not isinstance(value, bool):
        return str(value)
    return plain(value, language)


# ---- where it comes from


def source(desk: Desk, section: Json, question: Mapping[str, Any]) -> Any:
    """Draw where the record comes from: one line, and behind it file, row, hash, run, age and repairs."""
    found = section["provenance"]
    if not found.get("source"):
        return None
    language = language_of(question)
    file = str(found["source"]).rpartition("/")[2]
    line = words("page.source.line", department=section["department"]["title"], file=file, row=found["row"])
    fresh = section["freshness"]
    facts = (
        ("department", section["department"]["title"]),
        ("resource", f"{section['title']} ({found['resource']})"),
        ("file", el("code", found["source"])),
        ("row", el("code", found["row"])),
        ("hash", el("code", f"SHA-256 {found['source_sha256']}")),
        ("run", el("code", found["run"])),
        ("as_of", day(fresh["as_of"])),
        ("age", age(fresh["age_seconds"], language)),
        ("state", status(fresh["state"])),
        ("cycle", words(f"page.cycle.{section['update_cycle']}")),
        ("share", words(f"page.share_type.{section['share']}")),
        ("repairs", _repairs(desk, section["table"])),
        ("desk", _decided(desk, section, str(found["source"]), str(found["row"]))),
    )
    rows = [el("div", el("dt", words(f"page.source.{k}")), el("dd", v)) for k, v in facts if v]
    head = el("summary", icon("table"), el("span", line, class_="source"), icon("right", class_="turn"))
    return el("details", head, el("dl", rows, class_="facts source"), class_="provenance")


def _repairs(desk: Desk, table: str) -> Any:
    ledger = desk.manifest(table).get("ledger")
    if not ledger:
        return None
    if not ledger.get("repaired") and not ledger.get("quarantined"):
        return words("page.source.no_repairs")
    return words("page.source.repaired", **{k: ledger.get(k, 0) for k in ("read", "repaired", "quarantined")})


def _decided(desk: Desk, section: Json, source: str, row: str) -> Any:
    """Say what the quarantine desk decided about this very row before it was published."""
    told = desk.manifest(section["table"]).get("desk") or ()
    one = next((x for x in told if x["source"] == source and x["row"] == row), None)
    if one is None:
        return None
    fields = {f["name"]: f["title"] for f in section["fields"]}
    day_of = desk.local(datetime.fromisoformat(one["at"])).strftime("%Y-%m-%d %H:%M")
    if one["kind"] == "corrected":
        names = [fields.get(c) or words("page.refused.geometry") for c in one["columns"]]
        joined = Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))
        return words("page.source.corrected", columns=joined, at=day_of)
    named = [rules.title(rules.rule_of(r)) for r in one["rules"]]
    joined = Text("、".join(n.zh for n in named), ", ".join(n.en for n in named))
    return words("page.source.accepted", rules=joined, at=day_of)


def language_of(question: Mapping[str, Any]) -> str:
    """Give the language a question is asked in."""
    return str(question.get("language", "zh-CN"))
