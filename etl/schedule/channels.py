"""Where notices go: webhooks and mail boxes declared in notices.toml, secrets from the environment; nowhere else."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from twin.errors import DeclarationError, SettingError
from twin.freshness import SHAPES

if TYPE_CHECKING:
    from pathlib import Path

    from twin.runs.values import Notice

FILE = "notices.toml"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STATES = ("stale", "failed", "held", "fresh")
"""What a channel is told of where it does not say: trouble, and that it is over."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One place that is told; `departments` empty means all. Secrets are named by their environment variable.

    A webhook has `url` and `secret_env`; mail has `host`, `port`, `security`, `sender`, `to`, and where the server
    wants it `user` and `secret_env`.
    """

    id: str
    kind: Literal["webhook", "mail"]
    states: tuple[str, ...] = STATES
    departments: tuple[str, ...] = ()
    url: str = ""
    host: str = ""
    port: int = 0
    security: Literal["tls", "starttls", "none"] = "tls"
    sender: str = ""
    to: tuple[str, ...] = ()
    user: str = ""
    secret_env: str = ""

    def wants(self, notice: Notice) -> bool:
        """Say whether this channel is told of a notice."""
        return notice.state in self.states and (not self.departments or notice.department in self.departments)


def read(folder: Path) -> tuple[Channel, ...]:
    """Read the channels of notices.toml in `folder`; raises DeclarationError naming the channel that is wrong."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("channel", [])
        found = tuple(_channel(table) for table in tables)
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise DeclarationError(
            f"通知渠道有误:{error}", f"The channels of notices are wrong: {error}", file=path
        ) from error
    if len({c.id for c in found}) != len(found):
        raise DeclarationError("通知渠道 id 重复", "Two channels have the same id", file=path)
    return found


def _channel(table: Mapping[str, Any]) -> Channel:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    made = Channel(**values)
    if made.kind not in ("webhook", "mail") or not made.id:
        raise ValueError(f"{made.id}: kind = webhook | mail")
    if set(made.states) - set(SHAPES):
        raise ValueError(f"{made.id}: states ⊆ {', '.join(SHAPES)}")
    if made.kind == "webhook":
        _webhook(made)
    elif not (made.host and made.port and made.sender and made.to and made.security in ("tls", "starttls", "none")):
        raise ValueError(f"{made.id}: host, port, security, sender, to")
    elif made.security == "none" and made.host not in LOOPBACK:
        raise ValueError(f"{made.id}: security = none only on the loopback")
    return made


def _webhook(made: Channel) -> None:
    parts = urlsplit(made.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"{made.id}: https://")
    if not made.secret_env or parts.username or parts.password:
        raise ValueError(f"{made.id}: secret_env")


def secret(channel: Channel, environ: Mapping[str, str]) -> str:
    """Give the secret of a channel, "" where it names none; raises SettingError where the environment has none."""
    if not channel.secret_env:
        return ""
    found = environ.get(channel.secret_env, "")
    if not found:
        raise SettingError(
            f"通知渠道 {channel.id} 需要环境变量 {channel.secret_env}",
            f"The channel {channel.id} needs the environment variable {channel.secret_env}",
        )
    return found
