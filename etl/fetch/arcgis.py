"""ArcGIS FeatureServer: the service's own list of object ids, then those objects by id; failing pages are halved.

Options: `size` (ids a request), `where`. `source.part` is the path of the layer ("FeatureServer/0").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from etl import paged
from etl.fetch import layers
from etl.fetch.book import Book
from etl.fetch.order import Order
from etl.fetch.web import Answer, Faulty, Web
from twin.errors import CrsError

_Found = tuple[Answer, Any, list[tuple[str, Any]]]


def read(web: Web, order: Order, book: Book) -> None:
    """Write every object of the layer into `book`; raises Uneven, SourceError or CrsError."""
    field, ids = _ids(web, order, _where(order))
    book.facts["layout"] = {"form": "esri", "id": field}
    if order.base:
        book.layer = layers.top(order) + 1
        changed = _ids(web, order, f"({_where(order)}) AND {_since(order)}")[1]
        _objects(web, order, book, field, changed)
        if layers.lay_under(order, book, [str(i) for i in ids]):
            return
    book.stated = {str(i) for i in ids}
    _objects(web, order, book, field, ids)


def _ids(web: Web, order: Order, where: str) -> tuple[str, list[int]]:
    return web.ask(_query(order), {"where": where, "returnIdsOnly": "true", "f": "json"}, _listed)


def _since(order: Order) -> str:
    """Give the condition of what changed: a date as ArcGIS writes one, where its watermark is one."""
    moment = order.since.replace("'", "''")
    if moment.isdigit():
        moment = f"{datetime.fromtimestamp(int(moment) / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        return f"{order.source.watermark} >= TIMESTAMP '{moment}'"
    return f"{order.source.watermark} >= '{moment}'"


def _objects(web: Web, order: Order, book: Book, field: str, ids: Sequence[int]) -> None:
    waiting = [ids[i : i + order.size] for i in range(0, len(ids), order.size)]
    systems: set[str] = set()
    while waiting:
        some = waiting.pop(0)
        try:
            answer, document, found = _page(web, order, book, field, some)
        except Faulty:
            if len(some) == 1:
                raise
            waiting[:0] = [some[: len(some) // 2], some[len(some) // 2 :]]
            continue
        systems.add(_system(document))
        book.page("json", f"{urlsplit(answer.shown).path}?objectIds={some[0]}-{some[-1]}", answer.body, found)
    if len(systems) > 1:
        raise CrsError("坐标系在各页之间不同", f"The coordinate system differs between pages: {sorted(systems)}")
    book.facts["crs"] = (systems.pop() if systems else "") if order.spatial else ""


def _query(order: Order) -> str:
    return f"{order.source.part}/query"


def _where(order: Order) -> str:
    return order.option("where", "1=1")


def _listed(answer: Answer) -> tuple[str, list[int]]:
    document = paged.loads(answer.body)
    if not isinstance(document, dict) or "objectIds" not in document:
        raise paged.Unusable(f"no list of ids: {answer.body[:200].decode('utf-8', 'replace')}")
    return str(document.get("objectIdFieldName", "OBJECTID")), sorted(document["objectIds"] or [])


def _page(web: Web, order: Order, book: Book, field: str, some: Sequence[int]) -> _Found:
    asked = {"objectIds": ",".join(map(str, some)), "outFields": "*", "returnGeometry": "true", "f": "json"}

    def opened(answer: Answer) -> _Found:
        document = paged.loads(answer.body)
        found = [(paged.identity("esri", item, field), item) for item in paged.items("esri", document, "")]
        if len(found) != len(some):
            raise paged.Unusable(f"{len(found)} of {len(some)} objects, {_absent(some, found)}")
        for _, item in found:
            book.seen(paged.properties("esri", item))
        return answer, document, found

    return web.ask(_query(order), asked, opened)


def _absent(some: Sequence[int], found: list[tuple[str, Any]]) -> str:
    gone = sorted({str(i) for i in some} - {i for i, _ in found}, key=int)
    return "missing " + "、".join(gone[:20])


def _system(document: Any) -> str:
    said = document.get("spatialReference") or {}
    number = said.get("latestWkid") or said.get("wkid")
    return f"EPSG:{number}" if number else ""
