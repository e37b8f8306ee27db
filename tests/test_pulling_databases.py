"""Pulling from PostGIS and MariaDB: one snapshot, each key once, only what changed where there is a watermark."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from etl.fetch import database
from tests.departments import ACCOUNT, PASSWORD, Say, mariadb, postgis
from tests.pulling import Place

__all__ = ["mariadb", "postgis"]
PG = """
DROP TABLE IF EXISTS lamp;
CREATE TABLE lamp (number bigint PRIMARY KEY, "名称" text, "功率" numeric, updated_at timestamptz, geom geometry(Point, 4490));
INSERT INTO lamp SELECT n, '路灯' || n, n * 1.25, '2025-11-01 08:00+08'::timestamptz + n * interval '1 second',
  st_setsrid(st_makepoint(119.955 + n % 100 * 3e-4, 30.52 + n / 100 * 5e-4), 4490) FROM generate_series(1, 2500) n
"""
MY = """
DROP TABLE IF EXISTS lamp;
CREATE TABLE lamp (number bigint PRIMARY KEY, 名称 varchar(40), 功率 decimal(10,2), updated_at datetime, geom point);
INSERT INTO lamp SELECT seq, concat('路灯', seq), seq * 1.25, '2025-11-01 08:00' + INTERVAL seq SECOND,
  ST_GeomFromText(concat('POINT(', 119.955 + seq % 100 * 0.0003, ' ', 30.52 + seq DIV 100 * 0.0005, ')'), 4490)
  FROM seq_1_to_2500
"""
POINT = {
    "postgis": "st_setsrid(st_makepoint(119.96, 30.53), 4490)",
    "mysql": "ST_GeomFromText('POINT(119.96 30.53)', 4490)",
}


@pytest.fixture(params=["postgis", "mysql"])
def land(request: pytest.FixtureRequest) -> tuple[str, str, Say]:
    kind = request.param
    address, say = request.getfixturevalue("postgis" if kind == "postgis" else "mariadb")
    say(PG if kind == "postgis" else MY)
    return kind, address, say


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    parameters = getattr(request.node, "callspec", None)
    monkeypatch.setenv("H_USER", ACCOUNT if parameters and parameters.params.get("land") == "mysql" else "postgres")
    monkeypatch.setenv("H_PASSWORD", PASSWORD)


def place(
    tmp_path: Path, land: tuple[str, str, Say], more: str = "", monkeypatch: pytest.MonkeyPatch | None = None
) -> Place:
    connection = {"kind": land[0], "address": land[1], "user_env": "H_USER", "password_env": "H_PASSWORD"}
    return Place(tmp_path / "v", connection, f'part = "lamp"\n{more}')


def test_every_row_of_the_table_is_published_with_the_key_it_had(tmp_path: Path, land: tuple[str, str, Say]) -> None:
    here = place(tmp_path, land)
    report = here.receive()
    assert report.status == "published", report.reason_en
    rows = here.rows()
    assert {r["id"] for r in rows} == {str(n) for n in range(1, 2501)}
    seventh = next(r for r in rows if r["id"] == "7")
    assert (seventh["power_w"], seventh["pole_name"], seventh["_row"]) == (8.75, "路灯7", "lamp!7")
    assert abs(seventh["bbox"]["xmin"] - 119.9571) < 1e-6
    assert here.receive().status == "unchanged"


def test_only_what_changed_is_read_and_deletions_and_late_rows_are_found(
    tmp_path: Path, land: tuple[str, str, Say]
) -> None:
    kind, _, say = land
    here = place(tmp_path, land, 'watermark = "updated_at"')
    assert here.receive().status == "published"
    say(
        "UPDATE lamp SET 名称 = '新', updated_at = '2025-11-02 09:00' WHERE number = 3; DELETE FROM lamp WHERE number = 5"
    )
    say(f"INSERT INTO lamp VALUES (9001, '迟到', 1, '2025-01-01 00:00', {POINT[kind]})")
    say(f"INSERT INTO lamp VALUES (9002, '新到', 1, '2025-11-02 09:00', {POINT[kind]})")
    assert here.receive().status == "published"
    rows = {r["id"]: r["pole_name"] for r in here.rows()}
    assert rows.keys() == {str(n) for n in range(1, 2501)} - {"5"} | {"9001", "9002"}
    assert (rows["3"], rows["9001"]) == ("新", "迟到")
    say("UPDATE lamp SET 名称 = '再新', updated_at = '2025-11-02 10:00' WHERE number = 4")
    assert here.receive().status == "published"
    assert {r["id"]: r["pole_name"] for r in here.rows()}["4"] == "再新"


def test_a_reading_that_was_not_published_is_read_again(
    tmp_path: Path, land: tuple[str, str, Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, land, 'watermark = "updated_at"')
    assert here.receive().status == "published"
    land[2]("UPDATE lamp SET 名称 = '新', updated_at = '2025-12-02 09:00' WHERE number = 3")
    monkeypatch.setattr("etl.publishing.fill_table", lambda *_: (_ for _ in ()).throw(MemoryError("killed")))
    assert here.receive().status == "failed"
    monkeypatch.undo()
    monkeypatch.setenv("H_PASSWORD", PASSWORD)
    monkeypatch.setenv("H_USER", ACCOUNT if land[0] == "mysql" else "postgres")
    assert here.receive().status == "published"
    assert {r["id"]: r["pole_name"] for r in here.rows()}["3"] == "新"


def test_rows_that_come_and_go_while_it_is_read_leave_one_whole_state(
    tmp_path: Path, land: tuple[str, str, Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _, say = land
    here = place(tmp_path, land)
    copied = database._copy

    change = f"DELETE FROM lamp WHERE number < 50; INSERT INTO lamp VALUES (9003, '后', 1, NULL, {POINT[kind]})"
    left = [change]

    def disturbed(*given: object) -> None:
        copied(*given)
        while left:
            other = threading.Thread(target=say, args=(left.pop(),))
            other.start()
            other.join()

    monkeypatch.setattr(database, "_copy", disturbed)
    found = set(here.pulled())
    before, after = {str(n) for n in range(1, 2501)}, {str(n) for n in range(50, 2501)} | {"9003"}
    assert found == (
        before if kind == "postgis" else after
    )  # a snapshot there; here a change is seen and it is read again
    assert len(here.kept()) == 1


def test_rows_the_reading_lost_are_named(
    tmp_path: Path, land: tuple[str, str, Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, land)
    copied = database._copy
    monkeypatch.setattr(database, "_copy", lambda a, t, p, c="": copied(a, t, p, " WHERE number <> 77"))
    said = here.refusal()
    assert "missing 77" in said
    assert here.kept() == []


def test_no_password_stands_in_what_is_said_or_written(
    tmp_path: Path, land: tuple[str, str, Say], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here = place(tmp_path, land)
    assert here.receive().status == "published"
    said = []
    for change in (
        {"address": land[1] + "x"},
        {"address": "postgresql://127.0.0.1:9/none" if land[0] == "postgis" else "mysql://127.0.0.1:9/x"},
    ):
        here.connect(**change)
        said.append(here.refusal(whole=True))
    here.connect(address=land[1])
    here.declare('part = "no_such"')
    said.append(here.refusal(whole=True))
    assert not [s for s in said if "CANARY" in s]
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()]
    assert "CANARY" not in "".join(capfd.readouterr())


def test_two_systems_in_one_column_are_refused(tmp_path: Path, postgis: tuple[str, Say]) -> None:
    postgis[1](PG.replace("geometry(Point, 4490)", "geometry"))
    postgis[1]("UPDATE lamp SET geom = st_setsrid(geom, 4549) WHERE number = 9")
    assert "4490、4549" in place(tmp_path, ("postgis", *postgis)).refusal()
