"""Everything a stranger without an account can reach, byte by byte: nothing but what is public, and no version told."""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.matrix.test_rooms import CANARIES, may_stand
from tests.office_town import BASE
from tests.wall.standing import Wall

ADDRESS = re.compile(
    r"""(?:href|src|action|data-href)\s*=\s*["']([^"'<>\s]+)|["'](/[A-Za-z0-9_.~%{}/?=&:-]+)["']|url\(["']?([^"')]+)"""
    r"""|(?:from|import)\s*\(?["'](\.{1,2}/[^"']+)["']|sourceMappingURL=(\S+)"""
)
MOST = 600
GUESSED = (
    ".git/HEAD", ".git/config", ".gitignore", ".env", ".env.local", ".htaccess", ".htpasswd", ".DS_Store", ".svn/entries",
    ".ssh/id_rsa", ".aws/credentials", ".bash_history", ".vscode/settings.json", ".well-known/security.txt", "robots.txt",
    "sitemap.xml", "favicon.ico", "crossdomain.xml", "docs", "docs/", "redoc", "swagger", "swagger-ui.html", "openapi.json",
    "openapi.yaml", "api", "api/", "api/v1", "api/v1/", "api/v1/docs", "api/v2/layers", "graphql", "metrics", "status",
    "server-status", "admin", "admin/", "login", "console", "debug", "actuator/env", "phpinfo.php", "wp-login.php",
    "cgi-bin/test", "config.json", "config.toml", "settings.py", "village.toml", "grants.toml", "data/grants.toml",
    "data/run/ops.sqlite", "data/run/demo_secret", "data/run/audit", "data/store", "data/raw", "run/ops.sqlite",
    "ops.sqlite", "backup.zip", "backup.tar.gz", "dump.sql", "db.sqlite3", "dashboard.py", "dashboard.pyc", "twin/__init__.py",
    "pyproject.toml", "requirements.lock", "requirements.txt", "package.json", "package-lock.json", "Makefile", "Dockerfile",
    "docker-compose.yml", "README.md", "CHANGELOG.md", "LICENSE", "tests", "static/", "static/app.js", "assets", "assets/",
    "assets/index.html", "assets/../dashboard.py", "assets/markup.js~", "assets/markup.js.bak", "assets/markup.js.map",
    "assets/page/main.mjs.map", "assets/.git/HEAD", "assets/signin.css.swp", "map-assets/", "map-assets/x/onemap.js.map",
    "_dash-layout", "_dash-dependencies", "_dash-config", "_dash-routes", "_dash-mcp", "mcp", "_mcp", "_reload-hash",
    "_dash-error", "_dash_error", "_dash-component-suites/", "_dash-component-suites/dash/dash.py",
    "_dash-component-suites/dash/package-info.json", "_dash-component-suites/dash/deps/../dash.py",
    "_dash-component-suites/twin/settings.py", "_dash-component-suites/flask/app.py",
    "_dash-component-suites/dash/deps/react@18.3.1.min.js.map", "_alive_x", "_dash-ws-callback", "tiles", "tiles/",
    "tiles/M1", "tiles/M1/tilejson.json", "tiles/M1.json", "tiles/scene/", "tiles/scene/thing/manifest.json",
    "tiles/scene/thing/serving.duckdb", "tiles/scene/thing/part.parquet", "accounts", "record", "grants", "retention",
    "record/export", "health/", "health/live", "%2e%2e/%2e%2e/etc/passwd", "..%2fdashboard.py", "index.html",
    "index.php", "trace.axd", "api/v1/features", "api/v1/features/thing", "api/v1/features/thing/", "api/v1/entities/",
)  # fmt: skip
IDENTITY = re.compile(rb"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
TELEPHONE = re.compile(rb"(?<![\d.])1[3-9]\d{9}(?![\d.])")
CARD = re.compile(rb"(?<![\d.])62\d{14,17}(?![\d.])")


class Crawl:
    """What was asked and answered, from `/` along every address that an answer names."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.answers: dict[str, Any] = {}
        self._waiting: list[str] = []

    def walk(self, *begin: str) -> Crawl:
        self._waiting = list(begin)
        while self._waiting:
            address = self._waiting.pop()
            if address in self.answers:
                continue
            assert len(self.answers) < MOST, "the crawl does not end"
            self.answers[address] = answer = self.wall.client.get(address)
            self._waiting += [a for a in self._named(address, answer) if a not in self.answers]
        return self

    def _named(self, address: str, answer: Any) -> Iterator[str]:
        led = answer.headers.get("location", "")
        kind = answer.headers.get("content-type", "")
        text = answer.text if kind.startswith(("text/", "application/json", "application/javascript")) else ""
        if "plotly" in address or "/deps/" in address:
            text = text[-300:]  # of libraries only what they name as their source map
        for found in [(led,)] if led else ADDRESS.findall(text):
            named = next((f for f in found if f), "")
            if named.startswith(("data:", "blob:", "#", "tel:", "javascript:", "http://www.w3.org")):
                continue
            there = urlsplit(urljoin(BASE + address, named))
            if f"{there.scheme}://{there.netloc}" == BASE:
                filled = there.path.replace("{z}", "15").replace("{x}", "27304").replace("{y}", "13463")
                if "{" not in filled and "%7B" not in filled:
                    yield filled + (f"?{there.query}" if there.query and "{" not in there.query else "")


@pytest.fixture(scope="module")
def crawled(wall: Wall) -> Crawl:
    api = wall.client.get("/api/v1/openapi.json").json()["paths"]
    listed = [p for p, methods in api.items() if "get" in methods and "{" not in p]
    return Crawl(wall).walk("/", "/api/v1/style.json", "/api/v1/search?q=CANARY", *listed, *("/" + g for g in GUESSED))


def test_the_crawl_comes_everywhere(crawled: Crawl) -> None:
    good = {a.partition("?")[0] for a, answer in crawled.answers.items() if answer.status_code == 200}
    assert {"/", "/signin", "/api/v1/layers", "/health", "/assets/page/main.mjs", "/assets/markup.js"} <= good
    assert any(a.startswith("/map-assets/") for a in good)
    assert any(a.startswith("/_dash-component-suites/") for a in good)
    assert any(a.startswith("/tiles/") for a in crawled.answers)
    assert len(crawled.answers) > len(GUESSED) + 50


def test_what_was_guessed_is_not_there(crawled: Crawl) -> None:
    known = {"_dash-layout", "_dash-dependencies", "_reload-hash"}
    there = {g for g in GUESSED if crawled.answers["/" + g].status_code == 200}
    assert there <= known


def test_no_stranger_is_led_away_or_shown_a_failure(crawled: Crawl) -> None:
    for address, answer in crawled.answers.items():
        assert answer.status_code < 500, address
        led = answer.headers.get("location", "")
        assert not led or led.startswith(("/signin", BASE)), (address, led)


def test_no_byte_a_stranger_reaches_is_of_a_person_or_a_canary_that_is_not_public(crawled: Crawl) -> None:
    public = {v for cell, v in CANARIES.items() if may_stand("anonymous", "feature", cell)}
    public |= {v for cell, v in CANARIES.items() if may_stand("anonymous", "indicators", cell)}
    hidden = [v for v in CANARIES.values() if v not in public]
    assert hidden
    for address, answer in crawled.answers.items():
        body = _unpacked(answer)
        assert not [v for v in hidden if v in body], address
        if not address.startswith(("/_dash-component-suites/", "/map-assets/")):
            found = [p.findall(body) for p in (IDENTITY, TELEPHONE, CARD)]
            assert found == [[], [], []], address


def test_a_canary_or_an_identity_number_in_public_bytes_would_be_noticed() -> None:
    assert IDENTITY.search(b'{"id":"330521198001011234"}')
    assert TELEPHONE.search(b"call 13905710011")
    assert CARD.search(b"6222021234567890123")
    assert not IDENTITY.search(b"1234567890.330521198001011234567")


LIBRARIES = (
    "dash",
    "flask",
    "werkzeug",
    "fastapi",
    "starlette",
    "uvicorn",
    "duckdb",
    "sqlalchemy",
    "pydantic",
    "plotly",
)


def test_no_answer_tells_what_runs_here_or_where(crawled: Crawl) -> None:
    versions = {f"{name}[ /=@-]+v?{re.escape(importlib.metadata.version(name))}" for name in LIBRARIES}
    told = re.compile("|".join(versions), re.IGNORECASE)
    for address, answer in crawled.answers.items():
        heads = " ".join(f"{k}: {v}" for k, v in answer.headers.items())
        assert not re.search(r"(?i)^(server|x-powered-by|via|x-aspnet|x-runtime|x-debug)\b", heads, re.MULTILINE), (
            address
        )
        assert not told.search(heads), address
        if not address.startswith(("/_dash-component-suites/", "/map-assets/")):
            text = answer.text if "image" not in answer.headers.get("content-type", "") else ""
            assert not told.search(text), (address, told.search(text))
            assert crawled.wall.folder not in text, address
            assert "site-packages" not in text, address
            assert "Traceback" not in text, address


def test_every_answer_says_what_it_is_and_bears_the_headers(crawled: Crawl) -> None:
    for address, answer in crawled.answers.items():
        assert answer.headers["x-content-type-options"] == "nosniff", address
        assert answer.headers["x-frame-options"] == "DENY", address
        assert "default-src 'none'" in answer.headers["content-security-policy"] or (
            "default-src 'self'" in answer.headers["content-security-policy"]
        ), address
        assert "unsafe-eval" not in answer.headers["content-security-policy"].replace("wasm-unsafe-eval", ""), address
        assert "access-control-allow-origin" not in answer.headers, address
        if answer.status_code not in (204, 303, 304, 307):
            assert answer.headers.get("content-type"), address
        if not address.startswith(("/_dash-component-suites/", "/map-assets/")):
            assert "public" not in answer.headers.get("cache-control", ""), address


def test_no_source_map_is_named_or_served(crawled: Crawl) -> None:
    assert [a for a, x in crawled.answers.items() if a.endswith(".map") and x.status_code == 200] == []


def test_what_a_stranger_is_told_of_the_callbacks_names_only_the_pages_own(crawled: Crawl) -> None:
    told = json.loads(crawled.answers["/_dash-dependencies"].content)
    assert {i["id"] for one in told for i in one["inputs"]} <= {"opened", "map", "deck", *crawled.wall.callbacks}
    assert not any(one.get("background") for one in told)


def _unpacked(answer: Any) -> bytes:
    body = answer.content
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
