"""What GDAL does not tell of a DXF drawing: its real text encoding, heights, and the attributes of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from ezdxf import recover
from ezdxf.lldxf.const import DXFError
from pyarrow import compute

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl.job import Job

pc: Any = compute  # its functions are made at run time

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


def attributes(job: Job) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Give what completes a batch: `Elevation`, `BlockAttr:<tag>` columns, and only the layer `job.part` if named."""
    tags = _block_attributes(job)
    names = sorted({name for one in tags.values() for name in one})

    def complete(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        tail = {n: columns.pop(n) for n in ("_row", "_geometry", "_note")}
        shapes = shapely.from_wkb(tail["_geometry"].to_numpy(zero_copy_only=False))
        columns["Elevation"] = pa.array(_elevation(shapes), pa.float64(), from_pandas=True)
        handles = columns["EntityHandle"].to_pylist() if "EntityHandle" in columns else [None] * len(batch)
        for name in names:
            columns[f"BlockAttr:{name}"] = pa.array([tags.get(h or "", {}).get(name) for h in handles], pa.string())
        tail["_geometry"] = pa.array(shapely.to_wkb(shapely.force_2d(shapes)), pa.binary())
        both = {**columns, **tail}
        done = pa.RecordBatch.from_arrays(list(both.values()), names=list(both))
        return done.filter(pc.equal(done.column("Layer"), job.part)) if job.part else done

    return complete


def _elevation(shapes: Any) -> Any:
    """Give the z of each geometry's first coordinate, NaN where it has none."""
    z = np.full(len(shapes), np.nan)
    coordinates, owner = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    rows, first = np.unique(owner, return_index=True)
    z[rows] = coordinates[first, 2]
    return z


def _block_attributes(job: Job) -> dict[str, dict[str, str]]:
    """Give {entity handle: {tag: text}} of every INSERT that carries attributes."""
    data = job.main.read_bytes()
    if b"ATTRIB" not in data:
        return {}
    try:
        drawing, _ = recover.readfile(job.main)
    except (DXFError, OSError) as wrong:
        raise SourceError(
            f"“{job.name}”的块属性不能读取，图形文件损坏。请报送单位用 CAD 软件检查(AUDIT)后重报。",
            f"The block attributes of “{job.name}” cannot be read; the drawing is damaged. AUDIT it in CAD and resend.",
            file=job.name,
        ) from wrong
    inserts: list[Any] = list(drawing.modelspace().query("INSERT"))
    return {i.dxf.handle: {a.dxf.tag: a.dxf.text for a in i.attribs} for i in inserts if i.attribs}
