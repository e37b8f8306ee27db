"""Web Feature Service 2.0: as many members as `resultType=hits` says, pages overlapping by one so that a shift is seen.

Options: `size`, `sort` (a property to sort by), `id` (a property that identifies a row; else gml:id).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from etl import paged
from etl.fetch import layers, tally
from etl.fetch.book import Book
from etl.fetch.order import Order, moving
from etl.fetch.web import Answer, Web
from twin.errors import CrsError

_FILTER = (
    '<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0"><fes:PropertyIsGreaterThanOrEqualTo>'
    "<fes:ValueReference>{}</fes:ValueReference><fes:Literal>{}</fes:Literal>"
    "</fes:PropertyIsGreaterThanOrEqualTo></fes:Filter>"
)
_Found = tuple[Answer, dict[str, str], list[tuple[str, bytes]], set[str]]


def read(web: Web, order: Order, book: Book) -> None:
    """Write every page of the feature type `source.part` into `book`; raises Uneven, SourceError or CrsError."""
    book.facts["layout"] = {"form": "gml", "id": order.key}
    only = {"propertyName": order.key or order.source.watermark}
    since = {"filter": _FILTER.format(escape(order.source.watermark), escape(order.since))}
    if layers.gone_on(order, book, lambda o, b: _pages(web, o, b), changed=since, identities=only):
        return
    _pages(web, order, book)
    book.facts["columns"] = _described(web, order)


def _described(web: Web, order: Order) -> list[str]:
    """Give the columns the service says its features have: in GML a column that is empty everywhere is not there."""

    def opened(answer: Answer) -> list[str]:
        found = paged.elements(answer.body)
        return [name for name, kind in found if name and kind and not kind.startswith("gml:")]

    asked = {"service": "WFS", "version": "2.0.0", "request": "DescribeFeatureType", "typeNames": order.source.part}
    return web.ask("", asked, opened)


def _pages(web: Web, order: Order, book: Book) -> None:
    hits = _page(web, order, {"resultType": "hits"})[1].get("numberMatched", "")
    book.state(hits)
    known: set[str] = set()
    systems: set[str] = set()
    while True:
        overlap = 1 if book.ids else 0
        at = {"startIndex": str(max(0, len(book.ids) - 1)), "count": str(order.size + overlap)}
        answer, top, found, named = _page(web, order, at, book)
        if overlap and [i for i, _ in found[:1]] != book.ids[-1:]:
            raise tally.moved(book.name, expected=book.ids[-1:], found=[i for i, _ in found[:1]])
        moving(book, found[overlap:], known)
        book.state(top.get("numberMatched", ""))
        book.page("gml", answer.shown, answer.body, found, overlap)
        systems |= named
        if len(found) <= overlap or (hits.isdigit() and len(known) >= int(hits)):
            break
    book.facts["crs"] = _system(book, systems) if order.spatial and book.keeping and (systems or book.ids) else ""
    book.kinds = {}


def _page(web: Web, order: Order, more: dict[str, str], book: Book | None = None) -> _Found:
    asked = {"service": "WFS", "version": "2.0.0", "request": "GetFeature", "typeNames": order.source.part}
    asked |= {**order.asked, **more}
    if order.option("sort"):
        asked["sortBy"] = order.option("sort")

    def opened(answer: Answer) -> _Found:
        top, members = paged.gml(answer.body, order.key)
        rows: list[tuple[str, bytes]] = []
        systems: set[str] = set()
        for identity, body, element in members:
            rows.append((identity, body))
            systems.update(n for e in element.iter() if (n := e.get("srsName")))
            if book:
                book.newest(next((c.text or "" for c in element if paged.local(c.tag) == book.marked), ""))
        return answer, top, rows, systems

    return web.ask("", asked, opened)


def _system(book: Book, named: set[str]) -> str:
    numbers = {n.rstrip("/").replace("/", ":").rpartition(":")[2] for n in named}
    if len(numbers) != 1:
        listed = "、".join(sorted(named)) or "-"
        raise CrsError(
            f"“{book.name}”的坐标系应为一个,实为:{listed}。请提供单位核对。",
            f"“{book.name}” must be in one coordinate system and names: {listed}. Have the provider check.",
            file=book.name,
        )
    return f"EPSG:{numbers.pop()}"
