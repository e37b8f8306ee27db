"""Notices → signed webhooks and mails; a channel that fails is tried again later and keeps nobody waiting."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import httpx

from etl.schedule import channels
from etl.words import say
from twin import ops
from twin.errors import SettingError
from twin.runs import notices

if TYPE_CHECKING:
    from etl.schedule.channels import Channel
    from twin.model import Resource
    from twin.runs.notices import Letter

LOG = logging.getLogger("onemap.schedule")
SECONDS = 10.0
"""What one letter may take."""
TYPE = "resource.state_changed"


@dataclass(frozen=True, kw_only=True)
class Post:
    """What letters are sent by: the declared channels, the resources they speak of, and the environment's secrets."""

    channels: tuple[Channel, ...]
    resources: Mapping[str, Resource]
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def tell(store: ops.Ops, post: Post, now: datetime) -> int:
    """Write letters for new notices and send those that are due; gives how many were sent."""
    by_name = {c.id: c for c in post.channels}
    with store.begin() as connection:
        notices.route(connection, lambda n: (c.id for c in post.channels if c.wants(n)), now)
        letters = notices.take(connection, now)
    return sum(_try(store, post, by_name.get(letter.channel), letter) for letter in letters)


def _try(store: ops.Ops, post: Post, channel: Channel | None, letter: Letter) -> bool:
    failed = send(post, channel, letter)
    now = datetime.now(UTC)
    with store.begin() as connection:
        if failed:
            notices.not_sent(connection, letter, now, failed)
        else:
            notices.sent(connection, letter, now)
    if failed:
        LOG.warning("a notice for %s was not sent: %s", letter.channel, failed)
    return not failed


def send(post: Post, channel: Channel | None, letter: Letter) -> str:
    """Send one letter; gives "", or why it could not be sent, without any secret."""
    if channel is None:
        return "the channel is no longer declared"
    try:
        secret = channels.secret(channel, post.environ)
        if channel.kind == "webhook":
            return _webhook(channel, secret, letter, content(post, letter))
        return _mail(channel, secret, mail(post, channel, letter))
    except SettingError as error:
        return error.en
    except httpx.HTTPError as error:
        return type(error).__name__
    except (smtplib.SMTPException, OSError) as error:
        return f"{type(error).__name__}: {error}"


def content(post: Post, letter: Letter) -> dict[str, Any]:
    """Give what a webhook is told; the same for every attempt."""
    notice, resource = letter.notice, post.resources.get(letter.notice.resource)
    return {
        "type": TYPE,
        "timestamp": notice.at.isoformat(),
        "data": {
            "resource": notice.resource,
            "title": {"zh": resource.title.zh, "en": resource.title.en} if resource else None,
            "department": notice.department,
            "state_before": notice.state_before,
            "state": notice.state,
            "due_at": notice.due_at.isoformat() if notice.due_at else None,
            "reason": {"zh": notice.reason.zh, "en": notice.reason.en},
        },
    }


def sign(secret: str, name: str, stamp: int, body: bytes) -> str:
    """Sign a webhook as the Standard Webhooks specification does: HMAC-SHA256 over id.timestamp.body, in base64."""
    signed = f"{name}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _webhook(channel: Channel, secret: str, letter: Letter, told: Mapping[str, Any]) -> str:
    body = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    name, stamp = f"notice-{letter.notice.id}", int(datetime.now(UTC).timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(secret, name, stamp, body),
    }
    with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
        answer = client.post(channel.url, content=body, headers=headers)
    return "" if answer.is_success else f"HTTP {answer.status_code}"


def mail(post: Post, channel: Channel, letter: Letter) -> EmailMessage:
    """Write a mail in both languages."""
    notice, resource = letter.notice, post.resources.get(letter.notice.resource)
    zh, en = (resource.title.zh, resource.title.en) if resource else (notice.resource, notice.resource)
    states = {language: say(notice.state, language) for language in ("zh", "en")}
    made = EmailMessage()
    made["From"], made["To"] = channel.sender, ", ".join(channel.to)
    made["Subject"] = f"{states['zh']} {zh} / {states['en']} {en}"
    made["Message-ID"] = f"<notice-{notice.id}.{channel.id}@{channel.sender.rpartition('@')[2]}>"
    made["Date"] = notice.at
    lines: Sequence[str] = (states["zh"], zh, notice.reason.zh, "", states["en"], en, notice.reason.en)
    made.set_content("\n".join(lines) + "\n")
    return made


def _mail(channel: Channel, secret: str, letter: EmailMessage) -> str:
    trusted = ssl.create_default_context()
    if channel.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(channel.host, channel.port, timeout=SECONDS)
    with server:
        if channel.security == "starttls":
            server.starttls(context=trusted)
        if channel.user:
            server.login(channel.user, secret)
        server.send_message(letter)
    return ""
