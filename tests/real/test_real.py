"""Real deliveries travel the same road by declarations alone, and what is dirty in them is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real import village
from twin.store import Serving, Store

EXPECTED = {
    "kingston": {"building": (401, 401), "road": (139, 139), "tree": (52, 38), "dem": None, "imagery": None},
    "saltford": {
        "parish_boundary": (1, 1), "road": (185, 185), "water_line": (26, 26), "water_area": (8, 8), "important_building": (13, 13),
        "place_name": (7, 7), "greenspace": (7, 7), "rail": (14, 14), "green_belt": (1, 1), "conservation_area": (1, 1),
        "surgery": (1, 1), "shop": (6, 6), "litter_bin": (30, 30), "grit_bin": (8, 8), "defibrillator": (3, 3),
        "farmland_class": (33, 33), "listed_building": (33, 33), "electricity": (96, 96),
    },
    "deqing": {"county_boundary": (1, 1), "village_code": (177, 177)},
    "photomesh": {"photomesh": None},
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(EXPECTED))
def received(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, str]:
    name = request.param
    if village.absent(name):
        pytest.skip(village.absent(name))
    data = tmp_path_factory.mktemp(name)
    done = village.receive(name, data)
    assert done.returncode == 0, done.stdout + done.stderr
    return name, data, done.stdout


def test_every_row_of_a_real_delivery_is_published_or_said_to_be_refused(received: tuple[str, Path, str]) -> None:
    name, data, _ = received
    store = Store(data / "store")
    assert set(store.tables()) == set(EXPECTED[name])
    for table, counts in EXPECTED[name].items():
        ledger = store.current(table).manifest["ledger"]
        if counts:
            read, published = counts
            assert (table, ledger["read"], ledger["published"]) == (table, read, published)
            assert ledger["read"] == ledger["published"] + ledger["quarantined"] + ledger["duplicates"]


def test_a_real_row_knows_its_file_and_its_place(received: tuple[str, Path, str]) -> None:
    name, data, _ = received
    store = Store(data / "store")
    serving = Serving(store)
    for table, counts in EXPECTED[name].items():
        if counts:
            row = serving.select(table, ["id", "_source", "_source_sha256", "_row"], limit=1)[0]
            assert row["_row"]
            assert len(row["_source_sha256"]) == 64
            assert (data / "raw" / row["_source"]).exists()


@pytest.mark.parametrize("received", ["photomesh"], indirect=True)
def test_the_mesh_is_served_whole(received: tuple[str, Path, str]) -> None:
    _, data, _ = received
    snapshot = Store(data / "store").current("photomesh")
    tileset = json.loads(snapshot.file("scene/tileset.json").read_text(encoding="utf-8"))
    assert tileset["asset"]["version"] == "1.0"
    assert sum(1 for f in snapshot.manifest["files"] if f.endswith(".b3dm")) == 8
