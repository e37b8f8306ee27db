"""Where everything lies on the machine, below a root that is `/` but for rehearsals."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .words import Refused

USER = "onemap"
DONE = ".complete"
"""Stands in a version's folder once everything of it is there; a folder without it is made anew."""
GUESSABLE = ("changeme", "secret", "password", "onemap")


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders and files of one installation."""

    root: Path

    @property
    def live(self) -> bool:
        """Tell whether this is the machine itself and no rehearsal."""
        return self.root == Path("/")

    @property
    def opt(self) -> Path:
        """Give the folder of all versions, with the links `current` and `previous`."""
        return self.root / "opt" / "onemap"

    @property
    def current(self) -> Path:
        """Give the link to the version that runs."""
        return self.opt / "current"

    @property
    def settings(self) -> Path:
        """Give the file of ONEMAP_* settings, which holds the secret."""
        return self.root / "etc" / "onemap" / "onemap.env"

    @property
    def key(self) -> Path:
        """Give the publisher's public key as it was handed over at the first installation."""
        return self.root / "etc" / "onemap" / "release.pub"

    @property
    def data(self) -> Path:
        """Give the folder of deliveries, store, operational store and declarations."""
        return self.root / "var" / "lib" / "onemap"

    @property
    def backups(self) -> Path:
        """Give the folder of backups."""
        return self.root / "var" / "backups" / "onemap"

    @property
    def log(self) -> Path:
        """Give the log where there is no journal."""
        return self.root / "var" / "log" / "onemap.log"

    @property
    def pid(self) -> Path:
        """Give the file that names the running service where there is no systemd."""
        return self.root / "run" / "onemap.pid"

    @property
    def units(self) -> Path:
        """Give the folder of systemd's units."""
        return self.root / "etc" / "systemd" / "system"

    @property
    def command(self) -> Path:
        """Give the command that the operator types."""
        return self.root / "usr" / "local" / "bin" / "onemap"

    def version(self, link: str = "current") -> str:
        """Give the version that `current` or `previous` names, "" where there is none."""
        path = self.opt / link
        return path.readlink().name if path.is_symlink() else ""

    def point(self, link: str, version: str) -> None:
        """Make `current` or `previous` name a version, in one step."""
        fresh = self.opt / f".{link}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(version)
        fresh.replace(self.opt / link)


def manifest(folder: Path) -> dict[str, Any]:
    """Give what a bundle says of itself; Refused where it is for another kind of machine."""
    said = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    found = f"Python {sys.version_info[0]}.{sys.version_info[1]}, {platform.system()} {platform.machine()}"
    if said["machine"] != found:
        raise Refused("wrong_machine", wanted=said["machine"], found=found)
    return said


def read_settings(path: Path) -> dict[str, str]:
    """Read NAME=value lines as systemd does: comments and blank lines aside, one pair of quotes dropped."""
    values: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            bare = value.strip()
            quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'"
            values[name.strip()] = bare[1:-1] if quoted else bare
    return values


def make_settings(places: Places, port: int) -> bool:
    """Write the settings with a new secret, readable by root only; False where they are there already."""
    if places.settings.exists():
        return False
    places.settings.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# 一张图的设置 · settings of the one-map; every name stands in README.md",
        "# 改动后执行 · after a change: systemctl restart onemap",
        f"ONEMAP_SECRET={new_secret()}",
        f"ONEMAP_DATA={places.data}",
        f"ONEMAP_VILLAGE={places.data / 'village'}",
        "ONEMAP_HOST=127.0.0.1",
        f"ONEMAP_PORT={port}",
        "# ONEMAP_ORIGIN=https://map.example.cn",
        "# ONEMAP_TRUSTED_PROXY=127.0.0.1",
    ]
    opened = os.open(places.settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def new_secret() -> str:
    """Give a secret of 64 characters that the service's own check takes."""
    while True:
        made = secrets.token_urlsafe(48)
        if not any(word in made.lower() for word in GUESSABLE):
            return made


def make_folders(places: Places, bundle: Path) -> None:
    """Make the folders of data and backups; the bundle's declarations become the village's where it has none."""
    for folder in (places.data, places.backups):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o750)
    for folder in (places.log.parent, places.pid.parent, places.command.parent):
        folder.mkdir(parents=True, exist_ok=True)
    village = places.data / "village"
    if not village.exists():
        fresh = places.data / ".village.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(bundle / "data", fresh)
        fresh.replace(village)
