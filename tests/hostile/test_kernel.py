"""Seen from outside the process: whatever is delivered, no file but its own is opened and no socket is made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from etl import cage
from tests.hostile import kernel
from tests.hostile.corpus import CANARY, EVERY, SLOW
from tests.test_hostile import text

SAMPLE = (
    "vector/vrt-geojson", "vector/vrt-in-zip-as-shp", "vector/kml-xxe-http", "vector/kml-links", "vector/gml-schema-http",
    "vector/dxf-xref", "vector/gpkg-triggers", "vector/prj-grids-in-wkt", "vector/crs-link", "vector/tab-file-tabs",
    "vector/tab-view-far-down", "vector/gpkg-virtual-shape", "vector/gpkg-load-extension-view", "vector/nested-zips-as-kmz",
    "vector/gdb-of-links", "table/external-link", "table/xxe-in-workbook", "table/slip-up", "raster/vrt-curl-as-tif",
    "raster/ovr-that-is-a-vrt", "scene/i3dm-of-an-address", "scene/gltf-links-out",
)  # fmt: skip
"""One or two of each way out; the long sweep takes every delivery there is."""
PORT = 8269


def made(root: Path, names: tuple[str, ...]) -> Path:
    """Write the deliveries of those names below `root`, each in a folder of its own, and the list that names them."""
    canary = text(root / f"{CANARY}.csv", f"{CANARY},secret\n1,2\n")
    listed = []
    for name in names:
        item, folder = EVERY[name], root / "raw" / name
        folder.mkdir(parents=True)
        path = item.make(folder, canary, PORT)
        listed.append(
            {
                "name": name,
                "path": str(path),
                "reader": item.reader,
                "kind": item.kind,
                "crs": item.crs,
                "part": item.part,
            }
        )
    return text(root / "items.json", json.dumps(listed))


def prove(root: Path, names: tuple[str, ...], mode: str) -> None:
    """Read the deliveries under the kernel's eye, and find nothing opened, made or asked that was not theirs."""
    items = made(root, names)
    command = [sys.executable, "-m", "tests.hostile.probe", str(items), mode]
    said = kernel.watched(command, root / "seen", timeout=60 + 15 * len(names))
    ends = {one["name"]: one for one in map(json.loads, said.splitlines())}
    assert set(ends) == set(names)
    wrong = [n for n in names if not EVERY[n].harmless and not ends[n]["refused"]]
    assert wrong == [], "refused, each with a sentence"
    raw, python = str(root / "raw"), (*kernel.LIBRARIES, *kernel.SYSTEM, str(kernel.REPO))
    readers = 0
    for calls in kernel.threads(root / "seen"):
        start = next((i for i, c in enumerate(calls) if kernel.is_reader(c)), None)
        readers += start is not None
        inside = calls[start:] if start is not None else calls
        assert [c.line for c in calls if CANARY in c.asked + c.got] == [], "the canary"
        assert (
            kernel.strays(calls, (*python, *jobs(calls), "/job", "/newroot", "/oldroot", "/dev", raw, str(items))) == []
        )
        assert [
            c.line for c in calls if c.name in kernel.SENDS and "AF_INET" in c.line and "EPERM" not in c.line
        ] == [], "no network"
        if start is not None:
            own(inside, raw)
    assert readers >= len(names) - sum("link" in n.rsplit("/", 1)[1] for n in names) - 3


def jobs(calls: list[kernel.Call]) -> tuple[str, ...]:
    return tuple({m[0] for c in calls for m in [kernel.JOB.match(c.asked)] if m})


def own(calls: list[kernel.Call], raw: str) -> None:
    """Find that a reader opened files of one delivery alone, changed none, and started nothing more."""
    opened = [c for c in calls if c.name in kernel.OPENS]
    allowed = (
        *kernel.LIBRARIES,
        *kernel.SYSTEM,
        str(kernel.REPO / "twin"),
        str(kernel.REPO / "etl"),
        *jobs(calls),
        "/job",
        raw,
    )
    assert kernel.strays([c for c in opened if c.got != str(kernel.REPO)], allowed) == []
    folders = {tuple(Path(c.got).relative_to(raw).parts[:2]) for c in opened if c.got.startswith(raw)}
    assert len(folders) <= 1, folders
    assert [c.line for c in calls if c.name in kernel.SENDS and "= -1 EPERM" not in c.line] == []
    assert [c.line for c in calls[1:] if c.name == "execve"] == []
    written = [
        c for c in calls if c.name in kernel.CHANGES or (c in opened and ("O_WRONLY" in c.line or "O_RDWR" in c.line))
    ]
    assert [c.line for c in written if not kernel.below(c.asked, ("/tmp", "/dev/null"))] == []


@pytest.mark.parametrize("mode", ["bubblewrap"])
def test_the_kernel_saw_no_open_of_the_canary_and_no_connection(tmp_path, mode):
    ready(mode)
    prove(tmp_path, SAMPLE, mode)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("mode", ["bubblewrap", "limits"])
@pytest.mark.parametrize("family", ["vector", "table", "raster", "scene"])
def test_the_kernel_saw_no_delivery_of_the_whole_corpus_reach_out(tmp_path, mode, family):
    ready(mode)
    prove(tmp_path, tuple(n for n in EVERY if n.startswith(family) and n not in SLOW), mode)


def ready(mode: str) -> None:
    if reason := kernel.missing():
        pytest.skip(reason)
    if mode == "bubblewrap" and cage.bubblewrap() is None:
        pytest.skip("bubblewrap is not installed, or the kernel does not let it work")
