"""Whether the record is as it was written, and if not, where and how it was changed; reads only.

An entry is authentic where its seal fits its content at its own number. What is not authentic is compared with what
is missing: a seal that fits at another number tells that an entry was moved, one that fits nowhere that it was edited
or put in. Anchors tell how far the record had come.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twin import ops
from twin.audit import entries
from twin.audit.anchors import Anchor, Damaged
from twin.audit.entries import GENESIS
from twin.audit.keys import Keys
from twin.ops import tables

Kind = Literal["edited", "deleted", "truncated", "reordered", "inserted", "unknown_key", "anchor"]
Row = Mapping[Any, Any]
TABLE, HEAD = tables.audit, tables.audit_head
MOST = 100
"""How many faults are told at most; the first is what matters."""
TRIES = 200_000
"""How many seals are tried at most to find where moved entries came from."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One place where the record is not as it was written: the entry's number, how, and a word on what told it.

    `note` is "" (the entry's seal), "chain", "key", "head" or "anchor".
    """

    seq: int
    kind: Kind
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known from outside the database: the newest anchor, the log of anchors, and where archives end."""

    head: Anchor | Damaged | None = None
    log: tuple[Anchor, ...] = ()
    archived: Callable[[], Iterable[Anchor]] = tuple

    def anchors(self) -> Iterator[Anchor]:
        """Give the anchors that are whole."""
        yield from self.log
        if isinstance(self.head, Anchor):
            yield self.head


@dataclass(kw_only=True)
class _Walk:
    """What one pass over the entries has met so far; `holes` are numbers whose own entry is not there."""

    first: int
    last: int
    previous: str | None
    strays: dict[int, Row] = field(default_factory=dict)
    holes: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    restores: list[range] = field(default_factory=list)

    def lacks(self, until: int) -> None:
        """Note that the entries after the last authentic one, before `until`, are not there."""
        self.holes.update(range(self.last + 1, min(until, self.last + 1 + TRIES)))


def verify(store: ops.Ops, keys: Keys, known: Known) -> list[Fault]:
    """Check the whole record; gives its faults by number, [] where it is as it was written. Raises OpsDown."""
    with store.read(lenient=True) as connection:
        heads = [Anchor(seq=h.seq, hash=h.hash) for h in connection.execute(ops.select(HEAD.c.seq, HEAD.c.hash))]
        first, digest = _start(connection, keys, known)
        walk = _Walk(first=first, last=first - 1, previous=digest)
        wanted = {a.seq for a in (*known.anchors(), *heads)}
        rows = connection.execution_options(yield_per=2000).execute(TABLE.select().order_by(TABLE.c.seq))
        _pass(walk, rows.mappings(), keys, wanted)
    head = heads[0] if len(heads) == 1 else None
    _compare_head(walk, head, known)
    _compare_anchors(walk, known)
    walk.faults += _places(walk, keys, known)
    ordered = sorted(walk.faults, key=lambda f: (f.seq, f.note != ""))
    return [next(same) for _, same in itertools.groupby(ordered, key=lambda f: (f.seq, f.note))][:MOST]


def is_authentic(row: Row, keys: Keys) -> bool:
    """Say whether an entry's seal fits its content at its number."""
    key = keys.find(row["key_id"])
    return key is not None and key.seal(entries.sealed(row)) == row["hash"]


def _start(connection: ops.Connection, keys: Keys, known: Known) -> tuple[int, str]:
    """Give the first number there must be and the hash before it: where the newest authentic archiving ended.

    Where the entry that says so was touched itself, the signed files tell it.
    """
    query = TABLE.select().where(TABLE.c.action == "audit.archive").order_by(TABLE.c.seq.desc())
    for row in connection.execute(query).mappings():
        if is_authentic(row, keys):
            detail = json.loads(row["detail"])
            return detail["last"] + 1, detail["hash"]
    newest = max(known.archived(), key=lambda anchor: anchor.seq, default=Anchor(seq=0, hash=GENESIS))
    return newest.seq + 1, newest.hash


def _pass(walk: _Walk, rows: Iterable[Row], keys: Keys, wanted: set[int]) -> None:
    ages = {key.id: age for age, key in enumerate(keys.all)}
    oldest = 0
    for row in rows:
        seq = row["seq"]
        if seq < walk.first or not is_authentic(row, keys):
            walk.strays[seq] = dict(row)
            walk.previous = None
            continue
        walk.lacks(seq)
        if walk.last + 1 == seq and walk.previous not in (None, row["previous_hash"]):
            walk.faults.append(Fault(seq=seq, kind="inserted", note="chain"))
        if ages[row["key_id"]] < oldest:
            walk.faults.append(Fault(seq=seq, kind="inserted", note="key"))
        oldest = max(oldest, ages[row["key_id"]])
        walk.previous, walk.last = row["hash"], seq
        if seq in wanted:
            walk.hashes[seq] = row["hash"]
        _listen(walk, row)


def _listen(walk: _Walk, row: Row) -> None:
    """Take up what the record says about itself: a restore, or an anchor that contradicted it."""
    if row["action"] == "audit.restore":
        detail = json.loads(row["detail"])
        if detail["kept_to"] + 1 == row["seq"]:
            walk.restores.append(range(row["seq"], detail["lost_to"] + 1))
    elif row["action"] == "audit.anchor":
        detail = json.loads(row["detail"])
        cut = detail.get("anchor", 0) > detail["head"]
        walk.faults.append(Fault(seq=row["seq"], kind="truncated" if cut else "anchor", note="anchor"))


def _compare_head(walk: _Walk, head: Anchor | None, known: Known) -> None:
    """Note what is missing at the end, and a head that is not the last entry's."""
    lost = [r.stop for r in walk.restores]
    reached = max((a.seq for a in known.anchors() if a.seq + 1 not in lost), default=0)
    told = head.seq if head else 0
    trusted = isinstance(known.head, Anchor) and known.head.seq == walk.last
    walk.lacks(max(reached, 0 if trusted else told, max(walk.strays, default=0) if told > walk.last else 0) + 1)
    if head is None:
        if walk.last >= walk.first and max(walk.holes, default=0) < walk.last:
            walk.faults.append(Fault(seq=walk.last, kind="deleted", note="head"))
    elif told in walk.hashes and (told, walk.hashes[told]) == (walk.last, head.hash):
        return
    elif told <= walk.last or trusted:
        walk.faults.append(Fault(seq=told, kind="edited", note="head"))


def _compare_anchors(walk: _Walk, known: Known) -> None:
    if known.head is None and (walk.last >= walk.first or walk.strays):
        walk.faults.append(Fault(seq=walk.last, kind="anchor", note="missing"))
    if isinstance(known.head, Damaged):
        walk.faults.append(Fault(seq=walk.last, kind="anchor", note="damaged"))
    for anchor in known.anchors():
        told = walk.hashes.get(anchor.seq)
        if told not in (None, anchor.hash) and not any(anchor.seq in lost for lost in walk.restores):
            walk.faults.append(Fault(seq=anchor.seq, kind="edited", note="anchor"))


def _places(walk: _Walk, keys: Keys, known: Known) -> Iterator[Fault]:
    truth = _truths(walk, keys)
    held = set(truth.values())
    reached = max(walk.last, max(walk.strays, default=0))
    sure = known.head.seq if isinstance(known.head, Anchor) else None
    for seq in sorted(walk.holes | walk.strays.keys())[:MOST]:
        stray = walk.strays.get(seq)
        if stray is None:
            kind: Kind = "reordered" if seq in held else "truncated" if seq > reached else "deleted"
        elif seq in truth:
            kind = "reordered" if seq in held or seq not in walk.holes else "deleted"
        elif seq not in walk.holes or seq in held or (sure is not None and seq > sure):
            kind = "inserted"
        else:
            kind = "edited" if _is_known(stray, keys) else "unknown_key"
        yield Fault(seq=seq, kind=kind)


def _is_known(stray: Row, keys: Keys) -> bool:
    """Say whether the key an entry names is one of ours, or only its name was changed."""
    if keys.find(stray["key_id"]):
        return True
    return any(key.seal(entries.sealed({**stray, "key_id": key.id})) == stray["hash"] for key in keys.all)


def _truths(walk: _Walk, keys: Keys) -> dict[int, int]:
    """Find for each stray the missing number at which its seal fits; entries that moved together are found at once."""
    truth: dict[int, int] = {}
    free = sorted(walk.holes)
    shift, tries = 1, 0
    for seq, stray in sorted(walk.strays.items()):
        for candidate in itertools.chain((seq + shift, seq - 1, seq + 1), free):
            tries += 1
            if tries > TRIES:
                return truth
            if candidate in walk.holes and is_authentic({**stray, "seq": candidate}, keys):
                truth[seq], shift = candidate, candidate - seq
                break
    return _originals(truth)


def _originals(truth: Mapping[int, int]) -> dict[int, int]:
    """Leave out copies: of two entries that fit at one number, the original moved as its neighbours did."""

    def is_lonely(seq: int) -> bool:
        shift = truth[seq] - seq
        return all(truth.get(near, near) - near != shift for near in (seq - 1, seq + 1))

    claims: dict[int, list[int]] = {}
    for seq, number in truth.items():
        claims.setdefault(number, []).append(seq)
    copies = {seq for claim in claims.values() for seq in sorted(claim, key=is_lonely)[1:]}
    return {seq: number for seq, number in truth.items() if seq not in copies}
