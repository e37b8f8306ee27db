"""A version of a table, or of its quarantine, written anew without marked people; what is derived is derived again.

A row that stands for a person goes; of a thing's row (a parcel, a house) the personal values are emptied. Which of the
two a table does is declared at publish (`erasure` in the manifest: "rows" or "values"); where it is not, the row goes.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from twin import duck
from twin.errors import StoreBroken
from twin.store import copy

if TYPE_CHECKING:
    from twin.retention.marks import Marks
    from twin.store import Snapshot

PART, SCENE = "part.parquet", "scene/"
DERIVED = (PART, "serving.duckdb")
PERSONAL = ("personal", "sensitive")
QUARANTINE = "quarantine"
MEMORY = "512MB"
Holds = Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Sifted:
    """How many rows of a version are marked, and what becomes of them."""

    rows: int
    whole: bool
    """Whether the rows go, or only their personal values."""


def personal(manifest: Mapping[str, Any]) -> list[str]:
    """Give the columns of a version that hold personal values."""
    return [c["name"] for c in manifest.get("columns", ()) if c.get("sensitivity") in PERSONAL]


def goes_whole(snapshot: Snapshot) -> bool:
    """Say whether a marked row of this version goes as a whole."""
    if snapshot.manifest.get("kind") == QUARANTINE:
        return True
    scene = any(name.startswith(SCENE) for name in snapshot.manifest["files"])
    return snapshot.manifest.get("erasure", "rows") == "rows" and not scene


def look(snapshot: Snapshot, marks: Marks) -> Sifted:
    """Count the marked rows of a version."""
    rows = sum(int(marked.sum()) for _, marked in _groups(snapshot, marks))
    return Sifted(rows=rows, whole=goes_whole(snapshot))


def fill(snapshot: Snapshot, marks: Marks, ledger: Mapping[str, int]) -> Callable[[Path], Mapping[str, Any]]:
    """Give what writes a version anew without the marked; `ledger` is the run's, counted again."""

    def write(directory: Path) -> Mapping[str, Any]:
        _refuse_strange(snapshot)
        whole = goes_whole(snapshot)
        facts = _rewritten(snapshot, marks, directory / PART, whole=whole)
        if snapshot.manifest.get("kind") == QUARANTINE:
            facts["rules"] = _rules(directory / PART)
        else:
            _derive(snapshot, directory)
        return {**snapshot.manifest, **facts, "ledger": dict(ledger)}

    return write


def _refuse_strange(snapshot: Snapshot) -> None:
    known = (*DERIVED, SCENE, "tiles")
    strange = [n for n in snapshot.manifest["files"] if not n.startswith(known)]
    if strange:
        raise StoreBroken(
            f"{snapshot.table} 有不认识的文件 {strange[0]},不能重写",
            f"{snapshot.table} holds {strange[0]}, which nobody knows how to write anew",
            table=snapshot.table,
        )


def _groups(snapshot: Snapshot, marks: Marks) -> Iterator[tuple[int, np.ndarray]]:
    """Give each row group's number and which of its rows are marked."""
    with pq.ParquetFile(snapshot.file(PART)) as file:
        held = _remembering(marks.holds)
        for number in range(file.num_row_groups):
            if snapshot.manifest.get("kind") == QUARANTINE:
                yield number, _marked_raw(file.read_row_group(number, ["id", "raw"]), snapshot.table, marks, held)
            else:
                names = [n for n in personal(snapshot.manifest) if n in file.schema_arrow.names]
                table = file.read_row_group(number, ["id", *names]) if names else None
                rows = file.metadata.row_group(number).num_rows
                yield number, _marked(table, snapshot.table, marks, held) if table else np.zeros(rows, bool)


def _remembering(holds: Holds) -> Holds:
    """Ask about each value once."""
    known: dict[Any, bool] = {}

    def remembered(value: Any) -> bool:
        if value not in known:
            known[value] = holds(value)
        return known[value]

    return remembered


def _marked(table: pa.Table, name: str, marks: Marks, held: Holds) -> np.ndarray:
    found = np.zeros(table.num_rows, bool)
    columns = [c.to_pylist() for n, c in zip(table.column_names, table.columns, strict=True) if n != "id"]
    for values in columns:
        found |= np.fromiter((v is not None and held(v) for v in values), bool, table.num_rows)
    if name in marks.rows:
        rows = zip(table.column("id").to_pylist(), *columns, strict=True)
        found |= np.fromiter((marks.holds_row(name, key, values) for key, *values in rows), bool, table.num_rows)
    return found


def _marked_raw(table: pa.Table, name: str, marks: Marks, held: Holds) -> np.ndarray:
    rows = zip(table.column("id").to_pylist(), table.column("raw").to_pylist(), strict=True)
    return np.fromiter((_holds_raw(name, key, raw, marks, held) for key, raw in rows), bool, table.num_rows)


def _holds_raw(name: str, key: Any, raw: str | None, marks: Marks, held: Holds) -> bool:
    values = list(leaves(json.loads(raw))) if raw else []
    return held(str(key)) or any(map(held, values)) or marks.holds_row(name, key, values)


def leaves(value: Any) -> Iterator[Any]:
    """Give every value of a JSON document that is neither list nor object."""
    if isinstance(value, Mapping):
        for held in value.values():
            yield from leaves(held)
    elif isinstance(value, list):
        for held in value:
            yield from leaves(held)
    elif value is not None:
        yield value


def _rewritten(snapshot: Snapshot, marks: Marks, path: Path, *, whole: bool) -> dict[str, Any]:
    """Write the published file anew, row group by row group; gives the manifest's facts that are other now."""
    hidden = set(personal(snapshot.manifest))
    with pq.ParquetFile(snapshot.file(PART)) as file:
        schema, kept, box = file.schema_arrow, 0, _Box()
        told = dict(schema.metadata or {})
        with pq.ParquetWriter(path, schema.remove_metadata(), compression="zstd") as writer:
            for number, marked in _groups(snapshot, marks):
                table = file.read_row_group(number)
                table = table.filter(pa.array(~marked)) if whole else _emptied(table, marked, hidden)
                kept += table.num_rows
                box.take(table)
                if table.num_rows:
                    writer.write_table(table.replace_schema_metadata(None))
            writer.add_key_value_metadata({k: _geo(v, box.found) if k == b"geo" else v for k, v in told.items()})
    facts: dict[str, Any] = {"rows": kept}
    if whole and box.found and snapshot.manifest.get("bbox"):
        facts["bbox"] = box.found
    return facts


def _geo(told: bytes, box: list[float]) -> bytes:
    """Give GeoParquet's own metadata with the box of what stays, so that it does not tell where a row was."""
    geo = json.loads(told)
    if box:
        geo["columns"][geo["primary_column"]]["bbox"] = box
    return json.dumps(geo, ensure_ascii=False).encode()


def _emptied(table: pa.Table, marked: np.ndarray, hidden: set[str]) -> pa.Table:
    if not marked.any():
        return table
    for index, name in enumerate(table.column_names):
        if name in hidden:
            column = table.column(index).combine_chunks()
            values = [None if gone else v for v, gone in zip(column.to_pylist(), marked, strict=True)]
            table = table.set_column(index, table.schema.field(index), pa.array(values, column.type))
    return table


class _Box:
    """The box of the rows that stay."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def take(self, table: pa.Table) -> None:
        if "bbox" not in table.column_names or not table.num_rows:
            return
        boxes = [b for b in table.column("bbox").to_pylist() if b and b["xmin"] is not None]
        for b in boxes:
            old = self.found or [b["xmin"], b["ymin"], b["xmax"], b["ymax"]]
            self.found = [
                min(old[0], b["xmin"]),
                min(old[1], b["ymin"]),
                max(old[2], b["xmax"]),
                max(old[3], b["ymax"]),
            ]


def _derive(snapshot: Snapshot, directory: Path) -> None:
    """Make the serving copy and the tiles again, and take the scene over, which holds no personal value."""
    public = [c["name"] for c in snapshot.manifest.get("columns", ()) if c.get("sensitivity") == "public"]
    connection = duck.connect(threads=1, memory=MEMORY, temp=directory / ".spill")
    try:
        copy.derive(connection, directory / PART, directory, tile_columns=public, source_layer=snapshot.table)
    finally:
        connection.close()
        shutil.rmtree(directory / ".spill", ignore_errors=True)
    for name in snapshot.manifest["files"]:
        if name.startswith(SCENE):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(snapshot.file(name), directory / name)


def _rules(path: Path) -> dict[str, int]:
    """Count the reasons of the quarantined rows that stay."""
    told = Counter(r["rule"] for row in pq.read_table(path, columns=["reasons"]).to_pylist() for r in row["reasons"])
    return dict(told.most_common())
