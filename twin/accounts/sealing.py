"""The house secret: where it is kept in the demo, one key per use made of it, and how a value is sealed with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from twin import durable

if TYPE_CHECKING:
    from twin.settings import Settings

NONCE = 12


def house_secret(settings: Settings) -> bytes:
    """Give the secret of ONEMAP_SECRET; in the demo, where none is set, one made on first use and kept in run/."""
    if settings.secret:
        return settings.secret.encode()
    path = settings.data / "run" / "demo_secret"
    if not path.is_file():
        durable.make_directory(path.parent)
        durable.write(path, secrets.token_urlsafe(48).encode())
        path.chmod(0o600)
    return path.read_bytes()


def key(secret: bytes, use: str) -> bytes:
    """Give the 32-byte key of one use: no use learns another's."""
    return hmac.digest(secret, b"onemap:" + use.encode(), hashlib.sha256)


def pseudonym(secret: bytes, text: str) -> str:
    """Give a name for `text` that is the same every time and tells nothing without the secret."""
    return hmac.digest(key(secret, "pseudonym"), text.encode(), hashlib.sha256).hex()


def seal(text: str, secret: bytes, label: str) -> str:
    """Seal `text` for `label` (AES-256-GCM): it opens only with this secret and this label."""
    nonce = secrets.token_bytes(NONCE)
    body = AESGCM(key(secret, "seal")).encrypt(nonce, text.encode(), label.encode())
    return base64.urlsafe_b64encode(nonce + body).decode()


def opened(sealed: str, secret: bytes, label: str) -> str | None:
    """Give what was sealed for `label`; None where anything about it is not as it was."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
        return AESGCM(key(secret, "seal")).decrypt(raw[:NONCE], raw[NONCE:], label.encode()).decode()
    except (InvalidTag, ValueError):
        return None
