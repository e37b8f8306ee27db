"""Which ground each person and key has been given, on which day last: durable before it is given, never under-counted.

One thread writes for all who wait: what has come together while it wrote goes into the next transaction. Every claim is
judged in that transaction against what the store holds, so that several processes share one truth; what this process
keeps in memory is only which cells stand in the store with today's date already.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.kept import Kept
from twin.ops import and_, insert, now, select, tables, update
from twin.policy import delivered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from twin.ops import Connection, Ops
    from twin.policy.delivered import Cell, Usage

TABLE = tables.delivery
MOST_KEPT = 500
"""Askers whose cells of today are remembered; whoever is forgotten is written once more."""
MOST_LOOKED = 20_000
"""Pieces of ground remembered as found standing: a tile of 600 cells is asked about by everybody at every look."""
AT_ONCE = 500
"""Cells one statement names."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Cells that are about to be delivered to `asker`, and the km² that he may have had in a year by then."""

    asker: str
    cells: frozenset[Cell]
    limit_km2: float


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The answer no: what counts already, and what it would be with the claim."""

    used: Usage
    would_km2: float


Waiting = tuple[Claim, "Future[Spent | None]"]


class Ground:
    """The ledger of one operational store; `clock` gives the present moment in UTC."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = now) -> None:
        self._ops = ops
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ground")
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        self._today: date | None = None
        self._standing: dict[str, set[Cell]] = {}
        self._looked: Kept[tuple[str, frozenset[Cell]], date] = Kept(MOST_LOOKED)

    def stands(self, asker: str, cells: frozenset[Cell]) -> bool:
        """Say whether all of `cells` stand in the store with today's date, as far as this process knows."""
        today = self._clock().date()
        if today != self._today:
            return False
        if self._looked.get((asker, cells)) == today:
            return True
        known = self._standing.get(asker)
        stand = known is not None and known.issuperset(cells)
        if stand:
            self._looked.put((asker, cells), today)
        return stand

    def claim(self, claim: Claim) -> Future[Spent | None]:
        """Ask for ground; once the future gives None it stands in the store and may be delivered.

        It gives Spent where the limit is passed (nothing is written then), and raises OpsDown.
        """
        future: Future[Spent | None] = Future()
        if self.stands(claim.asker, claim.cells):
            future.set_result(None)
            return future
        with self._lock:
            self._waiting.append((claim, future))
        self._writer.submit(self._drain)
        return future

    def usage(self) -> dict[str, Usage]:
        """Give what counts now of everybody who was given any."""
        today = self._clock().date()
        held: dict[str, dict[Cell, date]] = {}
        with self._ops.read() as connection:
            for asker, cell, day in connection.execute(select(TABLE.c.subject, TABLE.c.cell, TABLE.c.day)):
                held.setdefault(asker, {})[_cell(cell)] = day
        found = {asker: delivered.usage(cells, today) for asker, cells in held.items()}
        return {asker: used for asker, used in found.items() if used.since}

    def close(self) -> None:
        """Write what waits, and stop."""
        self._writer.shutdown()

    # inside, in the one thread that writes

    def _drain(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        if not batch:
            return
        answers: list[Spent | None] = []
        try:
            answers = self._written([claim for claim, _ in batch])
        finally:  # whatever happened, nobody waits for ever
            for (_, future), answer in zip(batch, answers, strict=False):
                future.set_result(answer)
            for _, future in batch[len(answers) :]:
                future.set_exception(sys.exc_info()[1] or RuntimeError("no answer"))

    def _written(self, claims: list[Claim]) -> list[Spent | None]:
        """Judge and write claims in one transaction, in their order; then remember what stands."""
        today = self._clock().date()
        books: dict[str, dict[Cell, date]] = {}
        with self._ops.begin() as connection:
            answers = [self._judged(connection, claim, books, today) for claim in claims]
        if today != self._today:
            self._standing, self._today = {}, today
        for claim, answer in zip(claims, answers, strict=True):
            if answer is None:
                self._remember(claim)
        return answers

    def _judged(
        self, connection: Connection, claim: Claim, books: dict[str, dict[Cell, date]], today: date
    ) -> Spent | None:
        book = books.get(claim.asker)
        if book is None:
            book = books[claim.asker] = _book(connection, claim.asker)
        would = delivered.passes(book, claim.cells, today, claim.limit_km2)
        if would is not None:
            return Spent(used=delivered.usage(book, today), would_km2=would)
        _write(connection, claim, book, today)
        book.update(dict.fromkeys(claim.cells, today))
        return None

    def _remember(self, claim: Claim) -> None:
        known = self._standing.get(claim.asker)
        if known is None:
            while len(self._standing) >= MOST_KEPT:
                self._standing.pop(next(iter(self._standing)))
            known = self._standing[claim.asker] = set()
        known |= claim.cells


def _book(connection: Connection, asker: str) -> dict[Cell, date]:
    query = select(TABLE.c.cell, TABLE.c.day).where(TABLE.c.subject == asker)
    return {_cell(cell): day for cell, day in connection.execute(query)}


def _write(connection: Connection, claim: Claim, book: Mapping[Cell, date], today: date) -> None:
    """Write the cells that are new, and today's date on those that are older."""
    fresh = [{"subject": claim.asker, "cell": _text(c), "day": today} for c in sorted(claim.cells - book.keys())]
    if fresh:
        connection.execute(insert(TABLE), fresh)
    older = [_text(c) for c in sorted(claim.cells & book.keys()) if book[c] < today]
    for some in _parts(older):
        mine = and_(TABLE.c.subject == claim.asker, TABLE.c.cell.in_(some))
        connection.execute(update(TABLE).where(mine).values(day=today))


def _parts(cells: list[str]) -> Iterator[list[str]]:
    return (cells[n : n + AT_ONCE] for n in range(0, len(cells), AT_ONCE))


def _text(cell: Cell) -> str:
    return f"{cell[0]}:{cell[1]}"


def _cell(text: str) -> Cell:
    x, _, y = text.partition(":")
    return int(x), int(y)
