"""A new source in four steps, drawn on the server: the file, what was found, what only people know, the trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.newcomer_map import small_map
from twin.pages.plain import button, field, form, frame, moment, notices
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
SURE: Mapping[str, str] = {"sure": "ok", "likely": "ok", "guess": "stale", "unknown": "never"}
CORRECTED = ("crs", "key", "kind")
TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
CLASSES = ("public", "internal", "personal", "sensitive", "state-secret")
SHARES = ("unconditional", "conditional")
OPEN = ("开放", "依申请开放", "不开放")
CYCLES = ("每年", "每半年", "每季度", "每月", "每周", "每日", "实时", "不定期")


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
        inside = el("a", label, href=_at(view, step=str(number))) if back else el("span", label)
        listed.append(
            el("li", inside, aria_current="step" if number == now else None, class_="done" if number < now else None)
        )
    return el("ol", listed, class_="steps", aria_label=words("page.new.steps"))


def _at(view: NewView, **more: str) -> str:
    said = {"source": view.source.id if view.source else "", "lang": "en" if view.language == "en" else "", **more}
    return "/data/new?" + "&".join(f"{k}={v}" for k, v in said.items() if v)


def _body(view: NewView, step: int) -> Node:
    one = view.source
    if one is None:
        return [_bring(view), _listed(view)]
    if one.is_asked:
        return _waiting(view, one)
    if one.state == "refused":
        return [_refused(view, one), _bring(view)]
    if step == 2 and view.mine:
        return [_reason(one), _found(view, one)]
    if step == 3 and view.mine:
        return [_reason(one), _asked(view, one)]
    return [_reason(one), _tried(view, one)]


# ---- 1: the file


def _bring(view: NewView) -> Node:
    if not view.starts:
        return None
    picked = el("input", type="file", id="file", name="file", required=True, aria_describedby="file-why")
    sent = form(
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
    parted: Any = {**sent, "a": {**sent["a"], "enctype": "multipart/form-data"}}
    return el(
        "div",
        el("section", el("h2", words("page.new.by_file")), parted),
        el("section", el("h2", words("page.new.by_connection")), named),
        class_="asked",
    )


def _listed(view: NewView) -> Node:
    if not view.listed:
        return None
    rows = [
        el(
            "tr",
            el("th", el("a", n.name, href=f"/data/new?source={n.id}" + ("&lang=en" if view.language == "en" else "")),
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


def _reason(one: Newcomer) -> Node:
    return el("p", one.reason, role="alert", class_="wrong") if one.reason.zh else None


def _refused(view: NewView, one: Newcomer) -> Node:
    return el("section", el("h2", one.name), el("p", one.reason, role="alert", class_="wrong"), _drop(view, one))


def _drop(view: NewView, one: Newcomer) -> Node:
    if not view.mine:
        return None
    return form(view, "/data/new/drop", button(words("page.new.drop"), kind="quiet grave"), source=one.id)


# ---- 2: what was found


def _found(view: NewView, one: Newcomer) -> Node:
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
            source=one.id,
        ),
        _drop(view, one),
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
        source=one.id,
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
    kept = el("label", el("input", type="checkbox", name=f"codes-{number}", value="yes", checked=bool(said.get("no_codes"))),
              words("page.new.no_codes"), class_="small-tick") if code else None  # fmt: skip
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


# ---- 3: what only people know


def _asked(view: NewView, one: Newcomer) -> Node:
    columns = one.found["columns"]
    suspect = [(n, c) for n, c in enumerate(columns) if c["sensitivity"] and not _skipped(one, c)]
    others = [(n, c) for n, c in enumerate(columns) if not c["sensitivity"] and not _skipped(one, c)]
    title = next((f["value"] for f in one.found["facts"] if f["what"] == "title"), "") or one.name.rpartition(".")[0]
    now = _answers(view, one)
    return [
        form(
            view,
            "/data/new/answers",
            el(
                "section",
                el("h2", words("page.new.whose")),
                el("div",
                   _select(view, "department", view.departments, now, required=True),
                   _text("title_zh", now, title[:60], required=True),
                   _text("title_en", now, ""),
                   _select(view, "theme", view.themes, now, required=True),
                   _select(view, "update_cycle", {c: words(f"page.new.cycle_{c}") for c in CYCLES}, now, required=True),
                   class_="fields"),
                el("div",
                   _radio("share_type", SHARES, now),
                   _radio("open_attr", OPEN, now),
                   class_="fields"),
                el("div",
                   _text("share_condition", now, ""),
                   _text("legal_basis", now, "", required=True),
                   _text("contact_person", now, ""),
                   _text("contact_phone", now, ""),
                   class_="fields"),
            ),
            el(
                "section",
                el("h2", words("page.new.personal")),
                el("p", words("page.new.personal_why" if suspect else "page.new.personal_none"), class_="muted"),
                el("ul", [_class_of(n, c, now, suspected=True) for n, c in suspect], class_="classed"),
                _select(view, "rest", {c: words(f"page.new.class_{c}") for c in CLASSES[:2]}, now, required=True),
                el("details", el("summary", words("page.new.one_by_one", n=len(others))),
                   el("ul", [_class_of(n, c, now) for n, c in others], class_="classed")) if others else None,
                el("label", el("input", type="checkbox", name="sure", value="yes", required=True, id="sure"),
                   el("span", words("page.new.personal_sure")), class_="tick"),
            ),
            button(words("page.new.preview"), id="preview"),
            source=one.id,
        ),
        _drop(view, one),
    ]  # fmt: skip


def _skipped(one: Newcomer, column: Mapping[str, Any]) -> bool:
    return bool(one.answers.get("columns", {}).get(column["source"], {}).get("skip"))


def _answers(view: NewView, one: Newcomer) -> Mapping[str, Any]:
    return {**one.answers, **view.given}


def _text(name: str, now: Mapping[str, Any], fallback: str, *, required: bool = False) -> Node:
    why = words(f"page.new.{name}_why") if f"page.new.{name}_why" in catalogue("zh-CN") else None
    value = str(now.get(name) or fallback)
    return field(words(f"page.new.{name}"), name, value=value or None, maxlength=120, required=required, why=why)


def _select(
    view: NewView, name: str, choices: Mapping[str, Any], now: Mapping[str, Any], *, required: bool = False
) -> Node:
    del view
    chosen = str(now.get(name, ""))
    listed = [el("option", t, value=k, selected=k == chosen) for k, t in choices.items()]
    inside = [el("option", words("page.new.choose"), value=""), *listed]
    return field(words(f"page.new.{name}"), name, tag="select", inside=inside, required=required)


def _radio(name: str, choices: tuple[str, ...], now: Mapping[str, Any]) -> Node:
    listed = [
        el("label", el("input", type="radio", name=name, value=c, required=True, checked=now.get(name) == c),
           el("span", words(f"page.new.{name}_{c}")), class_="tick")
        for c in choices
    ]  # fmt: skip
    return el("fieldset", el("legend", words(f"page.new.{name}")), listed)


def _class_of(number: int, column: Mapping[str, Any], now: Mapping[str, Any], *, suspected: bool = False) -> Node:
    said = now.get("columns", {}).get(column["source"], {}) if isinstance(now.get("columns"), Mapping) else {}
    chosen = said.get("sensitivity") or (column["sensitivity"] if suspected else "")
    first = el("option", words("page.new.class_rest" if not suspected else "page.new.class_none"), value="")
    options = [el("option", words(f"page.new.class_{c}"), value=c, selected=c == chosen) for c in CLASSES]
    why = [Text(*column["why"][-1])] if suspected else []
    name = f"class-{number}"
    return el(
        "li",
        el("label", column["source"], for_=name),
        el("select", first, options, name=name, id=name),
        el(
            "small",
            ["、".join(column["examples"]), " · ", why] if suspected else "、".join(column["examples"]),
            class_="muted",
        ),
    )


# ---- 4: the trial


def _tried(view: NewView, one: Newcomer) -> Node:
    tried = one.preview
    if tried.get("faults"):
        return [_faults(view, tried["faults"]), _drop(view, one)]
    return [
        el("section", el("h2", one.name), _counts(tried), _state(view, one), class_="tried"),
        _mapped(view, tried),
        _rows(view, tried),
        _refusals(tried),
        _drop(view, one) if one.state in ("previewed", "waiting") else None,
    ]


def _faults(view: NewView, faults: list[Mapping[str, str]]) -> Node:
    listed = [el("li", el("b", f["field"]), " ", Text(f["zh"], f["en"])) for f in faults]
    back = el("a", words("page.new.answer_them"), href=_at(view, step="3"), class_="link", id="answer-them")
    return el("section", el("h2", words("page.new.open")), el("ul", listed, class_="faults"), back)


def _counts(tried: Mapping[str, Any]) -> Node:
    counts = tried.get("counts", {})
    reason = tried.get("reason", ["", ""])
    said = words(
        "page.new.counts",
        read=counts.get("read", 0),
        published=counts.get("published", 0),
        quarantined=counts.get("quarantined", 0),
        duplicates=counts.get("duplicates", 0),
    )
    return [
        el("p", said, class_="outcome"),
        el("p", Text(*reason), role="alert", class_="wrong") if reason[0] else None,
    ]


def _state(view: NewView, one: Newcomer) -> Node:
    said = el("p", words(f"page.new.state_{one.state}"), class_=f"state is-{one.state}")
    if one.state == "previewed" and view.mine and one.preview.get("status") == "published":
        return [said, el("p", words("page.new.offer_why"), class_="muted"),
                form(view, "/data/new/offer", button(words("page.new.offer"), id="offer"), source=one.id)]  # fmt: skip
    if one.state == "waiting" and view.mine:
        return [said, el("p", words("page.new.own"), class_="muted")]
    if one.state == "waiting" and view.decides:
        return [said, _decide(view, one)]
    if one.state == "published":
        link = f"/data?r={one.resource}" + ("&lang=en" if view.language == "en" else "")
        home = "/?lang=en" if view.language == "en" else "/"
        return [said, el("p", el("a", words("page.new.see_data"), href=link, class_="link"), " ",
                         el("a", words("page.new.see_map"), href=home, class_="link"))]  # fmt: skip
    return said


def _decide(view: NewView, one: Newcomer) -> Node:
    return form(
        view,
        "/data/new/decide",
        field(words("page.new.why"), "why", required=True, maxlength=200, minlength=2),
        el("p", el("button", words("page.new.approve"), type="submit", name="act", value="approve", class_="main", id="approve"),
           " ", el("button", words("page.new.back"), type="submit", name="act", value="back", class_="quiet")),
        source=one.id,
    )  # fmt: skip


def _mapped(view: NewView, tried: Mapping[str, Any]) -> Node:
    if not tried.get("shapes"):
        return None
    good = sum(1 for g, _ in tried["shapes"] if g)
    said = words("page.new.map_said", good=good, bad=len(tried["shapes"]) - good)
    return el(
        "section", el("h2", words("page.new.map")), small_map(view, tried["shapes"]), el("p", said, class_="muted")
    )


def _rows(view: NewView, tried: Mapping[str, Any]) -> Node:
    if not tried.get("rows"):
        return None
    heads = [el("th", en if view.language == "en" else zh, el("br"), el("small", words(f"page.new.class_{s}") if s else "", class_="muted"),
                scope="col") for _, zh, en, s in tried["columns"]]  # fmt: skip
    rows = [el("tr", [el("td", c) for c in row]) for row in tried["rows"]]
    table = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_="sheetlike")
    title = words("page.new.first_rows", n=len(tried["rows"]))
    return el(
        "section", el("h2", title), el("div", table, class_="scrolls", tabindex="0", role="region", aria_label=title)
    )


def _refusals(tried: Mapping[str, Any]) -> Node:
    refused = tried.get("refused", [])
    if not refused:
        return None
    listed = [
        el("li", el("b", words("page.new.row", row=r["row"])), " ",
           "；".join(f"{k}={v}" for k, v in r["cells"]),
           el("ul", [el("li", Text(*why), " → ", Text(*do)) for why, do in zip(r["reasons"], r["remedies"], strict=True)]))
        for r in refused
    ]  # fmt: skip
    title = words("page.new.refused_rows", n=tried["counts"].get("quarantined", len(refused)))
    return el(
        "section",
        el("h2", title),
        el("p", words("page.new.refused_why"), class_="muted"),
        el("ul", listed, class_="refusals"),
    )
