"""A service outside the demo with the declared grants and everybody of the matrix signed in, for the offices' pages."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests.matrix import people, village
from twin import api, pages
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[1]
BASE = "https://127.0.0.1:8300"
SECRET = "qV7tN3xJ8bL2wZ6cR9mF4hK1dG5sP0yA"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
VERSION = re.compile(r"^version = \d+$", re.MULTILINE)
STAFF = ("official", "department_owner", "planner", "data_engineer", "security_admin", "auditor")


def grants_of(version: int) -> str:
    """Give the declared grants under a version of one's choice."""
    return VERSION.sub(f"version = {version}", (ROOT / "data" / "grants.toml").read_text("utf-8"), count=1)


class Town:
    """One service; `again` starts another over the same store and operational data."""

    def __init__(self, folder: Path, *, again: bool = False) -> None:
        declared = folder / "village"
        if not again:
            declared.mkdir(parents=True)
            (declared / "grants.toml").write_text(grants_of(1), "utf-8")
        settings = replace(
            Settings(), data=folder, village=declared, tile_cache_mb=8, secret=SECRET, origin=BASE, demo=False
        )
        store = Store(settings.store)
        if not again:
            village.publish_all(store)
        onemap = village.onemap()
        self.front = api.create(onemap, store, settings)
        self.dash = pages.create(onemap, store, settings)
        api.mount(self.front, self.dash, pages.draw)
        self.accounts = self.front.state.who.accounts
        self.audit = self.front.state.who.audit
        self.policy = self.front.state.rooms.policy
        self.headers = {} if again else {who: people.headers(self.accounts, who) for who in STAFF}
        self.client = TestClient(self.front, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)

    def get(self, who: str, address: str) -> Any:
        return self.client.get(address, headers=self.headers.get(who, {}))

    def post(self, who: str, address: str, **fields: str) -> Any:
        """Send a form as the page of `who` would."""
        shown = self.headers.get(who, {})
        data = {"csrf": shown.get("x-csrf-token", ""), **fields}
        kept = {k: v for k, v in shown.items() if k != "x-csrf-token"}
        return self.client.post(address, data=data, headers={**OWN, **kept})

    def written(self, action: str) -> list[dict[str, Any]]:
        """Give the record's entries of one action, the newest first."""
        return self.audit.entries(action=action)
