"""How a source nobody declared is read: in the cage, like every foreign file, part by part and with nothing assumed."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import fetch, sandbox
from etl.fetch import FileSet
from twin.errors import SourceError
from twin.model import Resource, Source, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_ROWS = 50_000
"""Rows that are looked at; what is said of the rest is said of these."""
MOST_UNZIPPED = 400 << 20
TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".et")
FORMATS: Mapping[str, str] = {
    ".shp": "SHP", ".gpkg": "GPKG", ".geojson": "GeoJSON", ".json": "GeoJSON", ".kml": "KML", ".dxf": "DXF",
    ".csv": "CSV", ".txt": "CSV", ".tsv": "CSV", ".xlsx": "XLSX", ".xls": "XLS", ".et": "XLS", ".gdb": "GDB",
    ".gml": "GML", ".tab": "TAB", ".mif": "MIF", ".fgb": "FlatGeobuf",
}  # fmt: skip
_BESIDE = (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".dat", ".map", ".id", ".ind", ".mid")
UNSAID = Text("", "")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One layer or sheet: its name, what shapes, how many rows, its first rows and merged ranges."""

    name: str
    kind: str
    rows: int
    grid: tuple[tuple[str | None, ...], ...] = ()
    merged: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The first rows of one part as they came, and the reader's report."""

    table: pa.Table
    report: Mapping[str, Any]
    rows: int


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A delivery ready to be looked at: below which folder, its main file, its parts."""

    folder: Path
    main: str
    files: FileSet
    parts: tuple[Part, ...]
    left: tuple[str, ...] = field(default=())

    @property
    def suffix(self) -> str:
        """Give the main file's suffix in lower case."""
        return PurePosixPath(self.main).suffix.lower()

    @property
    def reader(self) -> str:
        """Give the reader that takes it."""
        return "table" if self.suffix in TABLES else "vector"


def unsaid(suffix: str) -> str:
    """Give the system a file is opened with where it need state none (it is told later by the numbers)."""
    return "" if suffix in (".kml", *TABLES) else "EPSG:4490"


def probe(reader: str, source: Source, kind: str = "none") -> Resource:
    """Give a resource that declares nothing but how it is read."""
    return Resource(
        id="looked_at", code="", title=UNSAID, department="", class_path=(), abstract=UNSAID, format="", reader=reader,
        kind=kind, sources=(source,), key="", fields=(), share_type="none", share_condition="", share_method="",  # type: ignore[arg-type]
        open_attr="", update_cycle="", cadence_seconds=0, published=date(2000, 1, 1), theme="", layers=(),
    )  # fmt: skip


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Taken]:
    """Take the file or folder at `path`, unpacking a zip beside it for the while; raises SourceError."""
    if path.is_dir() and path.suffix.lower() != ".gdb":
        yield _taken(path, *_main([p.relative_to(path).as_posix() for p in _listed(path)], path.name))
        return
    if path.suffix.lower() != ".zip":
        yield _taken(path.parent, path.name)
        return
    with tempfile.TemporaryDirectory(prefix="onemap-look-") as folder:
        names = unzip(path, Path(folder))
        yield _taken(Path(folder), *_main(names, path.name))


def _listed(folder: Path) -> list[Path]:
    found = [p for p in sorted(folder.rglob("*"))[:1000] if p.is_file() and not p.is_symlink()]
    return [p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)]


def unzip(path: Path, folder: Path) -> list[str]:
    """Unpack a zip into `folder`, read in the cage; gives the names. Raises SourceError for one that is not sound."""
    names: dict[str, Path] = {}
    written = 0
    source = Source(location=path.name)
    files = fetch.fetch(source, path.parent, pause=lambda _: None)
    with sandbox.read_files(probe("unzipped", source), source, files) as reading:
        for batch in reading.batches():
            for row in batch.to_pylist():
                name = _safe(row["name"], path.name)
                written += len(row["bytes"])
                if written > MOST_UNZIPPED:
                    raise _unusable(path.name, "解开后过大", "it unpacks to too much")
                place = names.setdefault(name, folder / name)
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("ab") as file:
                    file.write(row["bytes"])
    return [n for n in names if not n.startswith("__MACOSX/")]


def _safe(name: str, archive: str) -> str:
    parts = [p for p in name.replace("\\", "/").split("/") if p not in ("", ".")]
    if (
        not parts
        or ".." in parts
        or len(parts) > 6
        or any(len(p.encode()) > 200 or ":" in p or "\0" in p for p in parts)
    ):
        raise _unusable(archive, f"内含不能用的文件名 {name[:60]!r}", f"it holds the file name {name[:60]!r}")
    return "/".join(parts)


def _main(names: list[str], archive: str) -> tuple[str, tuple[str, ...]]:
    """Give the one file that is meant among many, and the others that could be."""
    bases = sorted({f"{n.split('.gdb/')[0]}.gdb" for n in names if ".gdb/" in n})
    mains = bases or sorted(
        n
        for n in names
        if PurePosixPath(n).suffix.lower() in FORMATS and PurePosixPath(n).suffix.lower() not in _BESIDE
    )
    shapes = [n for n in mains if n.lower().endswith(".shp")]
    mains = shapes or mains
    if not mains:
        raise _unusable(archive, "没有可接收的文件(.shp、.gpkg、.xlsx 等)", "it holds no file that is taken")
    return mains[0], tuple(mains[1:])


def _taken(folder: Path, main: str, left: tuple[str, ...] = ()) -> Taken:
    suffix = PurePosixPath(main).suffix.lower()
    if suffix not in FORMATS:
        listed = "、".join(sorted({f.lstrip(".") for f in FORMATS}))
        raise SourceError(
            f"“{main}”不是可接收的格式(可接收:zip、{listed})",
            f"“{main}” is of no kind that is taken (zip, {listed})",
            file=main,
        )
    source = Source(location=main, crs=unsaid(suffix))
    files = fetch.fetch(source, folder, pause=lambda _: None)
    with sandbox.read_files(probe("parts", source), source, files) as reading:
        rows = [r for b in reading.batches() for r in b.to_pylist()]
    parts = tuple(
        Part(
            name=r["part"],
            kind=r["kind"],
            rows=r["rows"] or 0,
            grid=tuple(tuple(x) for x in json.loads(r["grid"])),
            merged=tuple(((a, b), (c, d)) for (a, b), (c, d) in json.loads(r["merged"])),
        )
        for r in rows
    )
    return Taken(folder=folder, main=main, files=files, parts=parts, left=left)


def sample(taken: Taken, source: Source, kind: str = "none") -> Sample:
    """Read the first rows of a part, as `source` says it is to be read; raises SourceError."""
    resource = probe(taken.reader, source, kind if taken.reader == "vector" and taken.suffix == ".dxf" else "none")
    with sandbox.read_files(resource, source, taken.files, reader=taken.reader) as reading:
        return gathered(reading)


def gathered(reading: sandbox.Reading) -> Sample:
    """Keep the first rows of a reading; all are counted."""
    kept: list[pa.RecordBatch] = []
    rows = 0
    for batch in reading.batches():
        if rows < MOST_ROWS:
            kept.append(batch.slice(0, MOST_ROWS - rows))
        rows += batch.num_rows
    schema = kept[0].schema if kept else reading.schema
    return Sample(table=pa.Table.from_batches(kept, schema.remove_metadata()), report=reading.report, rows=rows)


def _unusable(name: str, zh: str, en: str) -> SourceError:
    return SourceError(f"“{name}”不能用:{zh}", f"“{name}” cannot be used: {en}", file=name)
