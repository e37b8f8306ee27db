"""A dataset's runs as a timeline with what became of their rows, and its fields with the rules that rows broke."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from twin.model import Text
from twin.pages.data_parts import to_refused
from twin.pages.data_versions import diff_address
from twin.pages.markup import el
from twin.pages.plain import moment
from twin.text import catalogue, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from twin.api.data_views import DataSheet, DataView
    from twin.model import Field
    from twin.pages.markup import Node
    from twin.runs.values import Run

STAGES = ("fetched", "read", "checked", "published")
"""What a run reaches, in order; a run from before they were noted has none."""
COUNTED = ("read", "published", "quarantined", "duplicates", "repaired")
WIDTH, LEAST = 240.0, 1.5
"""Of a timeline, in pixels; a stage that took no time is still seen."""
KINDS = ("rules", "warnings", "repairs")
WORSE = 0.05
"""A field that is empty in so many more of a hundred rows than before is pointed out."""


def runs(view: DataView, one: DataSheet) -> list[Node]:
    """Draw the runs, the newest first, each on the scale of the longest."""
    asked = [
        el(
            "li",
            el("span", moment(q.at, view.zone), class_="muted"),
            el("b", one.called.get(q.account_id, "")),
            words(f"page.data.kind_{q.kind}"),
            el("b", words(f"page.data.asked_{q.state}")),
            el("span", q.why),
            el("span", q.reason, class_="muted") if q.reason.zh else None,
        )
        for q in one.requests
    ]
    decided = [
        el(
            "li",
            el("span", moment(h.decided_at, view.zone) if h.decided_at else "", class_="muted"),
            el("b", one.called.get(h.account_id, "")),
            words(f"page.data.decision_{h.decision}"),
            el("span", h.why),
        )
        for h in one.decided
    ]
    longest = max((r.seconds for r in one.runs), default=0.0)
    kept = {v.version for v in one.versions if v.state != "gone"}
    made = [r for r in one.runs if r.status == "published" and r.version in kept]
    older = {r.run: o for r, o in pairwise(made)}
    listed = [_run(view, r, longest, older.get(r.run)) for r in one.runs]
    return [
        _section("asked", asked),
        _section("decided", decided),
        el("ol", listed, class_="runs") if listed else el("p", words("page.data.no_runs"), class_="muted"),
    ]


def _section(name: str, listed: list[Node]) -> Node:
    if not listed:
        return None
    return el("section", el("h3", words(f"page.data.{name}")), el("ul", listed, class_="history"))


def _compared(view: DataView, run: Run, before: Run | None) -> Node:
    """Lead to what this run changed, where both versions are kept."""
    if before is None or run.version == before.version:
        return None
    to = diff_address(view.language, run.resource, before.version, run.version)
    return [" ", el("a", words("page.data.diff_of_run"), href=to, class_="act")]


def _refused(view: DataView, run: Run) -> Node:
    """Lead to what was refused, where anything was."""
    return [" ", to_refused(view, run.resource)] if run.rows_quarantined else None


def _run(view: DataView, run: Run, longest: float, before: Run | None) -> Node:
    known = f"page.data.status_{run.status}" in catalogue("zh-CN")
    status = words(f"page.data.status_{run.status}") if known else Text(run.status, run.status)
    counts = [
        words(f"page.data.rows_{c}", n=number(n, "en", 0))
        for c in COUNTED
        if (n := getattr(run, f"rows_{c}")) or (n is not None and c in ("read", "published"))
    ]
    took = words("page.data.took", s=number(run.seconds, "en", 1))
    return el(
        "li",
        el(
            "p",
            el("b", moment(run.started_at, view.zone)),
            el("span", status, class_=f"run-status {run.status}"),
            el("span", took, class_="muted"),
            el("code", run.run, class_="muted"),
            class_="row",
        ),
        _timeline(run, longest),
        el("p", _joined(counts), _compared(view, run, before), _refused(view, run)) if counts else None,
        el("p", run.reason, class_="reason") if run.reason.zh else None,
        _log(view, run),
    )


def _timeline(run: Run, longest: float) -> Node:
    """Draw the stages as bars one after the other; what was never reached is not drawn."""
    reached: list[tuple[str, datetime]] = [(s, at) for s in STAGES if (at := getattr(run, f"{s}_at")) is not None]
    scale = WIDTH / longest if longest > 0 else 0.0
    bars: list[Node] = []
    begun, x = run.started_at, 0.0
    for name, at in [*reached, ("rest", run.finished_at)]:
        width = max(0.0, (at - begun).total_seconds()) * scale
        if name != "rest" or not reached:
            wide = max(width, LEAST)
            said = words(f"page.data.stage_{name}", s=number((at - begun).total_seconds(), "en", 2))
            bars.append(
                el("rect", el("title", said), x=f"{x:.1f}", y="2", width=f"{wide:.1f}", height="12", class_=name)
            )
            x += wide
        begun = at
    told = words("page.data.timeline", s=number(run.seconds, "en", 1))
    size = {"viewBox": f"0 0 {WIDTH + 8:.0f} 16", "width": f"{WIDTH + 8:.0f}", "height": "16"}
    return el("svg", bars, class_="gantt", role="img", aria_label=told, **size)


def _log(view: DataView, run: Run) -> Node:
    """Write what the ledger noted of the run: rules broken, warnings, repairs, notes, guards."""
    lines: list[Node] = [
        el("li", words("page.data.log_line", what=rule(name), n=n))
        for kind in KINDS
        for name, n in (run.details.get(kind) or {}).items()
    ]
    for kind in ("notes", "holds"):
        told = run.details.get(kind) or ()
        lines += [el("li", Text(str(x.get("zh", "")), str(x.get("en", "")))) for x in told if isinstance(x, dict)]
    stages = [(s, at) for s in STAGES if (at := getattr(run, f"{s}_at")) is not None]
    lines += [el("li", words(f"page.data.at_{s}"), " ", _clock(view, at)) for s, at in stages]
    if run.log:
        lines.append(el("li", el("code", run.log)))
    return el("details", el("summary", words("page.data.log")), el("ul", lines, class_="log")) if lines else None


def _clock(view: DataView, at: datetime) -> str:
    return moment(at, view.zone)[-5:] + f":{at.second:02}"


def _joined(said: list[Text]) -> Text:
    return Text(" · ".join(x.zh for x in said), " · ".join(x.en for x in said))


def rule(name: str) -> Text:
    """Give the words of a rule of the contract, or its name where there are none."""
    known = f"page.data.rule.{name}" in catalogue("zh-CN")
    return words(f"page.data.rule.{name}") if known else Text(name, name)


def fields(one: DataSheet) -> list[Node]:
    """List the declared fields, and what rows broke in the last run against the run before it."""
    told = [r for r in one.runs if r.rows_read is not None][:2]
    return [_quality(told), _nulls(one), el("section", el("h3", words("page.data.fields")), _table(one))]


def _quality(told: list[Run]) -> Node:
    if not told:
        return el("section", el("p", words("page.data.no_runs"), class_="muted"))
    now, before = told[0], told[1] if len(told) > 1 else None
    lines: list[tuple[Text, int | None, int | None]] = [
        (words(f"page.data.count_{c}"), getattr(now, f"rows_{c}"), getattr(before, f"rows_{c}") if before else None)
        for c in COUNTED
    ]
    broken = {name: None for run in told for kind in KINDS for name in (run.details.get(kind) or {})}
    lines += [(rule(name), _broke(now, name), _broke(before, name)) for name in broken]
    heads = ("what", "this_run", "run_before")
    head = el("thead", el("tr", [el("th", words(f"page.data.q_{h}"), scope="col") for h in heads]))
    body = [
        el("tr", el("th", what, scope="row"), _cell("this_run", a), _cell("run_before", b if before else None))
        for what, a, b in lines
    ]
    note = el("p", words("page.data.quality_why"), class_="muted")
    return el(
        "section", el("h3", words("page.data.quality")), el("table", head, el("tbody", body), class_="grid"), note
    )


def _nulls(one: DataSheet) -> Node:
    """Give the share of rows in which each field is empty, in the version now and in the one before."""
    told = [r for r in one.runs if r.details.get("nulls") and r.rows_published]
    now = told[0] if told else None
    before = next((r for r in told[1:] if now and r.version != now.version), None)
    if now is None:
        return el("section", el("h3", words("page.data.nulls")), el("p", words("page.data.nulls_none"), class_="muted"))
    heads = ("field", "this_run", "run_before")
    head = el("thead", el("tr", [el("th", words(f"page.data.n_{h}"), scope="col") for h in heads]))
    body = [
        el(
            "tr",
            el("th", f.title, scope="row"),
            _share(now, f.name, "this_run", before),
            _share(before, f.name, "run_before"),
        )
        for f in one.declared.fields
        if f.name in now.details["nulls"]
    ]
    return el("section", el("h3", words("page.data.nulls")), el("table", head, el("tbody", body), class_="grid"))


def _empty(run: Run | None, name: str) -> float | None:
    nulls = run.details.get("nulls", {}) if run else {}
    return nulls[name] / run.rows_published if run and run.rows_published and name in nulls else None


def _share(run: Run | None, name: str, head: str, before: Run | None = None) -> Node:
    share, was = _empty(run, name), _empty(before, name)
    worse = share is not None and was is not None and share - was > WORSE
    text = "–" if share is None else f"{share * 100:.1f}%"
    sign = el("b", " ▲ ", words("page.data.more_empty"), class_="worse") if worse else None
    return el("td", text, sign, class_="num", data_label=words(f"page.data.n_{head}"))


def _cell(name: str, n: int | None) -> Node:
    return el("td", number(n, "en", 0), class_="num", data_label=words(f"page.data.q_{name}"))


def _broke(run: Run | None, name: str) -> int | None:
    if run is None:
        return None
    found: list[Mapping[str, int]] = [run.details.get(kind) or {} for kind in KINDS]
    return sum(x.get(name, 0) for x in found)


def _table(one: DataSheet) -> Node:
    heads = ("field", "type", "limits", "class")
    head = el("thead", el("tr", [el("th", words(f"page.data.f_{h}"), scope="col") for h in heads]))
    body = [
        el(
            "tr",
            el("th", f.title, " ", el("code", f.name, class_="muted"), scope="row"),
            el("td", f.type, f" ({f.unit})" if f.unit else None, data_label=words("page.data.f_type")),
            el("td", _limits(f), data_label=words("page.data.f_limits")),
            el(
                "td",
                words(f"page.grants.class.{f.sensitivity or 'unclassified'}"),
                data_label=words("page.data.f_class"),
            ),
        )
        for f in one.declared.fields
    ]
    return el("table", head, el("tbody", body), class_="grid")


def _limits(item: Field) -> Node:
    told: list[Text] = [words("page.data.required")] if item.required else []
    told += [Text(f"≥ {item.minimum:g}", f"≥ {item.minimum:g}")] if item.minimum is not None else []
    told += [Text(f"≤ {item.maximum:g}", f"≤ {item.maximum:g}")] if item.maximum is not None else []
    told += [Text(f"> {item.above:g}", f"> {item.above:g}")] if item.above is not None else []
    told += [Text(item.code_system, item.code_system)] if item.code_system else []
    return _joined(told) if told else "–"
