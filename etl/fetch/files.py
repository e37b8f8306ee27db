"""Which delivered files a declaration means, whole and unchanging; the only module of etl that reaches for them."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twin.model import Source

_SIBLINGS = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj"),
    ".tab": (".dat", ".map", ".id", ".ind"),
    ".mif": (".mid",),
    ".tif": (".tfw", ".tif.aux.xml", ".prj", ".tif.ovr"),
    ".tiff": (".tfw", ".tiff.aux.xml", ".prj", ".tiff.ovr"),
}
_FOLDER_LIMIT = 100_000
UNDER_WAY = (".part", ".filepart", ".tmp", ".crdownload", ".partial")
"""What uploading programs put behind a name until the file is whole."""
YOUNG_SECONDS = 2.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """One file of a delivery: where it lies, and what it was when it was taken."""

    path: Path
    name: str
    sha256: str
    bytes: int
    modified_ns: int


@dataclass(frozen=True, kw_only=True)
class FileSet:
    """A whole delivery: `files[0]` is the main file of a set, `root` the file or folder that was declared.

    `sha256` is the main file's own where there is one file, else the hash over all names and hashes in order.
    """

    root: Path
    location: str
    files: tuple[Delivered, ...]
    sha256: str

    @property
    def bytes(self) -> int:
        """Give the size of all files together."""
        return sum(f.bytes for f in self.files)

    def unchanged(self) -> None:
        """Raise SourceError where any file is no longer what was taken (size or time of change differ)."""
        for taken in self.files:
            stat = taken.path.stat() if taken.path.exists() else None
            if stat is None or (stat.st_size, stat.st_mtime_ns) != (taken.bytes, taken.modified_ns):
                raise _restless(taken.path, self.location)


def fetch(
    source: Source, raw: Path, *, settle_seconds: float = 0.0, pause: Callable[[float], None] = time.sleep
) -> FileSet:
    """Take the file set `source.location` names below `raw`: find its parts, see that it stands still, hash it.

    What changed a moment ago is looked at again after a pause, of `settle_seconds` where that is longer. Raises
    SourceError where the file is absent, lies outside `raw`, is no regular file, changes while it is being taken, is
    open for writing in any process of this machine, has the name of an upload under way beside it (.part, .filepart …),
    or lacks the marker the option `done` names.
    """
    root = _inside(raw, source.location)
    parts = _parts(root, source.location)
    _arrived(root, source)
    if any(_open_for_writing(p) for p in parts):
        raise _restless(root, source.location)
    before = [_stamp(p) for p in parts]
    young = time.time() - max(m for _, m in before) / 1e9 < YOUNG_SECONDS
    if wait := max(settle_seconds, LOOK_SECONDS if young else 0.0):
        pause(wait)
        if before != [_stamp(p) for p in parts]:
            raise _restless(root, source.location)
    taken = tuple(_take(p, _name(p, root)) for p in parts)
    if before != [(f.bytes, f.modified_ns) for f in taken] or any(_open_for_writing(p) for p in parts):
        raise _restless(root, source.location)
    whole = FileSet(root=root, location=source.location, files=taken, sha256=_together(taken))
    whole.unchanged()
    return whole


def _inside(raw: Path, location: str) -> Path:
    path = raw / location
    base = raw.resolve()
    if not path.resolve().is_relative_to(base) or path.is_symlink():
        raise SourceError(
            f"声明的位置“{location}”不在报送文件夹之内。请在目录中改为相对 raw/ 的路径。",
            f"The declared location “{location}” is not inside the raw folder. Declare a path relative to raw/.",
            file=location,
        )
    if not path.exists():
        raise SourceError(
            f"没有找到声明的文件“{location}”。请确认报送单位已上传，并核对目录中的文件名(含大小写)。",
            f"The declared file “{location}” is not there. Check that it "
            "was delivered and that the catalogue names it.",
            file=location,
        )
    return path


def _arrived(root: Path, source: Source) -> None:
    """Raise SourceError where an upload of `root` is under way, by a name beside it or for want of its marker."""
    marker = source.options.get("done", "")
    beside = [root.with_name(root.name + s) for s in UNDER_WAY] + [root.with_name(f"~${root.name}")]
    odd = next((p for p in beside if p.exists()), None)
    if marker and not root.with_name(root.name + marker).exists():
        odd = root.with_name(root.name + marker)
    if odd is not None:
        raise SourceError(
            f"“{source.location}”尚未传完({odd.name})。传完后会自动接收。",
            f"“{source.location}” has not arrived whole yet ({odd.name}). It is taken once it has.",
            file=source.location,
        )


def _parts(root: Path, location: str) -> list[Path]:
    if root.is_dir():
        found = sorted(p for p in root.rglob("*") if not p.is_dir())
        found = found[: _FOLDER_LIMIT + 1]
    else:
        wanted = {f"{root.stem}{s}".lower() for s in _SIBLINGS.get(root.suffix.lower(), ())}
        wanted |= {f"{root.name}.aux.xml".lower()} & wanted
        found = [root, *sorted(p for p in root.parent.iterdir() if p.name.lower() in wanted and p != root)]
    odd = next((p for p in found if p.is_symlink() or not p.is_file()), None)
    if odd is not None or not found or len(found) > _FOLDER_LIMIT:
        raise SourceError(
            f"“{location}”中有链接或不是普通文件的内容，或为空，或文件过多。请报送单位重新打包普通文件。",
            f"“{location}” holds links or special files, nothing at all, or too many files. Ask for plain files.",
            file=str(odd or location),
        )
    return found


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if root.is_dir() else path.name


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _open_for_writing(path: Path) -> bool:
    """Say whether a process of this machine has the file open for writing: then the kernel grants no read lease.

    Of a file of somebody else, or on a file system without leases, the kernel does not say: False.
    """
    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as refused:
            return refused.errno in (errno.EAGAIN, errno.EBUSY)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _take(path: Path, name: str) -> Delivered:
    size, modified = _stamp(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Delivered(path=path, name=name, sha256=digest, bytes=size, modified_ns=modified)


def _together(files: tuple[Delivered, ...]) -> str:
    if len(files) == 1:
        return files[0].sha256
    lines = "".join(f"{f.sha256}  {f.name}\n" for f in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _restless(path: Path, location: str) -> SourceError:
    return SourceError(
        f"“{location}”在读取过程中仍在变化(可能正在上传)。请等上传完成后重新运行。",
        f"“{location}” was still changing while it was read (an upload under way?). Run again when it is complete.",
        file=path.name,
    )
