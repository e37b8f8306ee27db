"""The security administrator's page of grants: who sees a thing, what a person sees, and the text that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, called, field, form, frame, moment, notices
from twin.policy.sight import CLASSES
from twin.text import number, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twin.api.views import Common, GrantsView
    from twin.pages.markup import Node
    from twin.policy.sight import Access, Line

SIGNS = {"clear": "eye", "masked": "filter", "purpose": "clock", "hidden": "eye-off", "mixed": "list"}


def grants(view: GrantsView) -> str:
    """Write the page of grants."""
    done = words("page.grants.done_changed", version=view.version) if view.done == "changed" else None
    top = [el("p", words("page.grants.lead", version=view.version), class_="muted"), *notices(view, done)]
    parts = [_edit(view)] if view.edits else [_ask(view), _answer(view), _legend(view), _versions(view)]
    return frame(view, words("page.office.grants"), [*top, *parts], wide=True)


def _ask(view: GrantsView) -> Node:
    """Ask which thing, or which person: two forms side by side, each answered by a page of its own address."""
    things = [
        el("optgroup", [_option(view, i, t) for i, t in view.layers], label=words("page.grants.layers")),
        el("optgroup", [_option(view, i, t) for i, t in view.tables], label=words("page.grants.tables")),
    ]
    people = [
        el("optgroup", [_option(view, r.id, r.title) for r in view.roles], label=words("page.grants.roles")),
        el(
            "optgroup",
            [_option(view, a.id, Text(called(a), called(a))) for a in view.people],
            label=words("page.grants.people"),
        ),
    ]
    return el("div", _question(view, "thing", things), _question(view, "person", people), class_="asked")


def _option(view: GrantsView, value: str, title: Text) -> Node:
    return el("option", title, value=value, selected=view.what == value)


def _question(view: GrantsView, by: str, options: list[Node]) -> Node:
    hidden = [el("input", type="hidden", name=n, value=v) for n, v in (("by", by), ("lang", view.language))]
    chosen = field(words(f"page.grants.which_{by}"), f"what-{by}", tag="select", inside=options, send="what")
    return el(
        "section",
        el("h2", words(f"page.grants.{by}")),
        el("form", hidden, chosen, button(words("page.grants.show"), kind="quiet"), method="get", action="/grants"),
    )


def _answer(view: GrantsView) -> Node:
    if view.thing is not None:
        return _thing(view)
    return _person(view) if view.person is not None else None


def _thing(view: GrantsView) -> Node:
    thing = view.thing
    assert thing is not None  # noqa: S101 - asked by the caller
    classes = {name: tuple(columns) for name, columns in thing.columns.items()}
    named = [
        el("div", el("dt", words(f"page.grants.class.{c}")), el("dd", _joined(thing.columns[c].values())))
        for c in CLASSES
        if c in thing.columns
    ]
    links = [el("li", _link(view, table, title)) for table, title in thing.draws]
    return el(
        "section",
        el("h2", words("page.grants.who_sees", what=thing.title)),
        el("dl", named, class_="facts") if named else None,
        el("p", words("page.grants.draws")) if links else None,
        el("ul", links) if links else None,
        lines_table(view, words("page.grants.role"), [(x, classes) for x in thing.lines], titles=thing.columns),
        class_="sheet answer",
    )


def _person(view: GrantsView) -> Node:
    person = view.person
    assert person is not None  # noqa: S101 - asked by the caller
    seen = [x for x in person.lines if x.rows != "none"]
    lines = [(x, _by_class(person.classes[x.what])) for x in seen]
    hidden = [x.title for x in person.lines if x.rows == "none"]
    layers = [_link(view, i, title) for i, title, sees in person.layers if sees]
    closed = [title for _, title, sees in person.layers if not sees]
    return el(
        "section",
        el("h2", words("page.grants.what_sees", who=_who(view))),
        el("p", words("page.grants.layers_seen", n=len(layers), of=len(person.layers))),
        el("ul", [el("li", x) for x in layers], class_="chips") if layers else None,
        el("p", words("page.grants.hidden"), _joined(closed), class_="muted") if closed else None,
        el("p", words("page.grants.tables_seen", n=len(seen), of=len(person.lines))),
        lines_table(view, words("page.grants.table"), lines, linked=True) if seen else None,
        el("p", words("page.grants.hidden"), _joined(hidden), class_="muted") if hidden else None,
        class_="sheet answer",
    )


def _by_class(classes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {c: tuple(n for n, of in classes.items() if of == c) for c in CLASSES if c in classes.values()}


def _who(view: GrantsView) -> Text:
    account = next((called(a) for a in view.people if a.id == view.what), None)
    title = next((r.title for r in view.roles if r.id == view.what), None)
    return Text(account, account) if account else title or Text(view.what, view.what)


def _link(view: Common, what: str, title: Text) -> Node:
    return el("a", title, href=f"/grants?by=thing&what={what}&lang={view.language}")


def _joined(titles: Iterable[Text]) -> Text:
    listed = list(titles)
    return Text("、".join(x.zh for x in listed), ", ".join(x.en for x in listed))


def lines_table(
    view: Common,
    first: Text,
    lines: Sequence[tuple[Line, Mapping[str, tuple[str, ...]]]],
    *,
    titles: Mapping[str, Mapping[str, Text]] | None = None,
    linked: bool = False,
) -> Node:
    """Draw lines against classes; on a phone every line becomes a card of its own."""
    classes = [c for c in CLASSES if any(c in named for _, named in lines)]
    heads = [first, words("page.grants.rows"), *(words(f"page.grants.class.{c}") for c in classes)]
    heads += [words("page.grants.precision"), words("page.grants.limits")] if classes else []
    body = []
    for line, named in lines:
        title = _link(view, line.what, line.title) if linked else line.title
        cells = [_rows(view, line), *(_cell(line, named.get(c, ()), (titles or {}).get(c, {})) for c in classes)]
        cells += [_precision(line), _limits(line)] if classes else []
        drawn = [
            el("td", cell, data_label=head, class_="none" if cell == "–" else None)
            for head, cell in zip(heads[1:], cells, strict=True)
        ]
        body.append(el("tr", el("th", title, scope="row"), drawn, class_="no" if line.rows == "none" else None))
    head = el("thead", el("tr", [el("th", h, scope="col") for h in heads]))
    return el("table", head, el("tbody", body), class_="grid grants")


def _rows(view: Common, line: Line) -> Node:
    if line.rows == "none":
        return [shape("eye-off"), words("page.grants.rows_none")]
    if line.rows == "sums":
        return [shape("chart"), words("page.grants.rows_sums", count=line.smallest_count or 1)]
    places = [_place(view, code) for code in line.areas]
    if line.rows == "all":
        return [shape("ok"), words("page.grants.rows_all")]
    return [shape("place"), words("page.grants.rows_some", area=_joined(places))]


def _place(view: Common, code: str) -> Text:
    return view.places.get(code) or Text(code, code)


def _cell(line: Line, columns: tuple[str, ...], titles: Mapping[str, Text]) -> Node:
    """Say how the columns of one class are read; where they differ, column by column."""
    if not columns or line.rows in ("none", "sums"):
        return "–" if not columns else _said("hidden")
    ways = {c: _way(line.columns[c]) for c in columns}
    if len(set(ways.values())) == 1:
        return _said(*next(iter(ways.values())))
    told = [el("li", titles.get(c, Text(c, c)), " ", _said(*way)) for c, way in ways.items()]
    return el("ul", told)


def _way(access: Access) -> tuple[str, str]:
    return (access.now, access.purposed if access.purposed != access.now else "")


def _said(now: str, purposed: str = "") -> Node:
    """Say one way of reading by shape and word."""
    word = words(f"page.grants.way.{now}")
    if not purposed:
        return el("span", shape(SIGNS[now]), word, class_=f"way {now}")
    later = words("page.grants.way_purpose", way=words(f"page.grants.way.{purposed}"))
    return el("span", shape(SIGNS["purpose"]), word, el("small", later), class_="way purpose")


def _precision(line: Line) -> Node:
    if line.rows in ("none", "sums"):
        return "–"
    return (
        words("page.grants.metres", m=number(line.precision_m, "en", 0))
        if line.precision_m
        else words("page.grants.exact")
    )


def _limits(line: Line) -> Node:
    if line.rows == "none":
        return "–"
    return words("page.grants.most", rows=number(line.max_rows, "en", 0), km2=number(line.max_km2, "en", 0))


def _legend(view: GrantsView) -> Node:
    if view.thing is None and view.person is None:
        return None
    return el("p", words("page.grants.assumed"), class_="muted")


# ---- changing them


def _edit(view: GrantsView) -> Node:
    faults = [
        el(
            "li",
            el("b", words("page.grants.line", n=f.line)),
            el("code", f.field) if f.field else None,
            el("span", Text(f.zh, f.en)),
            el("span", Text(f.remedy_zh, f.remedy_en), class_="muted"),
        )
        for f in view.faults
    ]
    text: dict[str, Any] = {"spellcheck": "false", "required": True, "rows": 30, "wrap": "off", "class_": "text"}
    return el(
        "section",
        el("h2", words("page.grants.edit")),
        el("ul", faults, class_="faults") if faults else None,
        el("p", words("page.grants.edit_why", version=view.version + 1), class_="muted"),
        form(
            view,
            "/grants/change",
            field(words("page.grants.text"), "text", tag="textarea", inside=["\n" + view.text], **text),
            field(
                words("page.grants.note"), "note", why=words("page.grants.note_why"), value=view.note or None,
                required=True, maxlength=400,
            ),
            button(words("page.grants.change")),
            el("a", words("page.grants.leave"), href=f"/grants?lang={view.language}", class_="link"),
        ),
    )  # fmt: skip


def _versions(view: GrantsView) -> Node:
    def one(version: Any) -> Node:
        is_now = version.version == view.version
        back = el(
            "a",
            words("page.grants.back_to"),
            href=f"/grants?edit={version.version}&lang={view.language}",
            class_="link",
        )
        return el(
            "li",
            el(
                "div",
                el("b", words("page.grants.version", n=version.version)),
                el("span", moment(version.at, view.zone), class_="muted"),
                el("span", version.note) if version.note else None,
            ),
            el("span", words("page.grants.holds"), class_="now") if is_now else back,
        )

    return el(
        "section",
        el("h2", words("page.grants.versions")),
        el("ul", [one(v) for v in view.versions], class_="listed")
        if view.versions
        else el("p", words("page.grants.only_file", version=view.version), class_="muted"),
        el("p", el("a", words("page.grants.edit"), href=f"/grants?edit=now&lang={view.language}", class_="button")),
    )
