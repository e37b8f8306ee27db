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
import pyarrow.parquet as pq
import pyogrio

from tests.bench import county, peers
from tests.bench.machine import ROOT, percentile, table
from twin import duck
from twin.store import Store
from twin.web_mercator_quad import bounds

ZOOMS = range(8, 18)
CLIENTS = 4
MEETING = """
SELECT parcel_id FROM served.features
WHERE xmax >= ? AND ymax >= ? AND xmin <= ? AND ymin <= ? AND ST_Intersects(geom, ST_MakeEnvelope(?, ?, ?, ?))
"""
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


def published(folder: Path) -> Path:
    """Write the very rows we serve as FlatGeobuf, for PostGIS to load: same parcels, same repairs, same columns."""
    part = Store(folder / "data" / "store").current("parcels").file("part.parquet")
    rows = pq.read_table(part, columns=[*COLUMNS.split(", "), "geometry"])
    out = folder / "published.fgb"
    out.unlink(missing_ok=True)
    pyogrio.write_arrow(
        rows.replace_schema_metadata(None),
        out,
        layer="parcels",
        driver="FlatGeobuf",
        geometry_name="geometry",
        geometry_type="Unknown",
        crs="EPSG:4490",
    )
    return out


def load_postgis(database: str, source: Path) -> None:
    """Load the parcels into PostGIS in EPSG:3857 with an index, as tipg's users do."""
    options = "-t_srs EPSG:3857 -nln parcels -lco GEOMETRY_NAME=geom -lco FID=fid -nlt PROMOTE_TO_MULTI"
    command = ["ogr2ogr", "-q", "-f", "PostgreSQL", f"PG:{database}", str(source), *options.split()]
    subprocess.run([*command, "--config", "PG_USE_COPY", "YES"], check=True)
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


def parcels(base: str, path: str) -> set[str]:
    """Name the parcels of one tile, decoded; raises RuntimeError where one comes twice."""
    body = httpx.get(base + path, timeout=300).content
    body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    found = [
        f["properties"]["parcel_id"] for layer in mapbox_vector_tile.decode(body).values() for f in layer["features"]
    ]
    if len(found) != len(set(found)):
        raise RuntimeError(f"{base}{path} has a parcel twice")
    return set(found)


def inside(connection: duck.Connection, tile: tuple[int, int, int]) -> set[str]:
    """Name the published parcels that meet the tile's own square, by their exact geometry.

    tipg selects by the tile without its margin and we with it, so what both must hold is what lies in the square.
    """
    a, b, c, d = bounds(*tile)
    return {row[0] for row in connection.execute(MEETING, [a, b, c, d, a, b, c, d]).fetchall()}


def compare(folder: Path, *, count: int = 60) -> str:
    """Run the comparison and give it as Markdown: counts first, then cold and warm by zoom."""
    bbox = county.bbox(folder)
    with peers.postgis(folder / "peer") as database:
        load_postgis(database, published(folder))
        with peers.tipg(folder, database) as theirs, ours(folder) as mine:
            counts = compare_counts(folder, theirs, mine, bbox)
            print(counts, flush=True)
            rows = [measure(theirs, mine, sample(bbox, z, count, seed=1), z) for z in ZOOMS]
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
    return f"{counts}\n\n" + table(head, rows)


def measure(theirs: str, mine: str, tiles: list[tuple[int, int, int]], z: int) -> tuple[object, ...]:
    """Ask both for the same tiles, each for the first time and then again; give the row of the zoom."""
    t = ask(theirs, [their_path(*x) for x in tiles])
    m = ask(mine, [my_path(*x) for x in tiles])
    warm = ask(mine, [my_path(*x) for x in tiles] * max(1, 2000 // len(tiles)))
    warm_t = ask(theirs, [their_path(*x) for x in tiles])
    row = (
        z,
        len(tiles),
        f"{t['rate']:.1f}",
        f"{t['p95']:.0f}",
        f"{m['rate']:.0f}",
        f"{m['p95']:.0f}",
        f"**{m['rate'] / t['rate']:.1f}**",
        f"{warm['rate']:.0f}",
        f"**{warm['rate'] / warm_t['rate']:.0f}**",
    )
    print(row, flush=True)
    return row


def compare_counts(folder: Path, theirs: str, mine: str, bbox: tuple[float, float, float, float]) -> str:
    """Compare the parcels of some tiles where both serve single parcels, and say how many tiles are equal."""
    tiles = [t for z in range(13, 18) for t in sample(bbox, z, 6, seed=9)]
    equal = held = both = 0
    with duck.connect() as connection:
        served = Store(folder / "data" / "store").current("parcels").file("serving.duckdb")
        connection.execute(f"ATTACH {duck.literal(served)} AS served (READ_ONLY)")
        for tile in tiles:
            square, t, m = inside(connection, tile), parcels(theirs, their_path(*tile)), parcels(mine, my_path(*tile))
            equal += t & square == m & square == square
            held, both = held + len(square), both + len(square & t & m)
            if not t & square == m & square == square:
                print("differ:", tile, "tipg lacks", square - t, "we lack", square - m, flush=True)
    return (
        f"Counts compared first, the same published rows in both: {equal} of {len(tiles)} tiles (z13-z17) hold the same "
        f"parcels in the tile's own square, {both} of {held} parcels (beyond it we add the margin of 64/4096)."
    )


def their_path(z: int, x: int, y: int) -> str:
    """Name a tile of tipg's."""
    return f"/collections/public.parcels/tiles/WebMercatorQuad/{z}/{x}/{y}?properties={COLUMNS.replace(' ', '')}&limit=10000000"


def my_path(z: int, x: int, y: int) -> str:
    """Name a tile of ours."""
    return f"/tiles/B01/{z}/{x}/{y}.mvt"
