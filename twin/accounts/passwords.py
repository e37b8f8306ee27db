"""How passwords are kept and judged: argon2id, what is too weak, one-time ones; the only module that knows argon2."""

from __future__ import annotations

import secrets
import threading
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from twin.errors import BadRequest

SHORTEST, LONGEST = 12, 128
"""Characters of a password (NIST SP 800-63B-4 asks for 15 alone and 8 with a second factor; 等保 2.0 for 8)."""
DISTINCT = 5
"""A password of fewer different characters is a pattern."""
COMMON = (
    "123456", "password", "qwerty", "admin", "letmein", "welcome", "iloveyou", "woaini", "5201314", "onemap",
    "abc123", "111111", "000000", "yitongtu", "mima",
)  # fmt: skip
"""What guessers try first; a password may contain one of these only in passing."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""One-time passwords are read off a console and typed: nothing in them looks like something else."""
AT_ONCE = 2
"""Hashes computed side by side: each takes 64 MiB, and a flood of sign-ins must not take the machine."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
_ROOM = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """Give the argon2id string of a password (RFC 9106, 64 MiB, three passes)."""
    with _ROOM:
        return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Say whether `password` is the one of `stored`; takes as long where there is none stored ("")."""
    known = bool(stored)
    with _ROOM:
        try:
            _HASHER.verify(stored or _nobody(), password[: LONGEST * 4])
        except (VerificationError, InvalidHashError):
            return False
    return known


def outdated(stored: str) -> bool:
    """Say whether a hash was made with weaker numbers than today's."""
    return _HASHER.check_needs_rehash(stored)


def check(password: str, *, name: str) -> None:
    """Raise BadRequest, saying what to do, for a password that may not be used by `name`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(
            f"密码须为 {SHORTEST} 到 {LONGEST} 个字符，可以用一句容易记住的话",
            f"A password has {SHORTEST} to {LONGEST} characters; a sentence you remember will do",
            field="password",
        )
    low = password.casefold()
    if len(set(low)) < DISTINCT or _in_sequence(low) or _is_common(low, name.casefold()):
        raise BadRequest(
            "这个密码太容易猜到，请换一个：不要用姓名、连续或重复的字符、常见密码",
            "This password is too easily guessed; take another: no names, no runs or repeats, nothing common",
            field="password",
        )


def one_time() -> str:
    """Give a password for one sign-in: 79 bits in four groups."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def _in_sequence(low: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(low)}
    return len(steps) == 1


def _is_common(low: str, name: str) -> bool:
    """Say whether what is left beside a common word or the name is too short to be a password."""
    rest = low
    for word in (*COMMON, *([name] if len(name) > 2 else ())):
        rest = rest.replace(word, "")
    return len(rest) < SHORTEST // 2


_KEPT: list[str] = []


def _nobody() -> str:
    """Give the hash of no password, made once, so that an unknown name costs what a known one does."""
    if not _KEPT:
        _KEPT.append(_HASHER.hash(secrets.token_urlsafe(32)))
    return _KEPT[0]
