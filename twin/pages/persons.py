"""The two pages of a person's request: where their data lies, by count, never by value; what was asked and done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, field, form, frame, moment, notices
from twin.text import number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.views import Found, PersonsView, Standing
    from twin.pages.markup import Node

DONE = frozenset({"asked", "withdrawn", "approved"})
SIGNS = {"number": ("ok", "clear"), "row": ("ok", "clear"), "name": ("info", "purpose")}
STATES = {"asked": "clock", "approved": "clock", "done": "ok", "withdrawn": "eye-off"}
FIND = "/persons/find#where"
AGAIN_S = 3
"""While something is being erased the page asks for itself again."""


def persons(view: PersonsView) -> str:
    """Write the page of whoever answers a person, or of whoever approves an erasure."""
    is_busy = any(s.doing is not None for s in view.standing)
    finished = view.done == "approved" and not is_busy
    done = words(f"page.persons.done_{view.done}") if view.done in DONE and not finished else None
    office = "erasures" if view.approves else "persons"
    top = [el("p", words(f"page.persons.lead_{office}"), class_="muted"), *notices(view, done)]
    parts = [_requests(view)] if view.approves else [_who(view), *_stands(view), _requests(view)]
    title = words(f"page.office.{office}")
    return frame(view, title, [*top, *parts], wide=True, again_s=AGAIN_S if is_busy else 0)


# ---- who it is about


def _who(view: PersonsView) -> Node:
    told = view.values
    chosen = [
        el("option", words(f"page.persons.basis.{b}"), value=b, selected=told.get("basis") == b) for b in view.bases
    ]
    plain: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false"}
    return el(
        "section",
        el("h2", words("page.persons.who")),
        form(
            view,
            FIND,
            field(
                words("page.persons.numbers"), "numbers", why=words("page.persons.numbers_why"), tag="textarea",
                inside=["\n" + told.get("numbers", "")], rows=2, maxlength=2000, **plain,
            ),
            field(
                words("page.persons.names"), "names", why=words("page.persons.names_why"),
                value=told.get("names") or None, maxlength=400, **plain,
            ),
            field(
                words("page.persons.basis"), "basis", why=words("page.persons.basis_why"), tag="select", required=True,
                inside=[el("option", words("page.persons.basis_choose"), value=""), *chosen],
            ),
            button(words("page.persons.find")),
        ),
    )  # fmt: skip


# ---- where it stands


def _stands(view: PersonsView) -> list[Node]:
    if view.found is None:
        return []
    if not view.found:
        return [
            el("section", el("h2", words("page.persons.where")), el("p", words("page.persons.nothing")), id="where")
        ]
    sure = [f for f in view.found if f.sure != "name"]
    head = words(
        "page.persons.sum",
        current=_n(sum(f.current for f in sure)),
        old=_n(sum(f.old for f in sure)),
        question=_n(sum(f.current for f in view.found if f.sure == "name")),
    )
    where = el(
        "section", el("h2", words("page.persons.where")), el("p", head), _table(view), class_="sheet", id="where"
    )
    return [where, _questions(view), _acts(view) if sure else None]


def _table(view: PersonsView) -> Node:
    assert view.found is not None  # noqa: S101 - asked by the caller
    heads = [words(f"page.persons.{k}") for k in ("thing", "place", "known", "now", "before")]
    body = [
        el(
            "tr",
            el("th", found.title or words(f"page.persons.table.{found.table}"), scope="row"),
            [
                el("td", cell, data_label=head)
                for head, cell in zip(
                    heads[1:],
                    (words(f"page.persons.place.{found.place}"), _known(found), _n(found.current), _n(found.old)),
                    strict=True,
                )
            ],
        )
        for found in view.found
    ]
    head = el("thead", el("tr", [el("th", h, scope="col") for h in heads]))
    return el("table", head, el("tbody", body), class_="grid")


def _known(found: Found) -> Node:
    sign, kind = SIGNS[found.sure]
    return el("span", shape(sign), words(f"page.persons.known_{found.sure}"), class_=f"way {kind}")


def _questions(view: PersonsView) -> Node:
    """Offer the rows that are known by a name alone, to be ticked once somebody has made sure of them."""
    assert view.found is not None  # noqa: S101 - asked by the caller
    rows = [(f, row) for f in view.found for row in f.rows]
    asked = sum(f.current for f in view.found if f.sure == "name")
    if not asked:
        return None
    ticked = _ticked(view)
    boxes = [_question(view, f, row, n, ticked=row in ticked) for n, (f, row) in enumerate(rows)]
    more = words("page.persons.more_questions", count=_n(asked - len(rows))) if asked > len(rows) else None
    return el(
        "section",
        el("h2", words("page.persons.questions")),
        el("p", words("page.persons.questions_why"), class_="muted"),
        form(
            view,
            FIND,
            el("ul", boxes, class_="ticks"),
            el("p", more, class_="muted") if more else None,
            button(words("page.persons.find_again"), kind="quiet"),
            **{k: view.values.get(k, "") for k in ("numbers", "names", "basis")},
        ),
    )


def _question(view: PersonsView, found: Found, row: str, number: int, *, ticked: bool) -> Node:
    """Offer one row, with the way to its card on the map where it has one."""
    key = row.partition(":")[2]
    title = found.title or words(f"page.persons.table.{found.table}")
    address = "/?" + urlencode({"s": f"/{found.table}/{key}", "lang": view.language})
    look = el("a", words("page.persons.look"), href=address, target="_blank", rel="noopener", class_="link")
    label = Text(f"{title.zh} {key}", f"{title.en} {key}")
    box = _tick(label, f"row{number}", row, ticked=ticked)
    return el("li", box, look if found.title and found.place == "store" else None)


def _tick(label: Node, name: str, value: str, *, ticked: bool = False, **more: Any) -> Node:
    box = el("input", type="checkbox", name=name, value=value, checked=ticked, **more)
    return el("label", box, el("span", label), class_="tick")


def _ticked(view: PersonsView) -> dict[str, str]:
    return {v: k for k, v in view.values.items() if k.startswith("row")}


def _acts(view: PersonsView) -> Node:
    """Offer to hand out and to ask for erasing, side by side."""
    kept = dict(view.values)
    return el(
        "div",
        el(
            "section",
            el("h2", words("page.persons.export")),
            el("p", words("page.persons.export_why"), class_="muted"),
            form(view, "/persons/export", button(words("page.persons.export_do")), **kept),
        ),
        el(
            "section",
            el("h2", words("page.persons.erase")),
            el("p", words("page.persons.erase_why"), class_="muted"),
            form(
                view,
                "/persons/erase",
                _tick(words("page.persons.erase_sure"), "sure", "yes", required=True),
                button(words("page.persons.erase_do"), kind="quiet grave"),
                **kept,
            ),
        ),
        class_="asked",
    )


# ---- the requests


def _requests(view: PersonsView) -> Node:
    waiting = [s for s in view.standing if s.request.state in ("asked", "approved")]
    over = [s for s in view.standing if s not in waiting]
    none = el("p", words("page.persons.none_waiting"), class_="muted")
    head = words("page.persons.to_approve") if view.approves else words("page.persons.requests")
    return [
        el("section", el("h2", head), _list(view, waiting) if waiting else none),
        el("section", el("h2", words("page.persons.over")), _list(view, over)) if over else None,
    ]


def _list(view: PersonsView, some: list[Standing]) -> Node:
    return el("ul", [_request(view, s) for s in some], class_="requests")


def _request(view: PersonsView, one: Standing) -> Node:
    request = one.request
    about = words("page.persons.about", numbers=len(request.numbers), rows=len(request.rows))
    asked = words("page.persons.asked_by", name=one.asked_by, at=_at(request.asked_at, view))
    approved = words("page.persons.approved_by", name=one.approved_by, at=_at(request.approved_at, view))
    state = [shape(STATES[request.state]), words(f"page.persons.state.{request.state}")]
    return el(
        "li",
        el("p", el("b", request.id, class_="num"), el("span", state, class_=f"state is-{request.state}")),
        el("p", about),
        el("p", asked, class_="muted"),
        el("p", approved, class_="muted") if request.approved_by else None,
        _going(view, one),
        _certificate(view, one),
    )


def _going(view: PersonsView, one: Standing) -> Node:
    """Say what is being done of a request, or offer what may be done."""
    name, state = one.request.id, one.request.state
    if one.doing is not None:
        what = words("page.persons.doing", what=one.doing) if one.doing else words("page.persons.queued")
        return el("p", what, role="status", class_="must")
    failed = el("p", Text(one.failed.zh, one.failed.en), role="alert", class_="wrong") if one.failed else None
    if view.approves and state in ("asked", "approved"):
        if one.own:
            return el("p", words("page.persons.own"), class_="muted")
        key = "approve" if state == "asked" else "go_on"
        tick = _tick(words(f"page.persons.{key}_sure"), "sure", "yes", required=True)
        return [failed, form(view, "/erasures/approve", tick, button(words(f"page.persons.{key}")), request=name)]
    if not view.approves and state == "asked" and one.own:
        return form(view, "/persons/withdraw", button(words("page.persons.withdraw"), kind="quiet"), request=name)
    return failed


def _certificate(view: PersonsView, one: Standing) -> Node:
    """Show what the certificate says; it holds nothing of the person."""
    told = one.certificate
    if told is None or one.doing is not None:
        return None
    proof = told["proof"]
    if proof["occurrences"]:
        left = words("page.persons.left", count=_n(proof["occurrences"]), where="、".join(proof["where"][:10]))
        return el("p", left, role="alert", class_="wrong")
    office = "erasures" if view.approves else "persons"
    address = f"/{office}/certificate?of={one.request.id}"
    return el(
        "details",
        el("summary", words("page.persons.certificate")),
        el("p", shape("ok"), words("page.persons.clean", files=_n(proof["files"])), class_="outcome good"),
        el("dl", _facts(view, one, told), class_="facts"),
        el("h3", words("page.persons.stays")),
        el("ul", [el("li", Text(s["zh"], s["en"])) for s in told["stays"]], class_="dots"),
        el("a", words("page.persons.certificate_get"), href=address, class_="link"),
    )


def _facts(view: PersonsView, one: Standing, told: Mapping[str, Any]) -> list[Node]:
    kept = [(words("page.persons.copy", until=c["until"]), el("code", c["path"])) for c in told["copies"]]
    copies = [el("li", until, " ", path) for until, path in kept]
    rows = sum(t["rows"] for t in told["taken"])
    facts = (
        ("at", moment(datetime.fromisoformat(told["at"]), view.zone)),
        ("taken", words("page.persons.taken_sum", places=len(told["taken"]), rows=_n(rows))),
        ("copies", el("ul", copies) if copies else words("page.persons.no_copies")),
        ("sha256", el("code", one.request.certificate_sha256)),
    )
    return [el("div", el("dt", words(f"page.persons.fact.{k}")), el("dd", v)) for k, v in facts if v]


def _at(text: str, view: PersonsView) -> str:
    return moment(datetime.fromisoformat(text), view.zone) if text else ""


def _n(value: int) -> str:
    return number(value, "en", 0)
