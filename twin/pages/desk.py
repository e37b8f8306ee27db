"""Whoever answers one subject's questions: the rooms the API has, and the village as that subject may know it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twin import ops
from twin.api import Rooms, moments, rooms
from twin.entities import Asked, local
from twin.errors import NotFound, OpsDown, StoreBroken
from twin.model import Text
from twin.pages import boot
from twin.pages.bar import Who
from twin.policy import ANONYMOUS_LOCAL, Subject, view
from twin.runs import standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Indicator, OneMap
    from twin.settings import Settings
    from twin.store import Store

LOG = logging.getLogger("onemap.pages")
MOST_KPIS = 4
"""How many numbers the bar has room for at 1366 pixels."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One village's rooms, who asks, and the declarations of what they may see."""

    rooms: Rooms
    subject: Subject
    onemap: OneMap
    edition: int

    @classmethod
    def open(cls, onemap: OneMap, store: Store, settings: Settings, subject: Subject = ANONYMOUS_LOCAL) -> Desk:
        """Open the rooms over `store`; raises DeclarationError for layers that cannot be drawn."""
        return cls.over(rooms(onemap, store, settings), subject)

    @classmethod
    def over(cls, found: Rooms, subject: Subject = ANONYMOUS_LOCAL) -> Desk:
        """Give the desk in front of rooms that are open."""
        seen = view(found.onemap, found.policy, subject)
        return cls(rooms=found, subject=subject, onemap=seen, edition=found.policy.edition)

    def of(self, subject: Subject) -> Desk:
        """Give the desk at which `subject` is answered."""
        edition = self.rooms.policy.edition
        if (subject, edition) == (self.subject, self.edition):
            return self
        seen = view(self.rooms.onemap, self.rooms.policy, subject)
        return replace(self, subject=subject, onemap=seen, edition=edition)

    def at(self, as_of: str) -> Desk:
        """Give the desk at which is answered as of the moment `as_of` names ("": the present); raises BadRequest."""
        return replace(self, rooms=self.rooms.at(as_of)) if as_of else self

    @property
    def below(self) -> str:
        """Give what all addresses of a page of the past begin with, "" for the present."""
        return moments.below(self.rooms.as_of)

    def who(self) -> Who:
        """Give whoever asks, as the page names them."""
        role = self.rooms.policy.grants.role(self.subject.role)
        title = role.title if role else Text(self.subject.role, self.subject.role)
        return Who(title=title, has_account=self.subject.via == "session")

    def known(self) -> boot.Known:
        """Look at the store and the run ledger."""
        past = self.rooms.as_of
        late = {} if past else changed_promises(self.rooms.settings)
        return boot.known(self.onemap, self.rooms.store, self.rooms.settings, as_of=past, late=late)

    def asked(self, question: Mapping[str, Any]) -> Asked:
        """Give the language and year a question is asked in."""
        return Asked(language=str(question.get("language", "zh-CN")), year=question.get("year"))

    def indicator(self, indicator_id: str) -> Indicator:
        """Give the declared indicator; raises NotFound."""
        for theme in self.onemap.themes:
            for indicator in theme.indicators:
                if indicator.id == indicator_id:
                    return indicator
        raise NotFound(f"没有指标 {indicator_id}", f"There is no indicator {indicator_id}", indicator=indicator_id)

    def days_late(self, due: datetime | str) -> int:
        """Give the village's calendar days since `due` (UTC where it names no zone), 0 where it is not past."""
        at = datetime.fromisoformat(due) if isinstance(due, str) else due
        now = self.onemap.village.clock or datetime.now(UTC)
        return max(0, (self.local(now).date() - self.local(at).date()).days)

    def local(self, at: datetime) -> datetime:
        """Give a stored time (UTC where it names no zone) on the village's clock."""
        return local(at, self.onemap.village.time_zone)

    def kpis(self) -> list[Mapping[str, Any]]:
        """Give the numbers of the bar: every indicator of the tables in which something can be overdue or wrong."""
        listed = [i for t in self.onemap.themes for i in t.indicators if self.rooms.policy.sees(self.subject, i.table)]
        urgent = {i.table: n for n, i in enumerate(listed) if i.tone == "danger"}
        chosen = sorted((i for i in listed if i.table in urgent), key=lambda i: -urgent[i.table])
        chosen += [i for i in listed if i.tone == "warn" and i.table not in urgent]
        return [self._kpi(i) for i in chosen[:MOST_KPIS]]

    def _kpi(self, indicator: Indicator) -> Mapping[str, Any]:
        answer = self.rooms.indicators.one(self.subject, indicator)
        return {
            "indicator": indicator.id,
            "title": indicator.title,
            "value": answer["value"],
            "tone": indicator.tone,
        }

    def manifest(self, table: str) -> Mapping[str, Any]:
        """Give the manifest of the current snapshot, empty where there is none."""
        try:
            return self.rooms.store.current(table).manifest
        except (NotFound, StoreBroken):
            return {}


def changed_promises(settings: Settings) -> Mapping[str, datetime | None]:
    """Give from when those are late whose schedule somebody changed; none where nobody has ever asked anything."""
    path = settings.data / "run" / ops.FILE
    if not settings.ops_url and not path.exists():
        return {}
    try:
        with _opened(settings.ops_url or f"sqlite:///{path.resolve()}").read() as connection:
            return standing.late(connection) if ops.has_table(connection, "standing") else {}
    except OpsDown as down:
        LOG.warning("%s", down.en)
        return {}


@lru_cache(maxsize=8)
def _opened(url: str) -> ops.Ops:
    return ops.Ops(url)
