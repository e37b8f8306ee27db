"""data/connections.toml and the secrets it names: who may be asked, and how; the only reader of those secrets."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from twin import declared
from twin.errors import DeclarationError, SettingError, SourceError

Kind = Literal["postgis", "mysql", "wfs", "features", "arcgis", "json", "web", "s3"]
FILE = "connections.toml"
DATABASES = ("postgis", "mysql")
HIDDEN = "•••"
_LINK_LOCAL = re.compile(r"^(169\.254\.|\[?fe80:)", re.IGNORECASE)
_VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "basic": ("user_env", "password_env"),
    "login": ("user_env", "password_env"),
    "s3": ("user_env", "password_env"),
    "bearer": ("token_env",),
    "header": ("token_env",),
    "query": ("token_env",),
}
"""How somebody proves who asks → what that takes."""
_OTHERS_MAY = 0o077


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One place that may be asked, and the names of the variables that hold what it must be told.

    `address` is a URL without user or password; where `address_env` names a variable that is set, that is the address.
    `auth` is "basic", "bearer", "login", "header:<name>" or "query:<name>"; `login` the path that gives tokens for a
    user and a password. `seconds` and `most_bytes` bound one whole pull, `request_seconds` one answer of it.
    """

    id: str
    kind: Kind
    address: str
    address_env: str = ""
    user_env: str = ""
    password_env: str = ""
    token_env: str = ""
    auth: str = ""
    login: str = ""
    region: str = ""
    seconds: float = 900.0
    request_seconds: float = 60.0
    retry_seconds: float = 1.0
    attempts: int = 4
    most_bytes: int = 1 << 30

    @property
    def variables(self) -> tuple[str, ...]:
        """Give the variables it needs."""
        return tuple(n for n in (self.address_env, self.user_env, self.password_env, self.token_env) if n)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What one connection must be told; it never shows itself."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def scrub(self, text: str) -> str:
        """Give `text` without any of the secrets, in whichever way they are written in an address."""
        for secret in (self.password, self.token):
            for form in {secret, quote(secret, safe=""), quote(secret)} if secret else ():
                text = text.replace(form, HIDDEN)
        return text


@dataclass(frozen=True, kw_only=True)
class Open:
    """A connection with its address and its secrets: what a transport is given."""

    connection: Connection
    address: str
    secrets: Secrets

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Give (scheme, host, port): nothing else is ever asked."""
        return origin(self.address)


def origin(address: str) -> tuple[str, str, int | None]:
    """Give (scheme, host, port) of a URL."""
    parts = urlsplit(address)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def read(folder: Path) -> Mapping[str, Connection]:
    """Read `folder`/connections.toml by id; no file, no connections. Raises DeclarationError naming every fault."""
    try:
        stat = (folder / FILE).stat()
    except FileNotFoundError:
        return {}
    return _read(folder / FILE, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int, _size: int) -> Mapping[str, Connection]:
    """Read the file once for each state it is in."""
    document, sound = parse(path)
    if document.faults:
        words = [f"{f.file}:{f.line} {f.field}" for f in document.faults]
        raise DeclarationError(
            "connections.toml 有误(编号不可重复):\n"
            + "\n".join(f"{w} {f.zh}" for w, f in zip(words, document.faults, strict=True)),
            "connections.toml is wrong (each id once):\n"
            + "\n".join(f"{w} {f.en}" for w, f in zip(words, document.faults, strict=True)),
        )
    return sound


def parse(path: Path) -> tuple[declared.Document, dict[str, Connection]]:
    """Give the file as a document with every fault in it, and the connections that could be read, by id."""
    document = declared.load(path)
    sound: dict[str, Connection] = {}
    for number, table in enumerate(document.table.get("connection", [])):
        one = declared.value_of(document, Connection, ("connection", number), table)
        if one:
            _prove(document, number, one)
            if one.id in sound:
                words = (f"连接 {one.id} 重复", f"The connection {one.id} stands twice")
                document.fault(("connection", number, "id"), words, ("改用不同的标识", "Use another id"))
            sound[one.id] = one
    return document, sound


def _prove(document: declared.Document, number: int, one: Connection) -> None:
    parts = urlsplit(one.address)
    if parts.username or parts.password or parts.query:
        words = ("address 中不得有用户名、口令或参数", "No user, password or parameter stands in an address")
        remedy = ("写入环境变量,用 *_env 指名", "Put them into variables and name those: *_env")
        document.fault(("connection", number, "address"), words, remedy)
    if _LINK_LOCAL.match(parts.hostname or ""):
        words = ("不可访问链路本地地址", "Link-local addresses are not asked")
        document.fault(("connection", number, "address"), words, ("改用主机名", "Name the host"))
    for key in ("address_env", "user_env", "password_env", "token_env"):
        if getattr(one, key) and not _VARIABLE.match(getattr(one, key)):
            words = (f"{key} 应是环境变量的名字,不是口令本身", f"{key} is the name of a variable, not the secret")
            remedy = (
                "用大写字母、数字、下划线;写错的口令请更换",
                "Use A-Z, 0-9 and _; change a secret that stood here",
            )
            document.fault(("connection", number, key), words, remedy)
    needed = _NEEDS.get("s3" if one.kind == "s3" else one.auth.partition(":")[0], ())
    for key in needed:
        if not getattr(one, key):
            words = (f"{one.auth or one.kind} 需要 {key}", f"{one.auth or one.kind} needs {key}")
            document.fault(("connection", number, key), words, (f"写明 {key}", f"Declare {key}"))
    if one.auth and one.auth.partition(":")[0] not in _NEEDS:
        words = (f"没有认证方式 {one.auth}", f"There is no auth {one.auth}")
        listed = "basic / bearer / login / header:NAME / query:NAME"
        document.fault(("connection", number, "auth"), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))


def opened(connection: Connection, environ: Mapping[str, str] = os.environ) -> Open | None:
    """Give the connection with what the environment says of it, None where that says nothing.

    A variable NAME may stand as NAME_FILE: a file with mode 0600. Raises SettingError where only some are set.
    """
    values = {name: _value(name, environ) for name in connection.variables}
    absent = [name for name, value in values.items() if not value]
    if values and len(absent) == len(values):
        return None
    if absent:
        listed = ", ".join(absent)
        raise SettingError(
            f"连接 {connection.id} 缺少环境变量:{listed}", f"Connection {connection.id} lacks variables: {listed}"
        )
    secrets = Secrets(
        user=values.get(connection.user_env, ""),
        password=values.get(connection.password_env, ""),
        token=values.get(connection.token_env, ""),
    )
    return Open(connection=connection, address=values.get(connection.address_env, connection.address), secrets=secrets)


def _value(name: str, environ: Mapping[str, str]) -> str:
    if environ.get(name):
        return environ[name]
    file = environ.get(f"{name}_FILE")
    if not file:
        return ""
    path = Path(file)
    if not path.is_file() or path.stat().st_mode & _OTHERS_MAY:
        raise SettingError(
            f"{name}_FILE 指的文件不存在,或他人可读:请 chmod 600",
            f"The file of {name}_FILE is not there, or others may read it: chmod 600",
        )
    return path.read_text("utf-8").strip()


def unknown(name: str, location: str) -> SourceError:
    """Make the refusal of a source that names a connection nobody declared."""
    return SourceError(
        f"“{location}”用的连接 {name} 不在 connections.toml 中。请先在那里写明。",
        f"“{location}” names the connection {name}, which connections.toml does not have. Declare it there first.",
        file=location,
    )
