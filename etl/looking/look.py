"""A source looked at as a whole: its facts and columns, the key its rows may have, and what is left to be asked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from etl import heading
from etl.looking import kinds, lexicon, measures, places, taking
from etl.looking.values import Column, Fact, Look
from twin.errors import NotFound, SourceError, StoreBroken
from twin.model import Source
from twin.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.catalog import Catalog
    from etl.looking.taking import Part, Sample, Taken
    from etl.looking.values import Sure

MOST_KEYS = 5
NAMES = ("name", "address", "phone")
"""What is somebody's own and names no row."""
_DAY = re.compile(r"(20\d\d)[-_.年]?(0?[1-9]|1[0-2])[-_.月]?(0?[1-9]|[12]\d|3[01])?日?")
_YEAR = re.compile(r"(?<!\d)(19[89]\d|20[0-4]\d)(?!\d)")
_KINDS = {1: "line", 5: "line", 3: "polygon", 6: "polygon", 0: "point", 4: "point"}
_KEY = re.compile(r"编号|编码|代码|标识|^id$|_id$|bh$|bm$|dm$|bsm$|标识码|号$", re.IGNORECASE)


def ground_of(known: Catalog, store: Path | None) -> places.Ground:
    """Give what places are held against: the village, and the newest published outlines of buildings."""
    shapes: list[np.ndarray] = []
    for resource in known.resources if store else ():
        if resource.entity != "building" or resource.kind != "polygon":
            continue
        try:
            snapshot = Store(store).current(resource.id) if store else None  # type: ignore[arg-type]
        except (NotFound, StoreBroken):
            continue
        if snapshot is not None:
            shapes += _outlines(snapshot.path)
    tree = shapely.STRtree(np.concatenate(shapes)) if shapes else None
    return places.Ground(village=known.village, buildings=tree)


def _outlines(folder: Path) -> list[np.ndarray]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where something is published

    files = [p for p in sorted(folder.glob("*.parquet")) if "geometry" in pq.read_schema(p).names]
    columns = (pq.read_table(p, columns=["geometry"])["geometry"].to_pylist() for p in files)
    return [shapely.from_wkb(np.array(c, object)) for c in columns]


def at(
    path: Path,
    known: Catalog,
    *,
    part: str = "",
    name: str = "",
    header: str = "",
    store: Path | None = None,
    alone: str = "",
) -> Look:
    """Look at the file or folder at `path`, called `name`; raises SourceError where it is none that is taken.

    `part` is the layer or sheet (the one with the most rows where none is named), `header` the rows of its heading
    ("3-4", told where none are named); `alone` is a resource whose own declaration is not looked up.
    """
    words = lexicon.of((r for r in known.resources if r.id != alone), known.code_systems)
    with taking.opened(path) as taken:
        return _look(taken, words, ground_of(known, store), name or path.name, asked=(part, header))


def _look(taken: Taken, words: lexicon.Lexicon, ground: places.Ground, name: str, *, asked: tuple[str, str]) -> Look:
    chosen = _chosen(taken, asked[0])
    head = _heading(taken, chosen, asked[1])
    options = dict(head[2])
    source = Source(location=taken.main, part=chosen.name, options=options, crs=taking.unsaid(taken.suffix))
    sample = taking.sample(taken, source)
    kind = chosen.kind or _kind(sample.table)
    facts = [*_parts(taken, chosen), *_text(sample), *head[1], *_times(name, chosen.name)]
    facts += [_drawn(sample.table)] if taken.suffix == ".dxf" else []
    named = x, y = places.axes(sample.table.schema.names) if taken.reader == "table" else ("", "")
    if taken.reader == "table":
        kind = "point" if all(named) else "none"
        placed, x, y = places.from_columns(sample.table, x, y, ground) if all(named) else ([], "", "")
    else:
        placed = _placed(sample, kind, ground, name)
    more, found, keys = _columns(sample, [*placed], kind, words, ground=ground, at=(x, y))
    return Look(
        name=name,
        reader=taken.reader,
        format=taking.FORMATS[taken.suffix],
        kind=kind,
        part=chosen.name if len(taken.parts) > 1 or taken.suffix in (".gpkg", ".gdb") else "",
        rows=sample.rows,
        facts=(*facts, *placed, *more),
        columns=found,
        parts=tuple((p.name, p.rows) for p in taken.parts),
        heading=head[0],
        keys=keys,
        sha256=taken.files.sha256,
        main=taken.main,
        options=options,
    )


def of_sample(sample: Sample, known: Catalog, *, name: str, form: str, store: Path | None) -> Look:
    """Tell what a connection gave, as `at` tells of a file; `form` is the format it is declared in."""
    words, ground = lexicon.of(known.resources, known.code_systems), ground_of(known, store)
    kind = _kind(sample.table)
    x, y = places.axes(sample.table.schema.names) if kind == "none" else ("", "")
    placed, x, y = places.from_columns(sample.table, x, y, ground) if x else (_placed(sample, kind, ground, ""), "", "")
    kind = "point" if x else kind
    more, found, keys = _columns(sample, placed, kind, words, ground=ground, at=(x, y))
    facts = (*placed, *more)
    return Look(
        name=name, reader="", format=form, kind=kind, part="", rows=sample.rows, facts=facts, columns=found, keys=keys
    )


def _placed(sample: Sample, kind: str, ground: places.Ground, name: str) -> list[Fact]:
    stated = str(sample.report.get("crs_in_file", ""))
    if kind == "none":
        return []
    return places.from_shapes(sample.table.column("_geometry"), stated, ground, name=name, kind=kind)


def _columns(
    sample: Sample,
    placed: Sequence[Fact],
    kind: str,
    words: lexicon.Lexicon,
    *,
    ground: places.Ground,
    at: tuple[str, str],
) -> tuple[list[Fact], tuple[Column, ...], tuple[str, ...]]:
    """Tell the columns but those of coordinates, the key candidates, and how many rows there are."""
    rows = _rows(sample)
    table = sample.table.filter(pa.array(rows, pa.bool_()))
    found = kinds.columns(table, words, ground.village.time_zone, left_out=at)
    if kind == "polygon":
        crs = next((f.value for f in placed if f.what == "crs"), "")
        found = measures.areas(table, found, crs, ground.village)
    keys = _keys(table, found)
    counted = Fact(what="rows", value=str(sample.rows), sure="sure", why=_counted(sample, rows))
    return [*_key(keys, table), counted], found, keys


def _chosen(taken: Taken, part: str) -> Part:
    found = next((p for p in taken.parts if p.name == part), None) if part else None
    if part and found is None:
        listed = "、".join(p.name for p in taken.parts[:20])
        raise SourceError(f"没有“{part}”,只有:{listed}", f"There is no “{part}”, only: {listed}", part=part)
    if found is None and not taken.parts:
        raise SourceError(f"“{taken.main}”是空的", f"“{taken.main}” is empty", file=taken.main)
    return found or max(taken.parts, key=lambda p: p.rows)


def _parts(taken: Taken, chosen: Part) -> list[Fact]:
    found: list[Fact] = []
    if len(taken.parts) > 1:
        others = tuple(p.name for p in taken.parts if p is not chosen)
        why = (
            f"共 {len(taken.parts)} 个图层或工作表,取行数最多的",
            f"one of {len(taken.parts)}: the one with the most rows",
        )
        found.append(Fact(what="part", value=chosen.name, sure="guess", why=why, others=others))
    if taken.left:
        why = (f"压缩包或文件夹里还有 {len(taken.left)} 个文件", f"{len(taken.left)} more files were delivered with it")
        found.append(Fact(what="file", value=taken.main, sure="guess", why=why, others=taken.left[:20]))
    return found


def _text(sample: Sample) -> list[Fact]:
    encoding, how = str(sample.report.get("encoding", "")), str(sample.report.get("how", ""))
    if not encoding or how == "format":
        return []
    said = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5": "Big5"}.get(encoding.lower(), encoding.upper())
    why = ("只有 ASCII 字符", "nothing but ASCII")
    sure: Sure = "likely" if how == "ascii" else "sure"
    if how != "ascii":
        why = (f"全部字节按 {said} 严格解码成功", f"every byte decodes strictly as {said}")
    claimed = str(sample.report.get("declared", ""))
    if claimed and claimed.lower().replace("-", "") not in said.lower().replace("-", ""):
        why = (f"{why[0]};文件自称 {claimed},不实", f"{why[1]}; the file claims {claimed}, wrongly")
    return [Fact(what="encoding", value=said, sure=sure, why=why)]


def _heading(taken: Taken, chosen: Part, asked: str) -> tuple[tuple[tuple[str, ...], ...], list[Fact], dict[str, str]]:
    """Give the rows above the data as texts, the facts about them, and the options that say so."""
    if taken.reader != "table":
        return (), [], {}
    stated = asked or ("1" if taken.suffix in (".csv", ".txt", ".tsv") else "")
    try:
        found = heading.find(chosen.grid, chosen.merged, stated)
    except ValueError:
        return (), [], {}
    first, last = found.top + 1, found.first_row
    rows = f"{first}" if first == last else f"{first}-{last}"
    above = tuple(tuple(c or "" for c in r) for r in chosen.grid[: found.first_row])
    title = next((c for r in chosen.grid[: found.top] for c in r if c), "")
    merged = sum(1 for (top, _), _ in chosen.merged if top < found.first_row)
    zh = (
        f"第 {rows} 行是表头"
        + (f",其上有标题“{title[:30]}”" if title else "")
        + (f",合并单元格 {merged} 处" if merged else "")
    )
    en = f"row {rows} is the heading" + (f", below the title “{title[:30]}”" if title else "")
    en += f", {merged} merged ranges" if merged else ""
    facts = [Fact(what="header_rows", value=rows, sure="likely", why=(zh, en))]
    options = {"header_rows": rows} if rows != "1" else {}
    totals = _totals(chosen)
    if taken.suffix not in (".csv", ".txt", ".tsv"):
        options |= {"totals": "合计"}
    if totals:
        facts.append(
            Fact(what="totals", value=totals, sure="likely", why=("表中有合计行", "the sheet has rows of totals"))
        )
        options["totals"] = totals
    if title:
        facts.append(
            Fact(what="title", value=title[:60], sure="guess", why=("取自表格标题行", "from the sheet's title row"))
        )
    return above, facts, options


def _totals(chosen: Part) -> str:
    found = dict.fromkeys(w for row in chosen.grid for w in ("合计", "小计", "总计") if heading.is_totals(row, w))
    return "|".join(found)


def _kind(table: pa.Table) -> str:
    shapes = [g for g in table.column("_geometry").to_pylist()[:2_000] if g is not None]
    if not shapes:
        return "none"
    types = shapely.get_type_id(shapely.from_wkb(np.array(shapes, object)))
    named = [_KINDS.get(int(t), "none") for t in types]
    return max(set(named), key=named.count)


def _drawn(table: pa.Table) -> Fact:
    """Say what a drawing's shapes are: lines, which may be meant as outlines."""
    shapes = shapely.from_wkb(np.array([g for g in table.column("_geometry").to_pylist() if g is not None], object))
    closed = float(np.mean(shapely.is_closed(shapes))) if len(shapes) else 0.0
    why = (
        f"图纸中的线,{closed:.0%} 首尾相接;若表示地块请改为面",
        f"lines of a drawing, {closed:.0%} closed: outlines?",
    )
    return Fact(what="kind", value="line", sure="guess", why=why, others=("polygon",))


def _times(name: str, part: str) -> list[Fact]:
    """Give the year and the day that names speak of."""
    words = f"{PurePosixPath(name).stem} {part}"
    found: list[Fact] = []
    if year := _YEAR.search(words):
        why = (f"名称中有 {year[1]}", f"its name has {year[1]}")
        found.append(Fact(what="year", value=year[1], sure="likely", why=why))
    day = _DAY.search(words)
    if day and day[3]:
        try:
            as_of = date(int(day[1]), int(day[2]), int(day[3]))
        except ValueError:
            return found
        why = (f"名称中有 {day[0]}", f"its name has {day[0]}")
        found.append(Fact(what="as_of", value=as_of.isoformat(), sure="likely", why=why))
    return found


def _rows(sample: Sample) -> list[bool]:
    """Say of each row of the sample whether it is data: no row of totals."""
    return ["totals_row" not in (n or "") for n in sample.table.column("_note").to_pylist()]


def _counted(sample: Sample, rows: Sequence[bool]) -> tuple[str, str]:
    totals = len(rows) - sum(rows)
    few = (f",只细看前 {len(rows)} 行", f", the first {len(rows)} looked at") if sample.rows > len(rows) else ("", "")
    more = (f",其中合计行 {totals} 行", f", {totals} of them totals") if totals else ("", "")
    return f"读到 {sample.rows} 行{more[0]}{few[0]}", f"{sample.rows} rows were read{more[1]}{few[1]}"


def _keys(table: pa.Table, columns: Sequence[Column]) -> tuple[str, ...]:
    """Give the columns that tell rows apart, likely names first: distinct in every row, or in nearly all of them."""
    rows = table.num_rows
    fit = [c for c in columns if rows and c.type in ("string", "integer") and c.meaning not in NAMES]
    whole = [c for c in fit if c.written == rows == c.distinct]
    near = [c for c in fit if min(c.written, c.distinct) >= 0.9 * rows and _named(c)]
    some = [c for c in columns if c in whole or c in near]
    ordered = sorted(some, key=lambda c: (c.source == "序号", not _named(c), c not in whole, columns.index(c)))
    return tuple(c.name for c in ordered[:MOST_KEYS])


def _named(column: Column) -> bool:
    return _KEY.search(lexicon.tail(column.source)) is not None


def _key(keys: Sequence[str], table: pa.Table) -> list[Fact]:
    if not keys:
        why = ("没有一列在每行都有值且互不相同", "no column is filled and distinct in every row")
        return [Fact(what="key", value="", sure="unknown", why=why)]
    why = (f"{table.num_rows} 行中都有值,几乎没有重复", f"filled in all {table.num_rows} rows, hardly any value twice")
    sure: Sure = "likely" if len(keys) == 1 else "guess"
    return [Fact(what="key", value=keys[0], sure=sure, why=why, others=tuple(keys[1:]))]
