"""What is true of the throw-away process: it is limited, shut in, dies alone, and says why in two languages."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tests
from etl import cage, fetch, sandbox
from etl.job import Job, from_json
from tests.reading import deliver, resource
from twin.errors import SourceError
from twin.model import Source


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "raw" / "a.csv"
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    return path


@pytest.fixture(params=["bubblewrap", "limits alone"])
def misbehaving(request, monkeypatch):
    """Run tests.misbehaving as the child, in both cages."""
    if request.param == "limits alone":
        monkeypatch.setattr(cage, "bubblewrap", lambda: None)
    elif cage.bubblewrap() is None:
        pytest.skip("bubblewrap is not installed, or the kernel does not let it work")
    monkeypatch.setattr(sandbox, "ENTRY", "tests.misbehaving")
    monkeypatch.setattr(cage, "PACKAGES", (*cage.PACKAGES, tests))
    return request.param


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize(
    ("reader", "limits", "zh", "en"),
    [
        ("segfault", {}, "意外退出", "died"),
        ("leave", {}, "意外退出", "died"),
        ("raise_", {}, "维护人员", "reader itself"),
        ("spin", {"cpu_seconds": 1}, "处理器时间", "CPU"),
        ("hog", {"memory_bytes": 1 << 30}, "内存上限", "memory limit"),
        ("sleep", {"silence_seconds": 0.5}, "没有进展", "no progress"),
        ("fill", {"written_bytes": 1 << 20}, "读取", "read"),
        ("open_many", {}, "读取", "read"),
        ("garbage", {}, "意外退出", "died"),
        ("liar", {}, "意外退出", "died"),
    ],
)
def test_a_reader_that_misbehaves_dies_alone_and_the_clerk_is_told(misbehaving, file, reader, limits, zh, en):
    before = children()
    with pytest.raises(SourceError) as refused:
        deliver(file, reader, "none", limits=sandbox.Limits(**limits))
    assert zh in refused.value.zh
    assert en in refused.value.en
    assert refused.value.where["file"] == "a.csv"
    assert children() == before


def test_what_a_library_prints_does_not_enter_the_stream(misbehaving, file):
    assert deliver(file, "chatty", "none").table.num_rows == 1


def test_a_parent_that_takes_its_time_is_no_silence_of_the_child(misbehaving, file):
    with sandbox.read(
        resource("slow", "none"), Source(location="a.csv"), file.parent, limits=sandbox.Limits(silence_seconds=8)
    ) as reading:
        batches = reading.batches()
        next(batches)
        time.sleep(8.5)
        assert sum(1 for _ in batches) == 2
    assert reading.report["rows"] == 300_000


def test_the_child_sees_its_own_files_and_its_limits_and_nothing_of_the_environment(
    misbehaving, file, monkeypatch, tmp_path
):
    monkeypatch.setenv("ONEMAP_TIANDITU_KEY", "secret-key")
    canary = tmp_path / "canary.txt"
    canary.write_text("canary")
    (file.parent / "other.csv").write_text("another department's")
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()[:2]
        outside = (canary, file, "/job/a.csv") if misbehaving == "bubblewrap" else ()
        part = "|".join(str(p) for p in (host, port, canary, file.parent / "other.csv", *outside))
        seen = deliver(file, "look", "none", part=part).report["notes"]
    assert "secret-key" not in str(seen["env"])
    assert {k for k in seen["env"] if k.startswith("ONEMAP")} == set()
    assert seen["limits"]["CPU"] == 28
    assert seen["limits"]["AS"] <= (2 << 30) + file.stat().st_size
    assert seen["limits"]["DATA"] <= (400 << 20) + 16 * file.stat().st_size
    assert seen["own"]
    assert seen["job"] == ["a.csv"]
    assert not seen["connects"]
    if misbehaving == "bubblewrap":
        assert (seen["canary"], seen["raw"], seen["passwd"]) == (False, False, False)
    assert seen["writes"] == []
    assert (file.read_text(), canary.read_text()) == ("a,b\n1,2\n", "canary")


def test_leaving_early_ends_the_child(misbehaving, file):
    before = children()
    with sandbox.read(resource("slow", "none"), Source(location="a.csv"), file.parent) as reading:
        next(iter(reading.batches()))
    assert children() == before


def test_many_readings_at_once_do_not_disturb_each_other(tmp_path):
    for i in range(6):
        (tmp_path / f"{i}.csv").write_text("a\n" + f"{i}\n" * (i + 1))
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda i: deliver(tmp_path / f"{i}.csv", "table", "none"), range(6)))
    assert [[r["a"] for r in g.rows] for g in got] == [[str(i)] * (i + 1) for i in range(6)]


def test_without_bubblewrap_the_same_rows_are_read(file, monkeypatch):
    caged = deliver(file, "table", "none").rows
    monkeypatch.setattr(cage, "bubblewrap", lambda: None)
    assert deliver(file, "table", "none").rows == caged


def test_a_job_survives_the_pipe():
    job = Job(reader="table", path="/job/甲.csv", name='a"\n', files=("甲.csv",), options={"totals": "合计|小计"})
    assert from_json(job.to_json()) == job
    assert "\n" not in job.to_json()


# fetching


def test_a_file_set_is_taken_whole_with_the_hashes_a_person_can_check(tmp_path):
    for suffix in ("shp", "SHX", "dbf", "prj", "txt"):
        (tmp_path / f"a.{suffix}").write_bytes(suffix.encode())
    files = fetch.fetch(Source(location="a.shp"), tmp_path)
    assert sorted(f.name for f in files.files) == ["a.SHX", "a.dbf", "a.prj", "a.shp"]
    assert files.files[0].name == "a.shp"
    assert files.files[0].sha256 == hashlib.sha256(b"shp").hexdigest()
    assert files.bytes == 12


@pytest.mark.parametrize(
    "location",
    [
        "../a.csv",
        "/etc/passwd",
        "x/../../a.csv",
        "link.csv",
        "pipe.csv",
        "none.csv",
        "/vsicurl/http://127.0.0.1/a.geojson",
        "PG:dbname=x",
        "empty",
    ],
)
def test_what_is_not_a_plain_file_below_raw_is_refused(tmp_path, location):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "empty").mkdir()
    (tmp_path / "a.csv").write_text("a\n1\n")
    (raw / "link.csv").symlink_to(tmp_path / "a.csv")
    os.mkfifo(raw / "pipe.csv")
    with pytest.raises(SourceError):
        fetch.fetch(Source(location=location), raw)


def test_a_link_inside_a_folder_is_refused(tmp_path):
    folder = tmp_path / "scene"
    folder.mkdir()
    (folder / "tileset.json").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match="links"):
        fetch.fetch(Source(location="scene"), tmp_path)


def test_a_file_still_being_uploaded_is_not_taken(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n")
    stop = threading.Event()

    def grow():
        while not stop.wait(0.02):
            with path.open("a") as file:
                file.write("1\n")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        with pytest.raises(SourceError, match="still changing"):
            fetch.fetch(Source(location="a.csv"), tmp_path, settle_seconds=0.3)
    finally:
        stop.set()
        thread.join()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "1\n" * 200_000)
    with sandbox.read(resource("table", "none"), Source(location="a.csv"), tmp_path) as reading:
        batches = reading.batches()
        next(batches)
        with path.open("a") as file:
            file.write("2\n")
        with pytest.raises(SourceError, match="still changing"):
            list(batches)
