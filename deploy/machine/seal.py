"""Whether a bundle is whole and whose it is: checksums of every file, one signature over them, safe unpacking."""

from __future__ import annotations

import hashlib
import re
import tarfile
from pathlib import Path, PurePosixPath

from . import ed25519
from .words import Refused

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
MOST_FILES, MOST_BYTES = 20_000, 4 * 2**30
BLOCK = 2**20


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file, in hex."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()


def unpack(archive: Path, into: Path) -> Path:
    """Unpack a bundle below `into` and give its folder; refuses links, ways out, and more than a bundle can hold.

    Raises Refused; nothing in the archive is run or believed by this.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            return into / _unpack(tar, into)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refused("not_a_bundle", path=archive) from error


def _unpack(tar: tarfile.TarFile, into: Path) -> str:
    tops: set[str] = set()
    files = size = 0
    for member in tar:
        files, size = files + 1, size + member.size
        parts = PurePosixPath(member.name).parts
        plain = member.isreg() or member.isdir()
        if not plain or not parts or ".." in parts or member.name.startswith("/") or files > MOST_FILES:
            raise Refused("unsafe", name=member.name)
        if size > MOST_BYTES:
            raise Refused("unsafe", name=member.name)
        tops.add(parts[0])
        tar.extract(member, into, filter="data")
    if len(tops) != 1:
        raise Refused("not_a_bundle", path=tar.name)
    return tops.pop()


def check(folder: Path, key: Path | None, *, unsigned: bool = False) -> int:
    """Check signature, then every file; gives how many. Raises Refused with the first thing that is wrong.

    `key` is the publisher's public key (PEM), got by another way than the bundle. `unsigned` lets a bundle without a
    signature pass; one with a wrong signature never passes.
    """
    sums = folder / SUMS
    if not sums.is_file():
        raise Refused("not_a_bundle", path=folder)
    text = sums.read_bytes()
    _check_signature(folder, text, key, unsigned=unsigned)
    listed = _listed(text, folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()}
    there -= {SUMS, SIGNATURE}
    for name in sorted(there - set(listed)):
        raise Refused("unlisted", name=name)
    for name, wanted in listed.items():
        path = folder / name
        if name not in there:
            raise Refused("missing", name=name)
        if path.is_symlink() or not path.is_file():
            raise Refused("unsafe", name=name)
        if sha256(path) != wanted:
            raise Refused("changed", name=name)
    return len(listed)


def is_signed(folder: Path) -> bool:
    """Tell whether the bundle carries a signature, right or wrong."""
    return (folder / SIGNATURE).is_file()


def _check_signature(folder: Path, text: bytes, key: Path | None, *, unsigned: bool) -> None:
    if not is_signed(folder):
        if unsigned:
            return
        raise Refused("unsigned")
    if key is None or not key.is_file():
        raise Refused("no_key")
    try:
        public = ed25519.key_of(key.read_text(encoding="ascii"))
    except ValueError as error:
        raise Refused("bad_key", path=key) from error
    if not ed25519.holds(public, text, (folder / SIGNATURE).read_bytes()):
        raise Refused("forged")


def _listed(text: bytes, folder: Path) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        found = LINE.fullmatch(line)
        parts = PurePosixPath(found[2]).parts if found else ()
        if found is None or ".." in parts or found[2].startswith("/") or found[2] in listed:
            raise Refused("not_a_bundle", path=folder)
        listed[found[2]] = found[1]
    return listed
