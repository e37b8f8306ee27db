"""Ground that an answer tells exactly is counted before the answer leaves; over the limit it is refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twin.audit import Event
from twin.errors import AreaLimit
from twin.ground import Claim
from twin.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from starlette.types import Scope

    from twin.api.who import Who
    from twin.ground import Spent
    from twin.model import OneMap
    from twin.policy import Subject
    from twin.policy.noted import Told

AGAIN_S = 600.0
"""A map asks for many tiles that are all refused: of one asker and table the record holds one entry in this time."""
MOST_SAID = 10_000


class Delivering:
    """What stands between answers and the ledger of ground."""

    def __init__(self, onemap: OneMap, who: Who) -> None:
        self._onemap = onemap
        self._who = who
        self._said: Kept[tuple[str, str], float] = Kept(MOST_SAID)

    def over(self, onemap: OneMap) -> None:
        """Speak of these declarations from now on."""
        self._onemap = onemap

    def is_counted(self, scope: Scope, subject: Subject, told: Sequence[Told]) -> bool:
        """Say, without waiting, whether all this ground stands in the ledger with today's date."""
        ledger = self._who.ledger_if_open
        return ledger is not None and all(ledger.stands(self._asker(scope, subject), t.cells) for t in told)

    def claim(self, scope: Scope, subject: Subject, told: Sequence[Told]) -> Future[Spent | None]:
        """Ask the ledger for this ground, by the least of its limits; raises OpsDown, now or in the future."""
        cells = frozenset().union(*(t.cells for t in told))
        limit = min(t.limit_km2 for t in told)
        return self._who.ledger.claim(Claim(asker=self._asker(scope, subject), cells=cells, limit_km2=limit))

    def count(self, scope: Scope, subject: Subject, told: Sequence[Told]) -> None:
        """Count this ground, or refuse it; blocks until it is durable. Raises AreaLimit, OpsDown, AuditDown."""
        if not told or self.is_counted(scope, subject, told):
            return
        spent = self.claim(scope, subject, told).result()
        if spent is not None:
            raise self.refusal(scope, subject, told, spent)

    def refusal(self, scope: Scope, subject: Subject, told: Sequence[Told], spent: Spent) -> AreaLimit:
        """Give the refusal: the limit, what is used up, since when, whom to ask; recorded first, raises AuditDown."""
        least = min(told, key=lambda t: t.limit_km2)
        self._record(scope, subject, least, spent)
        resource = self._onemap.resource(least.table)
        department = self._onemap.department(resource.department) if resource else None
        contact = f"{resource.contact_person} {resource.contact_phone}".strip() if resource else ""
        zh, en = (department.title.zh, department.title.en) if department else ("数据部门", "the department")
        zh, en = (f"{zh}({contact})", f"{en} ({contact})") if contact else (zh, en)
        used, since = spent.used.km2, spent.used.since
        return AreaLimit(
            f"地图到此为止:一年内最多提供 {least.limit_km2:g} 平方公里的精确图形,"
            + (f"自 {since:%Y-%m-%d} 起已提供 {used:g} 平方公里," if since else "")
            + f"这一处将达 {spent.would_km2:g} 平方公里。已提供过的范围仍可查看;如需更多,"
            f"请联系{zh},或请安全管理员提高上限",
            f"The map stops here: {least.limit_km2:g} km² of exact shapes may be delivered in a year, "
            + (f"{used:g} km² have been since {since:%Y-%m-%d}, " if since else "")
            + f"and this would make {spent.would_km2:g}. What was delivered can be seen again; for more ask {en}, "
            "or the security administrator to raise the limit",
            table=least.table,
            limit_km2=f"{least.limit_km2:g}",
            used_km2=f"{used:g}",
            since=since or "",
        )

    def _record(self, scope: Scope, subject: Subject, told: Told, spent: Spent) -> None:
        key = (self._asker(scope, subject), told.table)
        now = time.monotonic()
        if (self._said.get(key) or 0.0) > now:
            return
        entry = Event(
            action="area.limit", outcome="refused", subject=subject.id, role=subject.role, via=subject.via,
            resource=told.table, address=self._who.address(scope),
            detail={"limit_km2": told.limit_km2, "used_km2": spent.used.km2, "would_km2": spent.would_km2},
        )  # fmt: skip
        self._who.audit.write(entry)
        self._said.put(key, now + AGAIN_S)

    def _asker(self, scope: Scope, subject: Subject) -> str:
        """Name whose ground it is: a person's or key's own, else a pseudonym of the address it goes to."""
        asker = self._who.asker(scope, subject)
        return asker if subject.via in ("session", "key") else f"@{self._who.accounts.alias(asker)[:32]}"
