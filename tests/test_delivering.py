"""Limits at every surface: ground that counts, the refusal past the limit, and the most rows of one answer."""

from __future__ import annotations

import asyncio
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tests.office_town import BASE, Town

from tests.matrix import asking, http, village
from twin import ops
from twin.api.limits import RATES, Limits, Rate
from twin.ground import TABLE, Ground
from twin.policy import delivered
from twin.policy.delivered import CELL_KM2


class Here(Town):
    """The office town without limits of haste, whose grants a test may change."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.front.state.who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})
        from tests.matrix import people

        for who in ("resident", "grid_worker", "system"):
            self.headers[who] = people.headers(self.accounts, who)
        self.client.get("/")
        listed = self.dash.callback_map.items()
        self.callbacks = {c["inputs"][0]["id"]: key for key, c in listed if "callback" in c}

    def grant(self, *, counts_open: bool = False, **more: Any) -> None:
        """Let every grant carry `more` from the next question on."""
        held = self.policy.grants
        changed: Any = tuple(replace(g, **more) for g in held.grants)
        self.policy.adopt(replace(held, grants=changed, counts_open=counts_open))

    def ask(self, who: str, asked: http.Asked) -> Any:
        if asked.body is None:
            return self.get(who, asked.address)
        return self.client.post(asked.address, content=asked.body, headers={**http.OWN, **OURS, **self.headers[who]})

    def tile(
        self, who: str, layer: str = "M2", table: str = "thing", z: int = 16, ending: str = "mvt", area: str = "own"
    ) -> Any:
        at = asking.at(table, area, z)
        kind = "drawn/" if ending == "png" else ""
        return self.get(who, f"/tiles/{kind}{layer}/{at.z}/{at.x}/{at.y}.{ending}")

    def book(self) -> dict[str, set[delivered.Cell]]:
        """Read the ledger: the cells of each asker."""
        found: dict[str, set[delivered.Cell]] = {}
        with self.accounts.ops.read() as connection:
            for asker, cell in connection.execute(ops.select(TABLE.c.subject, TABLE.c.cell)):
                x, _, y = cell.partition(":")
                found.setdefault(asker, set()).add((int(x), int(y)))
        return found

    def forget(self) -> None:
        with self.accounts.ops.begin() as connection:
            connection.execute(ops.delete(TABLE))
        self.front.state.who.ledger_if_open = None


OURS = {"origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Here:
    return Here(tmp_path_factory.mktemp("here"))


@pytest.fixture
def town(built: Here) -> Here:
    from tests.matrix.test_rooms import ROOT
    from twin.policy import grants

    built.policy.adopt(grants.read(ROOT / "data" / "grants.toml"))
    built.front.state.delivering._said.clear()
    built.forget()
    return built


def cells(table: str, z: int = 16) -> set[delivered.Cell]:
    """Give the cells of a tile's square as far as the table reaches, worked out by another way round."""
    at = asking.at(table, "own", z)
    n = 2**z
    import math

    def lat(y: int) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / n))))

    square = (at.x / n * 360 - 180, lat(at.y + 1), (at.x + 1) / n * 360 - 180, lat(at.y))
    boxes = [asking.around(table, area, 0.0) for area in village.PLACE]
    west, east = min(b[0] for b in boxes) - 0.0005, max(b[2] for b in boxes) + 0.0005
    south, north = min(b[1] for b in boxes) - 0.0005, max(b[3] for b in boxes) + 0.0005
    shown = (max(west, square[0]), max(south, square[1]), min(east, square[2]), min(north, square[3]))
    found = set(delivered.cells(shown))
    for area in village.PLACE:  # what stands in the square or in its margin is shown whole
        lon, lat_ = asking.middle(table, area)
        own = (lon - 0.0005, lat_ - 0.0005, lon + 0.0005, lat_ + 0.0005)
        edge = (square[2] - square[0]) / 64
        wide = (square[0] - edge, square[1] - edge, square[2] + edge, square[3] + edge)
        if delivered.common(own, wide):
            found |= set(delivered.cells(own))
    return found


# what counts


@pytest.mark.parametrize(
    ("who", "layer", "table", "z", "ending", "counts"),
    [
        ("official", "M2", "thing", 16, "mvt", True),
        ("official", "M2", "thing", 13, "mvt", True),
        ("official", "M2", "thing", 12, "mvt", False),
        ("official", "M2", "thing", 17, "png", True),
        ("official", "M2", "thing", 16, "png", False),
        ("official", "M1", "shop", 16, "mvt", False),
        ("system", "M2", "thing", 16, "mvt", True),
        ("resident", "M2", "thing", 16, "mvt", False),
        ("planner", "M3", "home", 16, "mvt", False),
        ("nobody here", "M1", "shop", 16, "mvt", False),
    ],
)
def test_a_tile_counts_where_it_is_as_exact_as_a_survey_and_not_open_to_all(
    town: Here, who: str, layer: str, table: str, z: int, ending: str, counts: bool
) -> None:
    answer = town.tile(who, layer, table, z, ending)
    assert answer.status_code in ((200,) if counts else (200, 204))
    book = town.book()
    assert len(book) == int(counts)
    if counts:
        assert book.popitem()[1] == cells(table, z)


def test_an_empty_tile_a_known_one_and_its_head_tell_no_ground(town: Here) -> None:
    head = town.client.head("/tiles/M2/16/54609/26928.mvt", headers=town.headers["official"])
    assert town.get("official", "/tiles/M2/16/0/0.mvt").status_code == 204
    assert head.status_code in (200, 204)
    assert town.book() == {}


def test_who_was_given_it_is_the_person_or_the_key(town: Here) -> None:
    for who in ("official", "planner", "system"):
        assert town.tile(who).status_code == 200
    assert len(town.book()) == 3


ROWS: list[tuple[str, http.Asked]] = [
    ("feature", next(iter(http.ROUTES["feature"]("thing", "own")))),
    ("entity", next(iter(http.ROUTES["entity"]("thing", "own")))),
    ("identify", next(iter(http.ROUTES["identify"]("thing", "own")))),
    ("search", next(iter(http.ROUTES["search"]("thing", "own")))),
]
PAGE = ("ask-feature", "ask-list", "ask-search")


def page(town: Here, name: str) -> http.Asked:
    return http.callback(town.callbacks[name], name, {**http.FORGED, **next(iter(http.PAGE[name]("thing", "own")))})


@pytest.mark.parametrize(("name", "asked"), ROWS)
def test_rows_with_an_exact_place_count_and_are_refused_past_the_limit(
    town: Here, name: str, asked: http.Asked
) -> None:
    first = town.ask("official", asked)
    assert first.status_code == 200
    [held] = town.book().values()
    assert 1 <= len(held) <= 40
    assert delivered.cell_of(*asking.around("thing", "own", 0.0)[:2]) in held or name == "search"
    town.forget()
    town.grant(max_km2=0.001)
    refused = town.ask("official", asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "area_limit")
    assert village.canary("thing", "own", "label").encode() not in refused.content
    assert town.book() == {}


@pytest.mark.parametrize("name", PAGE)
def test_what_the_page_asks_counts_too_and_says_so_past_the_limit(town: Here, name: str) -> None:
    assert town.ask("official", page(town, name)).status_code == 200
    assert len(town.book()) == 1
    town.forget()
    town.grant(max_km2=0.001)
    refused = town.ask("official", page(town, name)).json()
    said = json.dumps(refused, ensure_ascii=False)
    assert "平方公里" in said
    assert village.canary("thing", "own", "label") not in said
    assert town.book() == {}


def test_sums_and_coarse_places_count_nothing(town: Here) -> None:
    for name in ("overlay", "in_view", "indicators", "catalogue"):
        for asked in http.ROUTES[name]("thing", "own"):
            town.ask("official", asked)
    for _, asked in ROWS:
        assert town.ask("resident", asked).status_code == 200
    assert town.book() == {}


# the limit


def test_past_the_limit_it_is_said_how_much_since_when_and_whom_to_ask(town: Here) -> None:
    assert town.tile("official", z=17).status_code == 200
    had = town.get("official", f"/tiles/M2/17/{asking.at('thing', 'own', 17).x}/{asking.at('thing', 'own', 17).y}.mvt")
    assert had.status_code == 200
    used = delivered.km2(*town.book().values())
    town.grant(max_km2=used)
    for _ in range(3):
        refused = town.tile("official", z=13)
        assert refused.status_code == 403
    told = refused.json()
    today = town.accounts.now().date().isoformat()
    assert told["code"] == "area_limit"
    assert told["where"] == {
        "table": "thing", "limit_km2": f"{used:g}", "used_km2": f"{used:g}", "since": today
    }  # fmt: skip
    for words in (told["zh"], told["en"]):
        assert f"{used:g}" in words
        assert today in words
        assert "land" in words
    assert "安全管理员" in told["zh"]
    assert "security administrator" in told["en"]
    assert refused.headers["cache-control"] == "no-store"
    assert town.tile("official", z=17).status_code == 200, "what was given may be seen again"
    assert town.tile("official", "M1", "shop", 16).status_code == 200, "what is open to all goes on"
    [entry] = [e for e in town.written("area.limit") if e["resource"] == "thing"][:1]
    assert (entry["outcome"], entry["role"], entry["via"]) == ("refused", "official", "session")
    assert json.loads(entry["detail"])["limit_km2"] == used if isinstance(entry["detail"], str) else True


def test_a_refusal_is_recorded_once_however_many_tiles_are_refused(town: Here) -> None:
    before = len(town.written("area.limit"))
    town.grant(max_km2=0.001)
    for z in (13, 14, 15, 16):
        assert town.tile("planner", z=z).status_code == 403
    assert len(town.written("area.limit")) == before + 1


def test_a_limit_raised_in_the_grants_holds_from_the_next_tile_on(town: Here) -> None:
    town.grant(max_km2=0.001)
    assert town.tile("official").status_code == 403
    town.grant(max_km2=25.0)
    assert town.tile("official").status_code == 200


def test_with_open_data_counted_visitors_are_counted_by_a_pseudonym_of_their_address(town: Here) -> None:
    town.grant(counts_open=True)
    assert town.tile("nobody here", "M1", "shop").status_code == 200
    [asker] = town.book()
    assert asker.startswith("@")
    assert "testclient" not in asker
    town.grant(counts_open=True, max_km2=0.001)
    assert town.tile("nobody here", "M1", "shop", area="foreign").status_code == 403


def test_what_counts_stops_while_the_ledger_cannot_be_written_and_the_rest_goes_on(town: Here) -> None:
    assert town.tile("official", z=17).status_code == 200
    with town.accounts.ops.begin() as connection:
        connection.execute(ops.text("ALTER TABLE delivery RENAME TO away"))
    try:
        assert town.tile("official", z=13).status_code == 503
        assert town.ask("planner", ROWS[0][1]).status_code == 503
        assert town.tile("official", z=17).status_code == 200, "it stands in the ledger already"
        assert town.tile("official", "M1", "shop").status_code == 200
        assert town.tile("nobody here", "M1", "shop").status_code == 200
    finally:
        with town.accounts.ops.begin() as connection:
            connection.execute(ops.text("ALTER TABLE away RENAME TO delivery"))
    assert town.tile("official", z=13).status_code == 200


def test_fifty_clients_of_one_person_mixing_surfaces_never_pass_the_limit(town: Here) -> None:
    limit = 0.5
    town.grant(max_km2=limit)
    asked = [f"/tiles/M2/{z}/{at.x}/{at.y}.mvt" for z in (13, 15, 16, 17, 18)
             for area in village.PLACE for at in [asking.at("thing", area, z)]]  # fmt: skip
    rows = [a.address for area in village.PLACE for n in ("feature", "identify") for a in http.ROUTES[n]("thing", area)]

    async def client(web: httpx.AsyncClient, n: int) -> set[int]:
        start = n % len(asked)
        mixed = asked[start:] + rows + asked[:start]
        return {(await web.get(address, headers=town.headers["official"])).status_code for address in mixed}

    async def everybody() -> set[int]:
        transport = httpx.ASGITransport(town.front, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as web:
            return set().union(*await asyncio.gather(*(client(web, n) for n in range(50))))

    with ThreadPoolExecutor(1) as beside:  # another test's browser may have a loop running in this thread
        codes = beside.submit(lambda: asyncio.run(everybody())).result()
    [held] = town.book().values()
    assert codes <= {200, 204, 403, 404}
    assert {200, 403} <= codes
    assert len(held) * CELL_KM2 <= limit


def test_another_year_counts_anew(town: Here) -> None:
    now = town.accounts.now()
    long_ago = town.front.state.who.ledger_if_open = Ground(town.accounts.ops, lambda: now - timedelta(days=366))
    assert town.tile("official", z=13).status_code == 200
    town.grant(max_km2=delivered.km2(*town.book().values()))
    assert long_ago.usage()
    town.front.state.who.ledger_if_open = None
    assert town.front.state.who.ledger.usage() == {}
    assert town.tile("official", z=13).status_code == 200


def test_the_security_administrator_sees_how_much_everybody_has_been_given(town: Here) -> None:
    town.tile("official", z=16)
    town.tile("system", z=16)
    used = f"{delivered.km2(next(iter(town.book().values()))):g}"
    seen = town.get("security_admin", "/accounts?lang=en").text
    assert seen.count(f"{used} km²") == 2
    assert town.get("official", "/accounts").status_code == 404


# rows


def test_an_overlay_says_of_which_table_there_are_too_many_rows_and_tells_the_others(town: Here) -> None:
    box = asking.around("thing", "own", 60.0)
    asked = http.Asked(address="/api/v1/analysis/overlay", body=json.dumps(asking._ring(box)).encode())
    whole = town.ask("planner", asked).json()
    assert whole["limited"] == []
    counts = {t["table"]: t["count"] for t in whole["tables"]}
    most = max(counts.values())
    town.grant(max_rows=most - 1)
    told = town.ask("planner", asked).json()
    over = {t for t, n in counts.items() if n == most}
    assert {x["table"] for x in told["limited"]} == over
    assert {t["table"] for t in told["tables"]} == set(counts) - over
    for limited in told["limited"]:
        assert str(most - 1) in limited["zh"]
        assert "security administrator" in limited["en"]
        assert "land" in limited["zh"] or "civil" in limited["zh"]


def test_a_list_ends_at_the_most_rows_and_says_so(town: Here) -> None:
    asked = page(town, "ask-list")
    assert "最多列出" not in town.ask("data_engineer" if "data_engineer" in town.headers else "planner", asked).text
    town.grant(max_rows=2)
    capped = town.ask("planner", asked).text
    assert "最多列出 2 条" in json.dumps(json.loads(capped), ensure_ascii=False)
    named = [a for a in village.PLACE if village.canary("thing", a, "label") in capped]
    assert len(named) == 2


@pytest.mark.parametrize("name", ["identify", "search"])
def test_more_rows_than_may_be_told_at_once_are_refused_with_a_reason(town: Here, name: str) -> None:
    if name == "search":
        asked = http._get("/api/v1/search", q="CANARY-thing", limit=50)
    else:
        (west, lat), (east, _) = asking.middle("thing", "own"), asking.middle("thing", "sibling")
        lon = (west + east) / 2
        asked = http._get("/api/v1/identify", lon=lon, lat=lat, radius_m=500, layers="M2")
    found = town.ask("planner", asked).json()
    listed = found.get("results") or found["features"]
    rows = len([x for x in listed if x.get("table") == "thing"])
    assert rows > 1
    town.grant(max_rows=rows - 1)
    refused = town.ask("planner", asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "row_limit")
    assert refused.json()["where"] == {"table": "thing", "max_rows": str(rows - 1)}
