"""Which version of a table was current when, from the chain and the list of what is gone; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twin.errors import NotYetKnown, VersionGone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.store.pointer import Version
    from twin.store.removed import Removed


@dataclass(frozen=True, kw_only=True)
class Held:
    """One version that was current for a time; `gone` says what became of it, None where it is still kept."""

    version: str
    since: datetime
    gone: Removed | None = None

    @property
    def rolled_back_at(self) -> datetime | None:
        """Give when it was taken back, None where it never was."""
        return _when(self.gone.removed_at) if self.gone and self.gone.why == "rollback" else None


def of(chain: Sequence[Version], removed: Sequence[Removed]) -> list[Held]:
    """Give every version that is kept or remembered, the last published first."""
    kept = [Held(version=v.version, since=_when(v.created_at)) for v in chain]
    times = {v.created_at for v in chain}  # what was written anew keeps its time, and is not gone
    gone = [Held(version=r.version, since=_when(r.created_at), gone=r) for r in removed if r.created_at not in times]
    return sorted([*kept, *gone], key=lambda h: h.since, reverse=True)


def current_at(held: Sequence[Held], at: datetime) -> Held | None:
    """Give the version that was current at the aware time `at`, None where nothing had been published."""
    return next((h for h in held if h.since <= at and not (h.rolled_back_at and h.rolled_back_at <= at)), None)


def nearest(held: Sequence[Held], at: datetime) -> Held | None:
    """Give the kept version published nearest to `at`, None where none is kept."""
    return min((h for h in held if h.gone is None), key=lambda h: abs(h.since - at), default=None)


def kept_at(table: str, held: Sequence[Held], at: datetime) -> Held:
    """Give the kept version that was current at `at`; raises NotYetKnown or VersionGone, which names the nearest."""
    found = current_at(held, at)
    if found is None:
        first = min((h.since for h in held), default=None)
        zh, en = (f";首次发布于 {_said(first)}", f"; first published {_said(first)}") if first else ("", "")
        raise NotYetKnown(
            f"{table} 在 {_said(at)} 时尚无数据{zh}", f"{table} was not yet known at {_said(at)}{en}", table=table
        )
    if found.gone is not None:
        close = nearest(held, at)
        zh, en = (
            (f";现存最近的版本发布于 {_said(close.since)}", f". The nearest kept was published {_said(close.since)}")
            if close
            else ("", "")
        )
        where = {"nearest": close.version, "nearest_at": close.since.isoformat()} if close else {}
        raise VersionGone(
            f"{table} 当时的数据已不保留:{found.gone.zh}{zh}",
            f"What {table} was then is not kept: {found.gone.en}{en}",
            table=table,
            **where,
        )
    return found


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _said(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
