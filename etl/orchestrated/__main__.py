"""`python -m etl.orchestrated web|view|daemon`: Dagster on the loopback, no telemetry; who views changes nothing."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from twin import durable
from twin import settings as setting

INSTANCE = "telemetry:\n  enabled: false\n"
MODULE = "etl.orchestrated.definitions"


def home(data: Path) -> Path:
    """Give Dagster's folder below the data folder, in which it is told to send nothing anywhere."""
    folder = data / "run" / "dagster"
    durable.make_directory(folder)
    durable.write(folder / "dagster.yaml", INSTANCE.encode())
    return folder


def command(what: str, port: int) -> list[str]:
    """Give the program's words: the loopback only, whoever asks; viewers can look and nothing else."""
    if what == "daemon":
        return [sys.executable, "-m", "dagster", "daemon", "run", "-m", MODULE]
    words = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-m", MODULE]
    return [*words, "--read-only"] if what == "view" else words


def main() -> None:
    """Become Dagster's web server or its daemon."""
    parser = argparse.ArgumentParser(prog="python -m etl.orchestrated")
    parser.add_argument("what", choices=["web", "view", "daemon"])
    parser.add_argument("--port", type=int, default=3000)
    options = parser.parse_args()
    words = command(options.what, options.port)
    environ = {**os.environ, "DAGSTER_HOME": str(home(setting.read().data).resolve()), "DAGSTER_DISABLE_TELEMETRY": "1"}
    os.execve(words[0], words, environ)  # noqa: S606 - no shell, words of ours


if __name__ == "__main__":
    main()
