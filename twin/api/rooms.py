"""What answers are made of, built once per store and shared by API and pages: reader, policy, cards, tiles, sums."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from twin import policy as policies
from twin import style
from twin.analysis import Analysis
from twin.entities import Entities
from twin.indicators import Indicators
from twin.policy import Policy
from twin.search import Search
from twin.store import Serving, Store
from twin.tiles import Tiles

if TYPE_CHECKING:
    from twin.model import OneMap
    from twin.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """One village, ready to answer; safe to share between threads."""

    onemap: OneMap
    store: Store
    settings: Settings
    serving: Serving
    policy: Policy
    entities: Entities
    tiles: Tiles
    analysis: Analysis
    indicators: Indicators
    search: Search


_BUILT: WeakKeyDictionary[Store, Rooms] = WeakKeyDictionary()
_LOCK = threading.Lock()


def rooms(onemap: OneMap, store: Store, settings: Settings) -> Rooms:
    """Give the rooms over `store`, the same ones on every call; raises DeclarationError for what cannot be drawn."""
    with _LOCK:
        found = _BUILT.get(store)
        if found is None or found.onemap is not onemap:
            found = _BUILT[store] = _build(onemap, store, settings)
    return found


def granted(settings: Settings) -> policies.Grants:
    """Read what the village grants; a village without grants.toml has the demo's visitor only.

    Raises DeclarationError naming every fault.
    """
    path = settings.village / "grants.toml"
    return policies.grants.read(path) if path.exists() else policies.LOCAL_ONLY


def _build(onemap: OneMap, store: Store, settings: Settings) -> Rooms:
    for fault in (*policies.faults(onemap), *style.check(onemap)):
        raise fault
    serving = Serving(store, memory=settings.memory)  # one thread a query: requests are what runs side by side
    policy = Policy(onemap, granted(settings))
    return Rooms(
        onemap=onemap,
        store=store,
        settings=settings,
        serving=serving,
        policy=policy,
        entities=Entities(onemap, serving, policy, settings.data / "run" / "ledger.jsonl"),
        tiles=Tiles(onemap, serving, policy),
        analysis=Analysis(onemap, serving, policy),
        indicators=Indicators(onemap, serving, policy),
        search=Search(onemap, serving, policy),
    )
