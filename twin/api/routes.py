"""The HTTP questions the village answers; each asks the room that knows and adds nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from twin import style
from twin.api import listings, moments
from twin.api.answers import answer, gate
from twin.api.rooms import Rooms
from twin.entities import Asked
from twin.policy import Subject


def as_of(
    request: Request,
    as_of: Annotated[
        str, Query(max_length=25, description="A day (to its end) or a time, on the village's clock or, with Z, in UTC")
    ] = "",
) -> None:
    """Let the whole answer be as it was known then; raises BadRequest."""
    request.state.rooms = request.app.state.rooms.at(as_of)


router = APIRouter(dependencies=[Depends(gate), Depends(as_of)])

Language = Literal["zh-CN", "en"]
Year = Annotated[int | None, Query(ge=1900, le=2200)]
Lon = Annotated[float, Query(ge=-180, le=180)]
Lat = Annotated[float, Query(ge=-85, le=85)]


def _rooms(request: Request) -> Rooms:
    """Give the rooms as of the moment that is asked about."""
    return request.state.rooms


def _asker(request: Request) -> Subject:
    """Give whoever asks, as the guard has found out; there is none where the guard was gone around."""
    return request.scope["state"]["subject"]


@router.get("/health")
def health(request: Request) -> Response:
    """Say whether every table can be served; to those who look after the data, which cannot and why."""
    found = listings.health(_rooms(request), _asker(request))
    return answer(request, found)


@router.get("/api/v1/themes")
def themes(request: Request, language: Language = "zh-CN") -> Response:
    """List the themes and their layers."""
    return answer(request, listings.themes(_rooms(request), _asker(request), language))


@router.get("/api/v1/layers")
def layers(request: Request, language: Language = "zh-CN") -> Response:
    """List the layers with legend, department, share class, freshness and as-of date."""
    return answer(request, {"layers": listings.layers(_rooms(request), _asker(request), language)})


@router.get("/api/v1/catalog")
def catalog(request: Request, language: Language = "zh-CN") -> Response:
    """List the departments and their catalogued resources in the official catalogue's fields."""
    return answer(request, listings.catalog(_rooms(request), _asker(request), language))


@router.get("/api/v1/style.json")
def style_json(
    request: Request,
    language: Language = "zh-CN",
    theme: Literal["light", "dark"] = "light",
    year: Year = None,
    base: Annotated[str, Query(pattern=r"^$|^https?://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$")] = "",
) -> Response:
    """Give the map's style: every layer, its sources and its paint."""
    rooms = _rooms(request)
    sheet = style.Sheet(
        language=language,
        base=base,
        below=moments.below(rooms.as_of),
        theme=theme,
        year=year,
        versions=listings.versions(rooms, _asker(request)),
        tianditu=bool(rooms.settings.tianditu_key),
    )
    return answer(request, style.style(rooms.onemap, sheet=sheet, policy=rooms.policy, subject=_asker(request)))


@router.get("/api/v1/indicators")
def indicators(
    request: Request,
    theme: Annotated[str, Query(max_length=40)] = "",
    language: Language = "zh-CN",
    year: Year = None,
) -> Response:
    """Give a theme's numbers, each with its groups and the condition of the list behind it."""
    found = _rooms(request).indicators.theme(_asker(request), theme, language, year=year)
    return answer(request, {"theme": theme, "indicators": found})


@router.get("/api/v1/entities/{entity_id:path}")
def entity(request: Request, entity_id: str, language: Language = "zh-CN", year: Year = None) -> Response:
    """Give everything any table knows of one thing, e.g. building:B0231."""
    asked = Asked(language=language, year=year)
    return answer(request, _rooms(request).entities.entity(_asker(request), entity_id, asked))


@router.get("/api/v1/features/{table}/{feature_id:path}")
def feature(request: Request, table: str, feature_id: str, language: Language = "zh-CN", year: Year = None) -> Response:
    """Give one row of one table with where it comes from."""
    asked = Asked(language=language, year=year)
    return answer(request, _rooms(request).entities.feature(_asker(request), table, feature_id, asked))


@router.get("/api/v1/identify")
def identify(  # noqa: PLR0917 - a route's parameters are its query
    request: Request,
    lon: Lon,
    lat: Lat,
    layers: Annotated[str, Query(max_length=400)] = "",
    radius_m: Annotated[float, Query(ge=0, le=500)] = 5,
    year: Year = None,
    language: Language = "zh-CN",
) -> Response:
    """Give what lies at a point, top layer first; `layers` lists ids, comma-separated (empty: all)."""
    wanted = tuple(x for x in layers.split(",") if x)
    found = _rooms(request).analysis.identify(
        _asker(request), (lon, lat), wanted, radius_m=radius_m, year=year, language=language
    )
    return answer(request, {"lon": lon, "lat": lat, "features": found})


@router.get("/api/v1/analysis/in-view")
def in_view(  # noqa: PLR0917 - a route's parameters are its query
    request: Request,
    west: Lon,
    south: Lat,
    east: Lon,
    north: Lat,
    year: Year = None,
) -> Response:
    """Give the area of each class inside a rectangle of the map, for the layers whose departments state areas."""
    box = (west, south, east, north)
    return answer(request, _rooms(request).analysis.in_view(_asker(request), box, year=year))


@router.post("/api/v1/analysis/overlay")
def overlay(
    request: Request,
    geometry: Annotated[dict[str, Any], Body()],
    layers: Annotated[str, Query(max_length=400)] = "",
    year: Year = None,
    language: Language = "zh-CN",
) -> Response:
    """Give areas in m² and 亩 and counts by class inside a polygon (GeoJSON, lon/lat), control lines, duty holders."""
    wanted = tuple(x for x in layers.split(",") if x)
    found = _rooms(request).analysis.overlay(_asker(request), geometry, wanted, year=year, language=language)
    return answer(request, found)


@router.get("/api/v1/search")
def search(
    request: Request,
    q: Annotated[str, Query(max_length=100)],
    language: Language = "zh-CN",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Find layers, places, codes, addresses and duty holders by characters, pinyin or initials."""
    found = _rooms(request).search.find(_asker(request), q, language=language, limit=limit)
    return answer(request, {"q": q, "results": found})
