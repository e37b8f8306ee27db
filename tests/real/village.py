"""One real village: its deliveries laid out as declared, received, and served on the product's own page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHARED = ROOT.parent / "shared" / "data"
DELIVERED = {
    "kingston": {"kingston": "kingston_st_mary_uk"},
    "saltford": {"saltford": "saltford_uk"},
    "deqing": {"deqing": "deqing_cn"},
    "photomesh": {"photomesh": "tiles3d"},
}


def absent(name: str) -> str:
    """Say which delivered folder is not there, or ""."""
    folders = [SHARED / there for there in DELIVERED[name].values()]
    return ", ".join(f"../shared/data/{f.name} is absent" for f in folders if not f.is_dir())


def environment(name: str, data: Path) -> dict[str, str]:
    """Point every command at this village's declarations and at `data`."""
    return {**os.environ, "ONEMAP_DATA": str(data), "ONEMAP_VILLAGE": str(HERE / name)}


def receive(name: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Lay out the deliveries under `data`/raw and run the product's own command over all of them."""
    for here, there in DELIVERED[name].items():
        shutil.copytree(SHARED / there, data / "raw" / here, dirs_exist_ok=True)
    command = [sys.executable, "-m", "etl", "run", "--all", "--lang", "en"]
    return subprocess.run(command, cwd=ROOT, env=environment(name, data), capture_output=True, text=True, check=False)


def serve(name: str, data: Path, port: int) -> None:
    """Serve the village with the product's own API and page until stopped."""
    import uvicorn

    from etl import catalog
    from tests.real.layers import ALL, THEMES
    from twin import api, pages
    from twin.model import OneMap
    from twin.settings import Settings
    from twin.store import Store

    settings = Settings(port=port, data=data, village=HERE / name)
    read = catalog.read(settings.village)
    onemap = OneMap(
        village=read.village,
        departments=read.departments,
        code_systems=read.code_systems,
        themes=THEMES,
        layers=ALL[name],
    )
    store = Store(settings.store)
    app = api.create(onemap, store, settings)
    api.mount(app, pages.create(onemap, store, settings))
    uvicorn.run(app, host=settings.host, port=port, log_level="warning")


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
