"""How far the record had come, kept outside the database so that cutting its end shows; the only one to know the files.

`head.anchor` holds the last entry's number and hash, rewritten in place after every commit: one sector, so that a power
cut leaves the old or the new. `anchors.jsonl` gets a durable line every EVERY entries; it is only ever appended to and
may be made append-only (chattr +a) or shipped elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twin import durable
from twin.audit.entries import canonical, stamp
from twin.audit.keys import Keys
from twin.ops import now

HEAD, LOG = "head.anchor", "anchors.jsonl"
EVERY = 1000
SECTOR = 512


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One entry that certainly was: its number and hash."""

    seq: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """An anchor file that is not what was written there."""

    file: str


class Anchors:
    """The anchor files in one folder."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self._keys = keys

    def head(self) -> Anchor | Damaged | None:
        """Give the newest anchor, None where there never was one."""
        try:
            data = (self.folder / HEAD).read_bytes()
        except FileNotFoundError:
            return None
        return self._read(data, HEAD)

    def log(self) -> Iterator[Anchor]:
        """Give the anchors of the log, oldest first; lines torn by a power cut are passed over."""
        try:
            lines = (self.folder / LOG).read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        read = (self._read(line, LOG) for line in lines)
        yield from (anchor for anchor in read if isinstance(anchor, Anchor))

    def put(self, seq: int, digest: str, *, before: int) -> None:
        """Anchor the entry `seq`, which is committed; `before` is the last one anchored. Raises OSError."""
        line = self._line(seq, digest)
        path = self.folder / HEAD
        if not path.exists():
            durable.make_directory(self.folder)
            durable.write(path, line.ljust(SECTOR))
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.pwrite(descriptor, line.ljust(SECTOR), 0)
        finally:
            os.close(descriptor)
        if before == 0 or seq // EVERY != before // EVERY:
            durable.append_line(self.folder / LOG, line.decode())

    def _line(self, seq: int, digest: str) -> bytes:
        content = {"at": stamp(now()), "hash": digest, "key_id": self._keys.now.id, "seq": seq}
        return canonical(content | {"seal": self._keys.now.seal(canonical(content).encode())}).encode()

    def _read(self, data: bytes, name: str) -> Anchor | Damaged:
        try:
            content = json.loads(data)
            seal = content.pop("seal")
            key = self._keys.find(content["key_id"])
            anchor = Anchor(seq=int(content["seq"]), hash=str(content["hash"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Damaged(file=name)
        good = key is not None and key.seal(canonical(content).encode("utf-8", "surrogatepass")) == seal
        return anchor if good else Damaged(file=name)
