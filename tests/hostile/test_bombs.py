"""Whatever a small delivery unpacks to, its child ends within 30 s of CPU and 512 MB, alone, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from etl import cage
from tests.hostile import kernel
from tests.hostile.corpus import EVERY
from tests.hostile.test_kernel import made

BOMBS = (
    "table/one-long-string-in-every-cell", "table/wide-rows", "table/xls-sector-loop", "table/zip-says-less-than-it-holds",
    "table/zip-of-one-block-many-times", "vector/dxf-array", "vector/geojson-brackets",
    "raster/tif-of-one-strip-of-400-mb", "scene/a-million-tiles",
)  # fmt: skip
"""What would grow most of all we have; the long sweep takes every delivery there is."""
CPU_SECONDS, PEAK_MB = 30, 512


def prove(tmp_path, names: tuple[str, ...]) -> None:
    """Read them with limits alone, where the kernel tells what each child took, and find none over the bounds."""
    items = made(tmp_path, names)
    env = {**os.environ, **cage.environment(), "PYTHONPATH": str(kernel.REPO)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.probe", str(items), "limits"],
        cwd=kernel.REPO, env=env, capture_output=True, text=True, timeout=120 * len(names), check=True,
    )  # fmt: skip
    ends = {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert set(ends) == set(names), "nobody but the child died"
    assert {n: round(e["peak_mb"]) for n, e in ends.items() if e["peak_mb"] > PEAK_MB} == {}
    assert {n: e["cpu"] for n, e in ends.items() if e["cpu"] > CPU_SECONDS} == {}


def test_bombs_end_within_thirty_seconds_and_half_a_gigabyte(tmp_path):
    prove(tmp_path, BOMBS)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("family", ["vector", "table", "raster", "scene"])
def test_every_hostile_delivery_ends_within_thirty_seconds_and_half_a_gigabyte(tmp_path, family):
    prove(tmp_path, tuple(n for n in EVERY if n.startswith(family)))
