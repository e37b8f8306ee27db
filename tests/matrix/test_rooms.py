"""Every room function, asked by every role of every row in every area; the bytes that come back are searched for canaries."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import asking, oracle, village
from tests.matrix.oracle import AREAS, COLUMNS, GRANTS, TABLES
from twin.api import Rooms, rooms
from twin.policy import grants
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[2]
WHO = tuple(GRANTS)
EVERY = tuple(itertools.product(TABLES, AREAS, COLUMNS))
CANARIES = {cell: village.canary(*cell).encode() for cell in EVERY}
ROW_TELLERS = ("feature", "entity")
"""Functions that tell a whole row: what is granted must come, not only may."""
PLACE_TELLERS = ("identify", "tiles", "search")
"""Functions that tell that a row is there, by its id or its label."""
COUNTED: dict[str, int] = {}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    settings = replace(Settings(), data=tmp_path_factory.mktemp("matrix"), tile_cache_mb=8)
    store = Store(settings.store)
    village.publish_all(store)
    found = rooms(village.onemap(), store, settings)
    found.policy.adopt(grants.read(ROOT / "data" / "grants.toml"))
    return found


def may_stand(who: str, function: str, cell: tuple[str, str, str]) -> bool:
    """Say whether the oracle grants that this canary, unmasked, stands in an answer of `function`."""
    table, area, column = cell
    if function == "indicators":
        few = oracle.smallest(who, table) > 0
        return column == "label" and oracle.countable(who, table, area) and not few
    if oracle.access(who, table, area, column) != "clear":
        return False
    return not (function == "overlay" and oracle.smallest(who, table))


def must_stand(who: str, function: str, asked: tuple[str, str], cell: tuple[str, str, str]) -> bool:
    """Say whether it has to: of the row asked for, in a function that tells rows or places."""
    table, area, column = cell
    if (table, area) != asked or not may_stand(who, function, cell):
        return False
    drawn = any(oracle.layer_is_there(who, x) for x in oracle.DRAWN[table])
    if function in ROW_TELLERS:
        return column != "id" or oracle.access(who, table, area, "label") == "clear"
    if function == "tiles":
        return column == "label" and drawn
    if function == "identify":
        return column == "id" and drawn and oracle.exact(who, table)
    if function == "list":
        return column == "label" and area == oracle.OWN
    return function == "search" and column in ("id", "label")


@pytest.mark.parametrize("function", asking.ROOMS)
@pytest.mark.parametrize("who", WHO)
def test_no_byte_of_an_answer_holds_a_canary_that_is_not_granted(built: Rooms, who: str, function: str) -> None:
    subject, wrong, cells = village.subject(who), [], 0
    for table, area in itertools.product(TABLES, AREAS):
        body = asking.body(asking.ROOMS[function], built, subject, table, area)
        for cell in EVERY:
            cells += 1
            stands = CANARIES[cell] in body
            if stands and not may_stand(who, function, cell):
                wrong.append(("leaked", table, area, cell))
            if not stands and must_stand(who, function, (table, area), cell):
                wrong.append(("missing", table, area, cell))
    COUNTED[f"{who}|{function}"] = cells
    assert wrong == []


@pytest.mark.parametrize("who", WHO)
def test_what_is_masked_comes_masked_and_what_is_hidden_is_not_even_named(built: Rooms, who: str) -> None:
    subject = village.subject(who)
    for table, area in itertools.product(TABLES, AREAS):
        body = asking.body(asking.ROOMS["feature"], built, subject, table, area).decode()
        for column in ("memo", "keeper_name", "keeper_phone", "id_card", "note"):
            access = oracle.access(who, table, area, column)
            assert (f'"name": "{column}"' in body) == (access in ("clear", "masked")), (table, area, column)
            if access == "masked" and who != "data_engineer":
                assert village.masked(table, area, column) in body
            if who == "data_engineer" and access == "masked":
                assert '"value": "t_' in body


@pytest.mark.parametrize("who", WHO)
def test_a_value_cannot_be_tried_out_through_a_column_that_is_not_clear(built: Rooms, who: str) -> None:
    for table, area in itertools.product(TABLES, AREAS):
        for action, column, n in asking._uses(built, village.subject(who), table, area):
            counting = action in ("count", "group")
            there = oracle.access(who, table, area, column) == "clear"
            if counting and not there:
                there = oracle.countable(who, table, area) and COLUMNS[column] in ("public", "internal")
                there = there and oracle.covers(oracle.held(who, table)["classes"][COLUMNS[column]][1], table, area)
            assert (n == 1) == there, (table, area, action, column)


@pytest.mark.parametrize("who", WHO)
def test_places_are_told_on_the_grid_granted_in_cards_and_in_search_alike(built: Rooms, who: str) -> None:
    subject = village.subject(who)
    for table, area in itertools.product(TABLES, AREAS):
        if not oracle.row_is_there(who, table, area):
            continue
        west, south, east, north = built.entities.feature(subject, table, village.canary(table, area, "id"))["bbox"]
        lon, lat = asking.middle(table, area)
        told_exactly = abs((west + east) / 2 - lon) < 1e-6 and abs((south + north) / 2 - lat) < 1e-6
        assert told_exactly == oracle.exact(who, table), (table, area)
        hits = [h for h in built.search.find(subject, village.canary(table, area, "label")) if h["table"] == table]
        assert hits == [] or hits[0]["bbox"] == [west, south, east, north]


def test_the_matrix_has_its_cells() -> None:
    cells = sum(COUNTED.values())
    print(f"\nmatrix at room level: {len(WHO)} subjects x {len(asking.ROOMS)} functions: {cells} cells")
    assert cells == 0 or cells == len(WHO) * len(asking.ROOMS) * len(TABLES) * len(AREAS) * len(EVERY)
