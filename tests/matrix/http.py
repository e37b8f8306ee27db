"""Every way of asking over HTTP: each route and each page's callback, as (method, address, body), with forged inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tests.matrix import asking, village
from tests.matrix.oracle import LAYERS

BASE = "https://127.0.0.1:8299"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin", "content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: where it goes, and what is sent (None: nothing)."""

    address: str
    body: bytes | None = None


Ask = Callable[[str, str], Iterable[Asked]]


def _get(address: str, **query: object) -> Asked:
    text = "&".join(f"{k}={quote(str(v), safe=',')}" for k, v in query.items())
    return Asked(address=address + ("?" + text if text else ""))


def _feature(table: str, area: str) -> Iterable[Asked]:
    yield _get(f"/api/v1/features/{table}/{quote(village.canary(table, area, 'id'))}")


def _entity(table: str, area: str) -> Iterable[Asked]:
    yield _get(f"/api/v1/entities/{table}:{quote(village.canary(table, area, 'id'))}")


def _identify(table: str, area: str) -> Iterable[Asked]:
    lon, lat = asking.middle(table, area)
    yield _get("/api/v1/identify", lon=lon, lat=lat)


def _overlay(table: str, area: str) -> Iterable[Asked]:
    yield Asked(address="/api/v1/analysis/overlay", body=json.dumps(asking._ring(asking.around(table, area))).encode())


def _in_view(table: str, area: str) -> Iterable[Asked]:
    yield _get("/api/v1/analysis/in-view", bbox=",".join(map(str, asking.around(table, area))))


def typed(table: str, area: str, column: str) -> str:
    """Give what a person types to find a value: all but its end, so that an answer that repeats it holds no canary."""
    return village.canary(table, area, column)[:-1]


def _search(table: str, area: str) -> Iterable[Asked]:
    for column in ("id", "label", "keeper_name", "keeper_phone", "id_card"):
        yield _get("/api/v1/search", q=typed(table, area, column))


def _tiles(table: str, area: str) -> Iterable[Asked]:
    for layer in LAYERS:
        for z in asking.ZOOMS:
            at = asking.at(table, area, z)
            yield _get(f"/tiles/{layer}/{at.z}/{at.x}/{at.y}.mvt")
    yield _get(f"/tiles/drawn/M1/{at.z}/{at.x}/{at.y}.png")


def _changes(table: str, area: str) -> Iterable[Asked]:
    """Ask what changed since the version before, in which no canary stood; the rows of every area are in one answer."""
    if area == "own":
        for form in ("versions", "diff", "diff.geojson", "diff.csv", "diff.xlsx"):
            yield _get(f"/api/v1/tables/{table}/{form}")


def _data_page(table: str, area: str) -> Iterable[Asked]:
    """Ask for what the data page tells of a table: its sheet, and what changed since the version before."""
    if area == "own":
        for tab in ("overview", "fields", "lineage", "runs", "versions", "access"):
            yield _get("/data", r=table, tab=tab)
        yield _get("/data/diff", table=table)
        yield _get("/reports")


def _past(table: str, area: str) -> Iterable[Asked]:
    """Ask as of the end of today: through the rooms of the past, of what is there now."""
    today = f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"
    lon, lat = asking.middle(table, area)
    identity = quote(village.canary(table, area, "id"))
    yield _get(f"/api/v1/features/{table}/{identity}", as_of=today)
    yield _get(f"/at/{today.replace('-', '')}T155959Z/api/v1/entities/{table}:{identity}")
    yield _get("/api/v1/identify", lon=lon, lat=lat, as_of=today)
    yield _get("/api/v1/search", q=typed(table, area, "keeper_name"), as_of=today)
    for layer in LAYERS:
        at = asking.at(table, area, 15)
        yield _get(f"/tiles/{layer}/15/{at.x}/{at.y}.mvt", as_of=today)


def _once(*addresses: str) -> Ask:
    return lambda table, area: [_get(a) for a in addresses] if (table, area) == ("thing", "own") else []


def callback(key: str, asked: str, question: Mapping[str, object]) -> Asked:
    """Give the request by which a page asks `question`; `key` is the callback's name, as Dash keeps it."""
    names = key.strip(".").split("...")
    outputs = [{"id": n.partition(".")[0], "property": n.partition(".")[2]} for n in names]
    body = {
        "output": key,
        "outputs": outputs if key.startswith("..") else outputs[0],
        "inputs": [{"id": asked, "property": "data", "value": dict(question)}],
        "changedPropIds": [f"{asked}.data"],
    }
    return Asked(address="/_dash-update-component", body=json.dumps(body).encode())


FORGED = {"role": "official", "subject": {"role": "local"}, "purpose": "visit", "language": "zh-CN"}
"""What a page might claim of itself; it is told to nobody."""
PAGE: Mapping[str, Callable[[str, str], Iterable[Mapping[str, object]]]] = {
    "ask-feature": lambda t, a: [
        {"table": t, "id": village.canary(t, a, "id")},
        {"point": list(asking.middle(t, a))},
    ],
    "ask-list": lambda t, a: [{"kind": "table", "id": t}, {"kind": "table", "id": t, "sort": "keeper_name"}],
    "ask-search": lambda t, a: [
        {"text": typed(t, a, "label")},
        {"text": typed(t, a, "keeper_phone")},
    ],
    "ask-overlay": lambda t, a: [{"geometry": asking._ring(asking.around(t, a)), "shown": list(LAYERS)}],
    "ask-charts": lambda t, a: [{"theme": "t"}] if (t, a) == ("thing", "own") else [],
    "ask-deck": lambda t, a: [{"base": "M1", "theme": "t"}] if (t, a) == ("thing", "own") else [],
}
"""What each callback of the page is asked, by the id of its input."""


def of_page(callbacks: Mapping[str, str]) -> Ask:
    """Give every callback's questions about a row; `callbacks` maps an input's id to the callback's name."""

    def asks(table: str, area: str) -> Iterable[Asked]:
        for asked, questions in PAGE.items():
            for question in questions(table, area):
                yield callback(callbacks[asked], asked, {**FORGED, **question})

    return asks


ROUTES: Mapping[str, Ask] = {
    "feature": _feature,
    "entity": _entity,
    "identify": _identify,
    "overlay": _overlay,
    "in_view": _in_view,
    "search": _search,
    "tiles": _tiles,
    "changes": _changes,
    "past": _past,
    "indicators": _once("/api/v1/indicators?theme=t"),
    "catalogue": _once(
        "/api/v1/catalog",
        "/api/v1/layers",
        "/api/v1/themes",
        "/api/v1/style.json",
        "/api/v1/openapi.json",
        "/health",
        "/api/v1/lineage",
    ),
    "data page": _data_page,
    "refused rows": _once("/api/v1/quarantine", "/api/v1/quarantine/acts"),
    "reports": _once("/api/v1/reports", "/api/v1/reports/none.xlsx", "/api/v1/reports/none.pdf"),
    "page": _once("/", "/_dash-layout", "/_dash-dependencies"),
}
"""Every route by what it tells; the callbacks of the page are asked beside them. This village has no forms: what a filled
one tells to whom is asked of a village that has, in tests/test_reports.py, for the same people."""
