"""Tables worked out from published ones: proved, built in order, only what is stale, and as strict as their inputs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl import catalog, run
from etl.derived import build, order
from etl.transforms import grids, reach
from tests import receiving
from tests.receiving import deliver, feature
from twin.errors import DeclarationError
from twin.policy import class_of
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[1]
HEAD = """
department = "land"
[[resource]]
id = "{id}"
code = "D"
title = {{ zh = "推算", en = "Worked out" }}
class_path = ["主题"]
abstract = {{ zh = "推算", en = "Worked out" }}
format = "Parquet"
reader = "derived"
transform = "indicators:village_indicators"
inputs = [{inputs}]
kind = "none"
key = "indicator_id"
about = "things"
share_type = "{share}"
share_condition = ""
share_method = ""
open_attr = "{open}"
update_cycle = "随输入更新"
cadence_seconds = 0
published = 2025-01-01
theme = "planning"
layers = []
[[resource.field]]
name = "indicator_id"
title = {{ zh = "标识", en = "Id" }}
type = "string"
source = "{source}"
sensitivity = "{sensitivity}"
required = true
"""


@cache
def committed() -> catalog.Catalog:
    return catalog.read(ROOT / "data")


def declared(root: Path, name: str = "sums", **more: str) -> Path:
    """Write a derived table of `cover` below `root`."""
    facts = {
        "id": name, "inputs": '"cover"', "share": "unconditional", "open": "开放", "source": "cover.parcel_id",
        "sensitivity": "public", **more,
    }  # fmt: skip
    folder = root / "derived"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(HEAD.format(**facts), "utf-8")
    return root


def faults(root: Path) -> str:
    with pytest.raises(DeclarationError) as caught:
        catalog.read(root)
    return caught.value.en


def personal(column: str, sensitivity: str) -> str:
    """Give the department's declaration with one column classed otherwise."""
    head, _, rest = receiving.DEPARTMENT.partition(f'name = "{column}"')
    return head + f'name = "{column}"' + rest.replace('sensitivity = "public"', f'sensitivity = "{sensitivity}"', 1)


def test_the_declared_tables_are_all_sound_and_each_is_answered_for() -> None:
    known = committed()
    assert {r.id for r in known.derived} >= {
        "buildings",
        "village_indicators",
        "service_reach",
        "grid_summary",
        "plan_fault",
    }
    assert not {r.id for r in known.derived} & {r.id for r in known.resources}
    assert {r.id for d in known.whole for r in d.resources} >= {r.id for r in known.derived}


def test_every_column_of_every_derived_table_is_classed_as_strictly_as_each_column_it_is_made_of() -> None:
    known = committed()
    order_of = ("public", "internal", "personal", "sensitive")
    checked = 0
    for table in known.derived:
        for item in table.fields:
            for text in item.source.split():
                name, _, column = text.partition(".")
                resource = known.resource(name)
                needed = class_of(resource, column)
                assert needed is not None, text
                assert order_of.index(item.sensitivity) >= order_of.index(needed), (table.id, item.name, text)
                checked += 1
    assert checked > 60


@pytest.mark.parametrize("sensitivity", ["internal", "personal", "sensitive"])
def test_a_column_classed_below_what_it_is_made_of_is_refused(tmp_path: Path, sensitivity: str) -> None:
    receiving.village(tmp_path, personal("land_class", sensitivity))
    declared(tmp_path, source="cover.land_class", sensitivity="public")
    assert f"classed below cover.land_class ({sensitivity})" in faults(tmp_path)


def test_a_table_shared_further_than_its_inputs_is_refused(tmp_path: Path) -> None:
    stricter = receiving.DEPARTMENT.replace('"unconditional"', '"conditional"').replace('"开放"', '"不开放"')
    receiving.village(tmp_path, stricter)
    declared(tmp_path)
    said = faults(tmp_path)
    assert "share_type is wider" in said
    assert "open_attr is wider" in said


def test_circles_and_inputs_that_are_not_there_are_refused(tmp_path: Path) -> None:
    receiving.village(tmp_path)
    declared(tmp_path, "one", inputs='"two"', source="two.indicator_id")
    declared(tmp_path, "two", inputs='"one"', source="one.indicator_id")
    assert "A circle: one → two → one" in faults(tmp_path)
    shutil.rmtree(tmp_path / "derived")
    declared(tmp_path, inputs='"nowhere"', source="nowhere.x")
    assert "There is no table nowhere" in faults(tmp_path)


def test_a_column_that_does_not_say_what_it_is_made_of_is_refused(tmp_path: Path) -> None:
    receiving.village(tmp_path)
    declared(tmp_path, source="")
    assert "does not say what it is made of" in faults(tmp_path)
    declared(tmp_path, source="cover.nothing")
    assert "cover.nothing is no column of an input" in faults(tmp_path)


def test_tables_are_built_after_what_they_are_made_of_and_only_those_a_change_concerns() -> None:
    known = committed()
    names = [r.id for r in order.ordered(known.derived)]
    assert names.index("buildings") < names.index("grid_summary")
    concerned = {r.id for r in order.downstream(known.derived, {"address_point"})}
    assert concerned == {"buildings", "service_reach", "grid_summary"}
    assert order.downstream(known.derived, {"aed"}) == []


@pytest.fixture
def place(tmp_path: Path):
    """Give (settings, catalogue, derived table) of a small village whose parcels are delivered."""
    receiving.village(tmp_path)
    declared(tmp_path)
    path = tmp_path / "derived" / "sums.toml"
    path.write_text(path.read_text("utf-8").replace("indicators:village_indicators", "testing_sums:sums"), "utf-8")
    return Settings(data=tmp_path, village=tmp_path)


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch):
    """Stand a function in for one of etl/transforms: parcels counted by class."""
    import sys
    import types

    from etl.derived.made import Made

    def count(given):
        rows = given.connection.execute(
            "SELECT land_class AS indicator_id, year FROM cover GROUP BY ALL ORDER BY 1"
        ).to_arrow_table()
        lineage = given.connection.execute(
            "SELECT land_class AS id, year, 'cover' AS input, id AS input_id, year AS input_year FROM cover"
        ).to_arrow_table()
        return Made(rows=rows, lineage=lineage)

    module = types.ModuleType("etl.transforms.testing_sums")
    module.sums = count
    monkeypatch.setitem(sys.modules, "etl.transforms.testing_sums", module)
    return module


def received(settings: Settings, count: int) -> None:
    deliver(settings.data, [feature(i) for i in range(count)])
    known = catalog.read(settings.village)
    assert run.run(known.resource("cover"), known, settings).status in ("published", "unchanged")


def test_a_table_is_built_from_named_versions_left_alone_and_built_again_when_an_input_changes(place, sums) -> None:
    received(place, 4)
    known = catalog.read(place.village)
    [table] = known.derived
    assert build.is_stale(table, known, place)
    first = run.run(table, known, place)
    assert (first.status, first.counts["published"]) == ("published", 1)
    manifest = Store(place.store).current("sums").manifest
    chain = Store(place.store).versions("cover")
    assert [(i["table"], i["version"], i["manifest_sha256"]) for i in manifest["inputs"]] == [
        ("cover", chain[0].version, chain[0].manifest_sha256)
    ]
    assert manifest["as_of"] == "2025-10-01"
    assert not build.is_stale(table, known, place)
    assert run.run(table, known, place).status == "unchanged"
    received(place, 6)
    assert build.is_stale(table, known, place)
    second = run.run(table, known, place)
    assert second.status == "published"
    assert second.version != first.version
    assert run.run(table, known, place, force=True).status == "published"


def test_every_row_names_the_rows_it_is_made_of(place, sums) -> None:
    received(place, 4)
    known = catalog.read(place.village)
    run.run(known.derived[0], known, place)
    snapshot = Store(place.store).current("sums")
    [row] = pq.ParquetFile(snapshot.file("part.parquet")).read().to_pylist()
    assert row["_row"] == "cover:P0@2025 cover:P1@2025 cover:P2@2025 cover:P3@2025"
    assert row["_source"] == f"cover/v={Store(place.store).current('cover').version}"
    lines = pq.ParquetFile(snapshot.file("lineage.parquet")).read().to_pylist()
    assert {(x["input"], x["input_id"], x["input_year"]) for x in lines} == {("cover", f"P{i}", 2025) for i in range(4)}


def test_rows_that_break_the_declaration_or_come_from_nowhere_publish_nothing(place, sums) -> None:
    from etl.derived.made import Made

    received(place, 4)
    known = catalog.read(place.village)
    sound = sums.sums
    sums.sums = lambda given: Made(rows=sound(given).rows, lineage=sound(given).lineage.slice(0, 0))
    lost = run.run(known.derived[0], known, place)
    assert lost.status == "failed"
    assert "do not say which rows" in lost.reason_en

    def twice(given):
        import pyarrow as pa

        made = sound(given)
        return Made(
            rows=pa.concat_tables([made.rows, made.rows.set_column(0, "indicator_id", pa.array([None], pa.string()))]),
            lineage=made.lineage,
        )

    sums.sums = twice
    broken = run.run(known.derived[0], known, place)
    assert broken.status == "failed"
    assert "break its declaration" in broken.reason_en
    assert "sums" not in Store(place.store).tables()


def test_an_input_that_was_never_published_leaves_the_table_waiting(place, sums) -> None:
    known = catalog.read(place.village)
    report = run.run(known.derived[0], known, place)
    assert (report.status, "cover" in report.reason_en) == ("never", True)


def rows_of(counts: list[int]) -> list[dict[str, object]]:
    return [{"grid_code": str(i), "n": c} for i, c in enumerate(counts)]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=14), st.integers(2, 10))
def test_no_count_under_the_least_is_told_nor_can_be_worked_out_from_the_whole(counts: list[int], least: int) -> None:
    told = grids.suppressed(rows_of(counts), ("n",), least)
    hidden = [c for c, r in zip(counts, told, strict=True) if r["n"] is None]
    for count, row in zip(counts, told, strict=True):
        assert row["n"] in (None, count)
        assert row["n"] is None or row["n"] >= least
        assert (row["n"] is None) == (row["withheld"] == ["n"])
    shown = any(r["n"] is not None for r in told)
    assert not hidden or not shown or (len(hidden) >= 2 and sum(hidden) >= least)


def test_a_count_that_was_never_given_is_not_called_withheld() -> None:
    told = grids.suppressed([{"grid_code": "a", "n": None}, {"grid_code": "b", "n": 30}], ("n",), 5)
    assert [(r["n"], r["withheld"]) for r in told] == [(None, []), (30, [])]


def test_roads_that_cross_or_nearly_meet_are_walked_through_and_others_are_not() -> None:
    lines = shapely.from_wkt(
        [
            "LINESTRING(0 0, 200 0)",
            "LINESTRING(100 -50, 100 50)",
            "LINESTRING(208 0, 300 0)",
            "LINESTRING(0 100, 200 100)",
        ]
    )
    streets = reach.network(np.asarray(lines))
    start = int(np.argmin(np.hypot(*(streets.nodes - [0, 0]).T)))
    far = streets.distances(start, 1_000, 0)

    def to(x: float, y: float) -> float:
        return float(far[np.argmin(np.hypot(*(streets.nodes - [x, y]).T))])

    assert to(200, 0) == pytest.approx(200, abs=0.5)
    assert to(100, 50) == pytest.approx(150, abs=0.5)
    assert to(300, 0) == pytest.approx(300, abs=1.0)
    assert np.isinf(to(0, 100))
    near = streets.distances(start, 120, 30)
    assert np.isfinite(near).sum() < np.isfinite(far).sum()
    assert near[np.isfinite(near)].max() <= 120


@given(st.floats(50, 900), st.floats(50, 900))
def test_a_longer_walk_reaches_all_a_shorter_one_does(a: float, b: float) -> None:
    grid = [shapely.LineString([(0, y), (600, y)]) for y in range(0, 601, 150)]
    grid += [shapely.LineString([(x, 0), (x, 600)]) for x in range(0, 601, 150)]
    streets = reach.network(np.asarray(grid, object))
    short, long = sorted((a, b))
    assert set(np.flatnonzero(np.isfinite(streets.distances(0, short, 0)))) <= set(
        np.flatnonzero(np.isfinite(streets.distances(0, long, 0)))
    )


def test_what_departments_disagree_about_in_a_building_is_shown_and_nobody_is_preferred() -> None:
    from etl.derived.made import Given
    from etl.transforms.buildings import buildings
    from twin import duck

    connection = duck.connect()
    connection.execute(
        """
        CREATE TABLE building AS SELECT * FROM (VALUES ('B1', 2025, '溪口1号', '住宅', '砖混', 2001, 'Z1', 3, 100.0),
          ('B2', 2025, '溪口2号', '住宅', '砖混', 2001, 'Z2', 2, 100.0), ('B3', 2020, '旧', '住宅', '', 1990, NULL, 1, 9.0))
          t(building_id, year, building_name, use_name, structure, built_year, homestead_id, storeys, area_m2);
        ALTER TABLE building ADD COLUMN geometry GEOMETRY; UPDATE building SET geometry = ST_Point(0, 0);
        ALTER TABLE building ADD COLUMN id VARCHAR; UPDATE building SET id = building_id;
        CREATE TABLE address_point AS SELECT 'A' || n AS id, NULL::INTEGER AS year, a AS address, b AS building_id FROM (VALUES
          (1, '某省小村溪口1号', 'B1'), (2, '某省小村溪口9号', 'B2')) t(n, a, b);
        CREATE TABLE house_survey AS SELECT b AS id, NULL::INTEGER AS year, b AS building_id, 'C' AS danger_grade,
          DATE '2025-01-01' AS surveyed_date, m AS dwelling_area_m2 FROM (VALUES ('B1', 200.0), ('B2', 201.0)) t(b, m);
        CREATE TABLE homestead AS SELECT z AS id, 2025 AS year, z AS parcel_id, a AS address FROM (VALUES
          ('Z1', '小村溪口1号'), ('Z2', '小村溪口2号')) t(z, a);
        """
    )
    known = committed()
    village = replace(known.village, name=replace(known.village.name, zh="小村"))
    made = buildings(Given(connection=connection, village=village, resource=known.resource("buildings"), folder=ROOT))
    first, second = made.rows.to_pylist()
    assert (first["storeys_housing"], first["storeys_survey"], first["conflict_count"]) == (3, 2, 1)
    assert first["conflicts"] == "层数:房屋调查 3,安全鉴定面积折算 2"
    assert (second["address_police"], second["address_registry"]) == ("某省小村溪口9号", "小村溪口2号")
    assert second["conflict_count"] == 1
    assert second["conflicts"].startswith("地址:")
    of = {(x["id"], x["input"], x["input_id"]) for x in made.lineage.to_pylist()}
    assert of >= {
        ("B1", "building", "B1"),
        ("B1", "house_survey", "B1"),
        ("B1", "address_point", "A1"),
        ("B1", "homestead", "Z1"),
    }
    connection.close()
