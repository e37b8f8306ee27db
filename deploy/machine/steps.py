"""Installing, upgrading and going back: one version beside the other, a link that names the one that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import seal, service
from .places import DONE, Places, make_folders, make_settings, manifest
from .words import Refused, say

FIRST_ADMIN = (
    "from twin import console, ops, settings; from twin.accounts import Accounts; at = settings.read(); "
    "url = console.places(at).ops_url; ops.upgrade(url); print(Accounts(ops.Ops(url), at).first_admin() or '')"
)
"""Run by the version's own Python, as the service's user."""
BASE = getattr(sys, "_base_executable", sys.executable)
"""The Python outside any environment, of which a version's own is made."""
LOCK = "requirements.lock"
BACKUP = "onemap-*Z"
WRAPPER = """#!/bin/sh
# 由 install.sh 生成 · written by install.sh
exec env PYTHONPATH='{opt}/current' '{opt}/current/venv/bin/python' -s -B -m machine --root '{root}' "$@"
"""


def checked(folder: Path, places: Places, key: Path | None, *, unsigned: bool) -> str:
    """Check a bundle's signature, files and machine before anything is done with it; gives its version."""
    used = key or (places.key if places.key.is_file() else None)
    count = seal.check(folder, used, unsigned=unsigned)
    say("signed" if seal.is_signed(folder) else "summed", count=count)
    return str(manifest(folder)["version"])


def install(folder: Path, places: Places, version: str, *, key: Path | None, seconds: float, port: int = 8050) -> bool:
    """Install a checked bundle and start it; doing it again repairs and changes nothing. True where it is well."""
    current = places.version()
    if current and current != version:
        raise Refused("newer_here", current=current)
    service.make_user(places)
    service.check_python(places, BASE)
    unfold(folder, places, version)
    make_folders(places, folder)
    if make_settings(places, port):
        say("settings_made", path=places.settings)
    keep_key(places, key)
    service.own_data(places)
    places.point("current", version)
    write_units(places)
    first_admin(places)
    service.start(places)
    well = service.wait_until_well(places, seconds)
    say("installed", version=version, path=places.current.resolve())
    if not service.systemd(places):
        say("no_systemd", command=f"{places.command} start")
    return well


def unfold(folder: Path, places: Places, version: str) -> None:
    """Put a version's files and its packages, installed offline by hash, into a folder of its own."""
    target = places.opt / version
    sums = (folder / seal.SUMS).read_bytes()
    if (target / DONE).is_file():
        if (target / seal.SUMS).read_bytes() != sums:
            raise Refused("other_content", version=version)
        say("already", version=version)
        return
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("wheels"), dirs_exist_ok=True)
    for path in (places.opt, target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
    _install_packages(folder, target)
    (target / DONE).write_text(version + "\n", encoding="utf-8")
    os.sync()


def _install_packages(folder: Path, target: Path) -> None:
    say("packages")
    pip = next((folder / "wheels").glob("pip-*.whl"))
    found = ["--no-index", "--find-links", str(folder / "wheels"), "--require-hashes", "--no-deps"]
    made = subprocess.run(
        [BASE, "-I", "-m", "venv", "--without-pip", str(target / "venv")], capture_output=True, text=True, check=False
    )
    if made.returncode == 0:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        made = subprocess.run(
            [str(target / "venv/bin/python"), "-m", "pip", "install", *quiet, *found, "-r", str(target / LOCK)],
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(pip), "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise Refused("packages_failed", said=made.stderr[-2000:])


def keep_key(places: Places, key: Path | None) -> None:
    """Keep the publisher's key by which the next bundle is checked."""
    if key and key.resolve() != places.key.resolve():
        places.key.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(key, places.key)
        places.key.chmod(0o644)


def write_units(places: Places) -> None:
    """Write the command `onemap` and systemd's units; enable them where systemd runs this machine."""
    places.command.write_text(WRAPPER.format(opt=places.opt, root=places.root), encoding="utf-8")
    places.command.chmod(0o755)
    places.units.mkdir(parents=True, exist_ok=True)
    for unit in sorted((places.current / "units").glob("onemap*")):
        shutil.copyfile(unit, places.units / unit.name)
    if service.systemd(places):
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        subprocess.run(["systemctl", "enable", "--quiet", service.UNIT], check=True)
        subprocess.run(["systemctl", "enable", "--quiet", "--now", service.TIMER], check=True)


def first_admin(places: Places) -> None:
    """Make the first administrator here, so that the one-time password stands on this console and in no journal."""
    if service.environment(places).get("ONEMAP_DEMO", "0").lower() in ("1", "true", "yes", "on"):
        return
    done = service.run(places, "-c", FIRST_ADMIN, capture=True)
    password = done.stdout.strip()
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    elif password:
        say("admin", password=password)


def upgrade(folder: Path, places: Places, version: str, *, key: Path | None, seconds: float) -> bool:
    """Put a checked bundle in the place of the version that runs; goes back by itself where it is not well."""
    old = places.version()
    if not old:
        raise Refused("no_current")
    if old == version:
        return install(folder, places, version, key=key, seconds=seconds)
    before = service.ask(service.address(service.environment(places)))
    unfold(folder, places, version)
    service.stop(places)
    saved = back_up(places)
    earlier = places.version("previous")
    places.point("previous", old)
    if switch(places, version, seconds, broken=before.broken):
        keep_key(places, key)
        remove_others(places)
        say("upgraded", old=old, new=version)
        return True
    _go_back(places, old, version, saved, seconds=seconds, broken=before.broken)
    places.point("previous", earlier or old)
    remove_others(places)
    return False


def remove_others(places: Places) -> None:
    """Remove every version that neither runs nor is the one to go back to: each is a gigabyte."""
    kept = {places.version(), places.version("previous")}
    for path in places.opt.iterdir():
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".") and path.name not in kept:
            shutil.rmtree(path)


def back_up(places: Places) -> Path:
    """Back up with the service stopped; starts it again and raises Refused where that fails."""
    say("backing_up")
    done = service.run(places, "-m", "twin", "backup", str(places.backups), capture=True)
    if done.returncode not in (0, 3):
        service.start(places)
        raise Refused("backup_failed", said=(done.stdout + done.stderr)[-2000:])
    return max(places.backups.glob(BACKUP))


def switch(places: Places, version: str, seconds: float, *, broken: int = 0) -> bool:
    """Stop, name another version, start it; True where it is well in time."""
    service.stop(places)
    places.point("current", version)
    write_units(places)
    service.start(places)
    return service.wait_until_well(places, seconds, broken=broken)


def _go_back(places: Places, old: str, new: str, saved: Path, *, seconds: float, broken: int) -> None:
    """Return to the old version; the backup comes back only where the old one cannot read what the new one left."""
    if switch(places, old, seconds, broken=broken):
        say("gone_back", old=old, new=new)
        return
    service.stop(places)
    service.run(places, "-m", "twin", "restore", str(saved), "--replace")
    service.start(places)
    if service.wait_until_well(places, seconds, broken=broken):
        say("restored", old=old, new=new, backup=saved)
    else:
        say("both_ill", old=old, new=new, backup=saved)


def roll_back(places: Places, *, seconds: float) -> bool:
    """Return to the version before; stays where the older one cannot read the data as it is now."""
    new, old = places.version(), places.version("previous")
    if old in ("", new) or not (places.opt / old / DONE).is_file():
        raise Refused("no_previous")
    before = service.ask(service.address(service.environment(places)))
    if switch(places, old, seconds, broken=before.broken):
        places.point("previous", new)
        say("rolled_back", old=old, new=new)
        return True
    switch(places, new, seconds, broken=before.broken)
    say("roll_refused", old=old, new=new)
    return False


def nightly(places: Places, keep: int) -> int:
    """Back up, then remove the oldest backups beyond `keep` and what is past its time; nothing if the backup failed."""
    if keep < 2:
        raise Refused("bad_backups")
    done = service.run(places, "-m", "twin", "backup", str(places.backups))
    if done.returncode not in (0, 3):
        return done.returncode
    for old in sorted(places.backups.glob(BACKUP))[:-keep]:
        shutil.rmtree(old)
        say("pruned", name=old.name)
    over = service.run(places, "-m", "twin", "retention", "--do", "--backups", str(places.backups))
    return done.returncode or over.returncode


def unpacked(archive: Path, places: Places) -> Path:
    """Unpack an archive into a folder that only we may read, beside the versions."""
    places.opt.mkdir(parents=True, exist_ok=True)
    into = Path(tempfile.mkdtemp(prefix=".unpacked-", dir=places.opt))
    return seal.unpack(archive, into)
