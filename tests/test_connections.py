"""The demo's own resources over their connections: the same tables as from files, and nothing secret anywhere."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import batch, catalog, ledger, run, tasks
from etl.demo import offered, playing, village
from etl.demo.defects import Planter
from etl.demo.departments import BY_HAND, declared
from etl.demo.servers import Town, serving
from etl.demo.village import Truth
from etl.fetch import connections
from etl.ledger import Report
from etl.schedule import crew
from tests.departments import ACCOUNT, PASSWORD, Say, mariadb, postgis
from twin import ops
from twin.model import Resource
from twin.runs import reading, standing, taking
from twin.settings import Settings
from twin.store import Store

__all__ = ["mariadb", "postgis"]
ROOT = Path(__file__).resolve().parents[1]
DECLARED = ROOT / "data"
FEW = (
    "land_consolidation", "relief_supplies", "house_registration", "care_home", "legal_adviser",
    "grain_zone", "collective_asset", "land_transfer", "school_bus_route",
    "pv_station", "weather_warning", "fire_alarm", "village_credit", "grain_store", "short_forecast",
    "water_quality_section",
)  # fmt: skip
"""Of every transport some: polygons, lines and points, three systems, a key that is empty, rows twice, axes exchanged."""
BAD = ("house_registration", "care_home", "short_forecast", "pv_station", "collective_asset", "village_credit")
"""Of those some whose transport takes a secret, each proved in another way."""
HOW = ("_run", "_source", "_source_sha256", "_row")
"""Columns that say how a row came, which is what differs."""


@functools.cache
def truth() -> Truth:
    return village.build()


def connected() -> list[Resource]:
    """Give the resources that come over connections and are small enough for a test."""
    every = catalog.read(DECLARED).resources
    return [r for r in every if any(s.connection for s in r.sources) and r.id not in BY_HAND]


@dataclasses.dataclass(kw_only=True)
class Both:
    """One village twice: what its files gave, and what its connections gave; what serves, and with which secrets."""

    resources: list[Resource]
    filed: Settings
    asked: Settings
    towns: dict[str, Town]
    variables: dict[str, str]

    def receive(self, settings: Settings, resources: Sequence[Resource]) -> dict[str, Report]:
        known = catalog.read(DECLARED)
        found = batch.run_all(resources, known, settings, accept=False, force=False, progress=lambda *_: None)
        return {r.resource: r for r in found}


@contextlib.contextmanager
def armed(variables: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@contextlib.contextmanager
def both(folder: Path, resources: list[Resource], pg: tuple[str, Say], my: tuple[str, Say]) -> Iterator[Both]:
    """Write the stand-ins of `resources`, load the databases with them and serve the rest."""
    filed = Settings(data=folder / "filed", village=DECLARED)
    asked = Settings(data=folder / "asked", village=DECLARED)
    declared.write(truth(), filed.raw, Planter(), resources)
    known = connections.read(DECLARED)
    variables: dict[str, str] = {}
    for one in known.values():
        if one.kind not in connections.DATABASES:
            continue
        (address, say), user = (pg, "postgres") if one.kind == "postgis" else (my, ACCOUNT)
        for _, source in offered.sources(resources, one.id):
            say(";\n".join(offered.statements(one.kind, source, filed.raw)))
        variables |= {one.address_env: address, one.user_env: user, one.password_env: PASSWORD}
    towns = offered.towns(resources, known, filed.raw, beginning="CANARY")
    with serving(towns) as address:
        variables |= offered.environment(known, towns, address)
        yield Both(resources=resources, filed=filed, asked=asked, towns=towns, variables=variables)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, postgis: tuple[str, Say], mariadb: tuple[str, Say]) -> Iterator[Both]:
    chosen = [r for r in connected() if r.id in FEW]
    with both(tmp_path_factory.mktemp("both"), chosen, postgis, mariadb) as made:
        yield made


def test_no_secret_is_written_or_said_anywhere_after_good_runs_and_bad_ones(
    few: Both, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bad = [r for r in few.resources if r.id in BAD]
    wrong = {n: f"CANARY-wrong-{n}" for n, v in few.variables.items() if v.startswith("CANARY")}
    wrong |= {"DEPT_ESTATE_POSTGIS_USER": "nobody_of_that_name"}  # the test's cluster asks for no password
    here = dataclasses.replace(few.asked, data=few.asked.data.with_name("told"))
    with armed(few.variables):
        assert {r.status for r in alone(here, bad)} == {"published"}
    with armed({**few.variables, **wrong}):
        refused = alone(here, bad)
    assert {r.status for r in refused} == {"refused"}, [(r.status, r.reason_en) for r in refused]
    for town in few.towns.values():
        town.misbehave("redirect", times=1)
    with armed(few.variables):
        assert {r.status for r in alone(here, [r for r in bad if r.id == "village_credit"])} == {"refused"}
    for town in few.towns.values():
        town.faults.clear()
    taken(here)
    written = [p for p in here.data.rglob("*") if p.is_file()]
    assert {"ledger.jsonl", "pull.json", "part.parquet", "ops.sqlite"} <= {p.name for p in written}
    assert not [p for p in written if b"CANARY" in p.read_bytes()]
    said = capfd.readouterr()
    assert "CANARY" not in said.out + said.err + caplog.text
    assert "CANARY" not in "".join(repr(r) for r in refused)


def alone(settings: Settings, resources: Sequence[Resource]) -> list[Report]:
    """Receive a few in this process."""
    known = catalog.read(DECLARED)
    return [run.run(r, known, settings) for r in resources]


def taken(settings: Settings) -> None:
    """Take the ledger up into the operational store: what the data page and its API show is made of that."""
    known = catalog.read(DECLARED)
    store, rules = crew.open_store(settings), crew.rules(settings, known)
    crew.declare(store, settings, known)
    with store.begin() as connection:
        taking.take_up(connection, ledger.path(settings.data), rules, clock=known.village.clock)
        standing.settle(connection, known.village.clock or ops.now())
        assert len(reading.runs(connection, BAD[0])) >= 1


def published(settings: Settings, resource: str) -> pa.Table:
    table = pq.read_table(Store(settings.store).current(resource).file("part.parquet"))
    return table.drop_columns([c for c in HOW if c in table.column_names]).sort_by("id").replace_schema_metadata()


def test_what_comes_over_a_connection_is_what_came_as_a_file(few: Both) -> None:
    assert {r.id for r in few.resources} == set(FEW)
    alike(few)


def alike(here: Both) -> None:
    """Receive everything both ways and compare tables, ledgers and provenance."""
    files = here.receive(here.filed, here.resources)
    with armed(here.variables):
        asked = here.receive(here.asked, here.resources)
    wrong = {n: (files[n].reason_en, r.status, r.reason_en) for n, r in asked.items() if r.status != "published"}
    assert not wrong
    for resource in here.resources:
        compare(here, resource, files[resource.id], asked[resource.id])


def compare(here: Both, resource: Resource, filed: Report, asked: Report) -> None:
    name = resource.id
    for what in ("counts", "rules", "warnings", "repairs"):
        assert getattr(filed, what) == getattr(asked, what), (name, what)
    first, second = published(here.filed, name), published(here.asked, name)
    assert first.schema == second.schema, name
    for column in first.column_names:
        assert first[column].to_pylist() == second[column].to_pylist(), (name, column)
    held = [tasks.quarantine(s).current(name).manifest["rows"] for s in (here.filed, here.asked)]
    assert held[0] == held[1], name
    tells(here.asked, resource)


def tells(settings: Settings, resource: Resource) -> None:
    """Hold the provenance of every row to the connection and to the row's own identity there."""
    rows = pq.read_table(Store(settings.store).current(resource.id).file("part.parquet")).to_pylist()
    (source,) = resource.sources
    assert {r["_source"] for r in rows} == {f"{source.connection}:{source.part}"}, resource.id
    kind = connections.read(DECLARED)[source.connection].kind
    if kind in connections.DATABASES:
        assert all(r["_row"].endswith(f"!{r['id']}") for r in rows), resource.id
    elif kind not in ("web", "s3"):
        assert len({r["_row"] for r in rows}) == len(rows), resource.id


@pytest.mark.soak
def test_all_that_comes_over_a_connection_is_what_came_as_a_file(
    tmp_path: Path, postgis: tuple[str, Say], mariadb: tuple[str, Say]
) -> None:
    every = connected()
    assert len(every) > 70
    with both(tmp_path, every, postgis, mariadb) as made:
        alike(made)


def test_the_demo_fills_databases_serves_the_rest_and_prints_what_arms_them(
    few: Both, postgis: tuple[str, Say], mariadb: tuple[str, Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    mariadb[1](
        "CREATE USER IF NOT EXISTS filler@'127.0.0.1' IDENTIFIED BY 'CANARY f'; GRANT ALL ON land.* TO filler@'127.0.0.1'"
    )
    addresses = {"postgis": postgis[0].replace("//", "//postgres@"), "mysql": mariadb[0].replace("//", "//filler@")}
    postgis[1]("TRUNCATE relief_supplies")
    mariadb[1]("TRUNCATE legal_adviser")
    monkeypatch.setenv("MYSQL_PWD", "CANARY f")
    lines = playing.play(few.resources, DECLARED, few.filed.raw, port=0, databases=addresses)
    told: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            break
        name, _, value = line.removeprefix("export ").partition("=")
        told[name] = value.strip('"')
    assert told.keys() == few.variables.keys() | {n for n in told if "_POSTGIS_" in n or "_MYSQL_" in n}
    assert told["DEPT_JUSTICE_MYSQL_PASSWORD"] == "$MYSQL_PWD"
    assert "CANARY" not in repr(told)
    asked = {name: value.replace("$MYSQL_PWD", "CANARY f").replace("$PGPASSWORD", "-") for name, value in told.items()}
    here = dataclasses.replace(few.asked, data=few.asked.data.with_name("played"))
    with armed(asked):
        found = alone(here, [r for r in few.resources if r.id in ("relief_supplies", "legal_adviser", "fire_alarm")])
    lines.close()
    assert [r.status for r in found] == ["published"] * 3, [r.reason_en for r in found]
