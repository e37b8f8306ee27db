"""A table's versions and the way back to one of them; what changed between two, as counts, list and map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twin import map as map_component
from twin.model import Text
from twin.pages.data_acts import back, why
from twin.pages.markup import el
from twin.pages.plain import button, field, form, frame, moment, notices
from twin.text import number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.data_views import DataSheet, DataView, DiffView, VersionLine
    from twin.pages.markup import Node

SIGNS = {"added": "＋", "removed": "－", "changed": "～"}
CHANGES = ("added", "removed", "changed")
GEOMETRY = "geometry"


def versions(view: DataView, one: DataSheet) -> list[Node]:
    """List the versions, each with what changed since; whoever may, goes back to one, for a reason."""
    if not one.versions:
        return [el("p", words("page.data.no_versions"), class_="muted")]
    kept = [v for v in one.versions if v.state == "kept"]
    listed = el("ul", [_version(view, one, v) for v in one.versions], class_="versions")
    if not one.decides or not kept:
        return [listed, el("p", words("page.data.one_version"), class_="muted") if not kept else None]
    press = button(words("page.data.rollback_do"), kind="main grave", id="rollback-do")
    told = el("p", words("page.data.rollback_what"), class_="muted")
    return [
        form(
            view, "/data/rollback", *back(view), listed, el("h3", words("page.data.rollback")), told,
            why("rollback-why"), press, resource=one.stands.resource,
        )
    ]  # fmt: skip


def _version(view: DataView, one: DataSheet, line: VersionLine) -> Node:
    named = f"{moment(line.since, view.zone)}"
    rows = words("page.data.rows_published", n=number(line.rows, "en", 0)) if line.rows is not None else None
    choice: Node = el("b", named)
    if line.state == "kept" and one.decides:
        box = el("input", type="radio", name="version", value=line.version, required=True)
        choice = el("label", box, el("b", named), class_="pick")
    current = next((v.version for v in one.versions if v.state == "current"), "")
    to = diff_address(view.language, one.stands.resource, line.version, current)
    look = el("a", words("page.data.diff_to_current"), href=to, class_="act") if line.state == "kept" else None
    by = el("span", words("page.data.rolled_by", who=line.by, why=line.reason)) if line.reason or line.by else None
    return el(
        "li",
        choice,
        el("span", words(f"page.data.version_{line.state}"), class_=f"version-{line.state}"),
        rows,
        el("span", words("page.data.fact_as_of"), " ", str(line.as_of), class_="muted") if line.as_of else None,
        el("span", line.gone, class_="muted") if line.gone else None,
        by,
        look,
    )


def diff_address(
    language: str, table: str, before: str = "", after: str = "", *, change: str = "", page: int = 0
) -> str:
    """Give where it is told what changed in a table between two versions."""
    asked = {
        "table": table, "from": before, "to": after, "change": change, "page": str(page or ""),
        "lang": "en" if language == "en" else "",
    }  # fmt: skip
    return "/data/diff?" + urlencode({k: v for k, v in asked.items() if v})


# ---- the page of a diff


def diff(view: DiffView) -> str:
    """Write the page of what changed between two versions."""
    to_sheet = "/data?" + urlencode(
        {"r": view.table, "tab": "versions", **({"lang": "en"} if view.language == "en" else {})}
    )
    alone = len([v for v in view.versions if v.state != "gone"]) < 2
    parts = [
        el("p", el("a", words("page.diff.back", name=view.title), href=to_sheet, class_="link")),
        *([] if alone else notices(view)),
        el("p", words("page.diff.alone"), class_="none-found muted") if alone else _choose(view),
        *([] if view.told is None else _told(view, view.told)),
    ]
    title = Text(f"{view.title.zh}:{words('page.diff.title').zh}", f"{view.title.en}: {words('page.diff.title').en}")
    return frame(view, title, parts, kind="desk diff", sheets=("data.css",), scripts=("data-map.mjs",))


def _choose(view: DiffView) -> Node:
    listed = [v for v in view.versions if v.state != "gone"]

    def options(now: str) -> list[Node]:
        return [el("option", _named(view, v), value=v.version, selected=v.version == now) for v in listed]

    hidden = {"table": view.table, **({"lang": "en"} if view.language == "en" else {})}
    return el(
        "form",
        [el("input", type="hidden", name=k, value=v) for k, v in hidden.items()],
        field(words("page.diff.from"), "from", tag="select", inside=options(view.before)),
        field(words("page.diff.to"), "to", tag="select", inside=options(view.after)),
        button(words("page.diff.show")),
        method="get",
        action="/data/diff",
        class_="choose",
    )


def _named(view: DiffView, line: VersionLine) -> Text:
    at = moment(line.since, view.zone)
    rows = words("page.data.rows_published", n=number(line.rows, "en", 0)) if line.rows is not None else Text("", "")
    now = words("page.data.version_current") if line.state == "current" else Text("", "")
    return Text(" · ".join(filter(None, (at, rows.zh, now.zh))), " · ".join(filter(None, (at, rows.en, now.en))))


def _told(view: DiffView, told: Mapping[str, Any]) -> list[Node]:
    counts = told["counts"]
    if not any(counts.values()):
        return [el("p", words("page.diff.same"), class_="none-found muted")]
    return [
        _counts(view, counts),
        _only(told),
        _fields(told),
        _map(view),
        _rows(view, told),
        _files(view),
        _go_back(view),
    ]


def _counts(view: DiffView, counts: Mapping[str, int]) -> Node:
    def one(change: str) -> Node:
        pressed = view.change == change
        to = diff_address(view.language, view.table, view.before, view.after, change="" if pressed else change)
        inside = [el("span", SIGNS[change], aria_hidden="true"), words(f"page.diff.{change}"), " "]
        n = el("b", number(counts.get(change, 0), "en", 0))
        return el("a", inside, n, href=to, class_=f"state {change}", aria_current="true" if pressed else None)

    return el("nav", [one(c) for c in CHANGES], class_="states", aria_label=words("page.diff.by_change"))


def _only(told: Mapping[str, Any]) -> Node:
    lines = [(k, told[f"columns_{k}"]) for k in ("removed", "added") if told.get(f"columns_{k}")]
    return [el("p", words(f"page.diff.columns_{k}", names=", ".join(names))) for k, names in lines]


def _fields(told: Mapping[str, Any]) -> Node:
    if not told["fields"]:
        return None
    most = max(f["rows"] for f in told["fields"])
    head = el("thead", el("tr", [el("th", words(f"page.diff.{h}"), scope="col") for h in ("field", "rows")]))
    body = [
        el(
            "tr",
            el("th", words("page.diff.shape") if f["name"] == GEOMETRY else f["title"], scope="row"),
            el(
                "td",
                el("meter", value=str(f["rows"]), max=str(most), aria_hidden="true"),
                " ",
                number(f["rows"], "en", 0),
                data_label=words("page.diff.rows"),
            ),
        )
        for f in told["fields"]
    ]
    return el(
        "section", el("h2", words("page.diff.fields")), el("table", head, el("tbody", body), class_="grid narrow")
    )


def _map(view: DiffView) -> Node:
    """Leave room for the map, which a small module draws; without it the list says the same."""
    if not view.mapped:
        return None
    asked = urlencode({"from": view.before, "to": view.after, **({"change": view.change} if view.change else {})})
    source = f"/api/v1/tables/{view.table}/diff.geojson?{asked}"
    legend = [el("span", SIGNS[c], " ", words(f"page.diff.{c}"), class_=c) for c in CHANGES]
    return el(
        "section",
        el("h2", words("page.diff.map")),
        el(
            "div", id="map", class_="small-map", data_title=words("page.diff.map"), data_geojson=source,
            data_library=map_component.url("vendor/maplibre-gl.mjs"),
            data_sheet=map_component.url("vendor/maplibre-gl.css"), data_style="/api/v1/style.json",
            data_ground=view.ground,
        ),
        el("p", legend, class_="legend"),
        class_="mapped",
    )  # fmt: skip


def _rows(view: DiffView, told: Mapping[str, Any]) -> Node:
    heads = ("change", "row", "field", "before", "after")
    head = el("thead", el("tr", [el("th", words(f"page.diff.{h}"), scope="col") for h in heads]))
    body = [line for row in told["rows"] for line in _row(row)]
    first = told["page"] * 50
    here = words("page.diff.page", n=told["page"] + 1, of=told["pages"])

    def to(n: int) -> str:
        return diff_address(view.language, view.table, view.before, view.after, change=view.change, page=n)

    steps = [
        el("a", words("page.data.before"), href=to(told["page"] - 1), class_="link") if first else None,
        el("a", words("page.data.next"), href=to(told["page"] + 1), class_="link")
        if told["page"] + 1 < told["pages"]
        else None,
    ]
    withheld = el("p", words("page.diff.withheld", n=told["withheld"]), class_="muted") if told["withheld"] else None
    return el(
        "section",
        el("h2", words("page.diff.list")),
        el("table", head, el("tbody", body), class_="grid changes-list"),
        el("p", el("span", here, class_="muted"), steps, class_="pages"),
        withheld,
    )


def _row(row: Mapping[str, Any]) -> list[Node]:
    """Write a row of the table that changed: one line a field, both values beside each other."""
    fields = list(row["fields"])
    moved = row.get("moved_m2", row.get("moved_m"))
    if row["shape"] and row["change"] == "changed":
        unit = "m²" if "moved_m2" in row else "m"
        after = f"{moved:,} {unit}" if moved is not None else "≠"
        fields.append({"title": words("page.diff.shape"), "unit": "", "before": "", "after": after})
    if row["change"] != "changed":
        side = "after" if row["change"] == "added" else "before"
        fields = [f for f in fields if f.get(side) not in (None, "")][:6]
    year = f" · {row['year']}" if row["year"] else ""
    title = row["title"] or row["id"]
    told = f"{'' if str(row['id']) in title else ' ' + str(row['id'])}{year}"
    named = el("th", title, el("small", told, class_="muted") if told else None, scope="row")
    lines: list[Node] = []
    for n, item in enumerate(fields or [{"title": "", "unit": "", "before": "", "after": ""}]):
        change = el("td", SIGNS[row["change"]], " ", words(f"page.diff.{row['change']}"), class_=f"how {row['change']}")
        head = [change, named] if n == 0 else [el("td", class_="none"), el("td", class_="none")]
        unit = f" ({item['unit']})" if item.get("unit") else ""
        values = [
            el("td", item["title"], unit, data_label=words("page.diff.field")),
            _value(item.get("before"), "before", "was"),
            _value(item.get("after"), "after", "is"),
        ]
        lines.append(el("tr", head, values, class_="first" if n == 0 else None))
    return lines


def _value(value: Any, head: str, kind: str) -> Node:
    said = _said(value)
    return el("td", said, data_label=words(f"page.diff.{head}"), class_=kind if said else f"{kind} none")


def _said(value: Any) -> str:
    return (
        "" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )


def _files(view: DiffView) -> Node:
    language = "en" if view.language == "en" else "zh-CN"
    asked = urlencode({"from": view.before, "to": view.after, "change": view.change, "language": language})
    links = [
        el(
            "a",
            words(f"page.diff.{kind}"),
            href=f"/api/v1/tables/{view.table}/diff.{kind}?{asked}",
            class_="link",
            download=True,
        )
        for kind in ("csv", "xlsx")
    ]
    return el("p", links, class_="row")


def _go_back(view: DiffView) -> Node:
    """Offer to go back to the older of the two, where the newer is the current one."""
    state = {v.version: v.state for v in view.versions}
    if not view.decides or state.get(view.after) != "current" or state.get(view.before) != "kept":
        return None
    sent: Any = view
    return el(
        "section",
        el("h2", words("page.data.rollback")),
        el("p", words("page.data.rollback_what"), class_="muted"),
        form(
            sent, "/data/rollback", el("input", type="hidden", name="back-r", value=view.table), why("rollback-why"),
            button(words("page.diff.rollback"), kind="main grave", id="rollback-do"),
            resource=view.table, version=view.before,
        ),
    )  # fmt: skip
