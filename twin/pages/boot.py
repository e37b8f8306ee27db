"""What the browser is told once, when the page opens: layers, years, states and the words its own code says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twin import freshness, search, style
from twin import map as map_component
from twin.errors import NotFound, NotYetKnown, StoreBroken, VersionGone
from twin.model import Layer, OneMap, Text
from twin.pages.menu import BASE
from twin.text import age, both, catalogue, day, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.freshness import Freshness
    from twin.settings import Settings
    from twin.store import Known as Tables

STYLE = "/api/v1/style.json"
SAID_BY_BROWSER = "page.js."
"""The part of the catalogue that onemap.js says; it is shipped in both languages."""
WORST = ("failed", "held", "stale", "fresh", "never")
"""Of several resources the layer shows the first of these states that any has."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the village's data at one moment: the manifest and the freshness of each table.

    `as_of` is that moment where it is a past one; `unknown` and `gone` say why tables cannot be shown as of then.
    """

    now: datetime
    manifests: Mapping[str, Mapping[str, Any]]
    states: Mapping[str, Freshness]
    as_of: datetime | None = None
    unknown: Mapping[str, Text] = field(default_factory=dict)
    gone: Mapping[str, Text] = field(default_factory=dict)


def known(
    onemap: OneMap,
    store: Tables,
    settings: Settings,
    *,
    as_of: datetime | None = None,
    late: Mapping[str, datetime | None] | None = None,
) -> Known:
    """Look at the store and the run ledger once, as of the moment `as_of` where one is given, else of the minute.

    `late` says from when those are late whose schedule was changed (None: never); the others keep what they declare.
    """
    now = onemap.village.clock or as_of or datetime.now(UTC).replace(second=0, microsecond=0)
    last = freshness.read(settings.data / "run" / "ledger.jsonl", until=as_of)
    changed = late or {}
    states = {
        r.id: freshness.status(
            last.get(r.id), 0 if r.id in changed else r.cadence_seconds, now, late_at=changed.get(r.id)
        )
        for r in onemap.resources
    }
    manifests, unknown, gone = _manifests(onemap, store)
    return Known(now=now, manifests=manifests, states=states, as_of=as_of, unknown=unknown, gone=gone)


def _manifests(onemap: OneMap, store: Tables) -> tuple[dict[str, Mapping[str, Any]], dict[str, Text], dict[str, Text]]:
    """Give the manifest of each table that can be shown, and why others cannot: not yet known, or not kept."""
    found: dict[str, Mapping[str, Any]] = {}
    unknown: dict[str, Text] = {}
    gone: dict[str, Text] = {}
    for resource in onemap.resources:
        try:
            found[resource.id] = store.current(resource.id).manifest
        except NotYetKnown as why:
            unknown[resource.id] = Text(why.zh, why.en)
        except VersionGone as why:
            gone[resource.id] = Text(why.zh, why.en)
        except (NotFound, StoreBroken):
            continue
    return found, unknown, gone


def told(onemap: OneMap, layer: Layer, seen: Known) -> dict[str, Any]:
    """Say of one layer: state, as-of date, age, department, rows, years, reason of trouble, and two of its colours."""
    tables = tables_of(layer)
    states = [seen.states[t] for t in tables if t in seen.states]
    worst = min(states, key=lambda s: WORST.index(s.state), default=None)
    manifests = [seen.manifests[t] for t in tables if t in seen.manifests]
    as_of = max((str(m["as_of"]) for m in manifests if m.get("as_of")), default="")
    department = onemap.department(layer.department)
    rows = sum(int(m.get("rows") or 0) for m in manifests)
    return {
        "state": worst.state if worst else "never",
        "reason": _not_then(seen, tables) or _reason(worst),
        "as_of": day(as_of or None),
        "age": both(lambda language: age(worst.age_seconds if worst else None, language)),
        "department": department.title if department else Text(layer.department, layer.department),
        "rows": both(lambda language: number(rows, language, 0)) if rows else None,
        "years": sorted({y for m in manifests for y in m.get("years") or ()}),
        "colours": _colours(onemap, layer),
    }


def _not_then(seen: Known, tables: Sequence[str]) -> Text | None:
    """Say why a layer shows nothing as of the moment: none of its tables was known then, or is kept of then."""
    missing = [seen.unknown.get(t) or seen.gone.get(t) for t in tables]
    return next((m for m in missing if m), None) if missing and all(missing) else None


def _reason(state: Freshness | None) -> Text | None:
    if state is None or not state.reason_zh or state.state == "fresh":
        return None
    return Text(state.reason_zh, state.reason_en)


def tables_of(layer: Layer) -> tuple[str, ...]:
    """Give the tables a layer draws, each once, in drawing order."""
    return tuple(dict.fromkeys(d.table for d in layer.draws))


def _colours(onemap: OneMap, layer: Layer) -> list[tuple[str, str]]:
    """Give two of the layer's colours, each by day and by night."""
    light, dark = (
        [i["colour"] for group in style.legend(onemap, layer, theme=theme) for i in group["items"]]
        for theme in ("light", "dark")
    )
    return list({a: (a, b) for a, b in zip(light, dark, strict=True) if a}.values())[:2]


def years(layers: Sequence[Mapping[str, Any]]) -> list[int]:
    """Give every year in which some layer has an edition, ascending."""
    return sorted({y for layer in layers for y in layer["years"]})


def foreign(settings: Settings) -> list[tuple[str, Text]]:
    """Give the base maps that come through the server's proxy: Tianditu's two, where there is a key for it."""
    if not settings.tianditu_key:
        return []
    return [(base, words(f"page.menu.{base.replace('-', '_')}")) for base in ("tianditu-vector", "tianditu-imagery")]


def boot(onemap: OneMap, seen: Known, settings: Settings, *, below: str = "") -> dict[str, Any]:
    """Give what onemap.js needs to know, as JSON; `below` is what the addresses of a past moment begin with."""
    village = onemap.village
    layers = [_layer(onemap, x, seen) for x in onemap.layers]
    return {
        "village": {
            "name": _pair(village.name),
            "center": list(village.center),
            "zoom": village.zoom,
            "bbox": list(village.bbox),
            "attribution": _pair(village.attribution),
            "unit": village.area_unit,
        },
        "layers": layers,
        "foreign": [base for base, _ in foreign(settings)],
        "years": years(layers),
        "at": f"{seen.now:%H:%M}",
        "style": below + STYLE,
        **({"below": below} if below else {}),
        "mapAssets": map_component.url(""),
        "mapWords": {"zh": map_component.words("zh-CN"), "en": map_component.words("en")},
        "words": {
            key: {
                word.removeprefix(SAID_BY_BROWSER): said
                for word, said in catalogue(language).items()
                if word.startswith(SAID_BY_BROWSER)
            }
            for key, language in (("zh", "zh-CN"), ("en", "en"))
        },
    }


def _layer(onemap: OneMap, layer: Layer, seen: Known) -> dict[str, Any]:
    said = told(onemap, layer, seen)
    return {
        "id": layer.id,
        "theme": layer.theme,
        "base": layer.theme == BASE,
        "title": _pair(layer.title),
        "on": layer.default_on,
        "opacity": layer.opacity,
        "years": said["years"],
        "as_of": said["as_of"],
        "tables": list(tables_of(layer)),
        "find": found_by(layer, said["department"]),
        "scene": any(d.type == "scene" for d in layer.draws),
    }


def found_by(layer: Layer, department: Text) -> str:
    """Give all that a layer is found by, lower case: words, pinyin, initials, id, department; one key a line."""
    drawn = [w for d in layer.draws for w in (d.title.zh, d.title.en)]
    named = (layer.title.zh, layer.title.en, layer.id, layer.slug, department.zh, department.en)
    return search.keys((*named, *layer.keywords, *drawn))


def _pair(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
