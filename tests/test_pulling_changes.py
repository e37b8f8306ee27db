"""Services asked only for what changed: deletions are found by identity, late rows by the same, files by their tags."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.demo.servers import Town, poles, serving
from etl.fetch import transports
from etl.fetch.book import Book
from etl.fetch.connections import Connection, Open, Secrets
from etl.fetch.order import Order, Unchanged
from etl.schedule import worker
from tests import scheduling
from tests.pulling import Place, numbers
from twin import ops
from twin.model import Source
from twin.runs import asking, reading
from twin.store import Store

ITEMS = 'items = "data.list", total = "data.total"'
SOURCES = {
    "wfs": ("/wfs", 'part = "t:stand"\noptions = { size = "100" }'),
    "features": ("/oapif", 'part = "stand"\noptions = { size = "100" }'),
    "arcgis": ("/arcgis", 'part = "FeatureServer/0"\ncrs = "EPSG:4490"\noptions = { size = "100" }'),
    "json": (
        "/json",
        f'part = "offset"\nx = "lon"\ny = "lat"\ncrs = "EPSG:4490"\noptions = {{ {ITEMS}, paging = "offset", only = "fields" }}',
    ),
}


@pytest.fixture
def town() -> Iterator[tuple[Town, str]]:
    made = Town(rows=poles(230))
    with serving(made) as address:
        yield made, address


def layers(here: Place) -> dict[int, int]:
    """Give how many rows each layer of the newest pull brought."""
    room = here.settings.raw / "_pulled" / "pole" / "0"
    newest = max(room.glob("*/pull.json"), key=lambda p: p.stat().st_mtime_ns)
    found: dict[int, int] = {}
    for page in json.loads(newest.read_bytes())["pages"]:
        found[page["layer"]] = found.get(page["layer"], 0) + page["rows"]
    return found


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_only_what_changed_is_read_and_deletions_and_late_rows_are_found(
    tmp_path: Path, town: tuple[Town, str], kind: str
) -> None:
    path, source = SOURCES[kind]
    here = Place(tmp_path / kind, {"kind": kind, "address": town[1] + path}, source + '\nwatermark = "updated_at"')
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert (here.receive().status, layers(here)) == ("unchanged", {0: 230})
    rows = town[0].rows
    rows[3] |= {"名称": "改过的", "updated_at": "2025-11-21T09:00:00+08:00"}
    rows.append({**rows[-1], "id": "P00900", "number": 900, "updated_at": "2025-11-21T09:00:00+08:00"})
    del rows[10]
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert here.ids() == numbers(town[0])
    assert next(r["pole_name"] for r in here.rows() if r["id"] == "4") == "改过的"
    assert layers(here)[1] < 30, "what changed since, and the overlap"
    del rows[20]
    rows.append({**rows[0], "id": "P00901", "number": 901})
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert here.ids() == numbers(town[0])
    assert layers(here) == {0: 230}, "a row without a newer watermark makes it a whole reading"
    assert here.receive().status == "unchanged"


def test_what_is_gone_stays_gone_through_readings_and_may_come_back(tmp_path: Path, town: tuple[Town, str]) -> None:
    path, source = SOURCES["json"]
    here = Place(tmp_path / "v", {"kind": "json", "address": town[1] + path}, source + '\nwatermark = "updated_at"')
    here.receive()
    gone = town[0].rows.pop(7)
    assert here.receive().status == "published"
    town[0].rows[0] |= {"名称": "又改", "updated_at": "2025-11-21T10:00:00+08:00"}
    assert here.receive().status == "published"
    assert here.ids() == numbers(town[0])
    town[0].rows.append({**gone, "updated_at": "2025-11-21T11:00:00+08:00"})
    assert here.receive().status == "published"
    assert here.ids() == numbers(town[0])
    assert set(layers(here)) == {0, 1, 2, 3}


def asked(address: str, kind: str, part: str, folder: Path, validators: dict[str, str], **options: str) -> Book:
    """Read files of a connection into a folder, as a pull does."""
    folder.mkdir()
    connection = Connection(id="c", kind="s3" if kind == "s3" else "web", address=address, retry_seconds=0.01)
    to = Open(connection=connection, address=address, secrets=Secrets(user="AK", password="s"))
    order = Order(source=Source(location="x", part=part, options=options), validators=validators)
    book = Book(name="c", folder=folder)
    transports.read(to, order, book)
    return book


@pytest.mark.parametrize("stated", ["etag", "last-modified"])
def test_a_file_and_its_companions_come_again_together_or_not_at_all(
    tmp_path: Path, town: tuple[Town, str], stated: str
) -> None:
    names = ("a.shp", "a.shx", "a.dbf")
    town[0].files = {f"land/{name}": name.encode() for name in names}
    address, more = f"{town[1]}/files", {"companions": "shx dbf"}
    first = asked(address, "web", "land/a.shp", tmp_path / "1", {}, **more)
    known: dict[str, Any] = first.facts["validators"]
    assert {k.partition(" ")[2] for k in known} == set(names)
    if stated == "last-modified":
        town[0].tagless = True
    with pytest.raises(Unchanged):
        asked(
            address,
            "web",
            "land/a.shp",
            tmp_path / "2",
            {k: v for k, v in known.items() if k.startswith(stated)},
            **more,
        )
    town[0].files["land/a.dbf"], town[0].modified = b"changed", "Sat, 22 Nov 2025 02:00:00 GMT"
    again = asked(address, "web", "land/a.shp", tmp_path / "3", known, **more)
    assert {p.name for p in again.folder.iterdir()} == set(names)
    assert (again.folder / "a.dbf").read_bytes() == b"changed"


def test_a_folder_of_a_bucket_is_read_again_only_where_its_list_changed(tmp_path: Path, town: tuple[Town, str]) -> None:
    town[0].files = {f"day/{n}.json": b"%d" % n for n in range(3)}
    known = asked(f"{town[1]}/s3/b", "s3", "day/", tmp_path / "1", {}).facts["validators"]
    with pytest.raises(Unchanged):
        asked(f"{town[1]}/s3/b", "s3", "day/", tmp_path / "2", known)
    town[0].files["day/1.json"] = b"another"
    assert len(asked(f"{town[1]}/s3/b", "s3", "day/", tmp_path / "3", known).pages) == 3


def test_a_connection_is_asked_by_the_clock_and_when_somebody_asks(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    settings = scheduling.place(tmp_path, "cover")
    path = tmp_path / "catalog" / "01_d_cover.toml"
    text = path.read_text("utf-8").replace('cadence = "arrival"', 'cadence = "cron 0 * * * *"')
    path.write_text(
        text.replace("year = 2025", 'connection = "land"\npart = "day/cover.geojson"\nyear = 2025'), "utf-8"
    )
    (tmp_path / "connections.toml").write_text(
        f'[[connection]]\nid = "land"\nkind = "web"\naddress = "{town[1]}/files"\nretry_seconds = 0.02\n'
        'token_env = "H_LAND_TOKEN"\nauth = "bearer"\n'
    )
    lying = settings.raw / "cover" / "cover.geojson"
    town[0].files, town[0].token = {"day/cover.geojson": lying.read_bytes()}, "CANARY-of-the-land"
    lying.unlink()
    monkeypatch.setenv("H_LAND_TOKEN", town[0].token)
    me = scheduling.hand(settings)
    until_idle(me)
    with me.store.read() as connection:
        stands = reading.one(connection, "cover", ops.now())
        (tick,) = reading.ticks(connection, "cover")
    assert (stands.state, stands.rows, tick.reason.en) == ("fresh", 5, "")
    assert tick.why in ("cadence", "catchup"), "by the hour at which this is run"
    assert [q.partition("?")[0] for q in town[0].asked] == ["/files/day/cover.geojson"]
    with me.store.begin() as connection:
        asking.rerun(connection, "cover", by="a-1", why="再取一次", at=ops.now())
    until_idle(me)
    assert len(Store(settings.store).versions("cover")) == 1, "304: nothing new"
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert not [p for p in written if b"CANARY" in p.read_bytes()]


def until_idle(me: worker.Worker) -> None:
    until = time.monotonic() + 90
    while not (worker.turn(me) and set(scheduling.all_states(me.store).values()) <= {"done", "failed"}):
        assert time.monotonic() < until, scheduling.all_states(me.store)
