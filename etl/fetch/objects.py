"""A bucket as a place to keep files in: listed, read and written whole, each request signed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from etl.fetch import connections
from etl.fetch.connections import Open
from etl.fetch.web import Answer, Web
from etl.fetch.web_files import listed_below, signature
from twin.errors import SettingError, SourceError


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of one bucket below `prefix` ("" or ending in "/"); an object is there whole or not at all."""

    to: Open
    prefix: str = ""

    def names(self, below: str = "") -> list[str]:
        """Give the names of all objects that begin with `below`, sorted. Raises SourceError."""
        listed = listed_below(self._web(below), self.prefix + below)
        return sorted(key.removeprefix(self.prefix) for key in listed)

    def read(self, name: str) -> bytes:
        """Give the bytes of an object. Raises SourceError, also where there is none."""
        return self._web(name).ask(self._address(name), None, _body)

    def write(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`. Raises SourceError where the bucket does not take it."""
        self._web(name).put(self._address(name), data)

    def _web(self, name: str) -> Web:
        return Web(self.to, f"{self.to.connection.id}:{self.prefix}{name}", sign=signature(self.to))

    def _address(self, name: str) -> str:
        return quote(self.prefix + name, safe="/-_.~")


def bucket(name: str, prefix: str, village: Path, environ: Mapping[str, str] = os.environ) -> Objects:
    """Give the bucket of the connection `name`; raises SourceError where nobody declared it, SettingError unarmed."""
    known = connections.read(village)
    if name not in known or known[name].kind != "s3":
        raise connections.unknown(name, f"{name}:{prefix}")
    to = connections.opened(known[name], environ)
    if to is None:
        listed = ", ".join(known[name].variables)
        raise SettingError(f"连接 {name} 缺少环境变量:{listed}", f"Connection {name} lacks variables: {listed}")
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    return Objects(to=to, prefix=prefix)


def _body(answer: Answer) -> bytes:
    stated = answer.headers.get("content-length", "")
    if stated.isdigit() and int(stated) != len(answer.body):
        raise SourceError(f"“{answer.shown}”没有传完", f"“{answer.shown}” did not come whole", file=answer.shown)
    return answer.body
