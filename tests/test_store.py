"""The store: versions, the pointer, damage, and rows for requests."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import mapbox_vector_tile
import pyarrow.parquet as pq
import pytest
import shapely

from tests import keeping
from twin.errors import BadRequest, NotFound, PublishConflict, StoreBroken
from twin.store import Serving, Store, archive, pyramid, quadgrid, snapshots

VALIDATOR = Path(sys.executable).with_name("geoparquet-validator")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


# versions


def test_what_was_published_is_current_with_its_manifest(store: Store) -> None:
    published = store.publish("pond", keeping.small("a"), version="r1")
    current = store.current("pond")
    assert current == published
    assert current.file("scene/tileset.json").read_text() == "a"
    assert current.manifest["table"] == "pond"
    assert current.manifest["parent"] is None
    assert set(current.manifest["files"]) == {"part.parquet", "scene/tileset.json"}
    assert store.tables() == ["pond"]


def test_a_second_version_names_its_parent_and_rollback_returns_to_it(store: Store) -> None:
    first = store.publish("pond", keeping.small("a"))
    second = store.publish("pond", keeping.small("b"))
    assert second.manifest["parent"] == first.version
    assert store.rollback("pond").version == first.version
    assert Store(store.root).current("pond").manifest["value"] == "a"
    with pytest.raises(NotFound):
        store.rollback("pond")


def test_no_more_than_so_many_versions_are_ever_kept_and_what_went_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "KEEP", 5)
    for n in range(7):
        store.publish("pond", keeping.small(str(n)), version=f"r{n}")
    assert [v.version for v in store.versions("pond")] == ["r6", "r5", "r4", "r3", "r2"]
    assert sorted(p.name for p in (store.root / "pond").glob("v=*")) == ["v=r2", "v=r3", "v=r4", "v=r5", "v=r6"]
    assert [(r.version, r.why) for r in store.removed("pond")] == [("r1", "collected"), ("r0", "collected")]


def test_as_of_gives_the_version_that_was_current_then(store: Store) -> None:
    store.publish("pond", keeping.small("a"))
    between = datetime.now(UTC)
    store.publish("pond", keeping.small("b"))
    assert store.as_of("pond", between).manifest["value"] == "a"
    assert store.as_of("pond", datetime.now(UTC)).manifest["value"] == "b"
    with pytest.raises(NotFound):
        store.as_of("pond", datetime(2000, 1, 1, tzinfo=UTC))


def test_unpublished_tables_and_wild_names_are_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.current("pond")
    for name in ("../pond", "Pond", "", "a/b", "_quarantine"):
        with pytest.raises(BadRequest):
            store.publish(name, keeping.small("a"))
    with pytest.raises(BadRequest):
        store.publish("pond", keeping.small("a"), version="../x")
    with pytest.raises(NotFound):
        store.publish("pond", keeping.small("a")).file("../../secret")


def test_the_later_of_two_overlapping_publishes_is_refused_and_leaves_nothing(store: Store) -> None:
    def slow(directory: Path) -> dict[str, str]:
        store.publish("pond", keeping.small("first"))
        return keeping.small("second")(directory)

    with pytest.raises(PublishConflict):
        store.publish("pond", slow)
    assert store.current("pond").manifest["value"] == "first"
    assert [p.name for p in (store.root / "pond").iterdir() if p.name.startswith(".tmp")] == []


def test_a_fill_that_fails_changes_nothing(store: Store) -> None:
    store.publish("pond", keeping.small("a"))

    def failing(directory: Path) -> dict[str, str]:
        keeping.small("b")(directory)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.publish("pond", failing)
    assert store.current("pond").manifest["value"] == "a"
    assert len(list((store.root / "pond").glob("v=*"))) == 1
    assert list((store.root / "pond").glob(".tmp*")) == []


# damage


def flip(path: Path, at: int = 5) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["part.parquet", "scene/tileset.json", "manifest.json"])
def test_a_damaged_version_is_not_served_and_the_good_one_before_it_is(store: Store, name: str) -> None:
    first = store.publish("pond", keeping.small("a"))
    second = store.publish("pond", keeping.small("b"))
    flip(second.path / name)
    for reader in (store, Store(store.root)):
        current = reader.current("pond")
        assert current.version == first.version
        assert name.rpartition("/")[2] in current.degraded
        assert [f.file for f in reader.faults()] == [name]
    assert [(f.version, f.file) for f in store.verify()] == [(second.version, name)]


def test_a_lost_file_is_damage(store: Store) -> None:
    first = store.publish("pond", keeping.small("a"))
    second = store.publish("pond", keeping.small("b"))
    (second.path / "part.parquet").unlink()
    assert store.current("pond").version == first.version


def test_when_nothing_good_is_left_it_is_said_and_a_publish_heals(store: Store) -> None:
    only = store.publish("pond", keeping.small("a"))
    flip(only.path / "part.parquet")
    with pytest.raises(StoreBroken) as broken:
        store.current("pond")
    assert "etl run" in broken.value.en
    assert store.publish("pond", keeping.small("b")).version == store.current("pond").version


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _gone(path: Path) -> None:
    path.unlink()


def _spaced(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _other(path: Path) -> None:
    path.write_text(json.dumps({"body": "{}", "sha256": ""}))


@pytest.mark.parametrize("mutate", [_empty, _zeroed, _cut, _gone, _spaced, _other, flip])
def test_a_damaged_pointer_costs_nothing_but_a_word(store: Store, mutate) -> None:
    store.publish("pond", keeping.small("a"))
    second = store.publish("pond", keeping.small("b"))
    mutate(store.root / "pond" / "current.json")
    current = Store(store.root).current("pond")
    assert current.version == second.version
    assert "current.json" in current.degraded
    store.publish("pond", keeping.small("c"))
    assert Store(store.root).current("pond").degraded == ""


def test_both_pointers_damaged_is_broken_until_the_next_publish(store: Store) -> None:
    store.publish("pond", keeping.small("a"))
    for name in ("current.json", "current.copy.json"):
        _cut(store.root / "pond" / name)
    with pytest.raises(StoreBroken):
        store.current("pond")
    assert {f.file for f in store.verify()} == {"current.json", "current.copy.json"}
    store.publish("pond", keeping.small("b"))
    assert Store(store.root).current("pond").manifest["value"] == "b"


# files


def test_the_parquet_is_conformant_geoparquet(store: Store) -> None:
    path = keeping.publish(store, n=300, years=(2020, 2025)).file("part.parquet")
    checked = subprocess.run([VALIDATOR, "check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert "FAIL" not in checked.stdout
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])["columns"]["geometry"]
    assert geo["crs"]["id"] == {"authority": "EPSG", "code": 4490}
    assert geo["geometry_types"] == ["Polygon"]
    column = pq.ParquetFile(path).schema.column(pq.ParquetFile(path).schema.names.index("geometry"))
    assert (column.physical_type, column.logical_type.type) == ("BYTE_ARRAY", "NONE"), (
        "older readers know no other type"
    )


def test_rows_lie_by_year_and_then_near_their_neighbours(store: Store) -> None:
    table = pq.read_table(keeping.publish(store, n=400, years=(2020, 2025)).file("part.parquet"))
    years = table["year"].to_pylist()
    assert years == sorted(years)
    x = [b["xmin"] for b in table["bbox"].to_pylist()[:400]]
    y = [b["ymin"] for b in table["bbox"].to_pylist()[:400]]
    step = [abs(a - b) + abs(c - d) for a, b, c, d in zip(x[1:], x, y[1:], y, strict=False)]
    assert sum(step) / len(step) < 2 * 2e-4


def test_a_table_without_geometry_is_kept_and_served(store: Store) -> None:
    from twin import duck
    from twin.store import copy, geoparquet

    def fill(directory: Path) -> dict[str, int]:
        with duck.connect() as c:
            c.execute("CREATE VIEW v AS SELECT i::VARCHAR AS id, 2020 + i AS year, i * 10 AS people FROM range(5) t(i)")
            facts = geoparquet.write(c, "v", directory / "part.parquet")
            copy.derive(c, directory / "part.parquet", directory)
        return {"rows": facts.rows}

    store.publish("population", fill)
    assert Serving(store).groups("population", "year", "people")[0] == {"year": 2024, "value": 40}


def test_the_serving_copy_is_in_web_metres_with_exteriors_clockwise(store: Store) -> None:
    keeping.publish(store)
    row = Serving(store).select("land_cover", ["geom", "xmin", "ymax"], [("id", "=", "P00000")])[0]
    polygon = shapely.from_wkb(bytes(row["geom"]))
    assert polygon.bounds[0] == pytest.approx(row["xmin"]) == pytest.approx(119.96 * 20037508.342789244 / 180)
    assert not shapely.is_ccw(polygon.exterior)


def test_the_difference_of_two_versions_is_by_key_and_content(store: Store) -> None:
    a = keeping.publish(store, n=100, value=1.0)
    b = keeping.publish(store, n=102, value=1.0)
    c = keeping.publish(store, n=102, value=2.0)
    assert store.diff("land_cover", a.version, b.version).added == (("P00100", 2025), ("P00101", 2025))
    assert store.diff("land_cover", b.version, a.version).removed == (("P00100", 2025), ("P00101", 2025))
    assert len(store.diff("land_cover", b.version, c.version).changed) == 102
    again = keeping.publish(store, n=102, value=2.0)
    same = store.diff("land_cover", c.version, again.version)
    assert (same.added, same.removed, same.changed, same.columns) == ((), (), (), ())


# rows for requests


@pytest.fixture
def serving(store: Store) -> Serving:
    keeping.publish(store, n=100, years=(2020, 2025))
    return Serving(store)


def test_rows_are_selected_by_bound_values(serving: Serving) -> None:
    rows = serving.select("land_cover", ["id", "year"], [("id", "in", ["P00003", "P00004"])], order_by=("-id", "year"))
    assert [(r["id"], r["year"]) for r in rows] == [
        ("P00004", 2020),
        ("P00004", 2025),
        ("P00003", 2020),
        ("P00003", 2025),
    ]
    assert serving.count("land_cover", [("id", "=", "' OR 1=1 --")]) == 0
    assert serving.count("land_cover", [("id", "like", "P0001%"), ("year", "=", 2020)]) == 10
    assert len(serving.select("land_cover", ["id"], order_by=("id",), limit=5, offset=198)) == 2


def test_a_bbox_takes_what_it_touches(serving: Serving) -> None:
    rows = serving.select("land_cover", ["id"], [("year", "=", 2025)], bbox=(119.96005, 30.53005, 119.96025, 30.53015))
    assert sorted(r["id"] for r in rows) == ["P00000", "P00001"]


def test_groups_come_largest_first(serving: Serving) -> None:
    groups = serving.groups("land_cover", "land_class", where=[("year", "=", 2025)])
    assert sum(g["value"] for g in groups) == 100
    assert [g["value"] for g in groups] == sorted((g["value"] for g in groups), reverse=True)
    assert serving.groups("land_cover", "year", "area_m2")[0]["value"] == pytest.approx(400)


def test_one_row_is_the_year_asked_or_the_latest(serving: Serving) -> None:
    assert serving.get("land_cover", "P00003")["year"] == 2025
    assert serving.get("land_cover", "P00003", 2020)["year"] == 2020
    with pytest.raises(NotFound):
        serving.get("land_cover", "P99999")


@pytest.mark.parametrize("column", ["no_such", 'id" --', "id; DROP TABLE features"])
def test_a_column_the_table_does_not_have_cannot_be_named(serving: Serving, column: str) -> None:
    for ask in (
        lambda: serving.select("land_cover", [column]),
        lambda: serving.count("land_cover", [(column, "=", 1)]),
        lambda: serving.groups("land_cover", column),
        lambda: serving.select("land_cover", ["id"], order_by=(column,)),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(BadRequest):
        serving.count("land_cover", [("id", "OR", 1)])


def test_readers_follow_a_publish_and_a_rollback_and_back(store: Store) -> None:
    keeping.publish(store, n=10)
    serving = Serving(store)
    assert serving.count("land_cover") == 10
    keeping.publish(store, n=20)
    assert serving.count("land_cover") == 20
    store.rollback("land_cover")
    assert serving.count("land_cover") == 10
    keeping.publish(store, n=30)
    assert serving.count("land_cover") == 30


def test_superseded_copies_are_let_go_after_the_grace_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.store.attached.GRACE_SECONDS", 0.0)
    serving = Serving(store)
    for n in range(1, 5):
        keeping.publish(store, n=n)
        assert serving.count("land_cover") == n
    connection, _ = serving.cursor("land_cover")
    attached = [r[0] for r in connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()]
    assert len([a for a in attached if a.startswith("land_cover")]) <= 2


def test_threads_read_while_versions_are_published(store: Store) -> None:
    keeping.publish(store, n=10)
    serving = Serving(store)
    seen: set[int] = set()
    wrong: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                seen.add(serving.count("land_cover"))
        except (duckdb.Error, NotFound, StoreBroken) as error:
            wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in (11, 12, 13, 14, 15, 16, 17):
        keeping.publish(store, n=n)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert seen <= set(range(10, 18))


# pre-cut tiles


def _decoded(snapshot, year: int | None, z: int):
    from pmtiles.reader import Reader, all_tiles

    data = snapshot.file(archive.file_name(year)).read_bytes()
    for (zoom, x, y), _ in all_tiles(Reader(lambda a, n: data[a : a + n]).get_bytes):
        if zoom == z:
            tile = pyramid.lookup(snapshot, year, z, x, y)
            yield from mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})["land_cover"]["features"]


@pytest.fixture
def large(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quadgrid, "LARGE", 500)
    return keeping.publish(store, n=2500, years=(2020, 2025))


@pytest.mark.parametrize("z", list(quadgrid.ZOOMS))
def test_low_zooms_keep_every_row_and_all_the_area(large, z: int) -> None:
    for year in (2020, 2025):
        features = list(_decoded(large, year, z))
        assert sum(f["properties"]["n"] for f in features) == 2500
        assert sum(f["properties"]["area_m2"] for f in features) == pytest.approx(10000, rel=1e-12)
        assert {f["properties"]["land_class"] for f in features} <= set(keeping.CLASSES)


def test_cells_are_wound_as_vector_tiles_ask(large) -> None:
    for feature in _decoded(large, 2025, 12):
        ring = shapely.LinearRing(feature["geometry"]["coordinates"][0])
        assert ring.is_ccw  # positive by the surveyor's formula with y down = outer ring


def test_zooms_that_were_not_cut_are_absent_and_empty_tiles_none(large, store: Store) -> None:
    assert pyramid.lookup(large, 2025, 18, 0, 0) is pyramid.ABSENT
    assert pyramid.lookup(large, 2025, 12, 0, 0) is None
    small = keeping.publish(store, n=100)
    assert pyramid.lookup(small, 2025, 12, 0, 0) is pyramid.ABSENT


def test_a_name_with_many_values_is_not_a_class_and_stays_out_of_the_cells(large) -> None:
    assert "parcel_id" not in next(_decoded(large, 2025, 10))["properties"]


def _holds_open(inode: int) -> bool:
    """Say whether this process has a file open, removed or not."""
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them is shut by now
            if os.fstat(int(path.name)).st_ino == inode:
                return True
    return False


def test_a_replaced_copy_is_let_go_after_the_grace_time_by_any_next_answer(tmp_path, monkeypatch) -> None:
    from twin.store import attached as room

    store = Store(tmp_path)
    keeping.publish(store, n=4)
    keeping.publish(store, "pond", n=4)
    served = Serving(store)
    assert (served.count("land_cover"), served.count("pond")) == (4, 4)
    version = store.versions("land_cover")[0].version
    old = store.at("land_cover", version).file("serving.duckdb").stat().st_ino
    store.change("land_cover", {version: functools.partial(keeping.fill, n=3)}, "erasure")
    assert served.count("land_cover") == 3

    assert _holds_open(old)
    clock = room.time.monotonic() + room.GRACE_SECONDS + 1
    monkeypatch.setattr(room.time, "monotonic", lambda: clock)
    assert served.count("pond") == 4
    assert not _holds_open(old)
    served.close()
