"""What may be decided on a dataset's sheet: what a guard held, with its evidence; a cadence, a pause, a backfill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, field, form, moment
from twin.text import number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from twin.api.data_views import DataSheet, DataView
    from twin.pages.markup import Node

BOX = (160.0, 110.0)
"""Of the picture of two extents, in pixels."""
USUAL = (
    "workdays 06:30", "cron 0 7 * * *", "cron 0 7 * * 1", "workday 3 09:00", "cron 0 7 1 * *", "cron 0 7 10 1,4,7,10 *",
    "cron 0 7 15 1 *", "arrival", "workdays 06:30; arrival",
)  # fmt: skip
"""Cadences that are offered to choose from; any other may be typed."""


def back(view: DataView) -> list[Node]:
    """Carry what the page was asked through a form."""
    return [el("input", type="hidden", name=f"back-{k}", value=v) for k, v in view.values.items()]


def why(name: str, value: str = "") -> Node:
    """Ask for the reason that is recorded."""
    kept: dict[str, Any] = {"required": True, "minlength": 2, "maxlength": 400, "autocomplete": "off"}
    return field(words("page.data.why"), name, send="why", why=words("page.data.why_why"), value=value or None, **kept)


def at(view: DataView, when: datetime | None) -> str:
    """Write a moment, "–" where there is none."""
    return moment(when, view.zone) if when else "–"


def facts(told: Sequence[tuple[str, Node]]) -> Node:
    """List facts with their names."""
    pairs = [el("div", el("dt", words(f"page.data.fact_{k}")), el("dd", v)) for k, v in told if v not in ("", None)]
    return el("dl", pairs, class_="facts two")


def _n(value: int | None) -> str:
    return number(value, "en", 0)


# ---- what a guard held


def held(view: DataView, one: DataSheet) -> Node:
    """Show what a guard kept back with what changed beside it, and let whoever may decide."""
    hold = one.held
    if hold is None:
        return None
    decide = None
    if one.decides:
        decide = form(
            view,
            "/data/decide",
            *back(view),
            why("decide-why"),
            el(
                "p",
                button(words("page.data.approve"), name="act", value="approve"),
                button(words("page.data.reject"), kind="quiet grave", name="act", value="reject"),
                class_="row",
            ),
            resource=one.stands.resource,
            run=hold.run,
        )
    return el(
        "section",
        el("h3", shape("held"), words("page.data.held")),
        [_evidence(g) for g in hold.guards],
        _rows(hold.rows_old, hold.rows_new) if not any(g.get("kind") == "rows" for g in hold.guards) else None,
        el("p", words("page.data.held_meanwhile"), class_="muted"),
        decide or el("p", words("page.data.held_others"), class_="muted"),
        class_="held",
        id="held",
    )


def _evidence(guard: Mapping[str, Any]) -> Node:
    """Say why it was held, and draw what was and what is beside each other."""
    said = el("p", Text(str(guard.get("zh", "")), str(guard.get("en", ""))), class_="guard")
    old: Any = guard.get("old")
    new: Any = guard.get("new")
    kind = guard.get("kind", "")
    if kind == "extent" and _is_box(old) and _is_box(new):
        return el("div", said, _extents(old, new), class_="evidence")
    if kind == "rows" and isinstance(old, int) and isinstance(new, int):
        return el("div", said, _rows(old, new), class_="evidence")
    if kind and old is not None:
        return el("div", said, _pair(_listed(old), _listed(new)), class_="evidence")
    return el("div", said, class_="evidence")


def _is_box(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(isinstance(v, int | float) for v in value)


def _listed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _pair(old: str, new: str) -> Node:
    gone = words("page.data.evidence_gone")
    return el(
        "dl",
        el("div", el("dt", words("page.data.evidence_old")), el("dd", el("code", old))),
        el("div", el("dt", words("page.data.evidence_new")), el("dd", el("code", new) if new else gone)),
        class_="facts two",
    )


def _rows(old: int | None, new: int | None) -> Node:
    if new is None:
        return None
    most = max(old or 0, new, 1)
    bars = [
        el(
            "div",
            el("dt", words(f"page.data.evidence_{name}")),
            el("dd", el("meter", value=str(n or 0), max=str(most), aria_hidden="true"), " ", _n(n)),
        )
        for name, n in (("old", old), ("new", new))
    ]
    return el("dl", bars, class_="facts bars")


def _extents(old: Sequence[float], new: Sequence[float]) -> Node:
    """Draw two extents in one picture; the words beside it say the same in degrees."""
    west, south = min(old[0], new[0]), min(old[1], new[1])
    wide, high = max(old[2], new[2]) - west, max(old[3], new[3]) - south
    scale = min((BOX[0] - 8) / (wide or 1e-9), (BOX[1] - 8) / (high or 1e-9))

    def drawn(box: Sequence[float], kind: str) -> Node:
        x, y = 4 + (box[0] - west) * scale, 4 + (south + high - box[3]) * scale
        size = {
            "width": f"{max(2, (box[2] - box[0]) * scale):.1f}",
            "height": f"{max(2, (box[3] - box[1]) * scale):.1f}",
        }
        return el("rect", x=f"{x:.1f}", y=f"{y:.1f}", class_=kind, **size)

    size = {"viewBox": f"0 0 {BOX[0]:.0f} {BOX[1]:.0f}", "width": f"{BOX[0]:.0f}", "height": f"{BOX[1]:.0f}"}
    picture = el(
        "svg", drawn(old, "was"), drawn(new, "is"), class_="extents", role="img",
        aria_label=words("page.data.evidence_extents"), **size,
    )  # fmt: skip
    legend = el(
        "p",
        el("span", words("page.data.evidence_old"), class_="was"),
        " ",
        el("span", words("page.data.evidence_new"), class_="is"),
        class_="legend",
    )
    return el("div", picture, legend, class_="row")


# ---- when it is looked for


def schedule(view: DataView, one: DataSheet) -> Node:
    """Show when it is looked for, in words and dates; whoever may, changes that, for a reason."""
    s = one.stands
    told: list[tuple[str, Node]] = [
        ("cadence", [one.meant if one.typed is None else el("code", s.cadence), _changed(one)]),
        ("next", words("page.data.paused") if s.paused else at(view, s.next_run_at)),
    ]
    history = [
        el(
            "li",
            el("span", at(view, c.at), class_="muted"),
            el("b", one.called.get(c.account_id, "")),
            el("span", words("page.data.paused") if c.paused else el("code", c.cadence or one.declared_cadence)),
            el("span", c.why),
        )
        for c in one.changes
    ]
    return el(
        "section",
        el("h3", words("page.data.schedule")),
        facts(told),
        _change(view, one) if view.plans else _coming(view, one),
        _backfill(view, one) if view.starts else None,
        el("ul", history, class_="history") if history else None,
        id="schedule",
    )


def _changed(one: DataSheet) -> Node:
    return el("b", " ", words("page.data.changed")) if one.stands.changed else None


def _coming(view: DataView, one: DataSheet) -> Node:
    """List the next dates of a cadence, and say what it means."""
    zone = ZoneInfo(view.zone)
    dates = [el("li", f"{d.astimezone(zone):%Y-%m-%d %H:%M}") for d in one.coming]
    return el(
        "div",
        el("p", one.meant, id="cadence-said"),
        el("ol", dates, id="cadence-next", class_="coming", aria_label=words("page.data.coming")),
        el("p", words("page.data.coming_none"), class_="muted", id="cadence-none", hidden=bool(dates)),
        class_="meant",
        aria_live="polite",
    )


def _change(view: DataView, one: DataSheet) -> Node:
    s, hidden = one.stands, {"resource": one.stands.resource}
    kept: dict[str, Any] = {"maxlength": 200, "autocomplete": "off", "spellcheck": "false", "list": "cadences"}
    typed = s.cadence if one.typed is None else one.typed
    cadence = field(words("page.data.cadence"), "cadence", why=words("page.data.cadence_why"), value=typed, **kept)
    offered = el(
        "datalist",
        [el("option", words(f"page.data.usual_{i}"), value=c) for i, c in enumerate(USUAL)],
        id="cadences",
    )
    act = "resume" if s.paused else "pause"
    look = button(
        words("page.data.preview"), kind="quiet", name="act", value="preview", id="cadence-look", formnovalidate=True
    )
    return el(
        "div",
        el(
            "details",
            el("summary", words("page.data.cadence_change"), id="cadence-change"),
            form(
                view, "/data/schedule", *back(view), cadence, offered, _coming(view, one),
                why("cadence-why-it", one.because),
                el("p", button(words("page.data.cadence_do"), name="act", value="cadence"), look, class_="row"),
                **hidden,
            ),
            open=one.typed is not None,
        ),
        el(
            "details",
            el("summary", words(f"page.data.{act}"), id="pause-change"),
            form(
                view, "/data/schedule", *back(view), why("pause-why"), button(words(f"page.data.{act}")),
                act=act, **hidden,
            ),
        ),
        class_="changes",
    )  # fmt: skip


def _backfill(view: DataView, one: DataSheet) -> Node:
    """Offer to receive a period once more: the source is read whole, whatever was received before."""
    today = view.now.astimezone(ZoneInfo(view.zone)).date()
    since = one.stands.good_at.astimezone(ZoneInfo(view.zone)).date() if one.stands.good_at else today
    days = {"type": "date", "required": True, "max": today.isoformat()}
    return el(
        "details",
        el("summary", words("page.data.backfill"), id="backfill"),
        form(
            view,
            "/data/backfill",
            *back(view),
            el("p", words("page.data.backfill_what"), class_="muted"),
            el(
                "div",
                field(words("page.data.first_day"), "first_day", value=min(since, today).isoformat(), **days),
                field(words("page.data.last_day"), "last_day", value=today.isoformat(), **days),
                class_="pair",
            ),
            why("backfill-why"),
            button(words("page.data.backfill_do")),
            resource=one.stands.resource,
        ),
    )
