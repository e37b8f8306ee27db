"""Which transport asks which kind of connection, and how far back an incremental reading reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etl.fetch import arcgis, database, features, json_api, web_files, wfs
from etl.fetch.book import Book
from etl.fetch.connections import DATABASES, Open
from etl.fetch.order import Order
from etl.fetch.web import Web
from twin.model import Resource, Source

OVERLAP = timedelta(minutes=10)
"""How far before the watermark an incremental reading begins: what was committed late is not lost."""
WHOLE_EVERY = timedelta(days=7)
"""An incremental source is read whole as often as this: deletions are found even where it cannot tell them."""
INCREMENTAL = ("postgis", "mysql", "wfs", "features", "arcgis", "json")
WITH_IDS = ("features", "wfs", "arcgis")
"""Services whose features have an id of their own: rows are told apart by it unless `id` names a column."""
_MILLISECONDS = 12
"""A watermark of at least so many digits counts the milliseconds since 1970, as ArcGIS does."""
_PAGED = {
    "json": json_api.read,
    "features": features.read,
    "wfs": wfs.read,
    "arcgis": arcgis.read,
    "web": web_files.read,
    "s3": web_files.bucket,
}


def order(kind: str, resource: Resource, source: Source, last: Mapping[str, Any], base: Path | None) -> Order:
    """Give what to ask a `kind` of connection for; `base` is the pull to go on from, None for everything."""
    item = resource.field_named(resource.key)
    own = "" if kind in WITH_IDS or item is None else item.source
    return Order(
        source=source,
        key=source.options.get("id", own),
        since=since(last) if base else "",
        spatial=resource.kind != "none",
        validators=dict(last.get("validators", {})),
        base=base,
    )


def goes_on(source: Source, last: Mapping[str, Any]) -> bool:
    """Say whether a reading may go on from `last`: it has a watermark, and is not due to be read whole."""
    if not source.watermark or not last.get("watermark") or last.get("kind") not in INCREMENTAL:
        return False
    if last["kind"] == "json" and not source.options.get("only"):
        return False
    whole = datetime.fromisoformat(last.get("whole_at", last["pulled_at"]))
    return last.get("watermark_of") == source.watermark and datetime.now(UTC) - whole < WHOLE_EVERY


def since(last: Mapping[str, Any]) -> str:
    """Give the watermark less the overlap, in the watermark's own form; "" where there is none."""
    mark = str(last.get("watermark", ""))
    if not mark:
        return ""
    if mark.isdigit() and len(mark) >= _MILLISECONDS:
        return str(int(mark) - int(OVERLAP.total_seconds() * 1000))
    try:
        moment = datetime.fromisoformat(mark)
    except ValueError:
        return mark
    return (moment - OVERLAP).isoformat(sep=" " if " " in mark else "T")


def read(to: Open, order: Order, book: Book) -> None:
    """Ask for what `order` says and write it into `book`; raises Uneven, SourceError, CrsError or Unchanged."""
    kind = to.connection.kind
    if kind in DATABASES:
        database.read(to, order, book)
        return
    sign = web_files.signature(to) if kind == "s3" else None
    _PAGED[kind](Web(to, book.name, sign=sign), order, book)
    book.even()
