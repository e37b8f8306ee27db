"""What was asked about a person's data, approved and done: a list of lines with keyed hashes; the only one to know it.

Nothing in it tells who the person is. The marks of what was approved hold for ever: they keep out tomorrow's delivery
and are applied again after a restore.
"""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from twin import durable
from twin.errors import BadRequest, NotFound, Refused, SettingError
from twin.retention import marks
from twin.retention.marks import Marks

if TYPE_CHECKING:
    from twin.settings import Settings

State = Literal["asked", "approved", "done", "withdrawn"]
FILE = "erasures.jsonl"
DEMO_SECRET = "demo_secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to erase: who asked and who approved (ids of accounts), the marks, and how it ended."""

    id: str
    state: State
    asked_by: str
    asked_at: str
    reason: str = ""
    numbers: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    """(table, mark)"""
    approved_by: str = ""
    approved_at: str = ""
    done_at: str = ""
    certificate_sha256: str = ""


def path(data: Path) -> Path:
    """Give where the list lies below the data folder."""
    return data / "run" / FILE


def house_keys(settings: Settings) -> dict[str, bytes]:
    """Give the keys that marks are made with; raises SettingError where there is no house secret."""
    demo = settings.data / "run" / DEMO_SECRET
    secret = settings.secret or (demo.read_bytes() if demo.is_file() else b"")
    if not secret:
        raise SettingError(
            "缺少 ONEMAP_SECRET:有删除个人信息的记录要核对,没有它不能继续",
            "ONEMAP_SECRET is missing: people were erased, and without it nobody can be told apart",
        )
    return marks.keys_of((secret, *reversed(settings.older_secrets)))


def held_out(settings: Settings) -> Marks:
    """Give the marks of everybody whose erasure was approved; NONE where there is nobody. Raises SettingError."""
    told = [r for r in read(settings.data) if r.state in ("approved", "done")]
    return of(told, house_keys(settings)) if told else marks.NONE


def of(requests: list[Request], keys: Mapping[str, bytes]) -> Marks:
    """Give the marks of requests, with those keys that made them; raises SettingError where a key is away."""
    numbers = frozenset(m for r in requests for m in r.numbers)
    rows: dict[str, set[str]] = {}
    for table, mark in (pair for r in requests for pair in r.rows):
        rows.setdefault(table, set()).add(mark)
    used = {m.partition("-")[0] for m in (*numbers, *(m for some in rows.values() for m in some))}
    if used - keys.keys():
        raise SettingError(
            "有的删除记录用更早的密钥做成:请在 ONEMAP_SECRET_PREVIOUS 中补上",
            "Some erasures were marked with an older secret: add it to ONEMAP_SECRET_PREVIOUS",
        )
    return Marks(
        keys={name: key for name, key in keys.items() if name in used},
        numbers=numbers,
        rows={table: frozenset(some) for table, some in rows.items()},
    )


def read(data: Path) -> list[Request]:
    """Give every request, the oldest first."""
    found: dict[str, Request] = {}
    for line in _lines(path(data)):
        name, state = line.get("id", ""), line.get("state")
        if state == "asked":
            rows = tuple((t, m) for t, m in line["rows"])
            found[name] = Request(**{**line, "numbers": tuple(line["numbers"]), "rows": rows})
        elif name in found:
            found[name] = replace(found[name], **line)
    return list(found.values())


def get(data: Path, name: str) -> Request:
    """Give one request; raises NotFound."""
    for request in read(data):
        if request.id == name:
            return request
    raise NotFound(f"没有请求 {name[:40]}", f"There is no request {name[:40]}")


def ask(data: Path, by: str, at: datetime, wanted: Marks, *, reason: str) -> Request:
    """Write a request down; raises BadRequest where it names nobody."""
    if not wanted:
        raise BadRequest("请求没有写明要删除谁的信息", "The request names nobody")
    made = Request(
        id=f"{at:%Y%m%d}-{random.token_hex(3)}",
        state="asked",
        asked_by=by,
        asked_at=at.isoformat(),
        reason=reason,
        numbers=tuple(sorted(wanted.numbers)),
        rows=tuple(sorted((t, m) for t, some in wanted.rows.items() for m in some)),
    )
    told = {k: getattr(made, k) for k in ("id", "state", "asked_by", "asked_at", "reason", "numbers", "rows")}
    _add(data, told)
    return made


def approve(data: Path, name: str, by: str, at: datetime) -> Request:
    """Approve what somebody else asked; its marks hold from now on. Raises Refused where it is one's own."""
    request = get(data, name)
    if request.state != "asked":
        raise BadRequest(f"请求 {name} 已不在待批", f"Request {name} is not waiting", state=request.state)
    if request.asked_by == by:
        raise Refused("自己提出的请求须由另一人批准", "A request is approved by somebody other than who asked")
    _add(data, {"id": name, "state": "approved", "approved_by": by, "approved_at": at.isoformat()})
    return get(data, name)


def withdraw(data: Path, name: str) -> Request:
    """Take back what was asked and not yet approved."""
    if get(data, name).state != "asked":
        raise BadRequest(f"请求 {name} 已不在待批", f"Request {name} is not waiting")
    _add(data, {"id": name, "state": "withdrawn"})
    return get(data, name)


def done(data: Path, name: str, at: datetime, certificate_sha256: str) -> None:
    """Write down that a request was carried out, and the hash of the certificate that says how."""
    _add(data, {"id": name, "state": "done", "done_at": at.isoformat(), "certificate_sha256": certificate_sha256})


def join(data: Path, other: Path) -> int:
    """Take up the lines of another such list (a backup's) that are not in ours; gives how many."""
    known = {json.dumps(line, sort_keys=True) for line in _lines(path(data))}
    lacking = [line for line in _lines(other) if json.dumps(line, sort_keys=True) not in known]
    for line in lacking:
        _add(data, line)
    return len(lacking)


def _add(data: Path, line: Mapping[str, Any]) -> None:
    durable.make_directory(path(data).parent)
    durable.append_line(path(data), json.dumps(line, ensure_ascii=False))


def _lines(file: Path) -> list[dict[str, Any]]:
    """Give the lines that can be read; one torn by a power cut was never acknowledged."""
    if not file.is_file():
        return []
    found = []
    for text in file.read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found
