"""A power cut without special hardware: a loop-mounted file system whose image is copied mid-publish and mounted anew."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.faults import harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = {"ext4": "24M", "xfs": "320M"}
OPTIONS = {"ext4": "loop,noauto_da_alloc,commit=600", "xfs": "loop"}


def sh(*command: object) -> None:
    """Run a command; raises where it fails."""
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(kind: str, options: str, below: Path, image: Path | None = None) -> Iterator[Path]:
    """Mount `image` (or a tmpfs) on a folder below `below`; skipped with its reason where mounts are not allowed."""
    point = below / "mounted"
    point.mkdir(exist_ok=True)
    tried = subprocess.run(
        ["mount", "-t", kind, "-o", options, str(image or "none"), str(point)], capture_output=True, check=False
    )
    harness.need(tried.returncode == 0, f"mount {kind} ({tried.stderr.decode().strip()})")
    try:
        yield point
    finally:
        sh("umount", point)


def make_image(kind: str, path: Path) -> None:
    """Make an empty file system of `kind` in the file `path`; skipped with its reason where mkfs is missing."""
    harness.need(shutil.which(f"mkfs.{kind}") is not None, f"mkfs.{kind} to make a file system to mount")
    sh("truncate", "-s", SIZES[kind], path)
    sh(f"mkfs.{kind}", "-q", path)


def copy_image(source: Path, target: Path) -> None:
    """Copy what the disk holds at this moment; dirty pages of the mounted file system are not in it."""
    sh("cp", "--sparse=always", source, target)
