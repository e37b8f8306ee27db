"""A form that carries one file, as a browser sends it (RFC 7578); the only one to know how its parts are told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = re.compile(r'multipart/form-data;\s*boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', re.IGNORECASE)
NAME = re.compile(r'(?:^|;)\s*name="([^"\r\n]{1,80})"', re.IGNORECASE)
FILE = re.compile(r'(?:^|;)\s*filename="([^"\r\n]{0,255})', re.IGNORECASE)
MOST_PARTS, LONGEST_FIELD = 20, 4_000


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The fields of a form, and its one file; `called` is what its sender says it is called, which proves nothing."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    file: bytes = b""
    called: str = ""


def read(kind: str, body: bytes) -> Sent:
    """Read a body of the content type `kind`; raises BadRequest for anything that no form of ours would send."""
    found = KIND.fullmatch(kind.strip())
    if found is None:
        raise _wrong()
    edge = b"--" + found.group(1).encode("ascii")
    head, *parts = (b"\r\n" + body).split(b"\r\n" + edge)
    if head or len(parts) < 2 or parts[-1] not in (b"--", b"--\r\n") or len(parts) > MOST_PARTS:
        raise _wrong()
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for part in parts[:-1]:
        name, called, content = _part(part)
        if called is not None:
            files.append((called, content))
        elif name in fields or len(content) > LONGEST_FIELD:
            raise _wrong()
        else:
            fields[name] = content.decode("utf-8", "replace")
    if len(files) > 1:
        raise _wrong()
    called, file = files[0] if files else ("", b"")
    return Sent(fields=fields, file=file, called=called)


def _part(part: bytes) -> tuple[str, str | None, bytes]:
    head, between, content = part.partition(b"\r\n\r\n")
    lines = [x for x in head.decode("utf-8", "replace").split("\r\n") if x.lower().startswith("content-disposition:")]
    told = lines[0].partition(":")[2].strip() if lines else ""
    name = NAME.search(told)
    if not head.startswith(b"\r\n") or not between or not told.lower().startswith("form-data") or name is None:
        raise _wrong()
    file = FILE.search(told)
    return name.group(1), file.group(1) if file else None, content


def _wrong() -> BadRequest:
    return BadRequest("需要表单内容", "A form is wanted")
