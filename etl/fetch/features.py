"""OGC API Features: items by their `next` links, against numberMatched, read again to see that none shifted."""

from __future__ import annotations

from typing import Any

from etl import paged
from etl.fetch import layers, tally
from etl.fetch.book import Book
from etl.fetch.order import Order, moving, rows
from etl.fetch.web import Answer, Web
from twin.errors import CrsError

CRS84 = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/OGC/0/CRS84h")
_Read = tuple[Answer, Any, list[tuple[str, Any]]]


def read(web: Web, order: Order, book: Book) -> None:
    """Write every page of the collection `source.part` into `book`; raises Uneven, SourceError or CrsError."""
    book.facts |= {"layout": {"form": "geojson", "id": order.key}, "crs": "EPSG:4326" if order.spatial else ""}
    column = order.source.watermark
    only = {"skipGeometry": "true", "properties": order.key or column}
    moment = order.since.replace("'", "''")
    since = {"filter": f"\"{column}\" >= '{moment}'", "filter-lang": "cql2-text"}
    if layers.gone_on(order, book, lambda o, b: _pages(web, o, b), changed=since, identities=only):
        return
    _pages(web, order, book)


def _pages(web: Web, order: Order, book: Book) -> None:
    known: set[str] = set()
    address = web.full(f"collections/{order.source.part}/items", {"limit": str(order.size), "f": "json", **order.asked})
    asked: list[str] = []
    while address:
        if address in asked:
            raise tally.circle(book.name, book.ids)
        asked.append(address)
        answer, document, found = _page(web, order, book, address)
        moving(book, found, known)
        book.state(document.get("numberMatched"))
        book.page("json", answer.shown, answer.body, found)
        address = _next(web, document)
    if len(asked) > 1:
        for number, again in enumerate(asked):
            book.confirm(number, (i for i, _ in _page(web, order, book, again)[2]))


def _page(web: Web, order: Order, book: Book, address: str) -> _Read:
    def opened(answer: Answer) -> _Read:
        _placed(book, answer.headers.get("content-crs", ""))
        document = paged.loads(answer.body)
        return answer, document, rows("geojson", document, "features", order.key, book)

    return web.ask(address, None, opened, {"Accept": "application/geo+json, application/json"})


def _placed(book: Book, stated: str) -> None:
    system = stated.strip("<> ")
    if system and system not in CRS84:
        raise CrsError(
            f"“{book.name}”应答的坐标系是 {system},不是约定的 CRS84(经度在前)。请提供单位恢复,或改申报。",
            f"“{book.name}” answers in {system} and not in CRS84, longitude first. Have it restored.",
            file=book.name,
        )


def _next(web: Web, document: Any) -> str:
    links = document.get("links") or []
    found = next((link.get("href", "") for link in links if link.get("rel") == "next"), "")
    return web.full(found) if found else ""
