"""A person's data handed out: JSON and CSV in one archive, every row with where it came from; formulas stay text."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import durable
from twin.errors import BadRequest
from twin.spreadsheet import inert

if TYPE_CHECKING:
    from twin.retention.finding import Hit

FORMAT = "onemap-person-1"
OWN = ("_resource", "_run", "_source", "_source_sha256", "_row")
NOBODY_ELSE = 0o077


def archive(hits: Iterable[Hit], at: datetime) -> tuple[bytes, int]:
    """Give an archive of `person.json`, one CSV a table and the files that are theirs, and its rows.

    Raises BadRequest where there is nothing to hand out.
    """
    listed = list(hits)
    rows = [_row(h) for h in listed]
    if not rows:
        raise BadRequest("没有可导出的内容", "There is nothing to hand out")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        body = {"format": FORMAT, "at": at.isoformat(), "rows": rows}
        written.writestr("person.json", json.dumps(body, ensure_ascii=False, indent=1, default=_text))
        for name in sorted({(r["place"], r["table"]) for r in rows}):
            some = [r for r in rows if (r["place"], r["table"]) == name]
            written.writestr(f"{name[0]}-{name[1]}.csv", "\ufeff" + _csv(some))
        for path in (Path(h.facts["path"]) for h in listed if "path" in h.facts):
            with contextlib.suppress(FileNotFoundError):  # its owner has deleted it meanwhile
                written.writestr(f"files/{path.name}", path.read_bytes())
    return made.getvalue(), len(rows)


def write(path: Path, content: bytes) -> None:
    """Write an archive, readable by us alone; raises BadRequest where the file is there already."""
    if path.exists():
        raise BadRequest(f"{path} 已存在", f"{path} is there already", path=path)
    before = os.umask(NOBODY_ELSE)
    try:
        durable.write(path, content)
    finally:
        os.umask(before)


def _row(hit: Hit) -> dict[str, Any]:
    sources = {s["path"]: s for s in hit.facts.get("sources", ())}
    source = sources.get(str(hit.values.get("_source")), {})
    titles = {c["name"]: {"zh": c["zh"], "en": c["en"]} for c in hit.facts.get("columns", ())}
    return {
        "place": hit.place,
        "table": hit.table,
        "key": hit.key,
        "known_by": hit.sure,
        "values": {k: v for k, v in hit.values.items() if k not in OWN},
        "titles": {k: titles[k] for k in hit.values if k in titles},
        "provenance": {
            "version": hit.version,
            "published_at": hit.facts.get("created_at"),
            "as_of": hit.facts.get("as_of"),
            "run": hit.facts.get("run"),
            "source": hit.values.get("_source"),
            "source_sha256": hit.values.get("_source_sha256") or source.get("sha256"),
            "row": hit.values.get("_row"),
        },
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(c for r in rows for c in r["values"]))
    told = ("version", "as_of", "source", "row")
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([*columns, *(f"_{t}" for t in told)])
    for row in rows:
        values = [row["values"].get(c) for c in columns] + [row["provenance"][t] for t in told]
        writer.writerow([inert(_text(v)) for v in values])
    return text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
