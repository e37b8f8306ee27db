"""What the record is sealed and signed with, derived from the house secret; the only place that derives it.

One secret gives a key for the chain (HMAC-SHA256) and a key pair for exports (ed25519), by HKDF (RFC 5869) with a label
each. A key's id is a hash of the key: it tells which of several secrets an entry was written under and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twin.errors import SettingError

CHAIN = b"onemap audit chain 1"
SIGNATURE = b"onemap audit signature 1"
HIDING = b"onemap audit hiding 1"
NAME = b"onemap audit key name 1"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One secret's key of the chain, by the id that entries name."""

    id: str
    chain: bytes

    def seal(self, content: bytes) -> str:
        """Give the seal of `content`: HMAC-SHA256 in hexadecimal."""
        return hmac.digest(self.chain, content, "sha256").hex()


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of the present secret and, oldest first, of those before it."""

    now: Key
    older: tuple[Key, ...]
    signing: Ed25519PrivateKey
    publics: frozenset[str]
    hiding: bytes

    def find(self, name: str) -> Key | None:
        """Give the key of that id, None where no given secret has it."""
        return next((k for k in self.all if k.id == name), None)

    @property
    def all(self) -> tuple[Key, ...]:
        """Give every key, oldest first."""
        return (*self.older, self.now)

    @property
    def public(self) -> str:
        """Give the public key that exports are checked with, in hexadecimal."""
        return _public(self.signing)

    def hide(self, value: str) -> str:
        """Give eight hexadecimal digits that stand for `value` and do not tell it; the same value gives the same."""
        return hmac.digest(self.hiding, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:8]


def derive(secret: str | bytes, older: Sequence[str | bytes] = ()) -> Keys:
    """Derive all keys from the house secret and those used before it, oldest first; raises SettingError (no secret)."""
    if not secret:
        raise SettingError(
            "缺少 ONEMAP_SECRET,审计记录无法封印;请设置后重试",
            "ONEMAP_SECRET is missing, so the record cannot be sealed; set it and try again",
        )
    present, before = _bytes(secret), [_bytes(s) for s in older if s]
    now = _key(present)
    return Keys(
        now=now,
        older=tuple(key for key in map(_key, before) if key.id != now.id),
        signing=_signing(present),
        publics=frozenset(_public(_signing(s)) for s in (present, *before)),
        hiding=_stretch(present, HIDING),
    )


def _signing(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_stretch(secret, SIGNATURE))


def _public(signing: Ed25519PrivateKey) -> str:
    return signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _bytes(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def _key(secret: bytes) -> Key:
    chain = _stretch(secret, CHAIN)
    return Key(id=hashlib.sha256(NAME + chain).hexdigest()[:8], chain=chain)


def _stretch(secret: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret)
