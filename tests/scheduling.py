"""A small village with many departments, received by real workers, for the tests of schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from etl import catalog
from etl.schedule import crew, worker
from tests import receiving
from tests.receiving import deliver, feature
from twin import ops
from twin.runs.ticks import Limits
from twin.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
LEASE = timedelta(seconds=2)


def place(root: Path, *names: str, url: str = "", options: str = "") -> Settings:
    """Write a village in which each name is a department of one resource, all of the same kind; gives its settings."""
    receiving.village(root)
    (root / "catalog" / "01_land.toml").unlink()
    clock = [t for t in receiving.VILLAGE.splitlines() if not t.startswith("clock")]
    (root / "village.toml").write_text("\n".join(clock), "utf-8")
    for number, name in enumerate(names, start=1):
        text = receiving.DEPARTMENT.replace('id = "land"', f'id = "d_{name}"').replace('id = "cover"', f'id = "{name}"')
        text = text.replace('code = "1"', f'code = "{number}"').replace("01_land/cover", f"{name}/cover")
        text = text.replace("layers = []", f'layers = []\ncadence = "arrival"\n{options}', 1)
        (root / "catalog" / f"{number:02}_d_{name}.toml").write_text(text, "utf-8")
        deliver(root, [feature(i) for i in range(5)], f"{name}/cover.geojson")
    return Settings(data=root, village=root, ops_url=url)


def hand(settings: Settings, **more: Any) -> worker.Worker:
    """Give a worker of this process, not yet begun."""
    known = catalog.read(settings.village)
    store = crew.open_store(settings)
    crew.declare(store, settings, known)
    values = {"store": store, "catalog": known, "settings": settings, "rules": crew.rules(settings, known)}
    return worker.Worker(**{**values, "name": worker.named(), "limits": Limits(), "lease": LEASE, **more})


def begin(settings: Settings) -> subprocess.Popen[bytes]:
    """Start a worker as a process of its own."""
    environ = {
        **os.environ,
        "ONEMAP_DATA": str(settings.data),
        "ONEMAP_VILLAGE": str(settings.village),
        "ONEMAP_OPS_URL": settings.ops_url,
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environ, cwd=settings.data, stderr=subprocess.DEVNULL)


WORKER = """
from twin import settings
from tests import scheduling
from etl.schedule import worker
if __name__ == "__main__":
    worker.work(scheduling.hand(settings.read()))
"""


def all_states(store: ops.Ops) -> dict[str, str]:
    with store.read() as connection:
        return {row.id: row.state for row in connection.execute(ops.select(ops.run_tables.tick))}
