"""Going on from the last pull of a service: what changed since is asked for, what is gone is told by its identity.

The pages of the last pull stay below the new ones; each row is then the newest there is of it. Where a row is
there that came without a newer watermark and was not there before, everything is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from etl import paged
from etl.fetch import book as books
from etl.fetch import tally
from etl.fetch.book import Book
from etl.fetch.order import Order

Pages = Callable[[Order, Book], None]
"""Reads all pages of what an order asks for into a book."""


def gone_on(
    order: Order, book: Book, pages: Pages, *, changed: Mapping[str, str], identities: Mapping[str, str]
) -> bool:
    """Read what changed since `order.since` and go on from `order.base`; False where everything has to be read.

    `changed` and `identities` are the parameters that ask for those rows only, and for identities only. Raises Uneven.
    """
    if order.base is None:
        return False
    aside = book.aside()
    pages(replace(order, asked=identities), aside)
    aside.even()
    book.layer = top(order) + 1
    pages(replace(order, asked=changed), book)
    book.even()
    return lay_under(order, book, aside.ids)


def top(order: Order) -> int:
    """Give the newest layer of the pull that is gone on from."""
    assert order.base is not None  # noqa: S101 - its caller looked
    return max((int(p["layer"]) for p in books.read(order.base)["pages"]), default=0)


def lay_under(order: Order, book: Book, known: Collection[str]) -> bool:
    """Put the pages of `order.base` under those of `book`; False, and an empty book, where a `known` row is in neither.

    Raises Uneven where a row changed that is not among `known`.
    """
    assert order.base is not None  # noqa: S101 - its caller looked
    said = books.read(order.base)
    before = {identity: row for _, identity, row in paged.merged(order.base, said)}
    changed, there = set(book.ids), set(known)
    if surplus := changed - there:
        raise tally.moved(book.name, expected=(), found=sorted(surplus))
    placed = book.facts.get("crs", "") == said.get("crs", "") or not book.ids
    if not there <= changed | before.keys() or said["layout"] != book.facts["layout"] or not placed:
        book.empty()
        return False
    gone = before.keys() - there
    old = {int(layer): set(ids) for layer, ids in said.get("dropped", {}).items()}
    for page in said["pages"]:
        layer = int(page["layer"])
        book.dropped[layer] = sorted(old.get(layer, set()) | gone)
        os.link(order.base / page["file"], book.folder / page["file"])
        book.pages.append(page)
    for identity, row in before.items():
        if identity in there and identity not in changed:
            book.ids.append(identity)
            book.digest += paged.digest(identity, row)
            if said["layout"]["form"] != "gml":
                book.seen(paged.properties(said["layout"]["form"], row))
    book.newest(str(said["watermark"]))
    book.counts, book.stated = [], there
    book.facts |= {"whole_at": said.get("whole_at", said["pulled_at"]), "crs": said.get("crs", "")}
    book.facts |= {"columns": said["columns"]} if "columns" in said else {}
    return True
