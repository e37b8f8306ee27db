"""Every route and callback, asked by every role of every row in every area, over HTTP with real sessions and keys."""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests.matrix import http, oracle, people, village
from tests.matrix.oracle import AREAS, TABLES
from tests.matrix.test_rooms import CANARIES, EVERY, ROOT, may_stand, must_stand
from twin import api, pages
from twin.api.limits import RATES, Limits, Rate
from twin.api.tile_address import TEMPLATES
from twin.policy import DASH, ROUTES, grants
from twin.settings import Settings
from twin.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "qV7tN3xJ8bL2wZ6cR9mF4hK1dG5sP0yA"
COUNTED: dict[str, int] = {}
AT_PAGE = "callbacks"
RANDOM = re.compile(rb'"end_id":"[^"]*"')
"""What Dash makes anew in every page."""
FORMS = ("/signin", "/signout", "/account", "/record", "/grants", "/persons", "/erasures", "/data")
"""Asked in tests/test_signin.py, test_office.py, test_persons_page.py, test_data_page.py, test_quarantine.py: they tell of no published row."""
OWN_FILES = ("/api/v1/uploads", "/uploads")
"""Asked in tests/test_uploads.py: what a person sent in, which is no row of any table."""


class Town:
    """A service outside the demo with everybody of the oracle signed in."""

    def __init__(self, folder: Path) -> None:
        settings = replace(
            Settings(), data=folder, village=folder / "none", tile_cache_mb=8, secret=SECRET, origin=http.BASE
        )
        store = Store(settings.store)
        village.publish_all(store)
        onemap = village.onemap()
        front = api.create(onemap, store, settings)
        front.state.rooms.policy.adopt(grants.read(ROOT / "data" / "grants.toml"))
        self.dash = pages.create(onemap, store, settings)
        api.mount(front, self.dash, pages.draw)
        front.state.who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})
        self.accounts = front.state.who.accounts
        self.audit = front.state.who.audit
        self.headers = {who: people.headers(self.accounts, who) for who in people.IN_EARNEST}
        self.over = {how: people.over(self.accounts, how) for how in people.NOBODIES}
        self.client = TestClient(front, base_url=http.BASE, raise_server_exceptions=False)

    def callbacks(self) -> dict[str, str]:
        """Give the page's server callbacks: input's id → the callback's name."""
        self.client.get("/")  # Dash lists them when a page has been asked for
        listed = self.dash.callback_map.items()
        return {c["inputs"][0]["id"]: key for key, c in listed if "callback" in c}

    def answer(self, headers: dict[str, str], asked: http.Asked) -> Any:
        """Send one request."""
        if asked.body is None:
            return self.client.get(asked.address, headers=headers)
        return self.client.post(asked.address, content=asked.body, headers={**http.OWN, **headers})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    built = Town(tmp_path_factory.mktemp("town"))
    with built.client:
        yield built


def asks(town: Town) -> dict[str, http.Ask]:
    return {**http.ROUTES, AT_PAGE: http.of_page(town.callbacks())}


@pytest.mark.parametrize("function", [*http.ROUTES, AT_PAGE])
@pytest.mark.parametrize("who", people.IN_EARNEST)
def test_no_byte_over_http_holds_a_canary_that_is_not_granted(town: Town, who: str, function: str) -> None:
    ask, wrong, cells = asks(town)[function], [], 0
    for table, area in itertools.product(TABLES, AREAS):
        answers = [town.answer(town.headers[who], one) for one in ask(table, area)]
        assert all(a.status_code < 500 for a in answers), [(a.status_code, a.url) for a in answers]
        named = village.canary(table, area, "id").encode()
        body = b"\n".join(told(a, named, always=function == AT_PAGE) for a in answers)
        for cell in EVERY:
            cells += 1
            stands = CANARIES[cell] in body or CANARIES[cell].decode().encode("unicode_escape") in body
            if stands and not may_stand(who, _as_room(function), cell):
                wrong.append(("leaked", table, area, cell))
            if not stands and function in ("feature", "entity") and must_stand(who, function, (table, area), cell):
                wrong.append(("missing", table, area, cell))
    COUNTED[f"{who}|{function}"] = cells
    assert wrong == []


def _as_room(function: str) -> str:
    return "feature" if function == AT_PAGE else function


def told(answer: Any, asked: bytes, *, always: bool) -> bytes:
    """Give what an answer tells: one that there is no such thing may repeat the id it was asked for.

    A page's callback says so with status 200 (`always`); the test after this one shows that it says nothing more.
    """
    return answer.content.replace(asked, b"") if always or answer.status_code in (400, 404) else answer.content


@pytest.mark.parametrize("who", people.IN_EARNEST)
def test_a_hidden_row_is_answered_like_one_that_never_was(town: Town, who: str) -> None:
    for table, area in itertools.product(TABLES, AREAS):
        if oracle.row_is_there(who, table, area):
            continue
        real, never = village.canary(table, area, "id"), "NEVER-" + "x" * (len(village.canary(table, area, "id")) - 6)
        page = [_page_of(town, who, table, i) for i in (real, never)]
        assert page[0].replace(real.encode(), never.encode()) == page[1]
        for form in ("/api/v1/features/{t}/{i}", "/api/v1/entities/{t}:{i}"):
            hidden, unknown = (
                town.answer(town.headers[who], http.Asked(address=form.format(t=table, i=i))) for i in (real, never)
            )
            assert hidden.status_code == unknown.status_code == 404
            assert hidden.content.replace(real.encode(), never.encode()) == unknown.content
            assert hidden.headers.keys() == unknown.headers.keys()


def _page_of(town: Town, who: str, table: str, identity: str) -> bytes:
    question = {**http.FORGED, "table": table, "id": identity}
    asked = http.callback(town.callbacks()["ask-feature"], "ask-feature", question)
    return town.answer(town.headers[who], asked).content


@pytest.mark.parametrize("how", people.NOBODIES)
def test_a_session_that_is_over_is_answered_as_a_visitor_is(town: Town, how: str) -> None:
    for function, ask in asks(town).items():
        for table, area in (("thing", "own"), ("shop", "own"), ("home", "own"), ("petition", "sibling")):
            for one in ask(table, area):
                shown, visitor = town.answer(town.over[how], one), town.answer({}, one)
                assert shown.status_code == visitor.status_code, (function, one.address)
                assert _lasting(shown.content) == _lasting(visitor.content), (function, one.address)


def _lasting(content: bytes) -> object:
    """Give what an answer says but for what is made anew each time; of a workbook its parts but for the hour it was written."""
    if not content.startswith(b"PK"):
        return RANDOM.sub(b"", content)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {n: book.read(n) for n in book.namelist() if n != "docProps/core.xml"}


def test_what_tells_of_people_stands_in_the_record_with_who_and_why(town: Town) -> None:
    official = town.headers["official with a purpose"]
    assert town.answer(official, next(iter(http.ROUTES["feature"]("home", "own")))).status_code == 200
    assert town.audit.verify() == []
    with town.accounts.ops.read() as connection:
        row = connection.exec_driver_sql(
            "select action, role, resource, purpose, outcome, detail from audit order by seq desc limit 1"
        ).one()
    assert (row.action, row.role, row.resource, row.purpose, row.outcome) == (
        "unmask",
        "official",
        "home",
        "visit",
        "permitted",
    )
    assert not any(value.decode() in str(row.detail) for value in CANARIES.values())


def test_personal_reads_stop_when_the_record_cannot_be_written_and_public_ones_go_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twin.errors import AuditDown

    def down(_: object) -> None:
        raise AuditDown("记录写不进去", "The record cannot be written")

    monkeypatch.setattr(town.audit, "write", down)
    official = town.headers["official"]
    personal = town.answer(official, next(iter(http.ROUTES["feature"]("home", "own"))))
    public = town.answer(town.headers["planner"], next(iter(http.ROUTES["feature"]("thing", "own"))))
    assert (personal.status_code, public.status_code) == (503, 200)
    assert not any(CANARIES["home", "own", c] in personal.content for c in oracle.COLUMNS if c != "id")
    [page] = [town.answer(official, a) for a in list(http.of_page(town.callbacks())("home", "own"))[:1]]
    assert not any(CANARIES["home", "own", c] in page.content for c in oracle.COLUMNS if c != "id")


def test_no_route_and_no_callback_is_left_out_of_the_matrix(town: Town) -> None:
    asked = [one.address.partition("?")[0] for ask in http.ROUTES.values() for one in ask("thing", "own")]
    templates = [k.partition(" ")[2] for k in ROUTES] + [t.partition(" ")[2] for t in TEMPLATES]
    not_rows = ("terrain", "scene", "tianditu", "{layer}/{z}/{x}/{y}.png")  # the matrix village has no such data
    for template in templates:
        if template.startswith((*FORMS, *OWN_FILES)) or any(x in template for x in not_rows):
            continue
        start = template.partition("{")[0]
        assert any(a.startswith(start) for a in asked), template
    assert set(http.PAGE) == set(town.callbacks())
    assert {k for k, row in DASH.items() if row.on != "nothing"} == {
        "GET /", "GET /_dash-layout", "GET /_dash-dependencies", "POST /_dash-update-component"
    }  # fmt: skip


def test_the_matrix_over_http_has_its_cells() -> None:
    cells = sum(COUNTED.values())
    print(f"\nmatrix over HTTP: {len(people.IN_EARNEST)} askers x {len(http.ROUTES) + 1} ways: {cells} cells")
    assert cells == 0 or cells == len(people.IN_EARNEST) * (len(http.ROUTES) + 1) * len(TABLES) * len(AREAS) * len(
        EVERY
    )
