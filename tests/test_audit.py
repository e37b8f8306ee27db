"""The record: what is written stands, what is changed is found, what is personal never enters."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import recording
from tests.recording import SECRET, WRITER, event
from twin import ops
from twin.audit import Audit, anchors, check
from twin.errors import BadRequest, SettingError, SourceError, StoreBroken

FRESH = "another-house-secret-0123456789-abcdef"


def plain(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Give a record of 24 entries."""
    return written(folder, 24)


def long_lived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Give a record whose first eight entries are archived and whose secret was changed since."""
    with monkeypatch.context() as clock:
        clock.setattr(ops, "now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
        recorded = written(folder, 8)
        clock.setattr(ops, "now", lambda: datetime(2026, 10, 1, tzinfo=UTC))
        recorded.write(*map(event, range(6)))
        recorded.archive(before=datetime(2026, 2, 1, tzinfo=UTC))
        recorded._store.close()
    recorded = recording.audit(folder, FRESH, older=(SECRET,))
    recorded.write(*map(event, range(8)))
    return recorded


@pytest.mark.parametrize(("made", "rounds"), [(plain, 3000), (long_lived, 1200)])
def test_every_one_of_thousands_of_random_changes_is_found_at_its_place_and_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made, rounds: int
) -> None:
    recorded = made(tmp_path, monkeypatch)
    assert recorded.verify() == []
    first, last = recorded.entries(limit=100)[-1]["seq"], recorded.reached()
    recorded._store.close()
    whole = sqlite3.connect(":memory:")
    disk = sqlite3.connect(tmp_path / "ops.sqlite", isolation_level=None)
    disk.execute("PRAGMA synchronous=OFF")
    disk.backup(whole)
    chance, missed, tried = recording.Chance(8), [], Counter()
    chance.first = first
    for turn in range(rounds):
        way = recording.WAYS[turn % len(recording.WAYS)]
        disk.execute("BEGIN")
        broken = way(disk, chance, last)
        disk.execute("COMMIT")
        faults = recorded.verify()
        tried[way.__name__] += 1
        if not faults or faults[0].seq != broken.seq or faults[0].kind not in broken.kinds:
            missed.append((broken, faults[:2]))
        whole.backup(disk)
    assert [f"{broken} told as {faults}" for broken, faults in missed[:9]] == []
    assert min(tried.values()) >= rounds // len(recording.WAYS)
    assert recorded.verify() == []


def cut(folder: Path, *statements: str) -> None:
    """Do to the record's database what somebody with access to the file can do."""
    with sqlite3.connect(folder / "ops.sqlite") as db:
        for statement in statements:
            db.execute(statement)
    db.close()


TO_A_CONSISTENT_PREFIX = (
    "DELETE FROM audit WHERE seq > 7",
    "UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit WHERE seq = 7)",
)


def written(folder: Path, count: int = 10) -> Audit:
    recorded = recording.audit(folder)
    for number in range(count):
        recorded.write(event(number))
    return recorded


def told(recorded: Audit) -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in recorded.verify()]


# the same on both databases


def test_what_is_written_stands_in_order_with_who_what_when_why_and_from_where(store: ops.Ops, tmp_path: Path) -> None:
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    assert recorded.write(event(1)) == 1
    assert recorded.write(event(2), event(3, outcome="refused")) == 3
    newest = recorded.entries(limit=1)[0]
    assert newest["seq"] == 3
    assert (newest["subject"], newest["role"], newest["via"]) == ("acc-3", "official", "session")
    assert (newest["action"], newest["resource"], newest["outcome"]) == ("read", "homestead:ZD-0003", "refused")
    assert (newest["purpose"], newest["address"], newest["detail"]) == ("核对面积", "10.0.0.7", '{"rows":3}')
    assert newest["at"].endswith("Z")
    assert [e["seq"] for e in recorded.entries(before=3, subject="acc-1")] == [1]
    assert recorded.verify() == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET purpose = 'other' WHERE seq = 4", (4, "edited")),
        ("UPDATE audit SET detail = '{\"rows\": 3}' WHERE seq = 4", (4, "edited")),
        ("DELETE FROM audit WHERE seq = 4", (4, "deleted")),
        ("DELETE FROM audit WHERE seq > 4", (5, "truncated")),
        ("UPDATE audit SET seq = 44 WHERE seq = 4", (4, "reordered")),
        (f"INSERT INTO audit SELECT 11, {', '.join(recording.COLUMNS[1:])} FROM audit WHERE seq = 10", (11, "inserted")),
        ("DELETE FROM audit_head", (10, "deleted")),
    ],
)  # fmt: skip
def test_a_change_is_told_on_both_databases(
    store: ops.Ops, tmp_path: Path, statement: str, found: tuple[int, str]
) -> None:
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    recorded.write(*map(event, range(10)))
    with store.begin() as connection:
        connection.execute(ops.text(statement.replace(":", "\\:")))
    assert told(recorded)[0] == found


def test_what_is_done_and_its_record_stand_or_fall_together(store: ops.Ops, tmp_path: Path) -> None:
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    row = {"setting": "grants", "version": 1, "at": ops.now(), "account_id": "a", "sha256": "", "content": "", "id": 1}
    with recorded.doing(event(1)) as connection:
        connection.execute(ops.tables.setting_change.insert(), row)
    with pytest.raises(ops.Taken), recorded.doing(event(2)) as connection:
        connection.execute(ops.tables.setting_change.insert(), row)
    with pytest.raises(BadRequest), recorded.doing(event(2, detail={"phone": "13800138000"})) as connection:
        connection.execute(ops.tables.setting_change.delete())
    assert recorded.write(event(3)) == 2
    assert [e["subject"] for e in recorded.entries()] == ["acc-3", "acc-1"]
    with store.read() as connection:
        assert len(connection.execute(ops.tables.setting_change.select()).all()) == 1
    assert recorded.verify() == []


def test_many_threads_share_commits_and_each_returns_with_its_own_entry_kept(store: ops.Ops, tmp_path: Path) -> None:
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")

    def ten(worker: int) -> list[tuple[int, str]]:
        return [(recorded.write(event(n, resource=f"w{worker}:{n}")), f"w{worker}:{n}") for n in range(10)]

    with ThreadPoolExecutor(20) as pool:
        kept = dict(pair for pairs in pool.map(ten, range(20)) for pair in pairs)
    rows = recorded.entries(limit=500)
    assert {row["seq"]: row["resource"] for row in rows} == kept
    assert sorted(kept) == list(range(1, 201))
    assert len({row["at"] for row in rows}) < 150, "one commit keeps the events of several"
    assert recorded.verify() == []


def test_writers_in_several_processes_make_one_chain(url: str, store: ops.Ops, tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, url, str(tmp_path), "30"]) for _ in range(3)]
    assert [p.wait(timeout=120) for p in running] == [0, 0, 0]
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    assert [row["seq"] for row in recorded.entries(limit=500)] == list(range(90, 0, -1))
    assert recorded.verify() == []


# anchors


def test_a_record_cut_to_an_older_consistent_prefix_is_found(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    cut(tmp_path, *TO_A_CONSISTENT_PREFIX)
    assert told(recorded) == [(8, "truncated"), (9, "truncated"), (10, "truncated")]


def test_a_cut_record_that_was_written_on_stays_found(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    cut(tmp_path, *TO_A_CONSISTENT_PREFIX)
    for number in range(20):
        recorded.write(event(number))
    assert told(recorded)[0] == (8, "truncated")
    assert told(recording.audit(tmp_path))[0] == (8, "truncated")


def test_a_cut_that_was_grown_over_inside_other_transactions_stays_found(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    cut(tmp_path, *TO_A_CONSISTENT_PREFIX)
    with recorded.doing(*map(event, range(9))):
        pass
    recorded.write(event(1))
    assert told(recorded)[0] == (8, "truncated")


@pytest.mark.parametrize(("damage", "note"), [(Path.unlink, "missing"), (lambda p: p.write_bytes(b"{}"), "damaged")])
def test_an_anchor_that_is_gone_or_damaged_is_told_and_stays_told(tmp_path: Path, damage, note: str) -> None:
    recorded = written(tmp_path)
    damage(tmp_path / "audit" / "head.anchor")
    assert [(f.seq, f.kind, f.note) for f in recorded.verify()] == [(10, "anchor", note)]
    recorded.write(event(11))
    assert told(recorded) == [(11, "anchor")]
    assert recorded.entries(action="audit.anchor")[0]["outcome"] == note


def test_the_log_of_anchors_finds_a_cut_when_the_newest_anchor_was_put_back_too(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    old = (tmp_path / "audit" / "head.anchor").read_bytes()
    cut(tmp_path, "PRAGMA wal_checkpoint(TRUNCATE)")
    copied = (tmp_path / "ops.sqlite").read_bytes()
    recorded.write(*(event(n) for n in range(anchors.EVERY)))
    recorded._store.close()
    (tmp_path / "ops.sqlite").write_bytes(copied)
    (tmp_path / "audit" / "head.anchor").write_bytes(old)
    assert told(recorded)[0] == (11, "truncated")


def test_an_anchor_cannot_be_written_by_who_does_not_have_the_secret(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    path = tmp_path / "audit" / "head.anchor"
    path.write_bytes(path.read_bytes().replace(b'"seq":10', b'"seq":07').replace(b'"seq":07', b'"seq":7 '))
    assert told(recorded) == [(10, "anchor")]


def test_a_record_brought_back_from_a_backup_says_which_entries_were_lost_and_is_whole(tmp_path: Path) -> None:
    recorded = written(tmp_path)
    cut(tmp_path, *TO_A_CONSISTENT_PREFIX)
    assert recorded.restored(lost_to=10) == 8
    recorded.write(event(1))
    assert recorded.verify() == []
    assert recorded.entries(action="audit.restore")[0]["detail"] == '{"kept_to":7,"lost_to":10}'


def test_entries_of_two_histories_under_one_secret_do_not_make_one(tmp_path: Path) -> None:
    written(tmp_path / "one", 9)
    other = written(tmp_path / "two", 7)
    other.write(event(70), event(71))
    cut(
        tmp_path / "one",
        f"ATTACH '{tmp_path / 'two' / 'ops.sqlite'}' AS two",
        "DELETE FROM audit WHERE seq = 9",
        "INSERT INTO audit SELECT * FROM two.audit WHERE seq = 9",
    )
    assert told(recording.audit(tmp_path / "one"))[0] == (9, "inserted")


# keys


def test_entries_of_an_older_secret_are_checked_with_it_and_are_strange_without(tmp_path: Path) -> None:
    written(tmp_path, 3)
    recorded = recording.audit(tmp_path, FRESH, older=(SECRET,))
    recorded.write(event(4))
    assert recorded.verify() == []
    assert told(recording.audit(tmp_path, FRESH))[0] == (1, "unknown_key")


def test_an_older_secret_that_leaked_adds_nothing_to_the_record(tmp_path: Path) -> None:
    written(tmp_path, 3)
    recording.audit(tmp_path, FRESH, older=(SECRET,)).write(event(4))
    recording.audit(tmp_path, SECRET, older=(FRESH,)).write(event(5))
    assert told(recording.audit(tmp_path, FRESH, older=(SECRET,)))[0] == (5, "inserted")


def test_without_a_secret_there_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="ONEMAP_SECRET"):
        recording.audit(tmp_path, "")


# handing out


def test_an_export_is_checked_without_the_record_and_any_changed_byte_is_found(tmp_path: Path) -> None:
    recorded = written(tmp_path, 3)
    path = tmp_path / "out" / "record.jsonl"
    made = recorded.export(path)
    assert check(path, public_key=recorded.public_key) == made
    assert (made.first, made.last, made.count) == (1, 3, 3)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(SourceError):
            check(path, public_key=recorded.public_key)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place])
        with pytest.raises(SourceError):
            check(path)


def test_an_export_signed_by_another_house_is_refused(tmp_path: Path) -> None:
    made = written(tmp_path, 3).export(tmp_path / "record.jsonl")
    other = recording.audit(tmp_path / "other", FRESH)
    with pytest.raises(SourceError, match="another key"):
        check(made.path, public_key=other.public_key)


def test_entries_from_seven_months_ago_move_to_a_signed_file_and_the_chain_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    recorded = recording.audit(tmp_path)
    for month in range(1, 11):
        monkeypatch.setattr(ops, "now", lambda month=month: datetime(2026, month, 15, tzinfo=UTC))
        recorded.write(*map(event, range(4)))
    monkeypatch.setattr(ops, "now", lambda: today)
    moved = recorded.archive(before=datetime(2026, 3, 1, tzinfo=UTC))
    assert (moved.first, moved.last) == (1, 8)
    assert check(moved.path, public_key=recorded.public_key) == moved
    assert recorded.verify() == []
    again = recorded.archive(before=datetime(2026, 5, 1, tzinfo=UTC))
    assert (again.first, again.last) == (9, 16)
    assert recorded.verify() == []
    assert recorded.archive(before=datetime(2026, 5, 1, tzinfo=UTC)) is None
    assert [e["seq"] for e in recorded.entries(limit=500)] == list(range(42, 16, -1))
    cut(tmp_path, "DELETE FROM audit WHERE seq <= 18")
    assert told(recorded)[0] == (17, "deleted")


def test_entries_of_the_last_six_months_cannot_be_moved_out(tmp_path: Path) -> None:
    recorded = written(tmp_path, 3)
    with pytest.raises(BadRequest, match="six months"):
        recorded.archive(before=ops.now() - timedelta(days=183))
    assert len(recorded.entries()) == 3


def test_a_record_that_is_not_whole_is_not_archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    recorded = written(tmp_path, 3)
    cut(tmp_path, "UPDATE audit SET subject = 'x' WHERE seq = 2")
    monkeypatch.setattr(ops, "now", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    with pytest.raises(StoreBroken, match="entry 2"):
        recorded.archive(before=datetime(2026, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize("action", ["audit.archive", "audit.restore", "audit.anchor"])
def test_nobody_but_the_record_writes_of_itself(tmp_path: Path, action: str) -> None:
    recorded = written(tmp_path, 1)
    with pytest.raises(BadRequest):
        recorded.write(event(2, action=action, detail={"last": 1, "hash": "0" * 64}))
    assert len(recorded.entries()) == 1
