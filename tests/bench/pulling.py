"""200,000 polygons of a PostGIS table: pulled, checked and published, against SQLAlchemy with geopandas reading and writing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench import county, peers
from tests.bench.machine import Run, table, timed

ROWS = 200_000
ROUNDS = 3
PEERS = ("sqlalchemy==2.0.44", "geopandas==1.1.1", "geoalchemy2", "psycopg[binary]", "pyarrow")
FILL = f"""
CREATE TABLE parcels (parcel_id text PRIMARY KEY, land_class text, village_code text, stated_area_m2 float8, owner_kind text,
  geom geometry(Polygon, 4549));
INSERT INTO parcels SELECT 'P' || lpad(n::text, 8, '0'), '0101', '330521199201', NULL, '集体',
  st_transform(st_setsrid(st_buffer(st_makepoint(119.80 + n % 500 * 5e-4, 30.45 + n / 500 * 5e-4), 1.5e-4, 4), 4490), 4549)
  FROM generate_series(0, {ROWS - 1}) n
"""
PEER = """
import sys, geopandas, sqlalchemy
engine = sqlalchemy.create_engine(sys.argv[1].replace("postgresql://", "postgresql+psycopg://"))
frame = geopandas.read_postgis("SELECT * FROM parcels", engine, geom_col="geom")
assert len(frame) == int(sys.argv[3])
if sys.argv[4] == "whole":
    frame["area_m2"] = frame.area
    frame["geom"] = frame.make_valid()
    frame = frame.to_crs(4490)
    frame.to_parquet(sys.argv[2], write_covering_bbox=True, compression="zstd")
"""
OURS = """
import sys, tempfile
from pathlib import Path
from etl import catalog, fetch
village, raw = Path(sys.argv[1]), Path(tempfile.mkdtemp(dir=sys.argv[2]))
resource = catalog.read(village).resource("parcels")
fetch.arranged(resource, raw, village, None)
"""
COMMANDS = {
    "read": ["-c", OURS, "{village}", "{folder}"],
    "snapshot": ["-m", "tests.bench.county", "snapshot"],
    "whole": ["-m", "etl", "run", "parcels"],
}
WORDS = {
    "read": "read and kept on disk, every key reconciled (peer: read into memory)",
    "snapshot": "GeoParquet published: checked, in Hilbert order, with ledger, quarantine and hashes (peer: written)",
    "whole": "the same with serving copy and tiles, so that the map is right at once (peer: written)",
}
HEAD = ("200,000 polygons from PostGIS", "ours, s (CPU)", "SQLAlchemy + geopandas, s (CPU)", "peer ÷ ours")
NOTE = (
    "The peer reads with `read_postgis`, measures areas, makes valid, reprojects from EPSG:4549 to EPSG:4490 and writes one "
    "GeoParquet with covering. The fastest of three rounds by turns; what the caged reader used is not in the CPU seconds."
)
CONNECTION = """
[[connection]]
id = "county"
kind = "postgis"
address = "{address}"
user_env = "BENCH_USER"
"""


def compare(folder: Path) -> str:
    """Fill a table, run both by turns, and give the comparison as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    python = _peer(folder)
    with peers.postgis(folder) as database:
        subprocess.run(["psql", "-q", database, "-c", FILL], check=True, capture_output=True)
        _declare(folder, database)
        runs: dict[str, list[Run]] = {}
        for _ in range(ROUNDS):
            for what in ("read", "whole"):
                peer = [str(python), "-c", PEER, database, str(folder / "peer.parquet"), str(ROWS), what]
                runs.setdefault(f"peer {what}", []).append(timed(peer))
            for what, command in COMMANDS.items():
                shutil.rmtree(folder / "data", ignore_errors=True)
                (folder / "data" / "raw").mkdir(parents=True)
                arguments = [a.format(village=folder / "village", folder=folder) for a in command]
                runs.setdefault(what, []).append(_ours(folder, arguments))
                print(what, runs[what][-1], flush=True)
    best = {k: min(v, key=lambda run: run.seconds) for k, v in runs.items()}
    return f"{NOTE}\n\n{table(HEAD, [_row(best, what) for what in COMMANDS])}"


def _row(best: dict[str, Run], what: str) -> list[str]:
    ours, peer = best[what], best[f"peer {'read' if what == 'read' else 'whole'}"]
    seconds = [f"{r.seconds:.1f} ({r.cpu_seconds:.1f})" for r in (ours, peer)]
    return [WORDS[what], *seconds, f"**{peer.seconds / ours.seconds:.1f} ×**"]


def _ours(folder: Path, command: list[str]) -> Run:
    return timed([sys.executable, *command], env={**county.environment(folder), "BENCH_USER": "postgres"})


def _peer(folder: Path) -> Path:
    python = folder / "peer" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "peer")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEERS], check=True)
    return python


def _declare(folder: Path, database: str) -> None:
    village = folder / "village"
    shutil.rmtree(village, ignore_errors=True)
    (village / "catalog").mkdir(parents=True)
    shutil.copytree(county.ROOT / "data" / "codes", village / "codes")
    text = county.VILLAGE.format(west=119.7, south=30.3, east=120.2, north=30.8, lon=119.95, lat=30.55)
    (village / "village.toml").write_text(text, encoding="utf-8")
    source = 'location = "01_county/county.gpkg"\nconnection = "county"\n'
    parcels = county.parcels().replace('location = "01_county/county.gpkg"\n', source)
    (village / "catalog" / "01_county.toml").write_text(county.CATALOG + parcels, encoding="utf-8")
    address = database.replace("postgres@", "")
    (village / "connections.toml").write_text(CONNECTION.format(address=address), encoding="utf-8")
