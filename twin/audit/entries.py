"""An event, and the one sequence of bytes that an entry of the record is sealed as; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from twin.audit import personal
from twin.audit.keys import Key, Keys
from twin.errors import BadRequest

GENESIS = "0" * 64
"""What stands for the hash before the first entry."""
RESERVED = frozenset({"audit.anchor", "audit.archive", "audit.restore"})
"""Actions the record writes about itself; nobody else may."""
TEXTS = ("subject", "role", "via", "action", "resource", "purpose", "outcome", "address")
COLUMNS = ("seq", "at", *TEXTS, "detail", "key_id", "previous_hash")
"""The columns that are sealed, which are all but the seal itself."""
LONGEST, LONGEST_DETAIL = 2_000, 16_384


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened: who (`subject` is an account's or key's id), did what, to what, why, how it ended, from where."""

    action: str
    subject: str = ""
    role: str = ""
    via: str = ""
    resource: str = ""
    purpose: str = ""
    outcome: str = ""
    address: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def canonical(value: Any) -> str:
    """Give the one JSON text of a value: keys sorted, no spaces, no escapes but JSON's own, no NaN."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def clean(event: Event, keys: Keys) -> Event:
    """Give the event as it may be kept; raises BadRequest where detail or purpose hold personal data or are too long.

    The other texts come from outside and the entry must stand all the same: what looks personal in them is replaced
    by its kind and a keyed hash.
    """
    found = [*personal.in_value(event.detail, "detail"), *personal.in_text(event.purpose, "purpose")]
    if found:
        raise BadRequest(
            f"审计记录不收个人信息:{found[0].where} 像是{KINDS[found[0].kind][0]};请改写为编号",
            f"The record takes no personal data: {found[0].where} looks like {KINDS[found[0].kind][1]}; give an id",
            field=found[0].where,
        )
    texts = {name: _fitting(getattr(event, name), keys) for name in TEXTS}
    if len(event.purpose) > LONGEST or len(canonical(event.detail)) > LONGEST_DETAIL:
        raise BadRequest(
            "审计事项过长:目的不超过 2000 字,明细不超过 16 KiB",
            "The event is too long: 2,000 characters of purpose and 16 KiB of detail at most",
        )
    return replace(event, **texts)


KINDS = {
    personal.ID_CARD: ("身份证号", "an identity number"),
    personal.PHONE: ("手机号", "a mobile number"),
    personal.BANK_CARD: ("银行卡号", "a bank card number"),
    personal.NAME: ("姓名", "a person's name"),
}


def _fitting(text: str, keys: Keys) -> str:
    """Give a text that both databases can keep, without personal numbers."""
    return personal.hidden(_storable(text), lambda kind, number: f"[{kind}:{keys.hide(number)}]")[:LONGEST]


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def row(event: Event, *, seq: int, at: datetime, previous_hash: str, key: Key) -> dict[str, Any]:
    """Give the row of a clean event, sealed."""
    made: dict[str, Any] = {name: getattr(event, name) for name in TEXTS}
    made |= {"seq": seq, "at": stamp(at), "detail": _storable(canonical(event.detail))}
    made |= {"key_id": key.id, "previous_hash": previous_hash}
    return made | {"hash": key.seal(sealed(made))}


def sealed(kept: Mapping[str, Any]) -> bytes:
    """Give the bytes of a row that its seal is over; any value of any type has some."""
    content = [kept[name] if isinstance(kept[name], (str, int)) else repr(kept[name]) for name in COLUMNS]
    return canonical(content).encode("utf-8", "surrogatepass")


def stamp(at: datetime) -> str:
    """Write a moment as the record keeps it: ISO 8601, UTC, microseconds, sortable as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
