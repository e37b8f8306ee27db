"""Departments' databases, real: PostGIS in the test run's own cluster, and a MariaDB server in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.operating import free_port

Say = Callable[[str], object]
ACCOUNT, PASSWORD = "reader", "CANARY-pass'word-ö"


@pytest.fixture(scope="session")
def postgis(postgresql: str) -> Iterator[tuple[str, Say]]:
    """Give (address of a database with PostGIS, how to run SQL in it), or skip."""
    name = f"land{os.getpid()}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as admin:
        available = admin.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'").fetchone()
        if not available:
            pytest.skip("PostGIS is not installed (apt-get install postgresql-15-postgis-3)")
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"{postgresql}/{name}", autocommit=True) as within:
        within.execute("CREATE EXTENSION postgis")
        yield f"postgresql://{postgresql.partition('@')[2]}/{name}", within.execute
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[tuple[str, Say]]:
    """Give (address of a MariaDB database, how to run SQL in it), or skip."""
    server, install = (shutil.which(n, path="/usr/sbin:/usr/bin") for n in ("mariadbd", "mariadb-install-db"))
    if not server or not install:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    folder = Path(tempfile.mkdtemp(prefix="my-"))
    user = "mysql" if os.geteuid() == 0 else ""
    if user:
        shutil.chown(folder, user)
    as_user = ["runuser", "-u", user, "--"] if user else []
    data, socket, port = folder / "data", folder / "socket", free_port()
    made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([*as_user, *made], check=True, capture_output=True, timeout=120)
    words = [f"--datadir={data}", f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    small = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={folder / 'pid'}"]
    child = subprocess.Popen([*as_user, server, "--no-defaults", *words, *small], **quiet)

    def say(sql: str) -> str:
        client = ["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root", "--default-character-set=utf8mb4"]
        return subprocess.run([*client, "-N", "-e", sql], check=True, capture_output=True, text=True, timeout=60).stdout

    try:
        _await(say)
        say("CREATE DATABASE land CHARACTER SET utf8mb4")
        say(
            f"CREATE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY \"{PASSWORD}\"; GRANT SELECT ON land.* TO {ACCOUNT}@'127.0.0.1'"
        )
        yield f"mysql://127.0.0.1:{port}/land", lambda sql: say(f"USE land; {sql}")
    finally:
        child.terminate()
        child.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _await(say: Say) -> None:
    for _ in range(300):
        try:
            say("SELECT 1")
        except subprocess.CalledProcessError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("MariaDB did not start")
