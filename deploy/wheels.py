"""Wheels for the bundle: the pinned ones by pip and hash, pip itself, and our own with the built front end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy import lock
from deploy.machine import seal

ROOT = Path(__file__).resolve().parent.parent
BUILD_LOCK = ROOT / "deploy" / "build.lock"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--quiet"]


def download(pins: Iterable[lock.Pin], into: Path) -> None:
    """Download the wheels of these pins, checked against their hashes; what is there already is not fetched again."""
    into.mkdir(parents=True, exist_ok=True)
    wanted = into / "wanted.txt"
    wanted.write_text("\n".join(pin.text for pin in pins) + "\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--find-links", str(into)]
    subprocess.run([*PIP, "download", *options, "-r", str(wanted), "-d", str(into)], check=True)
    wanted.unlink()


def find(pin: lock.Pin, folder: Path) -> Path:
    """Give the wheel of a pin; raises SystemExit where there is none or its bytes are not those pinned."""
    stem = f"{pin.name.replace('-', '_')}-{pin.version}-"
    for path in sorted(folder.glob("*.whl")):
        if path.name.lower().startswith(stem.lower()) or _stem(path) == (pin.name, pin.version):
            if f"sha256:{seal.sha256(path)}" not in pin.text:
                raise SystemExit(f"{path.name} is not what requirements.lock pins: remove it and build again")
            return path
    raise SystemExit(f"no wheel of {pin.name} {pin.version} in {folder}")


def _stem(path: Path) -> tuple[str, str]:
    name, version = path.name.split("-")[:2]
    return lock.tidy(name), version


def own(into: Path, epoch: int) -> Path:
    """Build our own wheel, the same bytes from the same commit, with a pinned builder."""
    tools = ROOT / "build" / "bundle" / "builder"
    stamp = tools / "build.lock"
    if not stamp.is_file() or stamp.read_bytes() != BUILD_LOCK.read_bytes():
        shutil.rmtree(tools, ignore_errors=True)
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(tools)]
        subprocess.run([*PIP, "install", *options, "-r", str(BUILD_LOCK)], check=True)
        shutil.copyfile(BUILD_LOCK, stamp)
    into.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "PYTHONPATH": str(tools), "SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)],
        cwd=ROOT,
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return max(into.glob("village_onemap-*.whl"), key=lambda p: p.stat().st_mtime)
