"""自然资源和规划局, pictures: orthophotos and height models as plain strips, no overviews, no tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.demo import imagery
from etl.demo.departments.land import FOLDER
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.defects import Planter
    from etl.demo.village import Truth


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the two orthophotos (0.5 m), the ground and the surface heights (2 m); images carry no defects."""
    del planter
    folder = raw / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for year in YEARS:
        imagery.write(truth, year, folder / f"DOM{year}.tif")
    imagery.write_heights(truth.dem, truth, folder / "DEM.tif")
    imagery.write_heights(truth.dsm, truth, folder / "DSM.tif")
