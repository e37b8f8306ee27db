"""The second factor: secrets of time-based codes, their sealed form at rest, no code taken twice; the only pyotp."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyotp import random_base32
from pyotp.totp import TOTP

from twin.accounts import sealing

if TYPE_CHECKING:
    from datetime import datetime

ISSUER = "OneMap"
STEP_S = 30
"""Seconds one code lives (RFC 6238)."""
DRIFT = 1
"""Steps a telephone's clock may be off, either way."""
LABEL = "second factor"


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A shared secret (base32) and the last time step whose code was taken."""

    secret: str
    step: int = 0


def new() -> Factor:
    """Give a factor of 160 random bits (RFC 4226 §4)."""
    return Factor(secret=random_base32(32))


def address(factor: Factor, name: str) -> str:
    """Give the otpauth:// address an authenticator reads."""
    return TOTP(factor.secret).provisioning_uri(name=name, issuer_name=ISSUER)


def code_at(factor: Factor, at: datetime) -> str:
    """Give the code of the time step `at` (UTC) lies in."""
    return TOTP(factor.secret).at(at)


def taken(factor: Factor, code: str, at: datetime) -> Factor | None:
    """Give the factor after `code` was taken at `at` (UTC); None for a wrong code or one of a step already used."""
    now = int(at.timestamp()) // STEP_S
    given = "".join(code.split())
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        right = TOTP(factor.secret).at(step * STEP_S)
        if hmac.compare_digest(right.encode(), given.encode()) and step > factor.step:
            found = step
    return None if found is None else replace(factor, step=found)


def sealed(factor: Factor, key: bytes, account: str) -> str:
    """Give the factor as it lies in the operational store: unreadable without the key, of no use to another account."""
    return sealing.seal(f"{factor.step}:{factor.secret}", key, f"{LABEL}:{account}")


def opened(stored: str, key: bytes, account: str) -> Factor | None:
    """Give the factor of a sealed one, None where it was sealed with another key or for another account."""
    text = sealing.opened(stored, key, f"{LABEL}:{account}")
    if text is None:
        return None
    step, _, secret = text.partition(":")
    return Factor(secret=secret, step=int(step))
