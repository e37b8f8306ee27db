"""One's flood is one's own: buckets of pages, memory of addresses nobody ends writing, and what a browser forgets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.matrix import http
from tests.wall import places
from tests.wall.standing import Wall
from twin.api import packed
from twin.api.guard import CALLBACKS as PATH
from twin.api.limits import RATES, Limits, Rate

ASKED = {
    "answers": ("/api/v1/layers", "/api/v1/search?q=own"),
    "pages": ("/", "/account", "/_dash-layout", "/signin"),
    "tiles": ("/tiles/M1/15/27304/13463.mvt", "/tiles/drawn/M1/15/27304/13463.png"),
}


@pytest.fixture
def limited(wall: Wall) -> Iterator[Wall]:
    slow = Rate(per_s=0.001, burst=4)
    wall.front.state.who.limits = Limits(dict.fromkeys(RATES, slow))
    yield wall
    wall.unlimited()


@pytest.mark.parametrize("kind", ASKED)
def test_ones_limit_is_told_with_a_time_and_is_nobody_elses(limited: Wall, kind: str) -> None:
    paths = ASKED[kind]
    mine = [limited.get("planner", paths[n % len(paths)]) for n in range(8)]
    assert [a.status_code for a in mine[:4]] == [mine[0].status_code] * 4
    assert {a.status_code for a in mine[4:]} == {429}
    assert all(int(a.headers["retry-after"]) >= 1 for a in mine[4:])
    assert all(a.json()["zh"] and a.json()["code"] == "too_many" for a in mine[4:])
    others = [limited.get(who, path) for path in paths[:1] for who in ("official", "auditor", "system", "anonymous")]
    assert 429 not in {a.status_code for a in others}
    elsewhere = [k for k in ASKED if k != kind]
    assert all(limited.get("planner", ASKED[k][0]).status_code != 429 for k in elsewhere)


def test_a_flood_of_callbacks_is_ones_own(limited: Wall) -> None:
    body = http.callback(limited.callbacks["ask-search"], "ask-search", places.QUESTIONS["ask-search"]).body
    shown = {**places.OWN, "content-type": "application/json"}
    mine = [limited.send("POST", PATH, {**shown, **limited.headers["planner"]}, body).status_code for _ in range(6)]
    assert mine == [200] * 4 + [429] * 2
    assert limited.send("POST", PATH, {**shown, **limited.headers["official"]}, body).status_code == 200


def test_what_is_refused_before_it_is_looked_at_still_counts(limited: Wall) -> None:
    shown = {**places.OWN, **limited.headers["planner"], "content-type": "application/json"}
    mine = [limited.send("POST", PATH, shown, b"{").status_code for _ in range(6)]
    assert mine == [400] * 4 + [429] * 2


def test_files_that_lie_ready_are_not_counted(limited: Wall) -> None:
    assert {limited.get("anonymous", "/assets/markup.js").status_code for _ in range(20)} == {200}


def test_addresses_without_end_of_one_file_fill_no_memory(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[packed.Packed] = []
    fresh = packed.Packed._fresh

    async def seen(self: packed.Packed, *given: object, **more: bool) -> packed.Reply:
        found[:] = [self]
        monkeypatch.setattr(self._kept, "_most", 2_000_000)
        return await fresh(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(packed.Packed, "_fresh", seen)
    page = wall.get("anonymous", "/").text
    script = next(p for p in page.split('"') if p.startswith("/_dash-component-suites/") and ".v" in p and "m" in p)
    before, _, after = script.partition(".v")
    for n in range(60):
        wall.get("anonymous", f"/assets/page/main.mjs?m={n}")
        wall.get("anonymous", f"{before}.v{n}m{n}.{after.partition('.')[2]}")
    kept = found[0]._kept.items()
    assert 1_000_000 < sum(len(reply.body) for _, reply in kept) <= 2_000_000
    assert len([key for key, _ in kept if key[0] == "/assets/page/main.mjs"]) <= 2


def test_signing_out_leaves_nothing_of_the_village_in_the_browser(wall: Wall) -> None:
    from tests.matrix import people

    shown = people.headers(wall.accounts, "grid_worker")
    body = f"csrf={shown['x-csrf-token']}".encode()
    kind = {**places.OWN, "content-type": "application/x-www-form-urlencoded", "cookie": shown["cookie"]}
    answer = wall.send("POST", "/signout", kind, body)
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    ended = answer.headers.get_list("set-cookie")
    assert {c.partition("=")[0] for c in ended} == {"__Host-onemap_sid", "__Host-onemap_csrf"}
    assert all("Max-Age=0" in c and "Secure" in c for c in ended)
    assert "clear-site-data" not in wall.send("GET", "/signin", {}).headers
    assert "clear-site-data" not in wall.send("POST", "/signout", kind, b"csrf=x").headers
    assert json.loads(wall.send("GET", "/api/v1/layers", {"cookie": shown["cookie"]}).content) == json.loads(
        wall.get("anonymous", "/api/v1/layers").content
    )
