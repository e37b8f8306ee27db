"""What holds of any delivery whatever: text survives or is refused, every row ends in one place, and stays itself."""

from __future__ import annotations

import csv
import dataclasses
import io
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import columns, contract, delimited, geometry, remarks, staging, wkb
from etl.job import Job
from tests.reading import resource as bare
from twin import duck
from twin.errors import SourceError
from twin.model import Field, FieldType, Resource, Text

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "big5")
HANZI = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
RARE = st.sampled_from("㐂㺃𠮷𪚥𬀩𰀀𱍐\ue863龥鿿·ㄅあ한Ωé—")
WORDS = st.text(st.one_of(HANZI, HANZI, RARE, st.sampled_from("aZ09-")), min_size=1, max_size=8)
CI = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOAK = settings(CI, max_examples=3000)


def _read(path: Path, encoding: str) -> list[list[str]]:
    job = Job(reader="table", path=str(path), name=path.name, encoding=encoding)
    strange: set[int] = set()
    rows = list(delimited.rows(job, {}, strange))
    return [cells if line not in strange else ["kept back"] for line, cells in rows]


def _survives(path: Path, rows: list[list[str]], encoding: str, *, declared: bool) -> None:
    """Write rows in an encoding; they come back as they were, or the file or the row is refused."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["编号", "名称"], *rows])
    try:
        path.write_bytes(buffer.getvalue().encode(encoding))
    except UnicodeEncodeError:
        return
    try:
        found = _read(path, encoding.removesuffix("-sig") if declared else "")
    except SourceError:
        return
    for got, wrote in zip(found[1:], rows, strict=True):
        assert got in (wrote, ["kept back"])


@CI
@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=12), st.sampled_from(ENCODINGS))
def test_text_in_a_declared_encoding_comes_back_as_it_was_or_is_refused(tmp_path, rows, encoding) -> None:
    _survives(tmp_path / "a.csv", rows, encoding, declared=encoding != "utf-16")


_SENTENCES = ("今天下午两点在村委会议事厅开会", "请各户负责人带身份证和户口簿前来登记", "水稻种植面积比去年增加了三成")


@CI
@given(st.lists(st.tuples(WORDS, st.sampled_from(_SENTENCES)), min_size=1, max_size=12), st.sampled_from(ENCODINGS[:4]))
def test_text_in_an_undeclared_encoding_comes_back_as_it_was_or_is_refused(tmp_path, rows, encoding) -> None:
    _survives(tmp_path / "a.csv", [list(r) for r in rows], encoding, declared=False)


@pytest.mark.soak
def test_text_in_any_encoding_at_length(tmp_path) -> None:
    rows = st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=40)

    @SOAK
    @given(rows, st.sampled_from(ENCODINGS))
    def proved(some, encoding) -> None:
        _survives(tmp_path / "a.csv", some, encoding, declared=encoding != "utf-16")

    proved()


# geometries

COORDINATE = st.one_of(
    st.floats(119.95, 119.99),
    st.floats(30.51, 30.55),
    st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 1e308, 180.0]),
)
POINT = st.tuples(COORDINATE, COORDINATE)


@st.composite
def shapes(draw: st.DrawFn) -> bytes | None:
    """Draw a geometry, sound or not: any ring of a few points, an empty one, a collection, bytes that are none."""
    kind = draw(st.sampled_from(["polygon", "multi", "collection", "point", "empty", "none", "noise"]))
    if kind == "none":
        return None
    if kind == "noise":
        return draw(st.binary(max_size=40))
    if kind == "point":
        return shapely.to_wkb(shapely.Point(*draw(POINT)))
    if kind == "empty":
        return shapely.to_wkb(
            draw(st.sampled_from([shapely.Polygon(), shapely.MultiPolygon(), shapely.GeometryCollection()]))
        )
    rings = draw(st.lists(st.lists(POINT, min_size=1, max_size=7), min_size=1, max_size=3))
    closed = [[*r, r[0]] if draw(st.booleans()) else r for r in rings]
    if kind == "polygon":
        return _polygon(closed)
    code = 6 if kind == "multi" else 7
    return struct.pack("<BII", 1, code, len(closed)) + b"".join(_polygon([r]) for r in closed)


def _polygon(rings: list[list[tuple[float, float]]]) -> bytes:
    """Give the WKB of a polygon, whatever its rings are."""
    parts = [struct.pack("<I", len(r)) + b"".join(struct.pack("<dd", *p) for p in r) for r in rings]
    return struct.pack("<BII", 1, 3, len(rings)) + b"".join(parts)


def _frame() -> geometry.Frame:
    boxes = {"bbox": (119.95, 30.51, 119.99, 30.55), "plausible_bbox": (119.75, 30.43, 120.36, 30.71)}
    return geometry.Frame(
        kind="polygon", source_crs="EPSG:4490", storage_crs="EPSG:4490", metric_crs="EPSG:4549",
        accepted={"EPSG:4490": 0.01, "EPSG:4549": 0.01}, within_village=True, **boxes,
    )  # fmt: skip


def _placed(blobs: list[bytes | None]) -> None:
    """Place shapes: each is a valid polygon within reach of the village with its area, or has a reason."""
    examined = wkb.examine(pa.array(blobs, pa.binary()))
    placed = geometry.place(examined.geometry, _frame())
    for i, shape in enumerate(placed.shapes):
        if shape is None:
            assert placed.reasons[i], i
            continue
        assert i not in placed.reasons
        assert shape.is_valid
        assert shape.geom_type in ("Polygon", "MultiPolygon")
        assert np.isfinite(placed.measure[i])
        west, south, east, north = shape.bounds
        assert 119 < west <= east < 121
        assert 30 < south <= north < 31


@CI
@given(st.lists(shapes(), min_size=1, max_size=8))
def test_any_shape_is_published_valid_and_here_or_has_its_reason(blobs) -> None:
    _placed(blobs)


@pytest.mark.soak
def test_any_shape_at_length() -> None:
    @SOAK
    @given(st.lists(shapes(), min_size=1, max_size=20))
    def proved(blobs) -> None:
        _placed(blobs)

    proved()


# schemas

TYPES: tuple[FieldType, ...] = ("string", "integer", "number", "boolean", "date", "datetime")
CELLS = st.one_of(
    st.none(), st.sampled_from(["", "无", "0", "-1", "1.5", "1,234", "3亩", "是", "2024-02-30", "2024-2-3", "1e999", "NaN", "\0", "\u200b7", "９９", "4.5E+17"]),
    st.text(max_size=12), st.integers().map(str), st.floats().map(str), st.dates().map(str), st.datetimes().map(str),
)  # fmt: skip


@st.composite
def declared(draw: st.DrawFn) -> Resource:
    """Draw a declaration: a key and some fields of any type, with any bounds."""
    items = [
        Field(
            name="number",
            title=Text("编号", "Number"),
            type="string",
            source="编号",
            sensitivity="public",
            required=True,
        )
    ]
    for i, kind in enumerate(draw(st.lists(st.sampled_from(TYPES), max_size=4))):
        low = draw(st.none() | st.integers(0, 2050))
        bounds = {"minimum": low, "maximum": None if low is None else low + draw(st.integers(0, 100))}
        items.append(
            Field(
                name=f"c{i}",
                title=Text(f"列{i}", f"Column {i}"),
                type=kind,
                source=f"列{i}",
                sensitivity="public",
                required=draw(st.booleans()),
                length=draw(st.none() | st.integers(1, 9)),
                **(bounds if kind in ("integer", "number", "date", "datetime") else {}),
            )
        )
    return dataclasses.replace(bare("table", "none"), id="any", key="number", fields=tuple(items))


def _judged(resource: Resource, rows: list[list[str | None]], connection: duck.Connection) -> None:
    """Type and judge rows by a declaration: every one ends in one place, and what is published satisfies it."""
    headings = [f.source for f in resource.fields]
    padded = [(r + [None] * len(headings))[: len(headings)] for r in rows]
    cells = [pa.array([r[i] for r in padded], pa.string()) for i in range(len(headings))]
    extra = [
        pa.array([str(i) for i in range(len(rows))]),
        pa.nulls(len(rows), pa.binary()),
        pa.nulls(len(rows), pa.string()),
    ]
    batch = pa.RecordBatch.from_arrays([*cells, *extra], names=[*headings, *columns.RESERVED])
    typed = columns.typed(batch, resource, "Asia/Shanghai")
    notes, repairs = remarks.notes(batch, typed, None, resource)
    form = staging.schema(resource)
    count = len(rows)
    values = {
        **typed.arrays, "_note": notes, "_repair": repairs, "_seq": pa.array(range(count), pa.int64()), "_row": extra[0],
        "_source_no": pa.array([0] * count, pa.int32()), "year": pa.nulls(count, pa.int32()),
    }  # fmt: skip
    table = pa.table([values[n] for n in form.names], schema=form)
    connection.register("given", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM given")
    connection.unregister("given")
    verdict = contract.judge(connection, resource, (), staging.payload(resource))
    assert verdict.read == count == verdict.published + verdict.quarantined + verdict.duplicates
    good = connection.execute("SELECT * FROM staged ANTI JOIN outcome USING (_seq)").to_arrow_table()
    for item in resource.fields:
        found = good.column(item.name)
        assert not item.required or found.null_count == 0
        written = [padded[i][headings.index(item.source)] for i in good.column("_seq").to_pylist()]
        for value, text in zip(found.to_pylist(), written, strict=True):
            plain = (text or "").strip().replace("\u200b", "")
            assert (
                value is not None
                or plain in columns.EMPTY
                or not plain.strip("\u200e\u200f\u2060\ufeff\u202a\u202e \u3000\xa0")
            ), (item.type, text)
    keys = good.column("number").to_pylist()
    assert len(set(keys)) == len(keys), "one row a key"


@pytest.fixture(scope="module")
def connection():
    link = duck.connect(spatial=False)
    yield link
    link.close()


@CI
@given(declared(), st.lists(st.lists(CELLS, max_size=5), max_size=12))
def test_any_rows_of_any_declaration_each_end_in_one_place(connection, resource, rows) -> None:
    _judged(resource, rows, connection)


@pytest.mark.soak
def test_any_rows_of_any_declaration_at_length(connection) -> None:
    @SOAK
    @given(declared(), st.lists(st.lists(CELLS, max_size=5), max_size=30))
    def proved(resource, rows) -> None:
        _judged(resource, rows, connection)

    proved()
