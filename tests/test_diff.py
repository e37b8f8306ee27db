"""Two versions compared: what was added, removed and changed, by field and by how far a shape moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import serving_fixture as village
from twin import duck
from twin.store import Store, diff

if TYPE_CHECKING:
    from pathlib import Path

VALUE = st.none() | st.text(alphabet="a张=+1", max_size=3)
PLACE = st.tuples(st.integers(0, 5), st.integers(0, 5))
AMOUNT = st.floats(allow_nan=True, allow_infinity=False, width=32).map(lambda x: x + 0.0)
"""Never −0, which is no other number than 0, so that no change leads from one to the other."""
ROW = st.tuples(VALUE, st.none() | AMOUNT, PLACE)
KEY = st.tuples(st.sampled_from([f"P{n}" for n in range(8)]), st.none() | st.sampled_from([2020, 2025]))
TABLE = st.dictionaries(KEY, ROW, max_size=10)


def _shape(place: tuple[int, int]) -> bytes:
    x, y = place
    return shapely.to_wkb(shapely.box(x, y, x + 1, y + 1))


def _values(row: tuple[Any, Any, tuple[int, int]]) -> dict[str, Any]:
    return {"name": row[0], "amount": row[1], "geometry": _shape(row[2])}


def _relation(connection: duck.Connection, name: str, table: dict[Any, Any]) -> str:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} (id VARCHAR, year INTEGER, name VARCHAR, amount DOUBLE, wkb BLOB)"
    )
    for (key, year), row in table.items():
        values = _values(row)
        connection.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?)", [key, year, *values.values()])
    return f"(SELECT * EXCLUDE (wkb), ST_GeomFromWKB(wkb) AS geom FROM {name})"


@pytest.fixture(scope="module")
def connection() -> Any:
    with duck.connect() as found:
        yield found


@given(before=TABLE, after=TABLE)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_differences_applied_to_the_old_version_give_the_new(connection: Any, before: Any, after: Any) -> None:
    was, has = _relation(connection, "before", before), _relation(connection, "after", after)
    sides = diff.Sides(was=was, has=has, columns=("id", "year", "name", "amount"), shape="geom", kind="polygon")
    with diff.Found(connection, sides) as found:
        changes = list(found.every(at_a_time=3))
        counts = found.counts()
        fields = found.by_field()
    old, new = ({k: _values(r) for k, r in t.items()} for t in (before, after))
    assert repr(sorted(diff.applied(old, changes).items(), key=repr)) == repr(sorted(new.items(), key=repr))
    assert counts == {h: sum(c.how == h for c in changes) for h in diff.HOWS}
    assert counts["added"] == len(new.keys() - old.keys())
    assert counts["removed"] == len(old.keys() - new.keys())
    same = [k for k in old.keys() & new.keys() if repr(old[k]) == repr(new[k])]
    assert counts["changed"] == len(old.keys() & new.keys()) - len(same)
    told = [n for c in changes if c.how == "changed" for n in c.after]
    assert fields == {n: told.count(n) for n in dict.fromkeys(told)}


def test_a_shape_that_moved_is_told_with_the_area_that_only_one_version_has(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [r for r in village.cover_rows() if r["year"] == 2025]
    village.publish(store, "cover", rows, kind="polygon")
    moved = [{**r, "wkt": village.square(0, -0.5)} if r["id"] == "P1" else r for r in rows if r["id"] != "P9"]
    village.publish(store, "cover", [*moved, {**rows[0], "id": "P10"}], kind="polygon")
    new, old = (store.at("cover", v.version) for v in store.versions("cover"))
    with duck.connect() as connection:
        sides, columns = diff.of_files(connection, old, new)
        with diff.Found(connection, sides) as found:
            told = {c.id: c for c in found.every()}
    assert columns == ()
    assert {c.id: c.how for c in told.values()} == {"P1": "changed", "P9": "removed", "P10": "added"}
    whole = told["P10"].after["area_m2"]
    assert told["P1"].moved == pytest.approx(whole, rel=0.01), "half a square left behind, half a square taken"
    assert set(told["P1"].after) <= {"geometry", "area_m2"}
    assert told["P9"].after == {}


def test_the_same_content_delivered_again_is_no_change(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for run in ("r1", "r2"):
        village.publish(store, "cover", village.cover_rows(), kind="polygon", run=run)
    new, old = (v.version for v in store.versions("cover"))
    found = store.diff("cover", old, new)
    assert (found.added, found.removed, found.changed, found.columns) == ((), (), (), ())
