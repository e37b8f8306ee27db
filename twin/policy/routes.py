"""What each route is for, who may call it, how its answers are kept; a route that is not here does not answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.policy.grants import Capability
    from twin.policy.judging import Action

Keep = Literal["immutable", "revalidate", "no-store"]


@dataclass(frozen=True, kw_only=True)
class RoutePolicy:
    """One route's row: the action it is, what kind of thing that action is on, and how its answer may be cached.

    `roles` may call it, and where `may` is given whoever the grants give that capability, to all others it is not
    there; `body_bytes` is the most it accepts (0: no body).
    """

    action: Action
    on: Literal["nothing", "layer", "table", "village"]
    keep: Keep = "no-store"
    body_bytes: int = 0
    roles: frozenset[str] = frozenset({"local"})
    may: Capability | None = None


_PUBLIC = RoutePolicy(action="see", on="village", keep="revalidate")
_ROWS = RoutePolicy(action="select", on="table")
_TILE = RoutePolicy(action="tile", on="layer", keep="revalidate")
_FILE = RoutePolicy(action="see", on="nothing", keep="immutable")
_FORM = RoutePolicy(action="see", on="nothing", body_bytes=8_192)
"""Signing in and one's own account: whoever asks sees what is theirs, by their session and nothing else."""
_PEOPLE = RoutePolicy(action="see", on="nothing", body_bytes=16_384, roles=frozenset({"security_admin"}))
"""Accounts and keys: to everybody else these pages are not there."""

_RECORD = RoutePolicy(action="see", on="nothing", body_bytes=4_096, may="audit.read")
_GRANTS = RoutePolicy(action="see", on="nothing", body_bytes=400_000, may="grants.change")
"""A form carries the whole text of the grants, every Chinese letter of it as nine."""

_FILES = RoutePolicy(action="see", on="nothing", may="files.send")
"""One's own files; others' to whoever may read them, which the route looks at for each file."""

_ANSWERS = RoutePolicy(action="see", on="nothing", body_bytes=16_384, may="persons.answer")
_APPROVES = RoutePolicy(action="see", on="nothing", body_bytes=4_096, may="persons.approve")
"""A person's request: whoever answers it, and whoever else approves an erasure."""

_REFUSED = RoutePolicy(action="see", on="nothing", may="quarantine.read")
_MENDS = RoutePolicy(action="see", on="nothing", body_bytes=64_000, may="quarantine.decide")
"""Refused rows, and what is decided about them; a form carries a whole row, every Chinese letter of it as nine."""

_DATA = RoutePolicy(action="see", on="nothing", may="data.see")
_RUNS = RoutePolicy(action="see", on="nothing", body_bytes=8_192, may="runs.start")
_WIDE = RoutePolicy(action="see", on="nothing", body_bytes=200_000, may="runs.start")
"""Bringing a source: its columns are answered for one by one."""
_PLANS = RoutePolicy(action="see", on="nothing", body_bytes=8_192, may="schedules.change")
_DECIDES = RoutePolicy(action="see", on="nothing", body_bytes=8_192, may="publishes.approve")
"""The data team's table: whoever sees it, starts runs, changes schedules, decides on what a guard held."""

ROUTES: Mapping[str, RoutePolicy] = {
    "GET /health": RoutePolicy(action="see", on="nothing"),
    "GET /api/v1/openapi.json": RoutePolicy(action="see", on="nothing", keep="revalidate"),
    "GET /api/v1/themes": _PUBLIC,
    "GET /api/v1/layers": _PUBLIC,
    "GET /api/v1/catalog": _PUBLIC,
    "GET /api/v1/style.json": _PUBLIC,
    "GET /api/v1/indicators": RoutePolicy(action="count", on="table"),
    "GET /api/v1/entities/{entity_id:path}": _ROWS,
    "GET /api/v1/features/{table}/{feature_id:path}": _ROWS,
    "GET /api/v1/identify": _ROWS,
    "GET /api/v1/search": _ROWS,
    "GET /api/v1/lineage": RoutePolicy(action="see", on="village"),
    "GET /api/v1/tables/{table}/versions": _ROWS,
    "GET /api/v1/tables/{table}/diff": _ROWS,
    "GET /api/v1/tables/{table}/diff.geojson": _ROWS,
    "GET /api/v1/tables/{table}/diff.csv": _ROWS,
    "GET /api/v1/tables/{table}/diff.xlsx": _ROWS,
    "GET /api/v1/analysis/in-view": RoutePolicy(action="count", on="table"),
    "GET /api/v1/reports": RoutePolicy(action="see", on="village"),
    "GET /api/v1/reports/{name}.xlsx": _ROWS,
    "GET /api/v1/reports/{name}.pdf": _ROWS,
    "POST /api/v1/analysis/overlay": RoutePolicy(action="count", on="table", body_bytes=1_000_000),
    "POST /api/v1/uploads": RoutePolicy(action="see", on="nothing", body_bytes=16 << 20, may="files.send"),
    "GET /api/v1/uploads": _FILES,
    "GET /api/v1/uploads/{upload_id}": _FILES,
    "DELETE /api/v1/uploads/{upload_id}": _FILES,
    "GET /uploads": _FILES,
    "POST /uploads/send": RoutePolicy(action="see", on="nothing", body_bytes=(16 << 20) + 8_192, may="files.send"),
    "POST /uploads/delete": RoutePolicy(action="see", on="nothing", body_bytes=4_096, may="files.send"),
    "GET /signin": _FORM,
    "POST /signin": _FORM,
    "GET /signin/provider": _FORM,
    "GET /signin/back": _FORM,
    "POST /signin/demo": _FORM,
    "POST /signout": _FORM,
    "GET /account": _FORM,
    "POST /account/password": _FORM,
    "POST /account/second-factor": _FORM,
    "POST /account/sessions/end": _FORM,
    "POST /account/purpose": _FORM,
    "GET /accounts": _PEOPLE,
    "POST /accounts/add": _PEOPLE,
    "POST /accounts/change": _PEOPLE,
    "POST /accounts/keys/add": _PEOPLE,
    "POST /accounts/keys/revoke": _PEOPLE,
    "GET /record": _RECORD,
    "POST /record/verify": _RECORD,
    "POST /record/export": RoutePolicy(action="see", on="nothing", body_bytes=4_096, may="audit.export"),
    "GET /grants": _GRANTS,
    "POST /grants/change": _GRANTS,
    "GET /data": _DATA,
    "GET /data/live": _DATA,
    "GET /data/cadence": _DATA,
    "GET /data/diff": _DATA,
    "GET /reports": _DATA,
    "POST /data/rollback": _DECIDES,
    "POST /data/backfill": _RUNS,
    "POST /data/rerun": _RUNS,
    "POST /data/rerun-failed": _RUNS,
    "POST /data/schedule": _PLANS,
    "POST /data/decide": _DECIDES,
    "GET /data/new": _DATA,
    "POST /data/new/file": RoutePolicy(action="see", on="nothing", body_bytes=64 << 20, may="runs.start"),
    "POST /data/new/connection": _RUNS,
    "POST /data/new/look": _RUNS,
    "POST /data/new/found": _WIDE,
    "POST /data/new/answers": _WIDE,
    "POST /data/new/offer": _RUNS,
    "POST /data/new/drop": _RUNS,
    "POST /data/new/decide": _DECIDES,
    "GET /data/quarantine": _REFUSED,
    "POST /data/quarantine/correct": _MENDS,
    "POST /data/quarantine/accept": _MENDS,
    "POST /data/quarantine/withdraw": _MENDS,
    "POST /data/quarantine/rerun": _MENDS,
    "POST /data/quarantine/send": _MENDS,
    "POST /data/quarantine/return": RoutePolicy(
        action="see", on="nothing", body_bytes=9 << 20, may="quarantine.decide"
    ),
    "GET /api/v1/quarantine": _REFUSED,
    "GET /api/v1/quarantine/acts": _REFUSED,
    "GET /persons": _ANSWERS,
    "POST /persons/find": _ANSWERS,
    "POST /persons/export": _ANSWERS,
    "POST /persons/erase": _ANSWERS,
    "POST /persons/withdraw": _ANSWERS,
    "GET /persons/certificate": _ANSWERS,
    "GET /erasures": _APPROVES,
    "POST /erasures/approve": _APPROVES,
    "GET /erasures/certificate": _APPROVES,
    "GET /tiles/{layer}/{z}/{x}/{y}.mvt": _TILE,
    "GET /tiles/{layer}/{z}/{x}/{y}.png": _TILE,
    "GET /tiles/drawn/{layer}/{z}/{x}/{y}.png": _TILE,
    "GET /tiles/terrain/{z}/{x}/{y}.png": _TILE,
    "GET /tiles/scene/{table}/{path}": RoutePolicy(action="tile", on="table", keep="revalidate"),
    "GET /tiles/tianditu/{set}/{z}/{x}/{y}": RoutePolicy(action="see", on="nothing", keep="revalidate"),
}
"""Every route of the API and the tiles, "METHOD template"."""

DASH: Mapping[str, RoutePolicy] = {
    "GET /_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": _FILE,
    "GET /_dash-layout": RoutePolicy(action="see", on="village"),
    "GET /_dash-dependencies": RoutePolicy(action="see", on="village"),
    "POST /_dash-update-component": RoutePolicy(action="select", on="table", body_bytes=2_000_000),
    "GET /_reload-hash": RoutePolicy(action="see", on="nothing"),
    "GET /_favicon.ico": _FILE,
    "GET /assets/<path:filename>": RoutePolicy(action="see", on="nothing", keep="revalidate"),
    "GET /map-assets/<built>/<path:path>": _FILE,
    "GET /": RoutePolicy(action="see", on="village"),
}
"""Every route of the pages (Dash on Flask, Flask's own templates); callbacks all pass by _dash-update-component."""

CLOSED = frozenset({"GET /<path:path>", "GET /static/<path:filename>"})
"""Routes Dash and Flask bring along that never answer: a page has its own row."""


def _pattern(template: str) -> re.Pattern[str]:
    text = re.sub(r"<(?:string:)?[a-z_]+>", "[^/]+", template.replace(".", r"\."))
    return re.compile(re.sub(r"<path:[a-z_]+>", ".+", text))


_DASH_PATTERNS = [(k.split(" ", 1)[0], _pattern(k.split(" ", 1)[1]), row) for k, row in DASH.items()]


def of_page(method: str, path: str) -> RoutePolicy | None:
    """Give the row of a page's request, or None where there is none and nothing may answer."""
    wanted = "GET" if method == "HEAD" else method
    return next((row for m, pattern, row in _DASH_PATTERNS if m == wanted and pattern.fullmatch(path)), None)
