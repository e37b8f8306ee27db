"""What sessions and keys look like on the wire, and the only form in which they are kept: their SHA-256; pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

SESSION = re.compile(r"[A-Za-z0-9_-]{43}")
KEY = re.compile(r"vk_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SCOPES = re.compile(
    r"layer:[A-Za-z0-9_*-]+:(?:read|write)(?::[a-z0-9_,]+)?|area:\d{6}(?:\d{3}){0,3}|event:[a-z0-9_.*-]+|write:[a-z_.]+"
)
"""What a key may be given: a layer (and its columns), an area by code, a kind of event, a thing it may write."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A parsed API key: its public id and its secret."""

    id: str
    secret: str


def new_session() -> str:
    """Give a session token: 256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """Give the SHA-256 (hex) under which a token of full entropy is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(session: str) -> str:
    """Give the token a form or a script must send with a session; it does not lead back to the session's."""
    raw = hmac.digest(session.encode(), b"onemap:csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def csrf_matches(session: str, given: str) -> bool:
    """Say, in constant time, whether `given` is the token of `session`."""
    return hmac.compare_digest(csrf_of(session).encode(), given.encode())


def new_key() -> tuple[Key, str]:
    """Give a new API key and the one text in which its owner gets it, `vk_<8>_<43>`."""
    made = Key(id="".join(secrets.choice(ID_LETTERS) for _ in range(8)), secret=secrets.token_urlsafe(32))
    return made, f"vk_{made.id}_{made.secret}"


def key_in(header: str) -> Key | None:
    """Give the key of an Authorization header, None where it holds none of ours."""
    scheme, _, rest = header.partition(" ")
    found = KEY.fullmatch(rest.strip()) if scheme.lower() == "bearer" else None
    return Key(id=found[1], secret=found[2]) if found else None


def secret_matches(key: Key, stored: str) -> bool:
    """Say, in constant time, whether a key's secret is the one stored."""
    return hmac.compare_digest(hash_of(key.secret), stored)


def scopes(given: Iterable[str]) -> tuple[str, ...]:
    """Give scopes in order, once each; raises BadRequest naming the first that means nothing."""
    wanted = tuple(sorted(set(given)))
    for scope in wanted:
        if not SCOPES.fullmatch(scope):
            raise BadRequest("密钥的授权范围写法不对", "A key's scope is not written as it should be", scope=scope[:60])
    return wanted


def networks(given: Iterable[str]) -> tuple[str, ...]:
    """Give source networks ("10.1.0.0/16") in canonical form; raises BadRequest for what is none."""
    found: list[str] = []
    for text in given:
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=True)))
        except ValueError as wrong:
            raise BadRequest(
                "来源网段写法不对", "A source network is not written as it should be", network=text[:60]
            ) from wrong
    return tuple(found)


def is_from(address: str, allowed: Iterable[str]) -> bool:
    """Say whether an address lies in one of the networks; no networks means anywhere."""
    listed = tuple(ipaddress.ip_network(n) for n in allowed)
    return not listed or lies_in(address, listed)


def lies_in(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Say whether an address lies in one of the networks; what is no address lies nowhere."""
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(place in n for n in networks)
