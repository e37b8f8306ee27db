"""What GDAL does not tell of a DXF drawing: its real text encoding, heights, and the attributes of its blocks."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import compute

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl.job import Job

pc: Any = compute  # its functions are made at run time

_ESCAPE = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_CANDIDATES = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5": "BIG5"}


def decide(job: Job) -> str:
    """Give the encoding every byte of the drawing decodes in; $DWGCODEPAGE lies too often to be asked."""
    data = job.main.read_bytes()
    for name in [job.encoding] if job.encoding else _CANDIDATES:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return _CANDIDATES.get(name.lower(), name)
    raise SourceError(
        f"“{job.name}”中的文字用 UTF-8、GB18030、Big5 都不能解码。请报送单位另存为较新版本的 DXF(2007 以上)后重报。",
        f"The text of “{job.name}” decodes in none of UTF-8, GB18030, Big5. Save it as DXF 2007 or later.",
        file=job.name,
    )


def attributes(job: Job, encoding: str) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Give what completes a batch: `Elevation`, `BlockAttr:<tag>` columns, and only the layer `job.part` if named."""
    tags = _block_attributes(job, encoding)
    names = sorted({name for one in tags.values() for name in one})

    def complete(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = {n: _plain(c) for n, c in zip(batch.schema.names, batch.columns, strict=True)}
        tail = {n: columns.pop(n) for n in ("_row", "_geometry", "_note")}
        shapes = shapely.from_wkb(tail["_geometry"].to_numpy(zero_copy_only=False))
        columns["Elevation"] = pa.array(_elevation(shapes), pa.float64(), from_pandas=True)
        handles = columns["EntityHandle"].to_pylist() if "EntityHandle" in columns else [None] * len(batch)
        for name in names:
            columns[f"BlockAttr:{name}"] = pa.array([tags.get(h or "", {}).get(name) for h in handles], pa.string())
        tail["_geometry"] = pa.array(shapely.to_wkb(shapely.force_2d(shapes)), pa.binary())
        both = {**columns, **tail}
        done = pa.RecordBatch.from_arrays(list(both.values()), names=list(both))
        return done.filter(_wanted(done, job.part))

    return complete


def _wanted(batch: pa.RecordBatch, layer: str) -> pa.Array:
    """Keep the declared layer, and leave out attribute texts: they stand on their block as BlockAttr."""
    attribute = pc.match_substring(batch.column("SubClasses"), "AcDbAttribute")
    wanted = pc.invert(pc.fill_null(attribute, fill_value=False))
    return pc.and_(wanted, pc.equal(batch.column("Layer"), layer)) if layer else wanted


def _plain(column: pa.Array) -> pa.Array:
    """Give a column with the texts of `_unescaped`."""
    if not pa.types.is_string(column.type) or not pc.any(pc.match_substring(column, "\\U+")).as_py():
        return column
    return pa.array([w and _unescaped(w) for w in column.to_pylist()], pa.string())


def _unescaped(text: str) -> str:
    r"""Give text with AutoCAD's `\U+9F99` escapes as the characters they stand for."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)


def _elevation(shapes: Any) -> Any:
    """Give the z of each geometry's first coordinate, NaN where it has none."""
    z = np.full(len(shapes), np.nan)
    coordinates, owner = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    rows, first = np.unique(owner, return_index=True)
    z[rows] = coordinates[first, 2]
    return z


def _block_attributes(job: Job, encoding: str) -> dict[str, dict[str, str]]:
    """Give {entity handle: {tag: text}} of every INSERT that carries attributes."""
    data = job.main.read_bytes()
    if b"ATTRIB" not in data:
        return {}
    import ezdxf  # noqa: PLC0415 - looks for fonts as it is imported: only where it is needed
    from ezdxf.lldxf.const import DXFError  # noqa: PLC0415

    try:
        drawing = ezdxf.read(io.StringIO(data.decode(encoding)))  # type: ignore[attr-defined]
    except (DXFError, ValueError, KeyError, IndexError) as wrong:
        raise SourceError(
            f"“{job.name}”的块属性不能读取，图形文件损坏。请报送单位用 CAD 软件检查(AUDIT)后重报。",
            f"The block attributes of “{job.name}” cannot be read; the drawing is damaged. AUDIT it in CAD and resend.",
            file=job.name,
        ) from wrong
    inserts: list[Any] = list(drawing.modelspace().query("INSERT"))
    return {
        i.dxf.handle: {_unescaped(a.dxf.tag): _unescaped(a.dxf.text) for a in i.attribs} for i in inserts if i.attribs
    }
