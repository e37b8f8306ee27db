"""Both databases the operational store runs on, real: a SQLite file, and a PostgreSQL cluster of this test run's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from twin import ops

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
USER = "postgres"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged(*command: str) -> None:
    """Run a PostgreSQL program as somebody who is not root, which it insists on."""
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    subprocess.run([*as_user, *command], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a cluster in a folder of its own on a free port; gives its address without a database, or skips."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql-15)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    data, port, control = folder / "data", free_port(), str(PROGRAMS[0] / "pg_ctl")
    unprivileged(str(PROGRAMS[0] / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c shared_buffers=16MB"
    try:
        unprivileged(control, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://{USER}@127.0.0.1:{port}"
    finally:
        unprivileged(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty operational store, on each of the two databases in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'run' / 'ops.sqlite'}"
        return
    server = request.getfixturevalue("postgresql")
    name = f"t{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def url(empty_url: str) -> str:
    """Give the address of an operational store with the newest schema."""
    ops.upgrade(empty_url)
    return empty_url


@pytest.fixture
def store(url: str) -> Iterator[ops.Ops]:
    """Give an operational store with the newest schema."""
    opened = ops.Ops(url)
    yield opened
    opened.close()
