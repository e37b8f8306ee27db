"""The versions of the grants that were adopted here: kept with the operational store, one of them holds."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin import ops
from twin.errors import BadRequest, PublishConflict, TwinError
from twin.ops import tables
from twin.policy import grants

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twin.api.rooms import Rooms
    from twin.api.who import Who
    from twin.audit import Event
    from twin.declared import Fault
    from twin.policy import Grants
    from twin.settings import Settings

SETTING = "grants"
FILE = "grants.toml"
CHANGES = tables.setting_change
LOOKED_S = 3.0
"""How often a process looks for what another has adopted: it holds everywhere within five seconds."""
LOG = logging.getLogger("onemap.grants")
_HOLDING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of the grants: its text, since when, by whom ("": it came as a file), and why."""

    version: int
    at: datetime
    account_id: str
    note: str
    content: str


class Unproved(BadRequest):
    """Grants that cannot hold; `faults` say where and what to do."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def by(cls, faults: tuple[Fault, ...]) -> Unproved:
        """Give the refusal that names `faults`."""
        refused = cls("授权文本有误，没有采用", "The grants are wrong and do not hold")
        refused.faults = faults
        return refused


def hold_newest(rooms: Rooms, who: Who) -> None:
    """Let the newest adopted grants hold, unless the file's version is higher.

    Raises DeclarationError where they cannot be read any more (a higher version in the file takes their place),
    OpsDown where the store cannot be read: what was revoked is not granted again for that.
    """
    _hold_from(rooms, who, rooms.policy.grants.version)


def hold_newer(rooms: Rooms, who: Who) -> None:
    """Let what another process has adopted since hold here too; raises OpsDown, Unproved."""
    _hold_from(rooms, who, rooms.policy.grants.version + 1)


async def watch(rooms: Callable[[], Rooms], who: Who) -> None:
    """Hold what other processes adopt in the `rooms` that answer, until cancelled; what holds outlasts the store."""
    told = ""
    while True:
        await asyncio.sleep(LOOKED_S)
        try:
            await asyncio.to_thread(hold_newer, rooms(), who)
            told = ""
        except TwinError as error:
            if told != error.en:
                LOG.warning("the newest grants are not read: %s", error.en)
            told = error.en


def _hold_from(rooms: Rooms, who: Who, least: int) -> None:
    """Let the newest adopted grants hold if their version is `least` or higher."""
    found = newest(who.accounts.ops, least) if _is_there(rooms.settings) else None
    if found is not None:
        _hold(rooms, found)


def newest(store: ops.Ops, least: int) -> Grants | None:
    """Give the grants adopted last if their version is `least` or higher; raises OpsDown, Unproved."""
    query = ops.select(CHANGES.c.content).where(CHANGES.c.setting == SETTING, CHANGES.c.version >= least)
    with store.read() as connection:
        text = connection.execute(query.order_by(CHANGES.c.version.desc()).limit(1)).scalar()
    return proved(text) if text is not None else None


def _hold(rooms: Rooms, new: Grants) -> None:
    """Let `new` hold, unless a version higher still has come to hold meanwhile."""
    with _HOLDING:
        if new.version >= rooms.policy.grants.version:
            rooms.policy.adopt(new)


def _is_there(settings: Settings) -> bool:
    return bool(settings.ops_url) or (settings.data / "run" / ops.FILE).exists()


def versions(store: ops.Ops) -> tuple[Version, ...]:
    """Give every version adopted, the newest first."""
    query = CHANGES.select().where(CHANGES.c.setting == SETTING).order_by(CHANGES.c.version.desc())
    with store.read() as connection:
        rows = connection.execute(query).mappings()
        return tuple(Version(**{n: r[n] for n in ("version", "at", "account_id", "note", "content")}) for r in rows)


def standing(rooms: Rooms, known: tuple[Version, ...]) -> str:
    """Give the text of the grants that hold."""
    held = rooms.policy.grants.version
    adopted = next((v.content for v in known if v.version == held), None)
    path = rooms.settings.village / FILE
    return adopted if adopted is not None else path.read_text("utf-8") if path.exists() else ""


def proved(text: str) -> Grants:
    """Read grants; raises Unproved naming every fault by line, field and remedy."""
    found, faults = grants.check_text(text, FILE)
    if found is None or faults:
        raise Unproved.by(tuple(faults))
    return found


def adopt(rooms: Rooms, who: Who, text: str, *, note: str, entry: Event) -> Grants:
    """Let `text` hold from the next question on, once it stands in the store and `entry` in the record, both or none.

    Raises Unproved, BadRequest for a version that is not the next one, PublishConflict where somebody else was first,
    AuditDown.
    """
    new, held = proved(text), rooms.policy.grants.version
    if new.version != held + 1:
        raise BadRequest(
            f"版本须为 {held + 1}（现行版本 {held} 加 1），文本写的是 {new.version}",
            f"The version must be {held + 1}, one more than the {held} that holds; the text says {new.version}",
            field="version",
        )
    before = standing(rooms, versions(who.accounts.ops))
    at = who.accounts.now()
    try:
        with who.audit.doing(entry) as connection:
            _keep_first(connection, held, before, at)
            values = {"at": at, "account_id": entry.subject, "note": note}
            _keep(connection, new.version, text, **values)
    except ops.Taken as taken:
        raise PublishConflict(
            "另一位管理员刚刚改过授权，请刷新后重试", "Somebody else has just changed the grants; reload and try again"
        ) from taken
    _hold(rooms, new)
    return new


def _keep_first(connection: ops.Connection, version: int, text: str, at: datetime) -> None:
    """Keep what held before as well, where it came as a file: the way back leads there."""
    query = ops.select(CHANGES.c.id).where(CHANGES.c.setting == SETTING, CHANGES.c.version == version)
    if text and connection.execute(query).first() is None:
        _keep(connection, version, text, at=at, account_id="", note="")


def _keep(connection: ops.Connection, version: int, text: str, **values: Any) -> None:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    row = {"setting": SETTING, "version": version, "sha256": sha256, "content": text, **values}
    connection.execute(CHANGES.insert().values(**row))
