"""The record: what is written stands, what is changed is found, what is personal never enters."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests import recording
from tests.recording import SECRET, event
from twin.audit import Audit

ENTRIES = 24
ROUNDS = 3_000


def test_every_one_of_3000_random_changes_is_found_at_its_place_and_by_its_kind(tmp_path: Path) -> None:
    recorded = recording.audit(tmp_path)
    for number in range(ENTRIES):
        recorded.write(event(number))
    assert recorded.verify() == []
    recorded._store.close()
    whole = sqlite3.connect(":memory:")
    disk = sqlite3.connect(tmp_path / "ops.sqlite", isolation_level=None)
    disk.execute("PRAGMA synchronous=OFF")
    disk.backup(whole)
    chance, missed, tried = random.Random(8), [], Counter()
    for turn in range(ROUNDS):
        way = recording.WAYS[turn % len(recording.WAYS)]
        disk.execute("BEGIN")
        broken = way(disk, chance, ENTRIES)
        disk.execute("COMMIT")
        faults = recorded.verify()
        tried[way.__name__] += 1
        if not faults or faults[0].seq != broken.seq or faults[0].kind not in broken.kinds:
            missed.append((broken, faults[:2]))
        whole.backup(disk)
    assert [f"{broken} told as {faults}" for broken, faults in missed[:9]] == []
    assert min(tried.values()) >= ROUNDS // len(recording.WAYS)
    assert recorded.verify() == []
