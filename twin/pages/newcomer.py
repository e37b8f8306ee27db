"""A new source in four steps, drawn on the server; the first of them, the file, is here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.pages.markup import el
from twin.pages.newcomer_asked import asked
from twin.pages.newcomer_found import found
from twin.pages.newcomer_parts import at, drop, reason
from twin.pages.newcomer_tried import tried
from twin.pages.plain import button, field, file_form, form, frame, moment, notices
from twin.text import catalogue, words

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node
    from twin.runs.newcomers import Newcomer

STEPS = ("file", "found", "asked", "tried")
AT: Mapping[str, int] = {
    "looking": 1, "refused": 1, "looked": 2, "previewing": 4, "previewed": 4, "waiting": 4, "publishing": 4,
    "published": 4, "dropped": 1,
}  # fmt: skip
AGAIN_S = 2


def newcomer(view: NewView) -> str:
    """Write the page of the step a source is at."""
    one = view.source
    step = int(view.step) if view.step and one and one.found else AT[one.state] if one else 1
    done = words(f"page.new.done_{view.done}") if f"page.new.done_{view.done}" in catalogue("zh-CN") else None
    parts = [_steps(view, step), el("div", notices(view, done), class_="told"), _body(view, step)]
    waits = bool(one and one.is_asked)
    title = words("page.new.title")
    return frame(view, title, parts, kind="newcomer", sheets=("newcomer.css",), again_s=AGAIN_S if waits else 0)


def _steps(view: NewView, now: int) -> Node:
    one = view.source
    listed: list[Node] = []
    for number, name in enumerate(STEPS, 1):
        label = [el("b", str(number)), words(f"page.new.step_{name}")]
        back = one is not None and view.mine and 1 < number < now and one.state in ("looked", "previewed")
        inside = el("a", label, href=at(view, step=str(number))) if back else el("span", label)
        listed.append(
            el("li", inside, aria_current="step" if number == now else None, class_="past" if number < now else None)
        )
    return el("ol", listed, class_="steps", aria_label=words("page.new.steps"))


def _body(view: NewView, step: int) -> Node:
    one = view.source
    if one is None:
        return [_bring(view), _listed(view)]
    if one.is_asked:
        return _waiting(view, one)
    if one.state == "refused":
        return [_refused(view, one), _bring(view)]
    if step == 2 and view.mine:
        return [reason(one), found(view, one)]
    if step == 3 and view.mine:
        return [reason(one), asked(view, one)]
    return [reason(one), tried(view, one)]


def _bring(view: NewView) -> Node:
    if not view.starts:
        return None
    picked = el("input", type="file", id="file", name="file", required=True, aria_describedby="file-why")
    sent = file_form(
        view,
        "/data/new/file",
        el("p", el("label", words("page.new.file"), for_="file"), picked,
           el("small", words("page.new.file_why"), id="file-why"), class_="field"),
        button(words("page.new.file_do"), id="send-file"),
    )  # fmt: skip
    named = form(
        view,
        "/data/new/connection",
        field(words("page.new.connection"), "connection", maxlength=80, why=words("page.new.connection_why")),
        field(words("page.new.part"), "part", maxlength=160, why=words("page.new.part_why")),
        field(words("page.new.key_column"), "key", maxlength=80, why=words("page.new.key_why")),
        button(words("page.new.connection_do"), kind="quiet"),
    )
    return el(
        "div",
        el("section", el("h2", words("page.new.by_file")), sent),
        el("section", el("h2", words("page.new.by_connection")), named),
        class_="asked",
    )


def _listed(view: NewView) -> Node:
    if not view.listed:
        return None
    rows = [
        el(
            "tr",
            el("th", el("a", n.name, href=f"/data/new?entry={n.id}" + ("&lang=en" if view.language == "en" else "")),
               scope="row"),
            el("td", words(f"page.new.state_{n.state}"), data_label=words("page.new.col_state")),
            el("td", view.called.get(n.account_id, ""), data_label=words("page.new.col_who")),
            el("td", moment(n.at, view.zone), data_label=words("page.new.col_at")),
        )
        for n in view.listed
    ]  # fmt: skip
    head = el("tr", [el("th", words(f"page.new.col_{c}"), scope="col") for c in ("name", "state", "who", "at")])
    return el(
        "section",
        el("h2", words("page.new.on_the_way")),
        el("table", el("thead", head), el("tbody", rows), class_="grid"),
    )


def _waiting(view: NewView, one: Newcomer) -> Node:
    del view
    return el(
        "section",
        el("h2", one.name),
        el("p", words(f"page.new.wait_{one.state}"), role="status", class_="must"),
        el("p", words("page.new.wait_why"), class_="muted"),
    )


def _refused(view: NewView, one: Newcomer) -> Node:
    return el("section", el("h2", one.name), el("p", one.reason, role="alert", class_="wrong"), drop(view, one))
