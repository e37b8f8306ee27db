"""The service on this machine: started by systemd or by us, asked whether it is well, its programs run as its user."""

from __future__ import annotations

import json
import os
import pwd
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .places import USER, Places, read_settings
from .words import Refused, say

UNIT, TIMER = "onemap.service", "onemap-backup.timer"
STARTED = "--- onemap"
"""Begins the line that a start writes where there is no journal."""
PAUSE_S = 0.5
STOP_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Health:
    """One answer: is it well, how many tables are broken, and what was said where it is not."""

    well: bool
    broken: int = 0
    said: str = ""


def systemd(places: Places) -> bool:
    """Tell whether systemd runs this machine and this is no rehearsal."""
    return places.live and Path("/run/systemd/system").is_dir()


def environment(places: Places) -> dict[str, str]:
    """Give what our programs see: the settings, and nothing of the caller but the path and the language."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    own = {"HOME": str(places.data), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1"}
    return {**kept, **own, **read_settings(places.settings)}


def python(places: Places) -> Path:
    """Give the interpreter of the current version."""
    return places.current / "venv" / "bin" / "python"


def run(places: Places, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the current version's Python with these arguments, as the service's user, in the data folder."""
    return subprocess.run(
        [str(python(places)), *arguments],
        cwd=places.data,
        env=environment(places),
        capture_output=capture,
        text=True,
        check=False,
        **_as_user(places),
    )


def _as_user(places: Places) -> dict[str, Any]:
    """Give how subprocess becomes the service's user; nothing in a rehearsal."""
    if not places.live or os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(USER)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "umask": 0o027}


def start(places: Places) -> None:
    """Start the service; where systemd does not run it, as a session of its own that outlives us."""
    if systemd(places):
        subprocess.run(["systemctl", "restart", UNIT], check=False)
        return
    if running(places):
        return
    with places.log.open("ab") as log:
        log.write(f"{STARTED} {places.version()}\n".encode())
        log.flush()
        child = subprocess.Popen(
            [str(python(places)), str(places.current / "dashboard.py")],
            cwd=places.data,
            env=environment(places),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_as_user(places),
        )
    places.pid.write_text(f"{child.pid}\n", encoding="ascii")


def stop(places: Places) -> None:
    """Stop the service and wait until it has ended."""
    if systemd(places):
        subprocess.run(["systemctl", "stop", UNIT], check=False)
        return
    number = running(places)
    if number:
        os.kill(number, signal.SIGINT)
        until = time.monotonic() + STOP_S
        while running(places) and time.monotonic() < until:
            time.sleep(0.1)
        if running(places):
            os.kill(number, signal.SIGKILL)
    places.pid.unlink(missing_ok=True)


def running(places: Places) -> int:
    """Give the number of the service we started, 0 where it does not run; a number taken by another does not count."""
    if not places.pid.is_file():
        return 0
    text = places.pid.read_text(encoding="ascii").strip()
    if not text.isdigit():
        return 0
    try:
        said = Path(f"/proc/{text}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return 0
    if not said or str(places.opt) not in said:
        return 0
    _reap(int(text))
    return int(text) if Path(f"/proc/{text}/cmdline").exists() else 0


def _reap(number: int) -> None:
    try:
        os.waitpid(number, os.WNOHANG)
    except ChildProcessError:
        return


def address(settings: dict[str, str]) -> str:
    """Give where this machine reaches the service."""
    host = settings.get("ONEMAP_HOST", "127.0.0.1")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is asked, not what is bound
    scheme = "https" if settings.get("ONEMAP_TLS_CERT") else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.get('ONEMAP_PORT', '8050')}"


def ask(base: str) -> Health:
    """Ask /health and the page once."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own machine, by its number
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(_asking(f"{base}/health"), timeout=20) as answer:
            said = json.load(answer)
        with opener.open(_asking(f"{base}/"), timeout=20) as answer:
            answer.read()
    except (OSError, ValueError, urllib.error.URLError) as error:
        return Health(well=False, said=str(error))
    return Health(well=True, broken=len(said.get("broken", ())))


def _asking(url: str) -> urllib.request.Request:
    """Give a request under the one name that the service always answers to, whatever address it is bound to."""
    return urllib.request.Request(url, headers={"Host": "localhost"})  # noqa: S310 - http or https, by `address`


def wait_until_well(places: Places, seconds: float, *, broken: int = 0) -> bool:
    """Ask until the service is well with no more than `broken` broken tables; say what came of it."""
    base = address(read_settings(places.settings))
    until = time.monotonic() + seconds
    found = Health(well=False, said="-")
    while time.monotonic() < until:
        found = ask(base)
        if found.well and found.broken <= broken:
            say("healthy", address=base)
            return True
        if not systemd(places) and not running(places):
            break
        time.sleep(PAUSE_S)
    said = f"{found.broken} tables broken" if found.well else found.said
    say("ill", address=base, said=f"{said}\n{_last_lines(places)}")
    return False


def _last_lines(places: Places) -> str:
    if systemd(places):
        done = subprocess.run(["journalctl", "-u", UNIT, "-n", "15", "--no-pager"], capture_output=True, check=False)
        return done.stdout.decode("utf-8", "replace")
    text = places.log.read_bytes()[-4000:].decode("utf-8", "replace") if places.log.is_file() else ""
    return "\n".join(text.rpartition(STARTED)[2].splitlines()[-15:])


def make_user(places: Places) -> None:
    """Make the service's own user, who can sign in nowhere, and hand the data to it."""
    if not places.live:
        return
    if os.geteuid() != 0:
        raise Refused("need_root")
    try:
        pwd.getpwnam(USER)
    except KeyError:
        home = ["--home-dir", str(places.data), "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run(["useradd", "--system", "--user-group", *home, USER], check=True)


def check_python(places: Places, path: str) -> None:
    """Raise Refused where the service's user may not run the Python that the installation is made with."""
    try:
        done = subprocess.run([path, "-I", "-c", ""], cwd="/", capture_output=True, check=False, **_as_user(places))
    except PermissionError as error:
        raise Refused("python_closed", path=path) from error
    if done.returncode:
        raise Refused("python_closed", path=path)


def own_data(places: Places) -> None:
    """Give data, backups and log to the service's user."""
    if not places.live:
        return
    found = pwd.getpwnam(USER)
    places.log.touch(mode=0o640)
    for top in (places.data, places.backups, places.log):
        for path in (top, *top.rglob("*")):
            os.chown(path, found.pw_uid, found.pw_gid, follow_symlinks=False)
