"""Write a file so that it survives a kill and a power cut; the only caller of rename, replace and fsync.

The protocol: write beside the target, fsync the file, rename, fsync the directory. Without the first fsync a power
cut leaves an empty file under the new name; without the second it leaves the old one after success was reported.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from twin.errors import PublishConflict

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".tmp-"
"""What the names of unfinished files and folders begin with; `sweep` removes them."""


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Force a file or a directory to disk; raises OSError, which is never retried (the pages may be gone)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Create `path` and its missing parents, each entry forced to disk."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def write(path: Path, data: bytes) -> None:
    """Replace `path` by `data` whole or not at all, and be durable on return."""
    beside = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def swap(pointer: Path, data: bytes) -> None:
    """Point to something new: readers see the old bytes or the new ones, before and after a power cut."""
    write(pointer, data)


def sync_tree(directory: Path) -> None:
    """Force every file below `directory`, then every folder from the leaves up, to disk."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))


def commit_directory(staging: Path, final: Path) -> None:
    """Make a filled `staging` folder durable and give it its `final` name on the same file system.

    Raises FileExistsError where `final` exists: published folders are never replaced.
    """
    if final.exists():
        raise FileExistsError(final)
    sync_tree(staging)
    staging.rename(final)
    sync(final.parent)


def append_line(path: Path, text: str) -> None:
    """Append one line durably; a last line torn by a power cut is closed first, so that it spoils only itself."""
    fresh = not path.exists()
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        torn = False
        if end:
            file.seek(end - 1)
            torn = file.read(1) != b"\n"
        file.write((b"\n" if torn else b"") + text.rstrip("\n").encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        sync(path.parent)


def remove_tree(directory: Path) -> None:
    """Remove a folder so that a kill on the way leaves nothing under its name."""
    gone = directory.with_name(f"{TEMPORARY}gone-{secrets.token_hex(4)}")
    directory.rename(gone)
    shutil.rmtree(gone)


@contextlib.contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Give a fresh folder in `parent`, locked while we live and removed on leaving unless it was committed.

    Call it under the lock of `parent`, as `sweep` must be: a folder nobody has locked yet looks abandoned.
    """
    path = parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    path.mkdir()
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


@contextlib.contextmanager
def workplace(parent: Path) -> Iterator[Path]:
    """Give a fresh folder in `parent`, made where it is not there; what killed writers left in it is removed first."""
    make_directory(parent)
    with contextlib.ExitStack() as stack:
        with lock(parent / ".lock"):
            sweep(parent)
            folder = stack.enter_context(staging(parent))
        yield folder


def sweep(parent: Path) -> list[str]:
    """Remove what killed writers left in `parent` and give the names; what a living one holds stays."""
    removed = []
    for path in sorted(parent.glob(f"{TEMPORARY}*")):
        if path.is_dir() and _is_held(path):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        removed.append(path.name)
    return removed


def _is_held(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def share(path: Path) -> BinaryIO:
    """Give `path` opened and leased until it is closed: `claim` gives nobody what others lease.

    A killed holder frees it. Raises FileNotFoundError where it is not there, or has just gone.
    """
    file = path.open("rb")
    fcntl.flock(file, fcntl.LOCK_SH)  # whoever claims it is about to remove it, or to let go
    if not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino:
        file.close()
        raise FileNotFoundError(path)
    return file


def claim(path: Path) -> BinaryIO | None:
    """Give `path` opened and claimed until it is closed, None where somebody leases it; a missing file is claimed."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return io.BytesIO()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def lock(path: Path, *, seconds: float = 30.0) -> Iterator[None]:
    """Hold the lock file `path` alone; a killed holder frees it. Raises PublishConflict after `seconds`, naming who."""
    with path.open("a+") as file:
        _wait_for(file.fileno(), path, time.monotonic() + seconds)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _wait_for(descriptor: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                holder = path.read_text() or "?"
                raise PublishConflict(
                    f"进程 {holder} 正在写入,请等它结束后重试",
                    f"Process {holder} is writing; try again when it has finished",
                    lock=path,
                ) from None
            time.sleep(0.02)
        else:
            return
