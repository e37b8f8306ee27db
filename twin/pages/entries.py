"""The auditor's page: the state of the record's chain, its entries with filters, its export; drawn on the server."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twin.model import Text
from twin.pages.markup import el
from twin.pages.plain import button, field, form, frame, moment, notices, role
from twin.text import catalogue, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.views import RecordView
    from twin.pages.markup import Node

ACTIONS = (
    "read", "unmask", "purpose.named", "purpose.ended", "sign_in", "sign_out", "password", "second_factor",
    "session_end", "account_add", "account_disable", "account_enable", "account_reset", "account_end", "key_add",
    "key_revoke", "grants.changed", "area.limit", "record.read", "record.verified", "record.exported", "audit.anchor",
    "audit.archive", "audit.restore", "data.rerun", "data.rerun-failed", "data.cadence", "data.pause", "data.resume",
    "data.approve", "data.reject", "report", "person.found", "person.exported", "person.refused", "person.erase_asked",
    "person.erase_withdrawn", "person.erase_approved", "person.erased", "person.reapplied",
    "upload.received", "upload.refused", "upload.read", "upload.deleted", "retention", "backup", "restore",
)  # fmt: skip
OUTCOMES = ("ok", "permitted", "refused", "broken")
COLUMNS = ("at", "who", "action", "resource", "purpose", "outcome", "address", "detail")


def entries(view: RecordView) -> str:
    """Write the page of the record."""
    done = words("page.record.done_checked") if view.done == "checked" else None
    parts = [
        el("p", words("page.record.lead"), class_="muted"),
        *notices(view, done),
        _chain(view),
        _filters(view),
        _listed(view),
        _export(view) if view.exports else None,
    ]
    return frame(view, words("page.office.record"), parts, wide=True)


def shape(name: str) -> Node:
    """Draw the shape that says a state beside its word."""
    return el("svg", el("use", href=f"/assets/icons.svg#i-{name}"), class_="mark shape", aria_hidden="true")


def _chain(view: RecordView) -> Node:
    """Say whether the record is as it was written: shape, word, colour; and offer to look now."""
    chain = view.chain
    if chain is None:
        state, sign, said = "unknown", "never", words("page.record.chain_unknown")
    elif chain.faults:
        kind = _known("kind", chain.kind)
        told = {"seq": chain.broken, "kind": kind, "n": chain.faults, "at": moment(chain.at, view.zone)}
        state, sign, said = "broken", "failed", words("page.record.chain_broken", **told)
    else:
        told = {"seq": chain.last, "at": moment(chain.at, view.zone)}
        state, sign, said = "whole", "ok", words("page.record.chain_whole", **told)
    return el(
        "section",
        el("p", shape(sign), el("b", words(f"page.record.state_{state}")), el("span", said), role="status"),
        form(
            view,
            "/record/verify",
            [el("input", type="hidden", name=n, value=v) for n, v in _asked(view).items()],
            button(words("page.record.verify"), kind="quiet"),
        ),
        class_=f"chain {state}",
    )


def _asked(view: RecordView) -> dict[str, str]:
    return {k: v for k, v in view.values.items() if v}


def _known(group: str, name: str) -> Text:
    """Give the wording of a name the record uses, or the name itself where there is none."""
    known = f"page.record.{group}.{name}" in catalogue("zh-CN")
    return words(f"page.record.{group}.{name}") if known else Text(name, name)


def _filters(view: RecordView) -> Node:
    values = view.values

    def choice(name: str, known: tuple[str, ...]) -> Node:
        every = el("option", words("page.record.any"), value="")
        listed = known if not values.get(name) or values[name] in known else (*known, values[name])
        options = [el("option", _known(name, v), value=v, selected=values.get(name) == v) for v in listed]
        return field(words(f"page.record.by_{name}"), name, tag="select", inside=[every, *options])

    def text(name: str, **more: Any) -> Node:
        return field(words(f"page.record.by_{name}"), name, value=values.get(name) or None, **more)

    inside = el(
        "form",
        el("input", type="hidden", name="lang", value=view.language),
        choice("action", ACTIONS),
        choice("outcome", OUTCOMES),
        text("since", type="date"),
        text("until", type="date"),
        text("subject", autocomplete="off", spellcheck="false", maxlength=80),
        text("resource", autocomplete="off", spellcheck="false", maxlength=120),
        el("p", button(words("page.record.filter")), class_="send"),
        method="get",
        action="/record",
        class_="filters",
    )
    return el("details", el("summary", words("page.record.filters")), inside, open=bool(_asked(view)) or None)


def _listed(view: RecordView) -> Node:
    if not view.entries:
        return el("p", words("page.record.none"), class_="muted")
    head = el("thead", el("tr", [el("th", words(f"page.record.col_{c}"), scope="col") for c in COLUMNS]))
    body = el("tbody", [_entry(view, e) for e in view.entries])
    return el("section", el("table", head, body, class_="grid entries"), _pages(view), class_="sheet")


def _entry(view: RecordView, entry: Mapping[str, Any]) -> Node:
    at = datetime.fromisoformat(entry["at"])
    outcome = entry["outcome"]
    who = entry["subject"]
    cells: dict[str, Node] = {
        "at": [moment(at, view.zone), " ", el("span", f"#{entry['seq']}", class_="muted")],
        "who": [_role(entry["role"]), " ", _who(view, who)],
        "action": el("b", _known("action", entry["action"])),
        "resource": view.titles.get(entry["resource"], entry["resource"]),
        "purpose": view.titles.get(entry["purpose"], entry["purpose"]),
        "outcome": el("span", _known("outcome", outcome), class_=f"outcome {_tone(outcome)}") if outcome else "",
        "address": entry["address"],
        "detail": _detail(entry["detail"]),
    }
    named = [
        el("td", cells[c], data_label=words(f"page.record.col_{c}"), class_="none" if not cells[c] else None)
        for c in COLUMNS
    ]
    return el("tr", named)


def _tone(outcome: str) -> str:
    return "bad" if outcome in ("refused", "broken", "contradicts", "missing", "damaged") else "good"


def _role(name: str) -> Text:
    return role(name) if f"page.sign.role.{name}" in catalogue("zh-CN") else Text(name, name)


def _who(view: RecordView, who: str) -> Node:
    """Give the short form of an account's number, which leads to all its entries."""
    if len(who) < 16:
        return el("span", who, class_="muted")
    address = "/record?" + urlencode({"subject": who, "lang": view.language})
    return el("a", who[:8], href=address, title=who)


def _detail(text: str) -> str:
    """Write an entry's further facts in one line."""
    try:
        told = json.loads(text)
    except ValueError:
        return text[:200]
    facts = told.items() if isinstance(told, dict) else ()
    return "; ".join(f"{k}={_short(v)}" for k, v in facts if v not in (None, "", []))[:300]


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:12] + "…"


def _pages(view: RecordView) -> Node:
    asked = {**_asked(view), "lang": view.language}
    older = None
    if view.more:
        address = "/record?" + urlencode({**asked, "before": str(view.entries[-1]["seq"])})
        older = el("a", words("page.record.older"), href=address, class_="link", rel="next")
    newest = (
        el("a", words("page.record.newest"), href="/record?" + urlencode(asked), class_="link") if view.before else None
    )
    return el("p", newest, older, class_="pages") if older or newest else None


def _export(view: RecordView) -> Node:
    first, last = view.wanted
    number = {"inputmode": "numeric", "maxlength": 15, "autocomplete": "off"}
    return el(
        "details",
        el("summary", words("page.record.export")),
        el("p", words("page.record.export_why"), class_="muted"),
        form(
            view,
            "/record/export",
            field(words("page.record.first"), "first", value=first or None, **number),
            field(words("page.record.last"), "last", why=words("page.record.last_why"), value=last or None, **number),
            button(words("page.record.export_do")),
        ),
        el("p", words("page.record.key"), class_="muted"),
        el("code", view.public_key, class_="secret", translate="no"),
        open=any(view.wanted) or None,
    )
