"""The second step of a new source: what was found, how sure that is and why, to be corrected where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.newcomer_parts import drop
from twin.pages.plain import button, field, form
from twin.text import catalogue, words

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node
    from twin.runs.newcomers import Newcomer

SURE: Mapping[str, str] = {"sure": "ok", "likely": "ok", "guess": "stale", "unknown": "never"}
CORRECTED = ("crs", "key", "kind")
TYPES = ("string", "integer", "number", "boolean", "date", "datetime")


def found(view: NewView, one: Newcomer) -> Node:
    """Show what was found of the whole and of each column."""
    found = one.found
    facts = [f for f in found["facts"] if f["what"] not in ("x", "y")]
    table = el("tbody", [_fact(view, f) for f in facts])
    columns = el("tbody", [_column(view, n, c) for n, c in enumerate(found["columns"])])
    heads = [el("th", words(f"page.new.col_{c}"), scope="col") for c in ("fact", "value", "sure", "why")]
    named = [
        el("th", words(f"page.new.col_{c}"), scope="col")
        for c in ("source", "column", "type", "example", "why", "skip")
    ]
    return [
        el("section", el("h2", words("page.new.found", name=one.name)), _other(view, one), _heading(found)),
        form(
            view,
            "/data/new/found",
            el(
                "section",
                el("h2", words("page.new.facts")),
                el("table", el("thead", el("tr", heads)), table, class_="grid facts"),
            ),
            el(
                "section",
                el("h2", words("page.new.columns", n=len(found["columns"]))),
                el("table", el("thead", el("tr", named)), columns, class_="grid columns"),
            ),
            button(words("page.new.next"), id="next"),
            entry=one.id,
        ),
        drop(view, one),
    ]


def _heading(found: Mapping[str, Any]) -> Node:
    rows = found["heading"]
    if not rows:
        return None
    cells = [el("tr", el("th", str(n), scope="row"), [el("td", c) for c in row]) for n, row in enumerate(rows, 1)]
    return el(
        "details",
        el("summary", words("page.new.heading_rows")),
        el("div", el("table", el("tbody", cells), class_="sheetlike"), class_="scrolls", tabindex="0", role="region",
           aria_label=words("page.new.heading_rows")),
    )  # fmt: skip


def _other(view: NewView, one: Newcomer) -> Node:
    """Offer another look: at another sheet or layer, or with other rows as heading."""
    found = one.found
    parts = [p for p, _ in found["parts"]]
    chosen = [el("option", p or "-", value=p, selected=p == found["part"]) for p in parts] if len(parts) > 1 else []
    header = next((f["value"] for f in found["facts"] if f["what"] == "header_rows"), "")
    if not chosen and not header:
        return None
    return form(
        view,
        "/data/new/look",
        field(words("page.new.other_part"), "part", tag="select", inside=chosen) if chosen else None,
        field(words("page.new.header_rows"), "header_rows", value=header, maxlength=8) if header else None,
        button(words("page.new.look_again"), kind="quiet"),
        entry=one.id,
    )


def _fact(view: NewView, fact: Mapping[str, Any]) -> Node:
    what, value = str(fact["what"]), str(fact["value"])
    others = list(fact["others"])
    if what == "crs":
        others = [*others, *(s for s in (*view.systems, "gcj02", "bd09") if s not in others)]
    if what == "key" and view.source:
        others = [c["name"] for c in view.source.found["columns"]]
    shown: Node = el("b", value or words("page.new.unknown"))
    if what in CORRECTED:
        label = words(f"page.new.fact_{what}")
        kept = str(view.source.answers.get(what, "")) if view.source else ""
        choices = [
            el("option", _said(v), value=v, selected=v == (kept or value)) for v in dict.fromkeys([value, *others])
        ]
        shown = el("select", choices, name=what, id=f"fact-{what}", aria_label=label)
    known = f"page.new.fact_{what}" in catalogue("zh-CN")
    return el(
        "tr",
        el("th", words(f"page.new.fact_{what}") if known else what, scope="row"),
        el("td", shown, data_label=words("page.new.col_value")),
        el("td", _sure(fact["sure"]), data_label=words("page.new.col_sure")),
        el("td", Text(*fact["why"]), data_label=words("page.new.col_why")),
    )


def _said(value: str) -> Any:
    known = f"page.new.value_{value}"
    return words(known) if known in catalogue("zh-CN") else value or words("page.new.unknown")


def _sure(sure: str) -> Node:
    return el("span", shape(SURE[sure]), words(f"page.new.sure_{sure}"), class_=f"sure-{sure}")


def _column(view: NewView, number: int, told: Mapping[str, Any]) -> Node:
    said = view.source.answers.get("columns", {}).get(told["source"], {}) if view.source else {}
    now = said.get("type") or told["type"]
    types = [el("option", words(f"page.new.type_{t}"), value=t, selected=t == now) for t in TYPES]
    code = told["code_system"]
    more = [el("small", " ".join(filter(None, (told["unit"], code))), class_="muted")] if told["unit"] or code else []
    why = [el("li", Text(*w)) for w in told["why"]]
    skip = el("input", type="checkbox", name=f"skip-{number}", value="yes", checked=bool(said.get("skip")),
              aria_label=words("page.new.skip_of", name=told["source"]))  # fmt: skip
    held = el("input", type="checkbox", name=f"codes-{number}", value="yes", checked=bool(said.get("no_codes")))
    kept = el("label", held, words("page.new.no_codes"), class_="small-tick") if code else None
    return el(
        "tr",
        el("th", told["source"], scope="row"),
        el("td", el("code", told["name"]), el("br"), Text(*told["title"]), data_label=words("page.new.col_column")),
        el("td", el("select", types, name=f"type-{number}", aria_label=words("page.new.type_of", name=told["source"])),
           more, kept, data_label=words("page.new.col_type")),
        el("td", "、".join(told["examples"]) or "–", data_label=words("page.new.col_example")),
        el("td", el("ul", why), data_label=words("page.new.col_why")),
        el("td", skip, data_label=words("page.new.col_skip")),
    )  # fmt: skip
