"""The row ledger as a machine: whatever is delivered, corrected, taken back or declared anew, every row is accounted for."""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from etl import catalog, gates, run
from etl.ledger import Report
from tests import receiving
from tests.corpus.items import Class, File
from tests.corpus.road import Night, declarations
from twin.settings import Settings
from twin.store import Store

Row = tuple[str, str, str]
"""编号, 名称, 数量"""
HEAD = ("编号", "名称", "数量")
KEYS = st.sampled_from(["", *(f"K{i}" for i in range(9))])
ROWS = st.lists(
    st.tuples(KEYS, st.sampled_from(["甲", "乙", "丙\0"]), st.sampled_from(["1", "2", "０３", "-1", "约4", ""])),
    max_size=12,
)


@dataclass
class Expected:
    """What must become of a delivery: published key → (line, row), and the lines that are kept back or repeated."""

    published: dict[str, tuple[str, Row]] = field(default_factory=dict)
    quarantined: list[str] = field(default_factory=list)
    duplicates: int = 0


def expected(rows: Sequence[Row], *, above: float) -> Expected:
    """Say it row by row, as a person with the declaration in hand would."""
    out = Expected()
    for line, row in enumerate(rows, 2):
        number = {"０３": 3.0, "": None, "约4": "?"}.get(row[2], row[2])
        sound = row[0] and "\0" not in row[1] and number != "?" and (number is None or float(number) > above)
        first = out.published.get(row[0])
        if not sound:
            out.quarantined.append(str(line))
        elif first is None:
            out.published[row[0]] = (str(line), row)
        elif _same(first[1], row):
            out.duplicates += 1
        else:
            out.quarantined.append(str(line))
    return out


def _same(one: Row, other: Row) -> bool:
    return one == other or (one[:2] == other[:2] and {one[2], other[2]} == {"０３", "3"})


class LedgerMachine(RuleBasedStateMachine):
    """One resource of one file, received again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-"))
        self.night = Night(settings=Settings(data=self.folder, village=self.folder))
        self.rows: list[Row] = []
        self.above = 0
        self.stands: dict[str, tuple[str, Row]] | None = None
        self.version = ""
        self.delivered: Any = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize()
    def declare(self) -> None:
        one = Class(number=1, title="", files=(File(name="a", make=lambda _: None, suffix=".csv", outcome="N"),))
        text = declarations([one]).replace("above = 0.0", f"above = {float(self.above)}")
        receiving.village(self.folder, text)
        (self.folder / "catalog" / "01_land.toml").replace(self.folder / "catalog" / "01_corpus.toml")
        (self.folder / "codes" / "area.toml").unlink(missing_ok=True)

    @rule(rows=ROWS)
    def deliver(self, rows: list[Row]) -> None:
        self.rows = rows
        self.receive()

    @rule()
    def deliver_the_same_again(self) -> None:
        self.receive()

    @rule(at=st.integers(0, 20))
    def correct_a_row(self, at: int) -> None:
        if self.rows:
            at %= len(self.rows)
            self.rows[at] = (self.rows[at][0] or "K0", "丁", "5")
        self.receive()

    @rule(at=st.integers(0, 20))
    def repeat_a_row(self, at: int) -> None:
        self.rows += [self.rows[at % len(self.rows)]] if self.rows else []
        self.receive()

    @rule(most=st.integers(0, 12))
    def take_rows_back(self, most: int) -> None:
        self.rows = self.rows[:most]
        self.receive(accept=True)

    @rule(above=st.integers(0, 2))
    def declare_another_bound(self, above: int) -> None:
        self.above = above
        self.declare()
        self.receive()

    def receive(self, *, accept: bool = False) -> None:
        """Deliver the rows as they are now, and compare what became of them with what should have."""
        path = self.night.settings.raw / "c01" / "a.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEAD, *self.rows])
        known = catalog.read(self.folder)
        resource = known.resource("c01")
        assert resource is not None
        report = run.run(resource, known, self.night.settings, accept=accept)
        wanted = expected(self.rows, above=self.above)
        now = (tuple(self.rows), self.above)
        if report.status == "unchanged":
            assert now == self.delivered
        elif report.status == "published":
            self.stands, self.version, self.delivered = wanted.published, report.version, now
        else:
            assert report.status == "held", report.reason_en
            assert not accept
            before = len(self.stands or {})
            assert not wanted.published or len(wanted.published) < before * (1 - gates.LARGEST_LOSS), report.reason_en
        self.balanced(report, wanted)
        self.served(path)

    def balanced(self, report: Report, wanted: Expected) -> None:
        counts = report.counts
        assert counts["read"] == counts["published"] + counts["quarantined"] + counts["duplicates"] == len(self.rows)
        assert counts["published"] == len(wanted.published)
        assert counts["duplicates"] == wanted.duplicates
        kept = self.night.quarantined("c01")
        assert sorted(r["_row"] for r in kept) == sorted(wanted.quarantined)

    def served(self, path: Path) -> None:
        """Prove that what is served is the version that stands, each row the one that was delivered."""
        if self.stands is None:
            return
        assert Store(self.night.settings.store).current("c01").version == self.version
        found = {str(r["id"]): r for r in self.night.published("c01")}
        assert set(found) == set(self.stands)
        for key, (line, row) in self.stands.items():
            assert (found[key]["_row"], found[key]["label"]) == (line, row[1])
        if self.delivered == (tuple(self.rows), self.above):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert {r["_source_sha256"] for r in found.values()} <= {digest}


def test_every_row_is_accounted_for_whatever_is_delivered() -> None:
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=3, stateful_step_count=6, deadline=None))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_row_is_accounted_for_over_a_long_time() -> None:
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=60, stateful_step_count=20, deadline=None))
