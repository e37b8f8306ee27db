"""Every route by its purpose, written by hand: who is let in, what a cache may keep, what may be sent, which pages answer."""

from __future__ import annotations

import pytest

from twin.policy import CLOSED, DASH, ROUTES, RoutePolicy, of_page

EVERYBODY = frozenset({"local"})
ALL = {**ROUTES, **DASH}
OFFICES = {
    "/accounts": "security_admin", "/record": "audit.read", "/grants": "grants.change", "/api/v1/uploads": "files.send",
    "/uploads": "files.send",
    "/persons": "persons.answer", "/erasures": "persons.approve", "/data/rerun": "runs.start",
    "/data/quarantine/": "quarantine.decide", "/data/quarantine": "quarantine.read", "/api/v1/quarantine": "quarantine.read",
    "/data/new/decide": "publishes.approve", "/data/new/": "runs.start",
    "/data/schedule": "schedules.change", "/data/decide": "publishes.approve", "/data/rollback": "publishes.approve",
    "/data/backfill": "runs.start", "/data": "data.see", "/reports": "data.see",
}  # fmt: skip
"""Whose each office's pages are: a role, or whoever the grants give a capability."""
FILES = ("/_dash-component-suites/", "/map-assets/", "/_favicon.ico")
"""Addresses that name the very bytes they give."""
SAME_FOR_A_WHILE = (
    "/api/v1/openapi.json", "/api/v1/themes", "/api/v1/layers", "/api/v1/catalog", "/api/v1/style.json", "/tiles/", "/assets/",
)  # fmt: skip
"""Answers a browser may keep if it asks each time whether they are still good."""
ROWS = (
    "/api/v1/reports/", "/api/v1/indicators", "/api/v1/entities/", "/api/v1/features/", "/api/v1/identify", "/api/v1/search",
    "/api/v1/analysis/", "/api/v1/tables/", "/_dash-update-component",
)  # fmt: skip
"""Answers made of rows: each is a question about tables."""
PAGES = (
    ("GET", "/"), ("HEAD", "/"), ("GET", "/_dash-layout"), ("GET", "/_dash-dependencies"), ("POST", "/_dash-update-component"),
    ("GET", "/_reload-hash"), ("GET", "/_favicon.ico"), ("GET", "/assets/onemap.css"), ("GET", "/assets/page/map.mjs"),
    ("GET", "/map-assets/0a1b/maplibre/maplibre.js"), ("GET", "/_dash-component-suites/dash/deps/react.js"),
)  # fmt: skip
STRANGERS = (
    ("POST", "/"), ("DELETE", "/"), ("GET", "/_dash-update-component"), ("GET", "/assets/"), ("GET", "/map-assets/0a1b/"),
    ("GET", "/map-assets/maplibre.js"), ("GET", "/_dash-layouts"), ("GET", "/x/_dash-layout"), ("GET", "/xfavicon_ico"),
    ("GET", "/_faviconXico"), ("GET", "/static/x.js"), ("GET", "/anything"), ("GET", "/api/v1/themes"), ("PUT", "/_dash-layout"),
    ("HEAD", "/_dash-update-component"), ("GET", "/_dash-component-suites/dash"), ("GET", ""),
)  # fmt: skip


def path(route: str) -> str:
    return route.split(" ", 1)[1]


@pytest.mark.parametrize("route", ALL)
def test_offices_are_their_holders_and_everything_else_decides_by_what_is_asked(route: str) -> None:
    row = ALL[route]
    whose = next((who for office, who in OFFICES.items() if path(route).startswith(office)), "")
    if whose == "security_admin":
        assert (row.roles, row.may) == ({"security_admin"}, None)
    elif route == "POST /record/export":
        assert (row.roles, row.may) == (EVERYBODY, "audit.export")
    else:
        assert (row.roles, row.may) == (EVERYBODY, whose or None)


@pytest.mark.parametrize("route", ALL)
def test_only_what_is_the_same_for_everybody_with_the_same_rights_is_kept_by_a_browser(route: str) -> None:
    keep = ALL[route].keep
    if path(route).startswith(FILES):
        assert keep == "immutable"
    else:
        assert keep == ("revalidate" if path(route).startswith(SAME_FOR_A_WHILE) else "no-store")


@pytest.mark.parametrize("route", ALL)
def test_what_is_made_of_rows_is_a_question_about_tables(route: str) -> None:
    row, where = ALL[route], path(route)
    if where.startswith(ROWS):
        wanted = "count" if where.startswith(("/api/v1/indicators", "/api/v1/analysis/")) else "select"
        assert (row.action, row.on) == (wanted, "table")
    elif where.startswith("/tiles/"):
        plain = where.startswith("/tiles/tianditu/")
        kind = "nothing" if plain else "table" if where.startswith("/tiles/scene/") else "layer"
        assert (row.action, row.on) == ("see" if plain else "tile", kind)
    else:
        of_village = where.startswith(("/api/v1/", "/_dash-layout", "/_dash-dep")) or where == "/"
        of_village = of_village and not any(word in where for word in ("openapi", "uploads", "quarantine"))
        assert (row.action, row.on) == ("see", "village" if of_village else "nothing")


@pytest.mark.parametrize("route", ALL)
def test_a_body_is_taken_where_something_is_sent_and_is_small_but_for_maps_and_texts(route: str) -> None:
    most = ALL[route].body_bytes
    if route.startswith("GET ") and not path(route).startswith(
        ("/signin", "/account", "/record", "/grants", "/persons", "/erasures")
    ):
        assert most == 0
    elif route in ("POST /api/v1/analysis/overlay", "POST /_dash-update-component"):
        assert 1_000_000 <= most <= 2_000_000
    elif path(route).startswith("/grants"):
        assert most == 400_000
    elif route == "POST /api/v1/uploads":
        assert most == 16 << 20
    elif route == "POST /uploads/send":
        assert most == (16 << 20) + 8_192
    elif path(route).startswith("/data/quarantine/"):
        assert most == (9 << 20 if route.endswith("/return") else 64_000)
    elif route == "POST /data/new/file":
        assert most == 64 << 20
    elif route in ("POST /data/new/found", "POST /data/new/answers"):
        assert most == 200_000
    elif path(route).startswith("/data/quarantine/"):
        assert most == (9 << 20 if route.endswith("/return") else 64_000)
    elif route.startswith("DELETE "):
        assert most == 0
    else:
        assert 4_096 <= most <= 16_384


def test_a_row_that_says_no_more_lets_everybody_ask_keeps_nothing_and_takes_no_body() -> None:
    row = RoutePolicy(action="see", on="nothing")
    assert (row.keep, row.body_bytes, row.roles, row.may) == ("no-store", 0, EVERYBODY, None)


@pytest.mark.parametrize(("method", "address"), PAGES)
def test_a_page_that_is_declared_answers_under_its_own_row(method: str, address: str) -> None:
    row = of_page(method, address)
    assert row is not None
    method = "GET" if method == "HEAD" else method
    head = address.rsplit("/", 1)[0][:8]
    assert row in [r for k, r in DASH.items() if k.startswith(method) and path(k).startswith(head)]


@pytest.mark.parametrize(("method", "address"), STRANGERS)
def test_what_no_row_names_does_not_answer(method: str, address: str) -> None:
    assert of_page(method, address) is None


def test_routes_that_never_answer_have_no_row() -> None:
    assert {"GET /<path:path>", "GET /static/<path:filename>"} == CLOSED
    assert not CLOSED & {*ROUTES, *DASH}
