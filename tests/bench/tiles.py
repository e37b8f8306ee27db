"""1 M parcels as vector tiles over HTTP: ours against tipg on PostGIS, the same data, attributes and zooms."""

from __future__ import annotations

import gzip
import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import mapbox_vector_tile

from tests.bench import county, peers
from tests.bench.machine import ROOT, percentile, table

ZOOMS = range(8, 18)
CLIENTS = 4
COLUMNS = "parcel_id, land_class, village_code, stated_area_m2, owner_kind"


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Give the XYZ tile that holds lon, lat (degrees) at zoom `z`."""
    n = 2**z
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def sample(bbox: tuple[float, float, float, float], z: int, wanted: int, seed: int) -> list[tuple[int, int, int]]:
    """Choose up to `wanted` different tiles inside `bbox`, as likely where there is land as anywhere."""
    rnd = random.Random(seed * 100 + z)
    west, south, east, north = bbox
    dx, dy = (east - west) * 0.05, (north - south) * 0.05
    found = {
        tile_at(rnd.uniform(west + dx, east - dx), rnd.uniform(south + dy, north - dy), z) for _ in range(wanted * 4)
    }
    return sorted(found, key=lambda t: rnd.random())[:wanted]


def load_postgis(database: str, source: Path) -> None:
    """Load the county's parcels into PostGIS in EPSG:3857 with an index, as tipg's users do."""
    subprocess.run(
        [
            "ogr2ogr",
            "-q",
            "-f",
            "PostgreSQL",
            f"PG:{database}",
            str(source),
            "parcels",
            "-t_srs",
            "EPSG:3857",
            "-nln",
            "parcels",
            "-lco",
            "GEOMETRY_NAME=geom",
            "-lco",
            "FID=fid",
            "-makevalid",
            "-nlt",
            "MULTIPOLYGON",
            "--config",
            "PG_USE_COPY",
            "YES",
        ],
        check=True,
    )
    subprocess.run(["psql", "-q", database, "-c", "VACUUM ANALYZE parcels"], check=True)


@contextmanager
def ours(folder: Path) -> Iterator[str]:
    """Serve the county with our own server, a process of its own."""
    port = peers.free_port()
    command = [sys.executable, "-m", "tests.bench.county", "serve", str(folder), str(port)]
    with peers.serving(command, county.environment(folder), f"http://127.0.0.1:{port}", "/health", cwd=ROOT) as base:
        yield base


def ask(base: str, paths: list[str]) -> dict[str, float]:
    """Let four clients in another process ask for `paths`; give tiles per second and p50, p95 in milliseconds."""
    job = json.dumps({"base": base, "paths": paths, "clients": CLIENTS})
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.client"], input=job, capture_output=True, text=True, check=True, cwd=ROOT
    )
    answer = json.loads(done.stdout)
    if not set(answer["statuses"]) <= {200, 204}:
        raise RuntimeError(f"{base} answered {answer['statuses']}")
    times = [1000 * t for t in answer["times"]]
    return {"rate": len(paths) / answer["wall"], "p50": percentile(times, 0.5), "p95": percentile(times, 0.95)}


def features(base: str, path: str) -> int:
    """Count the features of one tile, decoded."""
    body = httpx.get(base + path, timeout=300).content
    body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    return sum(len(layer["features"]) for layer in mapbox_vector_tile.decode(body).values()) if body else 0


def compare(folder: Path, source: Path, *, count: int = 60) -> str:
    """Run the comparison and give it as Markdown: counts first, then cold and warm by zoom."""
    bbox = county.bbox(folder)
    rows = []
    with peers.postgis(folder / "peer") as database:
        load_postgis(database, source)
        with peers.tipg(folder, database) as theirs, ours(folder) as mine:
            equal, compared = compare_counts(theirs, mine, bbox)
            for z in ZOOMS:
                tiles = sample(bbox, z, count, seed=1)
                t = ask(theirs, [their_path(*x) for x in tiles])
                m = ask(mine, [my_path(*x) for x in tiles])
                warm = ask(mine, [my_path(*x) for x in tiles] * max(1, 2000 // len(tiles)))
                warm_t = ask(theirs, [their_path(*x) for x in tiles])
                rows.append(
                    (
                        z,
                        len(tiles),
                        f"{t['rate']:.0f}",
                        f"{t['p95']:.0f}",
                        f"{m['rate']:.0f}",
                        f"{m['p95']:.0f}",
                        f"**{m['rate'] / t['rate']:.1f}**",
                        f"{warm['rate']:.0f}",
                        f"**{warm['rate'] / warm_t['rate']:.0f}**",
                    )
                )
                print(rows[-1], flush=True)
    head = (
        "z",
        "tiles",
        "tipg tiles/s",
        "tipg p95 ms",
        "ours cold tiles/s",
        "ours cold p95 ms",
        "cold ratio",
        "ours warm tiles/s",
        "warm ratio",
    )
    return f"Feature counts compared first: {equal} of {compared} tiles equal (z14–z16).\n\n" + table(head, rows)


def compare_counts(theirs: str, mine: str, bbox: tuple[float, float, float, float]) -> tuple[int, int]:
    """Compare the decoded feature counts of some tiles where both serve single parcels."""
    tiles = [t for z in (14, 15, 16) for t in sample(bbox, z, 8, seed=9)]
    pairs = [(features(theirs, their_path(*t)), features(mine, my_path(*t))) for t in tiles]
    different = [(t, p) for t, p in zip(tiles, pairs, strict=True) if p[0] != p[1]]
    if different:
        print("feature counts differ:", different[:5], flush=True)
    return len(pairs) - len(different), len(pairs)


def their_path(z: int, x: int, y: int) -> str:
    """Name a tile of tipg's."""
    return f"/collections/public.parcels/tiles/WebMercatorQuad/{z}/{x}/{y}?properties={COLUMNS.replace(' ', '')}&limit=10000000"


def my_path(z: int, x: int, y: int) -> str:
    """Name a tile of ours."""
    return f"/tiles/B01/{z}/{x}/{y}.mvt"
