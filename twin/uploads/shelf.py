"""Where people's files lie: a folder a person below uploads/, a folder a file in it; the only one to know how.

A file comes whole or not at all: it is laid out beside its place and given its name once it is on disk. What a person
sent in the last day stands in day.json, so that deleting makes no room for sending.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import durable
from twin.errors import NotFound, StoreBroken, StoreFull
from twin.uploads import quota
from twin.uploads.kinds import MEDIA, SUFFIX, Kind
from twin.uploads.quota import Quota, Used

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.uploads.remaking import Remade

FOLDER, TOLD, DAY, LOCK = "uploads", "upload.json", "day.json", ".lock"
OWNER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An account's id."""
LETTERS = "abcdefghijkmnpqrstuvwxyz"
ID = re.compile(rf"[{LETTERS}]{{28}}")
"""128 random bits in letters alone: digits might be taken for somebody's number."""
OWNER_ONLY = 0o700


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One kept file: whose, of what kind, when it came (UTC), the owner's area, and what was counted in it."""

    id: str
    owner: str
    kind: Kind
    at: datetime
    bytes: int
    sha256: str
    area: str
    counted: dict[str, int]

    @property
    def media(self) -> str:
        """Give its media type."""
        return MEDIA[self.kind]

    @property
    def name(self) -> str:
        """Give the name it is handed out under."""
        return f"{self.id}.{SUFFIX[self.kind]}"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The files of everybody, below `data`."""

    data: Path

    @property
    def root(self) -> Path:
        """Give the folder that holds a folder for each person."""
        return self.data / FOLDER

    def used(self, owner: str, now: datetime) -> Used:
        """Give what a person has used."""
        kept = self.of(owner)
        return Used(sent=self._sent(owner, now), count=len(kept), bytes=sum(u.bytes for u in kept))

    def keep(
        self,
        owner: str,
        made: Remade,
        *,
        sent_bytes: int,
        area: str,
        now: datetime,
        most: Quota,
        zone: str,
        record: Callable[[Upload], object] = lambda _: None,
    ) -> Upload:
        """Put a file up for good, once `record` has written down that it comes; durable on return.

        Raises UploadQuota where others of the same person came first, StoreFull, and what `record` raises.
        """
        content = made.content
        upload = Upload(
            id="".join(secrets.choice(LETTERS) for _ in range(28)), owner=owner, kind=made.kind, at=now, area=area,
            bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), counted=dict(made.counted),
        )  # fmt: skip
        with _room(), self._alone(owner) as folder:
            durable.sweep(folder)
            quota.check(most, self.used(owner, now), max(sent_bytes, len(content)), zone)
            record(upload)
            lines = [(at.isoformat(), size) for at, size in self._sent(owner, now)]
            durable.write(folder / DAY, json.dumps([*lines, (now.isoformat(), sent_bytes)]).encode())
            with durable.staging(folder) as staging:
                (staging / upload.name).write_bytes(content)
                (staging / TOLD).write_text(json.dumps(_facts(upload)), "utf-8")
                durable.commit_directory(staging, folder / upload.id)
        return upload

    def of(self, owner: str) -> list[Upload]:
        """Give a person's files, the newest first."""
        folder = self._folder(owner)
        found = [_read(p / TOLD) for p in sorted(folder.iterdir()) if ID.fullmatch(p.name)] if folder else []
        return sorted((u for u in found if u is not None), key=lambda u: (u.at, u.id), reverse=True)

    def all(self) -> Iterator[Upload]:
        """Give everybody's files."""
        for folder in sorted(self.root.glob("*")):
            if OWNER.fullmatch(folder.name):
                yield from self.of(folder.name)

    def get(self, owner: str, upload_id: str) -> Upload:
        """Give one file of a person; raises NotFound, the same for another's and for none."""
        folder = self._folder(owner) if ID.fullmatch(upload_id) else None
        found = _read(folder / upload_id / TOLD) if folder else None
        if found is None:
            raise NotFound("没有找到", "Not found")
        return found

    def find(self, upload_id: str) -> Upload | None:
        """Give a file whoever owns it, None for none."""
        if not ID.fullmatch(upload_id):
            return None
        return next((u for p in self.root.glob(f"*/{upload_id}/{TOLD}") if (u := _read(p)) is not None), None)

    def path(self, upload: Upload) -> Path:
        """Give where its bytes lie."""
        return self.root / upload.owner / upload.id / upload.name

    def content(self, upload: Upload) -> bytes:
        """Give its bytes; raises StoreBroken where they are not what was kept."""
        try:
            data = self.path(upload).read_bytes()
        except FileNotFoundError as gone:
            raise NotFound("没有找到", "Not found") from gone
        if hashlib.sha256(data).hexdigest() != upload.sha256:
            raise StoreBroken("文件已损坏，请重新上传", "The file is damaged; send it again", upload=upload.id)
        return data

    def remove(self, upload: Upload) -> bool:
        """Remove a file for good; gives False where it had gone already."""
        with self._alone(upload.owner) as folder:
            path = folder / upload.id
            if not path.is_dir():
                return False
            durable.remove_tree(path)
            durable.sync(folder)
            return True

    def _folder(self, owner: str) -> Path | None:
        folder = self.root / owner if OWNER.fullmatch(owner) else None
        return folder if folder is not None and folder.is_dir() else None

    @contextlib.contextmanager
    def _alone(self, owner: str) -> Iterator[Path]:
        """Hold a person's folder alone, making it where need be; raises NotFound for what is no account's id."""
        if not OWNER.fullmatch(owner):
            raise NotFound("没有找到", "Not found")
        folder = self.root / owner
        if not folder.is_dir():
            durable.make_directory(folder)
            self.root.chmod(OWNER_ONLY)
        with durable.lock(folder / LOCK):
            yield folder

    def _sent(self, owner: str, now: datetime) -> tuple[tuple[datetime, int], ...]:
        try:
            lines = json.loads((self.root / owner / DAY).read_bytes())
        except FileNotFoundError:
            return ()
        return quota.recent(((datetime.fromisoformat(at), int(size)) for at, size in lines), now)


def past(uploads: Iterator[Upload], days: int, now: datetime) -> Iterator[tuple[Upload, datetime]]:
    """Give the files whose time is over, and since when; `days` 0 is without limit."""
    for upload in uploads:
        over = upload.at + timedelta(days=days)
        if days and over < now:
            yield upload, over


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Say in our words that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(
                "磁盘已满，文件没有保存；请联系管理员",
                "The disk is full, the file was not kept; tell the administrator",
            ) from error
        raise


def _facts(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "owner": upload.owner,
        "kind": upload.kind,
        "at": upload.at.isoformat(),
        "bytes": upload.bytes,
        "sha256": upload.sha256,
        "area": upload.area,
        "counted": upload.counted,
    }


def _read(path: Path) -> Upload | None:
    """Read what is told of a file; None where there is none, or it went while we looked."""
    try:
        told = json.loads(path.read_bytes())
        return Upload(**{**told, "at": datetime.fromisoformat(told["at"])})
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
