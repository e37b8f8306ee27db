"""The record handed out: a signed file of entries that whoever receives it can check alone; only here known.

Lines of canonical JSON: a heading, the entries, and a closing line with the count, the SHA-256 of every byte before it
and an ed25519 signature over that line. The chain between the entries is followed without a secret; seals are not.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from twin import durable, ops
from twin.audit.entries import COLUMNS, Event, canonical, stamp
from twin.audit.keys import Keys
from twin.audit.verifying import Fault
from twin.errors import AuditDown, BadRequest, SourceError, StoreBroken
from twin.ops import tables

FORMAT = "onemap-audit-1"
KEPT = timedelta(days=184)
"""How long entries stay in the record itself (Cybersecurity Law of China, article 23: no less than six months)."""
TABLE = tables.audit


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file of entries `first` to `last`; `hash` is the last one's, `sha256` the file's up to its closing line."""

    path: Path
    first: int
    last: int
    hash: str
    sha256: str
    count: int
    public_key: str

    def facts(self) -> dict[str, Any]:
        """Give what the record keeps of it: everything but the folder."""
        return asdict(self) | {"path": self.path.name}


ANY = "audit-to-*.jsonl"


def name(last: int) -> str:
    """Give the name of the archive that ends with an entry."""
    return f"audit-to-{last:012d}.jsonl"


def export(store: ops.Ops, keys: Keys, path: Path, *, first: int, last: int | None) -> Exported:
    """Write a signed file of entries; raises BadRequest where there are none, AuditDown (disk)."""
    with store.read() as connection:
        query = TABLE.select().where(TABLE.c.seq >= first).order_by(TABLE.c.seq)
        query = query if last is None else query.where(TABLE.c.seq <= last)
        rows = [dict(row) for row in connection.execute(query).mappings()]
    if not rows:
        raise BadRequest("没有可导出的审计记录", "There are no entries to export", first=first, last=last)
    heading = {"format": FORMAT, "first": rows[0]["seq"], "last": rows[-1]["seq"], "at": stamp(ops.now())}
    body = b"".join(_line(content) for content in (heading, *rows))
    closing = {
        "count": len(rows),
        "sha256": hashlib.sha256(body).hexdigest(),
        "hash": rows[-1]["hash"],
        "public_key": keys.public,
    }
    signature = keys.signing.sign(canonical(closing).encode()).hex()
    try:
        durable.make_directory(path.parent)
        durable.write(path, body + _line(closing | {"signature": signature}))
    except OSError as error:
        raise AuditDown(f"无法写入 {path}", f"{path} cannot be written", reason=error.strerror or "") from error
    return check(path, public_key=keys.public)


def check(path: Path, *, public_key: str = "") -> Exported:
    """Check a file of entries without the record or its secret; raises SourceError naming what is wrong.

    With `public_key` (hexadecimal, as handed over beforehand) the file must be signed by that key; without, the key in
    the file only proves that nothing was changed since, not who signed.
    """
    lines = path.read_bytes().split(b"\n")
    body = b"".join(line + b"\n" for line in lines[:-2])
    try:
        closing = json.loads(lines[-2])
        signature = bytes.fromhex(closing.pop("signature"))
        signer = Ed25519PublicKey.from_public_bytes(bytes.fromhex(closing["public_key"]))
        signer.verify(signature, canonical(closing).encode())
        rows = [json.loads(line) for line in lines[1:-2]]
        heading = json.loads(lines[0])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, InvalidSignature):
        raise _bad(path, "签名不符或文件不完整", "its signature does not fit, or it is not whole") from None
    if public_key and closing["public_key"] != public_key.strip().lower():
        raise _bad(path, "由另一把密钥签名", "it is signed by another key")
    if hashlib.sha256(body).hexdigest() != closing["sha256"] or len(rows) != closing["count"] or lines[-1]:
        raise _bad(path, "内容与签名不符", "its content is not what was signed")
    if heading.get("format") != FORMAT or (broken := next(_broken(rows), None)) is not None:
        raise _bad(path, f"第 {broken} 条断链", f"the chain breaks at entry {broken}")
    return Exported(
        path=path,
        first=rows[0]["seq"],
        last=rows[-1]["seq"],
        hash=rows[-1]["hash"],
        sha256=closing["sha256"],
        count=len(rows),
        public_key=closing["public_key"],
    )


def refuse_young(before: datetime, now: datetime) -> None:
    """Raise BadRequest where entries younger than six months would leave the record."""
    if before > now - KEPT:
        raise BadRequest(
            "审计记录须在库中保留至少六个月,请选择更早的日期",
            "Entries stay in the record for six months at least: choose an earlier date",
            earliest=(now - KEPT).date(),
        )


def last_before(store: ops.Ops, moment: datetime) -> int | None:
    """Give the last entry of the unbroken run from the first whose time is before a moment."""
    with store.read() as connection:
        young = connection.execute(ops.select(ops.func.min(TABLE.c.seq)).where(TABLE.c.at >= stamp(moment))).scalar()
        query = ops.select(ops.func.max(TABLE.c.seq))
        return connection.execute(query if young is None else query.where(TABLE.c.seq < young)).scalar()


def remove(connection: ops.Connection, events: Iterable[Event]) -> None:
    """Delete the entries that an archiving among `events` has moved, in the transaction that records it."""
    for event in events:
        if event.action == "audit.archive":
            connection.execute(TABLE.delete().where(TABLE.c.seq <= event.detail["last"]))


def not_whole(fault: Fault) -> StoreBroken:
    """Give the refusal to archive a record that is not whole."""
    return StoreBroken(
        f"审计记录在第 {fault.seq} 条处不完整({fault.kind}),不能归档;请先运行 onemap audit verify",
        f"The record is not whole at entry {fault.seq} ({fault.kind}), so it stays; run onemap audit verify first",
    )


def _line(content: Mapping[str, Any]) -> bytes:
    return canonical(content).encode("utf-8", "surrogatepass") + b"\n"


def _broken(rows: list[dict[str, Any]]) -> Iterator[int]:
    """Give the numbers at which the chain between entries breaks."""
    for before, row in itertools.pairwise(rows):
        if (row["seq"], row["previous_hash"]) != (before["seq"] + 1, before["hash"]):
            yield row["seq"]
    yield from (row["seq"] for row in rows if set(row) != {*COLUMNS, "hash"})


def _bad(path: Path, zh: str, en: str) -> SourceError:
    return SourceError(f"{path.name}:{zh},不可采信", f"{path.name}: {en}; do not rely on it", file=path)
