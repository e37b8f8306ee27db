"""An erasure killed at any system call leaves every table whole, and the same call goes on to where nothing is left."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults import harness
from tests.persons import CARD, NAME, SECRET
from twin import duck
from twin.retention import applying, decoded, erasing, marks
from twin.store import Store, copy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

COLUMNS = [{"name": "head_name", "sensitivity": "personal"}, {"name": "id_card", "sensitivity": "sensitive"}]
LEDGER = {"read": 4, "published": 3, "quarantined": 1, "duplicates": 0, "repaired": 0}
CALLS = ("rename", "unlink", "unlinkat", "rmdir", "mkdir", "fsync")
"""By which what is there changes; between two of them a reader sees the same."""
SOME = (("rename", 3), ("unlink", 3))


@pytest.fixture(scope="module", autouse=True)
def _tracing() -> None:
    harness.need(harness.can_trace(), "strace attaches to a child process (apt install strace; ptrace allowed)")


def _table(directory: Path) -> Mapping[str, Any]:
    rows = {"id": ["H1", "H2", "H3"], "year": pa.nulls(3, pa.int32()), "head_name": [NAME, "乙", "丙"]}
    pq.write_table(pa.table({**rows, "id_card": [CARD, "1", "2"]}), directory / "part.parquet")
    with duck.connect() as connection:
        copy.derive(connection, directory / "part.parquet", directory, source_layer="household")
    return {"kind": "none", "rows": 3, "columns": COLUMNS, "erasure": "rows", "run": "r", "ledger": LEDGER}


def _quarantine(directory: Path) -> Mapping[str, Any]:
    reason = pa.array([[{"rule": "pattern"}]])
    rows = {"id": ["坏"], "raw": [f'{{"证件":"{CARD}"}}'], "reasons": reason}
    pq.write_table(pa.table(rows), directory / "part.parquet")
    return {"kind": "quarantine", "rows": 1, "run": "r", "rules": {"pattern": 1}, "ledger": LEDGER}


def _built(data: Path) -> None:
    here = applying.stores(data / "store")
    here["store"].publish("household", _table, version="old")
    here["store"].publish("household", _table, version="new")
    here["quarantine"].publish("household", _quarantine, version="new")
    (data / "raw").mkdir()
    (data / "raw" / "a.csv").write_text(f"H1,{NAME},{CARD}\n", "utf-8")
    (data / "run" / "stage").mkdir(parents=True)


def test_killed_at_some_changes_of_the_disk_an_erasure_is_gone_on_with_until_nothing_is_left(tmp_path: Path) -> None:
    assert _sweep(tmp_path, SOME) > 3


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_killed_at_every_change_of_the_disk_an_erasure_is_gone_on_with_until_nothing_is_left(tmp_path: Path) -> None:
    assert _sweep(tmp_path, [(call, 1) for call in CALLS]) > 30


def _sweep(tmp_path: Path, calls: Sequence[tuple[str, int]]) -> int:
    """Kill at every so-manieth call, prove every table whole, go on, prove that nothing is left; gives how often."""
    _built(tmp_path / "before")
    data, key = tmp_path / "data", marks.keys_of([SECRET])
    ((name, secret),) = key.items()
    erased = marks.Marks(keys=key, numbers=frozenset([marks.mark(secret, name, CARD)]))
    ground = erasing.Ground(data=data, village=data, backups=None, backup_days=30, store=None)
    reached = 0
    for call, step in calls:
        nth = 1
        while True:
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(tmp_path / "before", data)
            outcome = harness.run(
                lambda: erasing.apply(ground, erased, None),  # pyright: ignore[reportArgumentType] - no accounts here
                call=call,
                what="signal=SIGKILL",
                nth=nth,
            )
            for store in applying.stores(data / "store").values():
                assert store.verify() == [], f"{call} {nth}"
                assert store.current("household").degraded == ""
            assert len(Store(data / "store").versions("household")) == 2, "an erasure takes no version away"
            erasing.apply(ground, erased, None)  # pyright: ignore[reportArgumentType]
            assert [s.path for s in decoded.search([data], erased.holds) if s.found] == [], f"{call} {nth}"
            ledgers = [s.current("household").manifest["ledger"] for s in applying.stores(data / "store").values()]
            assert ledgers == [{**LEDGER, "published": 2, "quarantined": 0, "erased": 2}] * 2
            if not outcome.reached:
                break
            reached += 1
            nth += step
    return reached
