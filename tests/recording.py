"""A record to break: written for real, its rows held so that they can be put back, and every way of breaking it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin import ops
from twin.audit import Audit, Event

SECRET = "a-house-secret-of-the-tests-0123456789"
WRITER = f"""
import pathlib, sys
from tests.recording import event
from twin import ops
from twin.audit import Audit
url, folder, count = sys.argv[1:]
recorded = Audit(ops.Ops(url), {SECRET!r}, folder=pathlib.Path(folder) / "audit")
for number in range(int(count)):
    print(recorded.write(event(number)), flush=True)
"""
"""A program that appends `count` entries and prints each one's number when it is acknowledged."""
ROW = ("seq", "at", "subject", "role", "via", "action", "resource", "purpose", "outcome", "address", "detail")
SEALED = (*ROW, "key_id", "previous_hash")
COLUMNS = (*SEALED, "hash")


def audit(folder: Path, secret: str = SECRET, older: tuple[str, ...] = ()) -> Audit:
    """Open the record of a SQLite store in `folder`, made where it is not there."""
    url = f"sqlite:///{folder / 'ops.sqlite'}"
    ops.upgrade(url)
    return Audit(ops.Ops(url), secret, folder=folder / "audit", older=older)


def event(number: int, **more: Any) -> Event:
    """Give an event that differs by its number."""
    values = {"subject": f"acc-{number % 7}", "role": "official", "via": "session", "action": "read"}
    values |= {"resource": f"homestead:ZD-{number:04d}", "purpose": "核对面积", "outcome": "ok", "address": "10.0.0.7"}
    return Event(**(values | {"detail": {"rows": number}} | more))


@dataclass(frozen=True)
class Broken:
    """What was done: the way, the first number it touched, and the kinds by which it may be told."""

    way: str
    seq: int
    kinds: tuple[str, ...]


class Chance(random.Random):
    """Chance that falls on entries from `first` on: those before are archived."""

    first = 1

    def randint(self, a: int, b: int) -> int:
        """Give a number of the range that is not before the first entry."""
        return super().randint(max(a, self.first), max(b, self.first))

    def sample(self, population: Any, k: int) -> list[Any]:
        """Give `k` different ones of a range that are not before the first entry."""
        return super().sample([each for each in population if each >= self.first], k)


Way = Callable[[sqlite3.Connection, Chance, int], Broken]


def edit(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Change one column of one entry, in one of several ways."""
    seq, column = chance.randint(1, last), chance.choice([c for c in COLUMNS if c != "seq"])
    old = db.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()[0]
    place = chance.randrange(len(old) + 1)
    new: Any = chance.choice([
        old + " ", old[:place] + "x" + old[place:], "", old.upper() + "'", b"\xff\xfe" + old.encode(), f"{old}\0",
        old.encode(),
    ])  # fmt: skip
    db.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (new, seq))
    return Broken(f"edit {column} to {new!r}", seq, ("unknown_key", "edited") if column == "key_id" else ("edited",))


def change_one_bit(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Flip one bit of one text as it lies there; it need not be UTF-8 after."""
    seq, column = chance.randint(1, last), chance.choice(("at", "subject", "action", "detail", "key_id", "hash"))
    old = bytearray(db.execute(f"SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?", (seq,)).fetchone()[0] or b" ")
    old[chance.randrange(len(old))] ^= 1 << chance.randrange(8)
    db.execute(f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = ?", (bytes(old), seq))
    return Broken(f"flip a bit of {column}", seq, ("unknown_key", "edited") if column == "key_id" else ("edited",))


def copy_over(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Put another entry's whole content in an entry's place."""
    seq, other = chance.sample(range(1, last + 1), 2)
    row = db.execute(f"SELECT {', '.join(COLUMNS[1:])} FROM audit WHERE seq = ?", (other,)).fetchone()
    db.execute(
        f"UPDATE audit SET ({', '.join(COLUMNS[1:])}) = ({', '.join('?' * len(row))}) WHERE seq = ?", (*row, seq)
    )
    return Broken(f"copy {other} over", seq, ("edited",))


def delete(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Delete a run of entries that is not the end."""
    seq = chance.randint(1, last - 1)
    upto = chance.randint(seq, min(last - 1, seq + 3))
    db.execute("DELETE FROM audit WHERE seq BETWEEN ? AND ?", (seq, upto))
    return Broken(f"delete to {upto}", seq, ("deleted",))


def delete_and_close_up(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Delete an entry and renumber those after it; the head follows in half of the cases."""
    seq = chance.randint(1, last - 1)
    db.execute("DELETE FROM audit WHERE seq = ?", (seq,))
    shift(db, seq, -1)
    if chance.random() < 0.5:
        db.execute("UPDATE audit_head SET seq = seq - 1")
    return Broken("delete and close up", seq, ("deleted",))


def truncate(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Cut the end off and leave the head."""
    seq = chance.randint(1, last)
    db.execute("DELETE FROM audit WHERE seq >= ?", (seq,))
    return Broken("truncate", seq, ("truncated",))


def truncate_to_a_consistent_prefix(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Cut the end off and set the head to what is left: the table alone shows nothing."""
    seq = truncate(db, chance, last).seq
    found = db.execute("SELECT hash FROM audit WHERE seq = ?", (seq - 1,)).fetchone()
    if found and chance.random() < 0.8:
        db.execute("UPDATE audit_head SET seq = ?, hash = ?", (seq - 1, found[0]))
    else:
        db.execute("DELETE FROM audit_head")
    return Broken("truncate to a consistent prefix", seq, ("truncated",))


def swap(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Exchange the numbers of two entries."""
    one, two = sorted(chance.sample(range(1, last + 1), 2))
    for old, new in ((one, -1), (two, one), (-1, two)):
        db.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))
    return Broken(f"swap with {two}", one, ("reordered",))


def move_away(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Give an entry that is not the last a number beyond the end."""
    seq = chance.randint(1, last - 1)
    db.execute("UPDATE audit SET seq = ? WHERE seq = ?", (last + chance.randint(1, 9), seq))
    return Broken("move beyond the end", seq, ("reordered",))


def move_forward(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Take an entry out, close up, and put it in again earlier or later."""
    one, two = chance.sample(range(1, last + 1), 2)
    db.execute("UPDATE audit SET seq = -1 WHERE seq = ?", (one,))
    shift(db, one, -1)
    shift(db, two - 1, 1)
    db.execute("UPDATE audit SET seq = ? WHERE seq = -1", (two,))
    return Broken(f"move {one} to {two}", min(one, two), ("reordered",))


def insert(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Put a forged or copied entry in and renumber those after it; the head follows in half of the cases."""
    seq, model = chance.randint(1, last + 1), chance.randint(1, last)
    row = list(db.execute(f"SELECT {', '.join(COLUMNS)} FROM audit WHERE seq = ?", (model,)).fetchone())
    shift(db, seq - 1, 1)
    row[0] = seq
    twin = model == seq
    if chance.random() < 0.5:
        row[-1], twin = f"{chance.getrandbits(256):064x}", False
    db.execute(f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(row))})", row)
    if chance.random() < 0.5:
        db.execute("UPDATE audit_head SET seq = seq + 1")
    return Broken(f"insert like {model}", seq + twin, ("inserted",))  # a twin before its original is the original


def forge_head(db: sqlite3.Connection, chance: Chance, last: int) -> Broken:
    """Change what is said to be the last entry."""
    if chance.random() < 0.5:
        db.execute("UPDATE audit_head SET hash = ?", (f"{chance.getrandbits(256):064x}",))
        return Broken("head's hash", last, ("edited",))
    seq = chance.choice([s for s in range(last + 9) if s != last])
    db.execute("UPDATE audit_head SET seq = ?", (seq,))
    return Broken("head's number", seq, ("edited",))


def shift(db: sqlite3.Connection, after: int, by: int) -> None:
    """Renumber the entries after one, the order kept."""
    for (seq,) in db.execute(
        f"SELECT seq FROM audit WHERE seq > ? ORDER BY seq {'DESC' if by > 0 else ''}", (after,)
    ).fetchall():
        db.execute("UPDATE audit SET seq = ? WHERE seq = ?", (seq + by, seq))


WAYS: tuple[Way, ...] = (
    edit, change_one_bit, copy_over, delete, delete_and_close_up, truncate, truncate_to_a_consistent_prefix, swap,
    move_away, move_forward, insert, forge_head,
)  # fmt: skip
