"""The Dash map component and the files it loads; the only place that knows how the map reaches the browser.

The component is one hand-written script and a few ES modules (`onemap.js`, `js/`), served beside the libraries that
`python -m twin.map.build` puts into `vendor/`. All of it lies under one versioned, immutable address.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dash
import flask
from dash.development.base_component import Component

from twin.errors import NotFound
from twin.map.symbols import symbol_svg

__all__ = [
    "PREFIX",
    "PROPS",
    "Asset",
    "OneMapView",
    "asset",
    "attach",
    "is_built",
    "symbol_svg",
    "url",
    "version",
    "words",
]

FOLDER = Path(__file__).parent
PREFIX = "/map-assets"
MEDIA = {
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
CODINGS = (("br", ".br"), ("gzip", ".gz"))
PUBLIC = re.compile(
    r"(?:onemap\.(?:js|css)|symbols\.json|js/[a-z-]+\.mjs|vendor/[A-Za-z0-9-]+\.(?:mjs|js|css|json|txt|wasm))"
)

GIVEN = (
    "id", "style", "mapStyle", "layers", "view", "home", "camera", "year", "years", "compare", "threeD", "tool",
    "selection", "words", "padding", "theme", "basemap", "stamp", "attribution", "controls",
)  # fmt: skip
TOLD = ("click", "viewState", "drawn", "measured", "ready", "error", "inView")
PROPS = GIVEN + TOLD


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file as it goes over the wire."""

    body: bytes
    headers: Mapping[str, str]


class OneMapView(Component):
    """Show the village on one map that lives as long as the page; `GIVEN` are its props in, `TOLD` those it sets.

    `compare`, `threeD`, `tool` and `selection` are set by the map's own buttons and keys as well.
    """

    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _namespace = "onemap_map"
    _type = "OneMapView"

    def __init__(self, **props: Any) -> None:
        self._prop_names = list(PROPS)
        self.available_properties = list(PROPS)
        self._valid_wildcard_attributes = ["data-", "aria-"]
        self.available_wildcard_properties = ["data-", "aria-"]
        super().__init__(**{"words": words("zh-CN"), **props})


def words(language: str) -> dict[str, str]:
    """Give every word the map shows, for "zh-CN" or "en", with `language` itself under "language"."""
    both = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
    side = "en" if language.startswith("en") else "zh"
    return {"language": "en" if side == "en" else "zh-CN", **{key: text[side] for key, text in both.items()}}


def is_built() -> bool:
    """Tell whether `vendor/` is there; without it the page says so instead of staying blank."""
    return (FOLDER / "vendor" / "STAMP").is_file()


@cache
def version() -> str:
    """Give the short hash of all that is served, which is part of every address."""
    total = hashlib.sha256()
    ours = [p for p in FOLDER.glob("*") if p.suffix in {".js", ".css", ".json"}] + [*FOLDER.glob("js/*.mjs")]
    for path in sorted(ours):
        total.update(path.read_bytes())
    stamp = FOLDER / "vendor" / "STAMP"
    total.update(stamp.read_bytes() if stamp.is_file() else b"")
    return total.hexdigest()[:12]


def url(path: str) -> str:
    """Give the address of one of the map's files ("onemap.css", "vendor/charts.js")."""
    return f"{PREFIX}/{version()}/{path}"


def modules() -> list[str]:
    """Give the addresses of the modules that every first map needs, so that a page can ask for them all at once."""
    drawn = [f"js/{p.name}" for p in sorted((FOLDER / "js").glob("*.mjs")) if p.stem != "flat"]
    engine = "vendor/maplibre-gl.mjs"
    return [url(path) for path in (*([engine] if (FOLDER / engine).is_file() else []), *drawn)]


def asset(path: str, accept_encoding: str = "") -> Asset:
    """Read one served file, compressed when built so and accepted; raises NotFound for any other path."""
    file = FOLDER / path
    if not PUBLIC.fullmatch(path) or not file.is_file():
        raise NotFound(f"没有文件 {path}", f"There is no file {path}", path=path)
    headers = {
        "Content-Type": MEDIA[file.suffix],
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    for coding, ending in CODINGS:
        packed = file.with_name(file.name + ending)
        if coding in accept_encoding and packed.is_file():
            return Asset(body=packed.read_bytes(), headers={**headers, "Content-Encoding": coding})
    return Asset(body=file.read_bytes(), headers=headers)


def _answer(built: str, path: str) -> flask.Response:
    try:
        found = asset(path, flask.request.headers.get("Accept-Encoding", ""))
    except NotFound as error:
        return flask.Response(f"{error.zh} / {error.en}", 404, mimetype="text/plain")
    headers = dict(found.headers)
    if built != version():
        headers["Cache-Control"] = "no-store"
    return flask.Response(found.body, headers=headers)


def attach(app: dash.Dash) -> None:
    """Serve the map's files from `app` and make its pages load the component; call once, before the first request."""
    app.server.add_url_rule(f"{PREFIX}/<built>/<path:path>", "onemap_map_assets", _answer)  # type: ignore[union-attr]
    app.config.external_scripts.append(url("onemap.js"))
    app.config.external_stylesheets.append(url("onemap.css"))
