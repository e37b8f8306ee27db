"""The peers we are measured against: Debian's PostgreSQL with PostGIS, and tipg from PyPI in a venv of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PG = Path("/usr/lib/postgresql/15/bin")
TIPG = "tipg==1.6.1"


def missing() -> str:
    """Say what is not installed, or "" when every peer can run."""
    wanted = {"PostgreSQL 15": PG / "initdb", "ogr2ogr (gdal-bin)": Path(shutil.which("ogr2ogr") or "/nowhere")}
    return ", ".join(name for name, path in wanted.items() if not path.exists())


def free_port() -> int:
    """Ask the system for a port nobody uses."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _as_postgres(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@contextmanager
def postgis(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of its own in `folder` with PostGIS, and give its connection string; stopped on leaving."""
    data, port = folder / "pg", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        folder.chmod(0o755)
    subprocess.run(
        _as_postgres([str(PG / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]),
        check=True,
        capture_output=True,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c shared_buffers=1GB -c fsync=off -c max_wal_size=4GB -c work_mem=64MB"
    subprocess.run(
        _as_postgres([str(PG / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start"]),
        check=True,
        capture_output=True,
    )
    try:
        subprocess.run(
            ["psql", "-qh", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", "CREATE EXTENSION postgis"],
            check=True,
            capture_output=True,
        )
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            _as_postgres([str(PG / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]),
            check=False,
            capture_output=True,
        )


@contextmanager
def tipg(folder: Path, database: str) -> Iterator[str]:
    """Run tipg over `database` and give its base address; stopped on leaving."""
    venv = folder / "tipg"
    if not (venv / "bin" / "uvicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        install = [str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", TIPG, "uvicorn"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
    port = free_port()
    env = {
        **os.environ,
        "DATABASE_URL": database,
        "TIPG_DB_EXCLUDE_FUNCTIONS": '["*"]',
        "TIPG_MAX_FEATURES_PER_TILE": "10000000",
        "TIPG_TILE_BUFFER": "64",
        "TIPG_TILE_RESOLUTION": "4096",
    }
    with serving(
        [str(venv / "bin" / "uvicorn"), "tipg.main:app", "--port", str(port), "--log-level", "warning"],
        env,
        f"http://127.0.0.1:{port}",
        "/healthz",
    ) as base:
        yield base


@contextmanager
def serving(
    command: list[str], env: dict[str, str], base: str, health: str, *, cwd: Path | None = None
) -> Iterator[str]:
    """Run a server until the block is left; waits until `health` answers."""
    server = subprocess.Popen(command, env=env, cwd=cwd)
    try:
        for _ in range(600):
            try:
                if httpx.get(base + health, timeout=5).status_code < 500:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
            if server.poll() is not None:
                raise RuntimeError(f"{command} ended with {server.returncode}")
        yield base
    finally:
        server.terminate()
        server.wait(20)
