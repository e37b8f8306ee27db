"""JSON interfaces: pages by number, offset, cursor or link, each in the names the declaration gives.

Options: `items` and `total` (dotted paths), `paging` ("none", "page", "offset", "cursor", "link"), `size`, the names of
parameters `page_param`, `size_param`, `offset_param`, `cursor_param`, `since_param`, and `first_page`, `next` (path of
the next cursor or link), `only` (the parameter that names the columns wanted: with it and a watermark only what changed
is read), `geometry` (a column of GeoJSON or WKT), `confirm` ("no" where pages cannot shift).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from etl import paged
from etl.fetch import layers, tally
from etl.fetch.book import Book
from etl.fetch.order import Order, Unchanged, moving, rows
from etl.fetch.web import Answer, Web

_Rows = list[tuple[str, Any]]
_Read = tuple[Answer, Any, _Rows]
CONDITIONS = ("If-None-Match", "If-Modified-Since")
_Asked = tuple[Mapping[str, str], str]
"""(parameters, address); an address of its own has its parameters in it."""


def read(web: Web, order: Order, book: Book) -> None:
    """Write every page into `book`; raises Uneven, SourceError, or Unchanged where the source says so."""
    book.facts["layout"] = {
        "form": "json",
        "items": order.option("items"),
        "id": order.key,
        "geometry": order.option("geometry"),
    }
    key = {order.option("only"): order.key}
    if layers.gone_on(order, book, lambda o, b: _pages(web, o, b), changed=_changed(order), identities=key):
        return
    _pages(web, order, book)


def _changed(order: Order) -> dict[str, str]:
    return {order.option("since_param", "since"): order.since}


def _pages(web: Web, order: Order, book: Book) -> None:
    paging = order.option("paging", "none")
    pagers = {"none": _single, "page": _numbered, "offset": _offset, "cursor": _cursor, "link": _linked}
    pagers[paging](web, order, book)


def _page(web: Web, order: Order, book: Book, parameters: Mapping[str, str], address: str = "") -> _Read:
    def opened(answer: Answer) -> _Read:
        if answer.status == 304:
            raise Unchanged
        document = paged.loads(answer.body)
        return answer, document, rows("json", document, order.option("items"), order.key, book)

    asked = {**parameters, **order.asked} if not address else {}
    return web.ask(address or order.source.part, asked, opened, _conditions(order))


def _conditions(order: Order) -> Mapping[str, str]:
    plain = order.option("paging", "none") == "none" and not order.asked
    return {k: v for k, v in order.validators.items() if k in CONDITIONS} if plain else {}


def _keep(book: Book, order: Order, read: _Read, overlap: int = 0) -> None:
    answer, document, found = read
    if order.option("total"):
        book.state(paged.at(document, order.option("total")))
    book.page("json", answer.shown, answer.body, found, overlap)


def _single(web: Web, order: Order, book: Book) -> None:
    read = _page(web, order, book, {})
    headers = read[0].headers
    tags = {"If-None-Match": headers.get("etag", ""), "If-Modified-Since": headers.get("last-modified", "")}
    book.facts["validators"] = {k: v for k, v in tags.items() if v}
    _keep(book, order, read)


def _numbered(web: Web, order: Order, book: Book) -> None:
    known: set[str] = set()
    asked: list[_Asked] = []
    size = {order.option("size_param", "size"): str(order.size)}
    for number in itertools.count(int(order.option("first_page", "1"))):
        asked.append(({order.option("page_param", "page"): str(number), **size}, ""))
        read = _page(web, order, book, *asked[-1])
        moving(book, read[2], known)
        if read[2] or not book.pages:
            _keep(book, order, read)
        if not read[2] or _complete(book, known):
            break
    _again(web, order, book, asked[: len(book.pages)])


def _offset(web: Web, order: Order, book: Book) -> None:
    """Read by offset, each page beginning with the last row of the one before: where it does not, rows have shifted."""
    known: set[str] = set()
    while True:
        at = max(0, len(book.ids) - 1)
        overlap = 1 if book.ids else 0
        size = {order.option("size_param", "limit"): str(order.size + overlap)}
        read = _page(web, order, book, {order.option("offset_param", "offset"): str(at), **size})
        found = read[2]
        if overlap and [i for i, _ in found[:1]] != book.ids[-1:]:
            raise tally.moved(book.name, expected=book.ids[-1:], found=[i for i, _ in found[:1]])
        moving(book, found[overlap:], known)
        _keep(book, order, read, overlap)
        if len(found) <= overlap or _complete(book, known):
            return


def _cursor(web: Web, order: Order, book: Book) -> None:
    _followed(web, order, book, lambda after: ({order.option("cursor_param", "cursor"): after}, ""))


def _linked(web: Web, order: Order, book: Book) -> None:
    _followed(web, order, book, lambda after: ({}, web.full(after)))


def _followed(web: Web, order: Order, book: Book, turn: Callable[[str], _Asked]) -> None:
    known: set[str] = set()
    size = {order.option("size_param", "limit"): str(order.size)}
    asked: list[_Asked] = [(size, "")]
    while True:
        read = _page(web, order, book, *asked[-1])
        moving(book, read[2], known)
        _keep(book, order, read)
        after = paged.text(paged.at(read[1], order.option("next", "next")))
        if not after:
            break
        parameters, address = turn(after)
        asked.append(({**size, **parameters}, address))
        if asked[-1] in asked[:-1]:
            raise tally.circle(book.name, book.ids)
    _again(web, order, book, asked)


def _again(web: Web, order: Order, book: Book, asked: Sequence[_Asked]) -> None:
    """Read several pages again: where one is no longer what it was, rows have shifted between two of them."""
    if len(asked) > 1 and order.option("confirm") != "no":
        for number, (parameters, address) in enumerate(asked):
            book.confirm(number, (i for i, _ in _page(web, order, book, parameters, address)[2]))


def _complete(book: Book, known: set[str]) -> bool:
    return bool(book.counts) and len(known) >= book.counts[-1]
