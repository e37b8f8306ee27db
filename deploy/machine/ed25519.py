"""Checking an ed25519 signature (RFC 8032 §5.1.7) by arithmetic alone, for a machine that has no library for it yet."""

from __future__ import annotations

import base64
import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
PREFIX = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of a key in its DER form (RFC 8410)."""
Point = tuple[int, int, int, int]


def key_of(pem: str) -> bytes:
    """Give the 32 bytes of a public key in PEM; raises ValueError where it is none."""
    lines = [line for line in pem.splitlines() if line and not line.startswith("-----")]
    der = base64.b64decode("".join(lines), validate=True)
    if len(der) != 44 or not der.startswith(PREFIX):
        raise ValueError("no ed25519 public key")
    return der[12:]


def holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is by the owner of `key` over exactly `message`."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, nonce = _point(key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or nonce is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return _same(_times(s, BASE), _add(nonce, _times(h, public)))


def _point(data: bytes) -> Point | None:
    """Give the point that 32 bytes stand for (§5.1.3), None where they stand for none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    x = None if y >= P else _x_of(y)
    if x is None or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    return None if (x * x - square) % P else x


def _add(one: Point, other: Point) -> Point:
    """Give the sum of two points in extended coordinates (§5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(one: Point, other: Point) -> bool:
    return not ((one[0] * other[2] - other[0] * one[2]) % P or (one[1] * other[2] - other[1] * one[2]) % P)


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    point = _point(y.to_bytes(32, "little"))
    if point is None:
        raise ArithmeticError("the base point is on the curve")
    return point


BASE = _base()
