"""The life of an installation, from one archive to going back, played by the operator's own commands; run without a route."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

PORT = 8298
WAIT = ["--wait", "300"]


class Machine:
    """One rehearsed machine below a folder: the commands typed and what came of them."""

    def __init__(self, work: Path) -> None:
        self.work, self.root = work, work / "root"
        self.facts: dict[str, Any] = {}

    def type(self, *words: object) -> tuple[int, str]:
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
        print(f"$ {' '.join(str(w) for w in words)} -> {done.returncode}\n{done.stdout}{done.stderr}", flush=True)
        return done.returncode, done.stdout + done.stderr

    def onemap(self, *words: object) -> tuple[int, str]:
        return self.type(self.root / "usr/local/bin/onemap", *words)

    def ask(self, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=120) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")

    def state(self) -> dict[str, Any]:
        """Give what a person can see from outside: the version, the health, the page, the secret kept."""
        health = json.loads(self.ask("/health")[1])
        return {
            "version": (self.root / "opt/onemap/current").readlink().name,
            "versions": sorted(p.name for p in (self.root / "opt/onemap").glob("0*")),
            "tables": health["tables"],
            "broken": len(health["broken"]),
            "page": self.ask("/")[0],
            "secret": self.secret(),
        }

    def secret(self) -> str:
        text = (self.root / "etc/onemap/onemap.env").read_text(encoding="utf-8")
        return re.findall(r"^ONEMAP_SECRET=(.+)$", text, re.MULTILINE)[0]


def no_route() -> str:
    """Give why the outside cannot be reached; "" where it can."""
    try:
        socket.create_connection(("198.51.100.1", 443), timeout=2).close()
    except OSError as error:
        return str(error)
    return ""


def play(work: Path) -> dict[str, Any]:
    """Install, receive, back up, restore, upgrade, fail to upgrade twice, go back; gives every fact on the way."""
    machine = Machine(work)
    facts = machine.facts
    key = ["--key", work / "release.pub"]
    facts["no_route"] = no_route()
    facts["install"] = machine.type(work / "a" / "install.sh", "--root", machine.root, *key, "--port", PORT, *WAIT)
    facts["fresh"] = machine.state()
    facts["again"] = machine.type(work / "a" / "install.sh", "--root", machine.root, *key, *WAIT)
    facts["demo"] = machine.onemap("etl", "demo")[0]
    facts["received"] = machine.onemap("etl", "run", "--all")[0]
    facts["filled"] = machine.state()
    _drill(machine)
    facts["upgrade"] = machine.onemap("upgrade", work / "b.tar.gz", *WAIT)
    facts["upgraded"] = machine.state()
    facts["dead"] = machine.onemap("upgrade", work / "c", *WAIT)
    facts["after_dead"] = machine.state()
    facts["spoiling"] = machine.onemap("upgrade", work / "d", *WAIT)
    facts["after_spoiling"] = machine.state()
    facts["record"] = machine.onemap("audit", "verify")
    facts["tampered"] = machine.onemap("upgrade", work / "e", *WAIT)
    facts["rollback"] = machine.onemap("rollback", *WAIT)
    facts["rolled_back"] = machine.state()
    _picture(machine)
    facts["stop"] = machine.onemap("stop")[0]
    return facts


def _drill(machine: Machine) -> None:
    """Back up, lose the store, bring it back."""
    backups = machine.root / "var/backups/onemap"
    machine.facts["backup"] = machine.onemap("nightly")[0]
    newest = max(backups.glob("onemap-*Z"))
    machine.facts["backup_sound"] = machine.onemap("restore", newest, "--check")[0]
    machine.facts["restore_while_running"] = machine.onemap("restore", newest, "--replace")
    machine.onemap("stop")
    shutil.rmtree(machine.root / "var/lib/onemap/store")
    (machine.root / "var/lib/onemap/run/ops.sqlite").unlink()
    machine.facts["restore"] = machine.onemap("restore", newest, "--replace")
    machine.facts["start"] = machine.onemap("start", *WAIT)[0]
    machine.facts["restored"] = machine.state()


def _picture(machine: Machine) -> None:
    """Look at the village in a browser, as the demo's visitor."""
    settings = machine.root / "etc/onemap/onemap.env"
    with settings.open("a", encoding="utf-8") as file:
        file.write("ONEMAP_DEMO=1\n")
    machine.onemap("stop")
    machine.onemap("start", *WAIT)
    machine.facts["village"] = "示范村" in machine.ask("/")[1]
    from tests.browser.harness import ARGS, CHROMIUM

    if not Path(CHROMIUM).exists():
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{PORT}/", timeout=120_000)
        page.wait_for_timeout(20_000)
        page.screenshot(path=machine.work / "village.png", timeout=60_000)
        browser.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "facts.json").write_text(json.dumps(play(folder), ensure_ascii=False, indent=1), encoding="utf-8")
