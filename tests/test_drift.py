"""Drift by name, the guards that hold a publish, and its approval: what was held is published, and nothing else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl import ledger
from etl.__main__ import main
from etl.demo.servers import Town, poles, serving
from etl.fetch import files
from tests.pulling import Place, numbers
from twin.errors import SourceError
from twin.model import Source

SOURCE = 'part = "json/all"\nx = "lon"\ny = "lat"\ncrs = "EPSG:4490"\noptions = { items = "data.list" }'


@pytest.fixture
def town() -> Iterator[tuple[Town, str]]:
    made = Town(rows=poles(120))
    with serving(made) as address:
        yield made, address


@pytest.fixture
def here(tmp_path: Path, town: tuple[Town, str]) -> Place:
    made = Place(tmp_path / "v", {"kind": "json", "address": town[1]}, SOURCE)
    assert made.receive().status == "published"
    return made


def change(town: tuple[Town, str], what: str) -> None:
    rows = town[0].rows
    if what == "unit":
        rows[:] = [{**r, "功率": r["功率"] / 1000} for r in rows]
    elif what == "type":
        rows[:] = [{**r, "功率": f"{r['功率']}瓦"} for r in rows]
    elif what == "renamed":
        rows[:] = [
            {"额定": r["功率"], "label": r["名称"], **{k: v for k, v in r.items() if k not in ("功率", "名称")}}
            for r in rows
        ]
    elif what == "fewer":
        del rows[60:]
    elif what == "extent":
        rows[0] |= {"lat": 30.54}


SAID = {
    "unit": "Power (功率) is 0.001 times what it was",
    "type": "“功率” of power:json/all went from number to string",
    "renamed": "perhaps renamed to “label”",
    "fewer": "60 rows, 50 % fewer than 120",
    "extent": "extent",
}


@pytest.mark.parametrize("what", sorted(SAID))
def test_a_drift_is_held_by_name_and_the_last_good_version_stays(
    here: Place, town: tuple[Town, str], what: str
) -> None:
    before = here.rows()
    change(town, what)
    report = here.receive()
    assert report.status == "held", (report.status, report.reason_en)
    assert SAID[what] in report.reason_en
    assert here.rows() == before


def test_what_was_held_is_published_once_approved_without_asking_again(
    here: Place, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(town, "fewer")
    held = here.receive()
    assert held.status == "held"
    asked, wanted = len(town[0].asked), numbers(town[0])
    town[0].rows.clear()
    monkeypatch.setenv("ONEMAP_DATA", str(here.settings.data))
    monkeypatch.setenv("ONEMAP_VILLAGE", str(here.folder))
    with pytest.raises(SystemExit):
        main(["approve", "pole"])
    assert main(["approve", "pole", "--reason", "路灯确已拆除"]) == 0
    assert here.ids() == wanted
    assert len(town[0].asked) == asked
    assert "路灯确已拆除" in ledger.path(here.settings.data).read_text("utf-8")
    assert main(["approve", "pole", "--reason", "再来一次"]) == 1
    capsys.readouterr()


def test_another_delivery_than_the_one_that_was_held_is_not_approved_with_it(
    here: Place, town: tuple[Town, str]
) -> None:
    from etl import catalog, run
    from etl.tasks import Errand

    known = catalog.read(here.folder)
    resource = known.resource("pole")
    assert resource is not None
    change(town, "fewer")
    assert here.receive().status == "held"
    report = run.run(resource, known, here.settings, errand=Errand(approved="0" * 64, why="x"))
    assert report.status == "held"


def test_pulls_that_no_version_names_are_removed_and_those_it_names_stay(here: Place, town: tuple[Town, str]) -> None:
    for number in range(3):
        town[0].rows[0]["名称"] = f"改{number}"
        assert here.receive().status == "published"
    room = here.settings.raw / "_pulled" / "pole" / "0"
    assert len([p for p in room.iterdir() if p.is_dir()]) == len(list((here.settings.store / "pole").glob("v=*")))


WRITER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    file.write(b"2,b\\n")
    print("written", flush=True)
    sys.stdin.readline()
    file.write(b"3,c\\n")
"""


def test_a_file_another_program_is_still_writing_is_not_taken_however_long_it_stalls(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"x,y\n1,a\n")
    os.utime(file, (1, 1))
    uploading = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert uploading.stdout is not None
    assert uploading.stdout.readline() == "written\n"
    os.utime(file, (1, 1))
    with pytest.raises(SourceError, match="still changing"):
        files.fetch(Source(location="a.csv"), tmp_path)
    uploading.communicate("\n")
    taken = files.fetch(Source(location="a.csv"), tmp_path)
    assert taken.sha256 == hashlib.sha256(b"x,y\n1,a\n2,b\n3,c\n").hexdigest()


def test_a_file_that_grows_or_is_an_upload_under_way_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x\n1\n")
    source = Source(location="a.csv")
    looks = iter([b"2\n", b""])

    def grow(_seconds: float) -> None:
        with file.open("ab") as more:
            more.write(next(looks, b""))

    with pytest.raises(SourceError, match="still changing"):
        files.fetch(source, tmp_path, pause=grow)
    assert files.fetch(source, tmp_path, pause=grow).sha256
    (tmp_path / "a.csv.part").write_text("")
    with pytest.raises(SourceError, match=r"a\.csv\.part"):
        files.fetch(source, tmp_path)
    (tmp_path / "a.csv.part").unlink()
    marked = Source(location="a.csv", options={"done": ".done"})
    with pytest.raises(SourceError, match=r"a\.csv\.done"):
        files.fetch(marked, tmp_path)
    (tmp_path / "a.csv.done").write_text("")
    assert files.fetch(marked, tmp_path).sha256
