"""The service of the wall's tests: everybody signed in, nobody slowed, and how anything is written into any place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from tests.matrix import people
from tests.office_town import Town
from tests.wall import places
from twin.api.limits import RATES, Limits, Rate

QUICK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""It is not the strength of hashes that is tried here."""


class Wall(Town):
    """A service with everybody signed in that nobody's flood slows, for it is not the flood that is tried here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = str(folder)
        self.unlimited()
        self.client.get("/")
        self.callbacks = {c["inputs"][0]["id"]: k for k, c in self.dash.callback_map.items() if "callback" in c}
        self.headers["system"] = people.headers(self.accounts, "system")

    def unlimited(self) -> None:
        self.front.state.who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})

    def write(self, place: places.Place, value: str) -> Any:
        """Send `value` at its place as whoever may do most there."""
        method, address, headers, body = place.send(value)
        shown = self.headers.get(place.who, {})
        if body is not None:
            body = body.replace(b"%7Bcsrf%7D", shown.get("x-csrf-token", "").encode())
            shown = {k: v for k, v in shown.items() if k != "x-csrf-token" or b"{" in body[:1]}
        return self.send(method, address, {**shown, **headers}, body)

    def send(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:
        sent = {k: v.encode("utf-8") for k, v in headers.items()}
        return self.client.request(method, address, headers=sent, content=body)
