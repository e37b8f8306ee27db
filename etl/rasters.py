"""Delivered rasters and scenes → published ones: a web COG an edition, terrain, a proved copy of 3D Tiles."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etl import fetch, patches, sandbox, scenes, sentences
from twin import geodesy
from twin import rasters as engine
from twin.errors import CrsError

if TYPE_CHECKING:
    from pathlib import Path

    from etl.fetch import FileSet
    from twin.model import Resource, Source, Village

ELEVATIONS = ("terrain", "elevation")
"""`options = { role = "terrain" }` (or "elevation", a surface) makes heights; without it a raster is imagery."""
FACTS = ("xmin", "ymin", "xmax", "ymax", "width", "height")
OBFUSCATED = ("gcj02", "bd09")
WARPER = "pixels"
"""The reader that gives a raster's pixels on the published grid."""
Progress = Callable[[str, int], None]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One raster or scene whose reader found nothing against it; `bbox` is degrees lon, lat, None where unknown."""

    source: Source
    files: FileSet
    crs: str
    rows: tuple[dict[str, Any], ...]
    bbox: tuple[float, float, float, float] | None

    @property
    def extent(self) -> engine.Extent:
        """Give what a raster covers."""
        row = self.rows[0]
        bounds = (row["xmin"], row["ymin"], row["xmax"], row["ymax"])
        return engine.Extent(bounds=bounds, crs=self.crs, width=row["width"], height=row["height"])

    @property
    def location(self) -> str:
        """Give the declared location, or what was asked of whom."""
        return fetch.shown(self.source)


def read(resource: Resource, sources: Sequence[Source], raw: Path, village: Village, progress: Progress) -> list[Taken]:
    """Have every source looked at in the sandbox; raises SourceError or CrsError where one is unfit."""
    taken: list[Taken] = []
    for source in sources:
        with sandbox.read(resource, source, raw, accepted=village.accepted_crs) as reading:
            rows = [row for batch in reading.batches() for row in batch.to_pylist()]
            if resource.kind == "raster":
                _proved(source, reading.crs, rows)
            box = _bbox(rows, reading.crs, village)
            taken.append(Taken(source=source, files=reading.files, crs=reading.crs, rows=tuple(rows), bbox=box))
        progress(resource.id, len(taken))
    return taken


def _proved(source: Source, crs: str, rows: list[dict[str, Any]]) -> None:
    """Raise SourceError where a reader's facts are none, CrsError where a raster lies in an obfuscated system."""
    facts: list[Any] = [rows[0].get(name) for name in FACTS] if len(rows) == 1 else [None]
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in facts) or min(facts[-2:]) < 1:
        raise sentences.astray(source.location)
    if crs in OBFUSCATED:
        raise CrsError(
            f"“{source.location}”是 {crs} 偏移坐标的影像，不能精确还原。请报送未偏移的原始影像。",
            f"“{source.location}” is a raster in the obfuscated system {crs}, which cannot be undone exactly. "
            "Deliver the original.",
            file=source.location,
        )


def _bbox(rows: list[dict[str, Any]], crs: str, village: Village) -> tuple[float, float, float, float] | None:
    row = next((r for r in rows if "xmin" in r), None)
    if row is None or not crs:
        return None
    way = geodesy.transformer(crs, village.storage_crs, accepted=village.accepted_crs)
    x, y = way.transform([row["xmin"], row["xmax"], row["xmin"], row["xmax"]], [row["ymin"]] * 2 + [row["ymax"]] * 2)
    box = (float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y)))
    west, south, east, north = village.plausible_bbox
    if not (all(map(math.isfinite, box)) and box[0] <= east and box[2] >= west and box[1] <= north and box[3] >= south):
        raise CrsError(
            f"影像落在可信范围之外({box[0]:.3f}, {box[1]:.3f}):坐标系({crs})很可能写错",
            f"The raster falls outside the plausible area ({box[0]:.3f}, {box[1]:.3f}): {crs} is probably wrong",
        )
    return box


def fill(resource: Resource, taken: Sequence[Taken], village: Village, directory: Path) -> Mapping[str, Any]:
    """Write the published files into `directory`; give the facts for the manifest."""
    if resource.kind == "scene":
        for one in taken:
            scenes.copy(one.files, one.rows, directory / "scene")
    elif resource.options.get("role") in ELEVATIONS:
        _build(resource, taken, village, directory / "terrain.tif", engine.TERRAIN)
    else:
        for year in dict.fromkeys(t.source.year for t in taken):
            name = f"{year}.tif" if year is not None else "base.tif"
            edition = [t for t in taken if t.source.year == year]
            _build(resource, edition, village, directory / name, engine.IMAGERY)
    boxes = [t.bbox for t in taken if t.bbox]
    return {
        "kind": resource.kind,
        "rows": len(taken),
        "bbox": _union(boxes) if boxes else list(village.bbox),
        "geometry": [],
        "crs": "EPSG:3857" if resource.kind == "raster" else "",
        "columns": [],
        "years": sorted({t.source.year for t in taken if t.source.year is not None}),
    }


def _build(resource: Resource, taken: Sequence[Taken], village: Village, out: Path, form: engine.Form) -> None:
    """Make one COG of the files of an edition; this process sees their pixels and opens none of them."""
    systems = {t.crs for t in taken}
    if len(systems) > 1:
        named = "、".join(sorted(systems))
        raise CrsError(
            f"同一期影像的坐标系不一致:{named}。请统一后重报",
            f"The rasters of one edition have several coordinate systems: {named}. Deliver them in one",
        )
    grid = engine.around([t.extent for t in taken])
    with contextlib.closing(_pixels(resource, taken, village, grid, form)) as pixels:
        engine.write_cog(pixels, out, grid, form)


def _pixels(
    resource: Resource, taken: Sequence[Taken], village: Village, grid: engine.Grid, form: engine.Form
) -> Generator[engine.Patch]:
    """Have each file warped by a child of its own; give what comes, in the order of the declaration."""
    for one in taken:
        source = replace(one.source, crs=one.crs, options=patches.options(grid, form))
        with sandbox.read_files(
            resource, source, one.files, reader=WARPER, accepted=village.accepted_crs, limits=_limits(one.extent)
        ) as reading:
            for batch in reading.batches():
                yield patches.from_batch(batch, grid, form, one.location)


def _limits(extent: engine.Extent) -> sandbox.Limits:
    """Give the limits for warping: a second of CPU for each million pixels, ten times what a sound file takes."""
    pixels = extent.width * extent.height
    return sandbox.Limits(cpu_seconds=60 + pixels // 1_000_000, memory_bytes=3 << 30, held_bytes=1 << 30)


def _union(boxes: Sequence[tuple[float, float, float, float]]) -> list[float]:
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def manifest_sources(taken: Sequence[Taken]) -> list[dict[str, Any]]:
    """Give the manifest's sources: each file as it came."""
    return [
        {
            "path": t.location,
            "pull": fetch.pull_of(t.source),
            "sha256": t.files.sha256 if t.files.root.is_dir() else t.files.files[0].sha256,
            "bytes": t.files.bytes,
            "year": t.source.year,
            "as_of": t.source.as_of.isoformat() if t.source.as_of else None,
            "crs": t.crs,
            "files": [{"name": f.name, "sha256": f.sha256, "bytes": f.bytes} for f in t.files.files],
        }
        for t in taken
    ]
