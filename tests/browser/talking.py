"""How a test talks with the map of map_stub: props in, props back after a trip through the server, places on the screen."""

from __future__ import annotations

from typing import Any

from tests.browser.harness import Visit
from tests.browser.map_stub import LAYERS


def set_props(visit: Visit, **props: Any) -> None:
    visit.page.evaluate("props => window.dash_clientside.set_props('map', props)", props)


def echo(visit: Visit, name: str, test: str = "true") -> Any:
    """Wait until the prop has come back from the server and `test` holds of `value`; give it."""
    script = f"() => {{ const text = document.getElementById('echo-{name}').textContent; if (!text) return null; const value = JSON.parse(text); return ({test}) ? {{value}} : null; }}"
    return visit.until(script)["value"]


def at(visit: Visit, lon: float, lat: float, side: int = 0) -> tuple[float, float]:
    script = "([lon, lat, side]) => { const p = __onemap.maps[side].project([lon, lat]); return [p.x, p.y]; }"
    x, y = visit.page.evaluate(script, [lon, lat, side])
    return x, y


def layers(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**layer, **changes.get(layer["id"], {})} for layer in LAYERS]
