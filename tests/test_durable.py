"""Files that survive: what durable promises, on a real file system."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin import durable
from twin.errors import PublishConflict


def test_a_written_file_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "pointer"
    durable.swap(target, b"old" * 1000)
    durable.swap(target, b"new")
    assert target.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["pointer"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "pointer"
    durable.write(target, b"old")

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        durable.write(target, b"new")
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_committed_folder_is_never_replaced(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError):
        durable.commit_directory(tmp_path / "a", tmp_path / "b")


def test_commit_forces_every_file_and_folder_before_the_rename_and_the_parent_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s" / "deep").mkdir(parents=True)
    for name in ("s/a", "s/deep/b"):
        (tmp_path / name).write_bytes(b"x")
    seen: list[tuple[str, bool]] = []
    real = os.fsync

    def recorded(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append((str(path.relative_to(tmp_path)), (tmp_path / "final").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    durable.commit_directory(tmp_path / "s", tmp_path / "final")
    assert {n for n, after in seen if not after} == {"s/a", "s/deep", "s/deep/b", "s"}
    assert [n for n, after in seen if after] == ["."]


def test_an_appended_line_closes_a_torn_one_first(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    durable.append_line(ledger, '{"n": 1}')
    with ledger.open("ab") as file:
        file.write(b'{"n": 2')
    durable.append_line(ledger, '{"n": 3}')
    assert ledger.read_text().splitlines() == ['{"n": 1}', '{"n": 2', '{"n": 3}']


def test_lines_of_many_processes_stay_whole(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    code = (
        "import sys, pathlib\nfrom twin import durable\n"
        "for i in range(40): durable.append_line(pathlib.Path(sys.argv[1]), sys.argv[2] * 500)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(ledger), letter]) for letter in "abc"]
    assert [p.wait() for p in running] == [0, 0, 0]
    lines = ledger.read_text().splitlines()
    assert sorted(set(lines)) == ["a" * 500, "b" * 500, "c" * 500]
    assert len(lines) == 120


def test_a_lock_names_who_holds_it_and_waits_no_longer_than_told(tmp_path: Path) -> None:
    refused = pytest.raises(PublishConflict, match=str(os.getpid()))
    with durable.lock(tmp_path / ".lock"), refused, durable.lock(tmp_path / ".lock", seconds=0.1):
        pass
    with durable.lock(tmp_path / ".lock", seconds=0.1):
        pass


def test_sweep_removes_what_the_dead_left_and_spares_the_living(tmp_path: Path) -> None:
    dead = tmp_path / f"{durable.TEMPORARY}1-dead"
    dead.mkdir()
    (dead / "half").write_bytes(b"x")
    (tmp_path / f"{durable.TEMPORARY}1-pointer").write_bytes(b"x")
    (tmp_path / "kept").write_bytes(b"x")
    with durable.staging(tmp_path) as alive:
        removed = durable.sweep(tmp_path)
        assert alive.is_dir()
        assert removed == [f"{durable.TEMPORARY}1-dead", f"{durable.TEMPORARY}1-pointer"]
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_a_staging_folder_is_locked_while_its_writer_lives(tmp_path: Path) -> None:
    with durable.staging(tmp_path) as path:
        descriptor = os.open(path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
    assert not path.exists()


def test_made_directories_exist_with_their_parents(tmp_path: Path) -> None:
    durable.make_directory(tmp_path / "a" / "b" / "c")
    durable.make_directory(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
