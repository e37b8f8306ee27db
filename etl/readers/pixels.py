"""Delivered GeoTIFFs as pixels of the published grid: decoded and warped here, where a hostile file hurts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from etl import patches, refusals
from etl.job import Job
from twin import rasters
from twin.rasters.describe import NotAGeoTiff


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Warp a GeoTIFF from `job.crs` onto the grid that the job's options name; one chunk of pixels a batch.

    Raises SourceError where it is no GeoTIFF of the form asked for, or is damaged; MemoryError where it needs too much.
    """
    grid, form = patches.asked(job.options)
    report.update(driver="GTiff", crs_in_file="", encoding="", how="format", declared="")
    try:
        for patch in rasters.warp(job.main, grid, crs=job.crs, form=form):
            yield patches.to_batch(patch)
    except NotAGeoTiff as wrong:
        raise refusals.damaged(job.name) from wrong
