"""What answers are made of, built once per store and shared by API and pages: reader, policy, cards, tiles, sums."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from twin import policy as policies
from twin import style
from twin.analysis import Analysis, Changes
from twin.api import moments
from twin.api.moments import Moments
from twin.entities import Entities
from twin.indicators import Indicators
from twin.policy import Policy
from twin.search import Search
from twin.store import Past, Serving, Store
from twin.tiles import Tiles

if TYPE_CHECKING:
    from twin.model import OneMap
    from twin.settings import Settings
    from twin.store import Known


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """One village, ready to answer; safe to share between threads.

    `as_of` is the moment as of which it answers, None for the present; the policy is that of the present in both.
    """

    onemap: OneMap
    store: Known
    base: Store
    settings: Settings
    serving: Serving
    policy: Policy
    entities: Entities
    tiles: Tiles
    analysis: Analysis
    changes: Changes
    indicators: Indicators
    search: Search
    past: Moments | None = None
    as_of: datetime | None = None

    def at(self, text: str) -> Rooms:
        """Give the rooms as of the moment that `text` names ("": these); raises BadRequest for a text that names none.

        It is the one function by which anything is answered from the past.
        """
        at = moments.read(text, self.onemap.village.time_zone, datetime.now(UTC)) if text else None
        return self.past.at(at) if at and self.past else self


_BUILT: WeakKeyDictionary[Store, Rooms] = WeakKeyDictionary()
_LOCK = threading.Lock()


def rooms(onemap: OneMap, store: Store, settings: Settings) -> Rooms:
    """Give the rooms over `store`, the same ones on every call; raises DeclarationError for what cannot be drawn."""
    with _LOCK:
        found = _BUILT.get(store)
        if found is None or found.onemap is not onemap:
            found = _BUILT[store] = _build(onemap, store, settings)
    return found


def current(store: Store) -> Rooms:
    """Give the rooms over `store` as they are now; raises KeyError where there are none yet."""
    with _LOCK:
        return _BUILT[store]


def again(before: Rooms, onemap: OneMap) -> Rooms:
    """Give rooms over the same store for changed declarations, under the grants that hold; they are the rooms now.

    Answers remembered under the policy before are not taken for theirs. Raises DeclarationError, and nothing changed.
    """
    after = _build(onemap, before.base, before.settings, before)
    with _LOCK:
        _BUILT[before.base] = after
    return after


def granted(settings: Settings) -> policies.Grants:
    """Read what the village grants; a village without grants.toml has the demo's visitor only.

    Raises DeclarationError naming every fault.
    """
    path = settings.village / "grants.toml"
    return policies.grants.read(path) if path.exists() else policies.LOCAL_ONLY


def _build(onemap: OneMap, store: Store, settings: Settings, before: Rooms | None = None) -> Rooms:
    for fault in (*policies.faults(onemap), *style.check(onemap)):
        raise fault
    serving = before.serving if before else Serving(store, memory=settings.memory)  # one thread a query: requests are
    policy = Policy(onemap, before.policy.grants if before else granted(settings))  # what runs side by side
    policy.edition += before.policy.edition if before else 0

    def as_of(at: datetime) -> Rooms:
        return _over(onemap, store, settings, serving.over(Past(store, at)), policy, as_of=at)

    return _over(onemap, store, settings, serving, policy, past=Moments(as_of))


def _over(onemap: OneMap, base: Store, settings: Settings, serving: Serving, policy: Policy, **more: Any) -> Rooms:
    """Give the rooms that answer from what `serving` reads."""
    ledger = settings.data / "run" / "ledger.jsonl"
    return Rooms(
        onemap=onemap,
        store=serving.store,
        base=base,
        settings=settings,
        serving=serving,
        policy=policy,
        entities=Entities(onemap, serving, policy, ledger, as_of=more.get("as_of")),
        tiles=Tiles(onemap, serving, policy),
        analysis=Analysis(onemap, serving, policy),
        changes=Changes(onemap, serving, policy),
        indicators=Indicators(onemap, serving, policy),
        search=Search(onemap, serving, policy),
        **more,
    )
