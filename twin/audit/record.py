"""Append to the record: durably, in order, many waiting events in one commit; the only writer of its tables.

Of those who wait to write, one leads: it commits for all, wakes them, and hands the lead to the next. There is no
thread of its own and nothing in memory that was acknowledged.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from twin import ops
from twin.audit import archives, entries, verifying
from twin.audit.anchors import Anchor, Anchors
from twin.audit.entries import GENESIS, RESERVED, Event
from twin.audit.keys import derive
from twin.errors import AuditDown, BadRequest, OpsDown, SourceError
from twin.ops import tables

BATCH = 500
"""How many waiting writers one commit takes at most."""
TABLE, HEAD = tables.audit, tables.audit_head


class Audit:
    """The record in an operational store, sealed under `secret`; safe to share between threads.

    `folder` holds the anchors and archives (`<data>/run/audit`); `older` are the secrets used before, oldest first.
    Raises SettingError where there is no secret.
    """

    def __init__(self, store: ops.Ops, secret: str | bytes, *, folder: Path, older: Sequence[str] = ()) -> None:
        self.folder = folder
        self.keys = derive(secret, older)
        self._store = store
        self._anchors = Anchors(folder, self.keys)
        self._waiting: deque[_Waiting] = deque()
        self._queue = threading.Lock()
        self._is_led = False

    @property
    def public_key(self) -> str:
        """Give the key that exports are checked with, in hexadecimal."""
        return self.keys.public

    # writing

    def write(self, *events: Event) -> int:
        """Append events in order and give the last one's number; they survive a power cut when this returns.

        Raises BadRequest where an event holds personal data, AuditDown where the record cannot be written: what was to
        be recorded must then not be done.
        """
        _refuse_reserved(events)
        return self._write(events)

    @contextlib.contextmanager
    def doing(self, *events: Event) -> Iterator[ops.Connection]:
        """Open a transaction of the store that ends with these entries: the deed and its record stand or fall together.

        Raises BadRequest as `write` does, AuditDown where the transaction cannot be had or kept.
        """
        _refuse_reserved(events)
        cleaned = [entries.clean(e, self.keys) for e in events]
        try:
            with self._store.begin() as connection:
                yield connection
                before = self._compare(connection, events)
                rows = self._insert(connection, cleaned)
            self._anchors.put(rows[-1]["seq"], rows[-1]["hash"], before=before)
        except (OpsDown, OSError) as error:
            raise _down(error) from error

    def restored(self, *, lost_to: int) -> int:
        """Record that the store was brought back from a backup: entries after it, up to `lost_to`, are gone."""
        with self._store.read() as connection:
            kept_to, _ = head(connection)
        return self._write([Event(action="audit.restore", detail={"kept_to": kept_to, "lost_to": lost_to})])

    # reading

    def entries(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        since: datetime | None = None,
        until: datetime | None = None,
        **equal: str,
    ) -> list[dict[str, Any]]:
        """Give entries, newest first, with a number below `before`, whose columns have the values of `equal`.

        Of those written at `since` or later, and before `until`.
        """
        query = TABLE.select().order_by(TABLE.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(TABLE.c.seq < before)
        if since is not None:
            query = query.where(TABLE.c.at >= entries.stamp(since))
        if until is not None:
            query = query.where(TABLE.c.at < entries.stamp(until))
        for name, value in equal.items():
            query = query.where(TABLE.c[name] == value)
        with self._store.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self) -> int:
        """Give how many entries the record holds."""
        with self._store.read() as connection:
            return connection.execute(ops.select(ops.func.count()).select_from(TABLE)).scalar_one()

    def reached(self) -> int:
        """Give the number of the last entry there ever was, by table or anchor."""
        anchor = self._anchors.head()
        with self._store.read() as connection:
            return max(head(connection)[0], anchor.seq if isinstance(anchor, Anchor) else 0)

    def verify(self, *witnesses: archives.Exported) -> list[verifying.Fault]:
        """Check every entry, the head and the anchors; gives what is wrong, the first place first. Raises OpsDown.

        `witnesses` are exports handed out before: their last entries must still be there as they were.
        """
        seen = (Anchor(seq=w.last, hash=w.hash) for w in witnesses)
        log = (*self._anchors.log(), *seen)
        known = verifying.Known(head=self._anchors.head(), log=log, archived=self._archived)
        return verifying.verify(self._store, self.keys, known)

    # handing out

    def export(self, path: Path, *, first: int = 1, last: int | None = None) -> archives.Exported:
        """Write entries `first` to `last` into a signed file that is checked without us; raises AuditDown (disk)."""
        return archives.export(self._store, self.keys, path, first=first, last=last)

    def archive(self, *, before: datetime, now: datetime | None = None) -> archives.Exported | None:
        """Move entries from before a moment, six months ago or earlier, into a signed file; None where there are none.

        The chain goes on from the entry that records it. Raises BadRequest where the moment is too recent, AuditDown
        where the file or the record cannot be written, StoreBroken where the record is not whole.
        """
        archives.refuse_young(before, now or ops.now())
        last = archives.last_before(self._store, before)
        if last is None:
            return None
        if faults := self.verify():
            raise archives.not_whole(faults[0])
        moved = archives.export(self._store, self.keys, self.folder / archives.name(last), first=1, last=last)
        self._write([Event(action="audit.archive", detail=moved.facts())])
        return moved

    def _archived(self) -> Iterator[Anchor]:
        for path in self.folder.glob(archives.ANY):
            with contextlib.suppress(SourceError, OSError):
                made = archives.check(path)
                if made.public_key in self.keys.publics:
                    yield Anchor(seq=made.last, hash=made.hash)

    # inside

    def _write(self, events: Sequence[Event]) -> int:
        mine = _Waiting([entries.clean(e, self.keys) for e in events])
        with self._queue:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.woken.wait()
        if not mine.ended:
            self._lead()
        return mine.result()

    def _lead(self) -> None:
        """Commit what waits, our own events among it, and hand the lead on."""
        with self._queue:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        try:
            self._commit(batch)
        finally:
            for waiting in batch:
                waiting.ended = True
                waiting.woken.set()
            with self._queue:
                self._is_led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].woken.set()

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        events = [event for waiting in batch for event in waiting.events]
        try:
            with self._store.begin() as connection:
                before = self._compare(connection, events)
                rows = self._insert(connection, events)
                archives.remove(connection, events)
            self._anchors.put(rows[-1]["seq"], rows[-1]["hash"], before=before)
        except (OpsDown, ops.Taken, OSError) as error:
            for waiting in batch:
                waiting.error = error
            return
        last = rows[0]["seq"] - 1
        for waiting in batch:
            waiting.seq = last = last + len(waiting.events)

    def _compare(self, connection: ops.Connection, events: Iterable[Event]) -> int:
        """Give the last entry anchored; where the anchor contradicts the table, that is written before all else.

        Otherwise the next anchor would cover the trace of a record that was cut.
        """
        anchor = self._anchors.head()
        if anchor is None and head(connection)[0] == 0:
            self._anchors.put(0, GENESIS, before=0)  # from now on an anchor that is missing was taken away
            return 0
        if anchor == Anchor(seq=0, hash=GENESIS):
            return 0
        if isinstance(anchor, Anchor) and hash_of(connection, anchor.seq) == anchor.hash:
            return anchor.seq
        if all(e.action != "audit.restore" for e in events):
            self._insert(connection, [_contradiction(anchor, head(connection)[0])])
        return 0

    def _insert(self, connection: ops.Connection, events: Sequence[Event]) -> list[dict[str, Any]]:
        seq, digest = head(connection)
        at = ops.now()
        rows: list[dict[str, Any]] = []
        for event in events:
            seq += 1
            rows.append(entries.row(event, seq=seq, at=at, previous_hash=digest, key=self.keys.now))
            digest = rows[-1]["hash"]
        connection.execute(TABLE.insert(), rows)
        if connection.execute(HEAD.update().values(seq=seq, hash=digest)).rowcount == 0:
            connection.execute(HEAD.insert().values(id=1, seq=seq, hash=digest))
        return rows


class _Waiting:
    """The events of one caller, until their commit has ended well or badly."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.ended = False
        self.woken = threading.Event()
        self.seq = 0
        self.error: Exception | None = None

    def result(self) -> int:
        """Give the number of the last event; raises AuditDown where it could not be kept."""
        if self.seq:
            return self.seq
        raise _down(self.error) from self.error


def _down(error: Exception | None) -> AuditDown:
    where: Mapping[str, Any] = error.where if isinstance(error, OpsDown) else {}
    return AuditDown(
        "审计记录暂时无法写入,涉及个人信息的操作已停止;请联系管理员检查磁盘和数据库",
        "The record cannot be written now, so nothing personal is shown; ask the administrator to look at the disk",
        **where,
    )


def head(connection: ops.Connection) -> tuple[int, str]:
    """Give the last entry's number and hash; (0, GENESIS) in an empty record."""
    found = connection.execute(ops.select(HEAD.c.seq, HEAD.c.hash)).first()
    return (found.seq, found.hash) if found else (0, GENESIS)


def hash_of(connection: ops.Connection, seq: int) -> str | None:
    """Give the hash of an entry, None where it is not there."""
    return connection.execute(ops.select(TABLE.c.hash).where(TABLE.c.seq == seq)).scalar()


def _contradiction(anchor: object, seq: int) -> Event:
    if isinstance(anchor, Anchor):
        return Event(action="audit.anchor", outcome="contradicts", detail={"anchor": anchor.seq, "head": seq})
    return Event(action="audit.anchor", outcome="missing" if anchor is None else "damaged", detail={"head": seq})


def _refuse_reserved(events: Iterable[Event]) -> None:
    if any(e.action in RESERVED for e in events):
        raise BadRequest("此类审计事项只由审计自身写入", "Only the record itself writes events of this action")
