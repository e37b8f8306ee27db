"""Run every comparison on this machine in one go and write docs/benchmarks.md: `python -m tests.bench [part …]`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import changes, desk, night, page, peers, pulling, receiving, scale, schedules, serving, tiles
from tests.bench.machine import ROOT, commit, describe, timed

WORK = ROOT / "build" / "bench"
OUT = ROOT / "docs" / "benchmarks.md"
HEAD = "# Benchmarks\n\nRatios in one run on one machine; absolute figures are that machine's. `make bench` writes this page anew."
TITLES = {
    "receiving": "Receiving 1 M parcels",
    "pulling": "Pulling 200,000 polygons from PostGIS",
    "changes": "1 M parcels compared with the version before",
    "scale": "A county by parts",
    "night": "A night of 282 resources",
    "tiles": "Vector tiles of 1 M parcels, four clients, over HTTP",
    "page": "The page",
    "schedules": "Schedules",
    "desk": "The data page",
    "serving": "Serving those who are signed in",
}


def county_file(villages: int) -> Path:
    """Write the benchmark county of `villages` villages once, and give its GeoPackage."""
    folder = WORK / f"county{villages}"
    done = folder / "county.gpkg"
    if not (folder / ".done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        timed([sys.executable, "-m", "etl", "demo", "--villages", str(villages), "--out", str(folder)])
        (folder / ".done").touch()
    return done


def parts(minutes: float) -> dict[str, Callable[[], str]]:
    """Name the comparisons, in the order in which they build on each other."""
    return {
        "receiving": lambda: receiving.compare(WORK, county_file),
        "pulling": lambda: pulling.compare(WORK / "pulling"),
        "changes": lambda: changes.compare(WORK, county_file),
        "scale": lambda: scale.compare(WORK / "scale"),
        "night": lambda: night.compare(WORK / "night"),
        "tiles": lambda: tiles.compare(WORK),
        "page": lambda: page.compare(WORK),
        "schedules": lambda: schedules.compare(WORK / "schedules"),
        "desk": desk.compare,
        "serving": lambda: serving.compare(WORK, minutes),
    }


def place(name: str, text: str) -> None:
    """Put a part into the page in its place; the others stay as they stand there."""
    head, *sections = OUT.read_text(encoding="utf-8").split("\n## ") if OUT.exists() else [HEAD]
    known = {s.partition("\n")[0]: s.strip() for s in sections} | {TITLES[name]: text.removeprefix("## ").strip()}
    body = [f"\n## {known[title]}\n" for title in TITLES.values() if title in known]
    OUT.write_text(head.rstrip() + "\n" + "".join(body), encoding="utf-8")


def main(wanted: list[str]) -> int:
    """Run the parts asked for (all of them by default) and keep the text of the others."""
    minutes = float(next((w.partition("=")[2] for w in wanted if w.startswith("--minutes=")), 10))
    wanted = [w for w in wanted if not w.startswith("--")]
    absent = peers.missing() if not wanted or {"receiving", "tiles"} & set(wanted) else ""
    if absent:
        print(f"The peers are not installed: {absent}. On Debian: apt-get install postgresql-15-postgis-3 gdal-bin")
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    for name, run in parts(minutes).items():
        if not wanted or name in wanted:
            stamp = f"Measured {dt.date.today().isoformat()} at commit {commit()} on {describe()}, by `python -m tests.bench {name}`."
            (WORK / f"{name}.md").write_text(f"## {TITLES[name]}\n\n{stamp}\n\n{run()}\n", encoding="utf-8")
            place(name, (WORK / f"{name}.md").read_text(encoding="utf-8"))
    print(f"written: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
