"""How old each resource is, and whether its last delivery went well, from the run ledger; the only judge of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = Literal["fresh", "stale", "failed", "never", "held", "unshared"]
SHAPES: Mapping[State, str] = {
    "fresh": "●", "stale": "▲", "failed": "✖", "never": "○", "held": "◆", "unshared": "⊘",
}  # fmt: skip
"""`unshared` is what the law does not share: catalogued, never received, owed by nobody."""
GRACE_RATIO = 0.25
"""A delivery is late when a quarter of its cadence has passed beyond its due time."""
GOOD = ("published", "unchanged")


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """What the ledger says of one resource: its last run, and its last good one.

    Times are aware UTC. `as_of` is the date the department says the content is of, None where it says nothing.
    `held` and `refused` runs leave `good_at` and `as_of` at the last delivery that was published.
    """

    resource: str
    run: str
    status: str
    finished_at: datetime
    good_at: datetime | None
    as_of: date | None
    reason_zh: str = ""
    reason_en: str = ""
    version: str = ""
    ledger: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """One resource's state, with a shape so that colour is never the only sign, and the age of its content."""

    state: State
    shape: str
    age_seconds: float | None
    as_of: date | None
    reason_zh: str = ""
    reason_en: str = ""


def status(last: LastRun | None, cadence_seconds: int, now: datetime, *, late_at: datetime | None = None) -> Freshness:
    """Judge one resource at `now` (aware); `cadence_seconds` 0 means it is delivered once and never grows stale.

    Age is counted from the end of `as_of` where the department states it, else from the last good run. `late_at` is
    the moment from which it is late, where a schedule promises one; it then stands for the cadence.
    """
    if last is None or (last.good_at is None and last.status == "never"):
        return Freshness(state="never", shape=SHAPES["never"], age_seconds=None, as_of=None)
    age = _age(last, now)
    late = age is not None and 0 < cadence_seconds * (1 + GRACE_RATIO) < age
    if late_at is not None:
        late = now > late_at
    state: State = "stale" if late else "fresh"
    if last.status not in GOOD:
        state = "held" if last.status == "held" else "failed"
    return Freshness(
        state=state,
        shape=SHAPES[state],
        age_seconds=age,
        as_of=last.as_of,
        reason_zh=last.reason_zh,
        reason_en=last.reason_en,
    )


def content_until(as_of: date | None, good_at: datetime | None, zone: tzinfo | None) -> datetime | None:
    """Give the moment up to which the content is known: the end of `as_of` in `zone`, else the last good run."""
    return datetime.combine(as_of, time.max, tzinfo=zone) if as_of is not None else good_at


def _age(last: LastRun, now: datetime) -> float | None:
    ended = content_until(last.as_of, last.good_at, now.tzinfo)
    return None if ended is None else max(0.0, (now - ended).total_seconds())


def lines(path: Path) -> list[dict[str, Any]]:
    """Read every whole line of the run ledger at `path`, oldest first; a line torn by a crash is passed over."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict) and "resource" in value and "status" in value:
            found.append(value)
    return found


def read(path: Path, *, until: datetime | None = None) -> dict[str, LastRun]:
    """Give the last run of each resource from the ledger at `path` (`<data>/run/ledger.jsonl`), as known `until`."""
    last: dict[str, LastRun] = {}
    for line in lines(path):
        if until is not None and _when(line.get("finished_at")) > until:
            continue
        before = last.get(line["resource"])
        last[line["resource"]] = _after(before, line)
    return last


def _after(before: LastRun | None, line: Mapping[str, Any]) -> LastRun:
    finished = _when(line.get("finished_at"))
    good = line["status"] in GOOD
    stated = line.get("as_of")
    return LastRun(
        resource=line["resource"],
        run=line.get("run", ""),
        status=line["status"],
        finished_at=finished,
        good_at=finished if good else before.good_at if before else None,
        as_of=(date.fromisoformat(stated) if stated else None) if good else before.as_of if before else None,
        reason_zh=line.get("reason_zh", ""),
        reason_en=line.get("reason_en", ""),
        version=line.get("version") or (before.version if before else ""),
        ledger=line.get("ledger"),
    )


def _when(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
