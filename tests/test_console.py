"""The command `onemap`: what an administrator types, what it says, and how it ends."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests import recording
from tests.recording import SECRET, event
from twin import __main__ as onemap
from twin import console


@pytest.fixture(autouse=True)
def _house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DATA": tmp_path, "VILLAGE": tmp_path / "village", "SECRET": SECRET}.items():
        monkeypatch.setenv(f"ONEMAP_{name}", str(value))
    (tmp_path / "village").mkdir()


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Run a command in English; gives how it ended and what it said."""
    code = onemap.main([*map(str, words), "--lang", "en"])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_whole_record_is_said_to_be_whole_and_a_changed_one_by_place_and_kind(tmp_path: Path, capsys) -> None:
    recorded = recording.audit(tmp_path / "run")
    recorded.write(*map(event, range(9)))
    recorded._store.close()
    assert run(capsys, "audit", "verify") == (0, "The record is whole: 9 entries, the last is number 9\n")
    with sqlite3.connect(tmp_path / "run" / "ops.sqlite") as db:
        db.execute("UPDATE audit SET subject = 'nobody' WHERE seq = 4")
        db.execute("DELETE FROM audit WHERE seq = 7")
    code, said = run(capsys, "audit", "verify")
    assert code == 3
    assert said.splitlines() == [
        "The record was changed at entry 4: edited",
        "The record was changed at entry 7: deleted",
    ]


def test_an_export_is_recorded_checked_alone_and_is_a_witness_afterwards(tmp_path: Path, capsys) -> None:
    recorded = recording.audit(tmp_path / "run")
    recorded.write(*map(event, range(9)))
    path = tmp_path / "out.jsonl"
    assert run(capsys, "audit", "export", path)[0] == 0
    assert recorded.entries(limit=1)[0]["action"] == "audit.export"
    public = run(capsys, "audit", "key")[1].strip()
    assert run(capsys, "audit", "check", path, "--key", public)[0] == 0
    assert "compare the public key" in run(capsys, "audit", "check", path)[1]
    assert run(capsys, "audit", "verify", "--against", path)[0] == 0
    recorded._store.close()
    for file in [*(tmp_path / "run").glob("ops.sqlite*"), *(tmp_path / "run" / "audit").glob("*")]:
        file.unlink()
    recording.audit(tmp_path / "run").write(event(1))
    assert run(capsys, "audit", "verify")[0] == 0, "who takes everything away leaves a new record, for all it shows"
    code, said = run(capsys, "audit", "verify", "--against", path)
    assert (code, said.splitlines()[0]) == (3, "The record was changed at entry 2: cut off at the end")


def test_a_file_changed_after_its_export_ends_with_a_refusal(tmp_path: Path, capsys) -> None:
    recording.audit(tmp_path / "run").write(event(1))
    path = tmp_path / "out.jsonl"
    run(capsys, "audit", "export", path)
    path.write_bytes(path.read_bytes().replace(b"acc-1", b"acc-2"))
    code, said = run(capsys, "audit", "check", path)
    assert code == 1
    assert "do not rely on it" in said


def write_one(tmp_path: Path, number: int) -> None:
    recorded = recording.audit(tmp_path / "run")
    recorded.write(event(number))
    recorded._store.close()


def test_a_backup_and_its_restore_are_recorded(tmp_path: Path, capsys) -> None:
    write_one(tmp_path, 1)
    (tmp_path / "store").mkdir()
    assert run(capsys, "backup", tmp_path / "backups")[0] == 0
    made = next((tmp_path / "backups").glob("onemap-*"))
    assert run(capsys, "restore", made, "--check")[0] == 0
    write_one(tmp_path, 2)
    assert run(capsys, "restore", made)[0] == 1
    code, said = run(capsys, "restore", made, "--replace")
    assert code == 0, said
    assert "Entries 3 to 3 came after the backup and are lost" in said
    assert run(capsys, "audit", "verify")[0] == 0
    recorded = recording.audit(tmp_path / "run")
    assert [e["action"] for e in recorded.entries()] == ["restore", "audit.restore", "backup", "read"]


def test_fewer_than_six_months_are_refused(capsys) -> None:
    assert run(capsys, "audit", "archive", "--months", 5)[0] == 1
    assert run(capsys, "audit", "archive", "--months", 6) == (0, "There are no entries older than 6 months\n")


def test_a_store_that_a_newer_program_has_changed_is_replaced_by_a_backup_and_the_loss_is_said(
    tmp_path: Path, capsys
) -> None:
    recorded = recording.audit(tmp_path / "run")
    recorded.write(*map(event, range(3)))
    assert run(capsys, "backup", tmp_path / "backups")[0] == 0
    recorded.write(event(3), event(4))
    recorded._store.close()
    db = sqlite3.connect(tmp_path / "run" / "ops.sqlite", isolation_level=None)
    db.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    db.close()
    assert run(capsys, "audit", "verify")[0] == 1
    (made,) = (tmp_path / "backups").glob("onemap-*")
    code, said = run(capsys, "restore", made, "--replace")
    assert code == 0, said
    assert "Entries 5 to 6 came after the backup and are lost" in said
    assert run(capsys, "audit", "verify")[0] == 0


def test_without_a_secret_it_says_so(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEMAP_SECRET")
    monkeypatch.setenv("ONEMAP_DEMO", "0")
    code, said = run(capsys, "audit", "verify")
    assert code == 1
    assert "ONEMAP_SECRET" in said


def test_every_wording_is_in_both_languages_with_the_same_places() -> None:
    for zh, en in console.WORDS.values():
        assert zh != en
        assert {p.split("}")[0].split(":")[0] for p in zh.split("{")[1:]} == {
            p.split("}")[0].split(":")[0] for p in en.split("{")[1:]
        }
