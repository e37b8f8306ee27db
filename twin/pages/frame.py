"""The HTML that the page arrives in: language, no-script words, our icons, and none of Dash's version notices."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dash
import flask

from twin import map as map_component
from twin.pages.boot import STYLE
from twin.pages.questions import QUESTIONS
from twin.text import t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dash.development.base_component import Component

    from twin.model import Village

ASSETS = Path(__file__).parents[1] / "assets"
UNUSED = re.compile(r'\s*<script src="[^"]*/dash_table/bundle[^"]*"></script>')
"""What Dash adds to every page and this one never runs: its data table."""
FINGERPRINT = re.compile(r"\.v[\w-]+m([0-9a-fA-F]+)\.")
"""Dash writes its own version into file names; the time stamp behind it is enough for caches."""
TELLS = (
    "dash_version",
    "python_version",
    "dash_version_url",
    "ddk_version",
    "plotly_version",
    "plotly_cloud_installed",
)

FRAME = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="description" content="@description@">
<title>{%title%}</title>
<link rel="icon" href="@icon@" type="image/svg+xml">
@styles@
@modules@
{%css%}
<script src="@markup@"></script>
</head>
<body>
@icons@
@past@<div class="page early" id="early">
<header class="bar"><p class="opening-name">@name@</p><p class="opening-said" role="status">@loading@</p></header>
<main class="middle"><div class="onemap"></div></main>
</div>
<script type="application/json" id="first">@first@</script>
<script type="module" src="@main@" async></script>
{%app_entry%}
<noscript><p class="no-script">@no_script@</p></noscript>
<footer hidden>{%config%}<template id="dash">{%scripts%}{%renderer%}</template></footer>
</body>
</html>"""

ENTRY = '<div id="react-entry-point"></div>'


class Page(dash.Dash):
    """Dash, with the page's own HTML around it."""

    first: Callable[[], Mapping[str, Any]]
    """What the browser is told once, asked anew for each page."""
    band: Callable[[], str]
    """What stands above a page of the past, "" above the present."""
    written: Callable[[], bytes]
    """The layout as JSON, asked anew for each page; the same bytes for all who are shown the same."""
    questions = QUESTIONS
    """What its callbacks may be asked; the wall in front refuses everything else."""

    def serve_layout(self) -> flask.Response:
        """Answer Dash's question for the layout; it is drawn and written once for all who are shown the same."""
        return flask.Response(self.written(), mimetype="application/json")

    def interpolate_index(self, **parts: Any) -> str:
        """Write the page: Dash's parts, cleaned, inside our frame."""
        first = self.first()
        below = first.get("below", "")
        scripts = FINGERPRINT.sub(r".v0m\1.", UNUSED.sub("", parts["scripts"]))
        css = FINGERPRINT.sub(r".v0m\1.", parts["css"])
        cleaned = {**parts, "scripts": scripts, "css": css, "config": _config(parts["config"], below)}
        cleaned["app_entry"] = ENTRY
        return _filled(
            super().interpolate_index(**cleaned),
            {"first": _json(first), "styles": _styles(flask.request.args.get("lang", ""), below), "past": self.band()},
        )


def plainly(layout: Component) -> bytes:
    """Write a layout as Dash's own script reads it."""
    return json.dumps(layout, ensure_ascii=False, separators=(",", ":"), default=_parts_of).encode()


def _parts_of(part: Component) -> Mapping[str, Any]:
    return part.to_plotly_json()


def frame(village: Village, assets: str) -> str:
    """Give the index string for Dash: `assets` is the address of the assets folder, with its closing slash."""
    said = " / ".join(t("page.no_script", x) for x in ("zh-CN", "en"))
    return _filled(
        FRAME,
        {
            "description": escape(f"{village.name.zh} · {t('page.bar.here', 'zh-CN')}"),
            "icon": "data:image/svg+xml," + quote((ASSETS / "favicon.svg").read_text("utf-8").strip()),
            "modules": "\n".join(_preload(address) for address in _modules(assets)),
            "icons": (ASSETS / "icons.svg").read_text("utf-8").strip(),
            "no_script": escape(said),
            "name": escape(village.name.zh),
            "loading": escape(t("page.opening", "zh-CN")),
            "markup": f"{assets}markup.js",
            "main": f"{assets}page/main.mjs",
        },
    )


def _modules(assets: str) -> list[str]:
    """Give what the first map will import, so that it is all asked for while Dash's own scripts arrive."""
    return map_component.modules() + [f"{assets}page/{p.name}" for p in sorted(ASSETS.glob("page/*.mjs"))]


def _preload(address: str) -> str:
    return f'<link rel="modulepreload" href="{escape(address)}">'


def _styles(lang: str, below: str) -> str:
    """Ask for the map's style beside the modules that will want it; what the browser keeps of choices is not known."""
    language = "en" if lang == "en" else "zh-CN"
    return "\n".join(
        f'<link rel="preload" as="fetch" crossorigin href="{below}{STYLE}?language={language}&amp;theme={theme}"'
        f' media="(prefers-color-scheme: {theme})">'
        for theme in ("light", "dark")
    )


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _config(tag: str, below: str) -> str:
    """Write Dash's settings; a page of a past moment asks for everything below it."""
    head, _, rest = tag.partition(">")
    body, _, tail = rest.rpartition("</script>")
    config = {k: v for k, v in json.loads(body).items() if k not in TELLS}
    config["disable_version_check"] = True
    if below:
        config["requests_pathname_prefix"] = f"{below}/"
    return f"{head}>{_json(config)}</script>{tail}"


def _json(value: Mapping[str, Any]) -> str:
    """Write a value so that it can end neither its own element nor a comment around it."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("/", "\\u002f")
