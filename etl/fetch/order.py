"""What a pull asks for, in the words of the declaration, and what its transports share about pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl import paged
from etl.fetch import tally
from etl.fetch.book import Book
from twin.model import Source

MOST_PAGES = 50_000


@dataclass(frozen=True, kw_only=True)
class Order:
    """One source to be pulled: `key` is the column that identifies a row ("" for the feature's own id).

    `since` is the watermark less its overlap, "" for everything; `base` the pull that is gone on from; `validators` are
    ETags and dates of the last pull; `asked` are parameters of every request.
    """

    source: Source
    key: str = ""
    since: str = ""
    spatial: bool = True
    base: Path | None = None
    validators: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: Mapping[str, str] = field(default_factory=dict[str, str])

    def option(self, name: str, default: str = "") -> str:
        """Give an option of the declaration."""
        return self.source.options.get(name, default)

    @property
    def size(self) -> int:
        """Give how many rows a page is asked for."""
        return int(self.option("size", "1000"))


class Unchanged(Exception):
    """The source says that nothing changed since the last pull."""


def rows(form: str, document: Any, path: str, key: str, book: Book | None = None) -> list[tuple[str, Any]]:
    """Give (identity, row) of a JSON page; raises paged.Unusable."""
    found = [(paged.identity(form, item, key), item) for item in paged.items(form, document, path)]
    if book:
        for _, item in found:
            book.seen(paged.properties(form, item))
    return found


def moving(book: Book, found: list[tuple[str, Any]], known: set[str]) -> None:
    """Raise Uneven where a page brings only what is known (paging in a circle), or there is no end of pages."""
    if (found and all(i in known for i, _ in found)) or len(book.pages) > MOST_PAGES:
        raise tally.circle(book.name, [*book.ids, *(i for i, _ in found)])
    known.update(i for i, _ in found)
