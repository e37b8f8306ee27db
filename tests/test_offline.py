"""From start to shutdown the service asks nothing of anybody: in a namespace without a route, and by the kernel's own record."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VISIT = """
import http.client, subprocess, sys, time, os, signal
server = subprocess.Popen([sys.executable, "dashboard.py"], env={**os.environ, "ONEMAP_DEMO": "1"})
def ask(path):
    link = http.client.HTTPConnection("127.0.0.1", int(os.environ["ONEMAP_PORT"]), timeout=60)
    link.request("GET", path)
    answer = link.getresponse()
    answer.read()
    return answer.status
for _ in range(600):
    try:
        ask("/health")
        break
    except OSError:
        time.sleep(0.1)
asked = ["/", "/_dash-layout", "/_dash-dependencies", "/api/v1/layers", "/api/v1/catalog", "/api/v1/style.json",
         "/api/v1/search?q=x", "/tiles/L06/14/13652/6731.mvt", "/tiles/tianditu/vec/3/1/1"]
print("STATUSES", [ask(path) for path in asked])
server.send_signal(signal.SIGINT)
print("ENDED", server.wait(30))
"""
CONNECT = re.compile(
    r'connect\(\d+, \{sa_family=(AF_INET6?), .*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")'
)


def missing() -> str:
    if not shutil.which("strace"):
        return "strace is not installed"
    alone = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "" if alone.returncode == 0 else "a network namespace of our own is not allowed here"


def test_the_service_runs_and_answers_without_a_route_and_never_tries_one(tmp_path: Path) -> None:
    reason = missing()
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)
    assert not reason
    env = {**os.environ, "ONEMAP_DATA": str(tmp_path), "ONEMAP_PORT": "8119", "PYTHONDONTWRITEBYTECODE": "1"}
    record, visit = tmp_path / "connects", tmp_path / "visit.py"
    visit.write_text(VISIT, encoding="utf-8")
    inside = f"ip link set lo up 2>/dev/null || ifconfig lo up; exec strace -f -qq -e trace=connect -o {record} {sys.executable} {visit}"
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", inside],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "STATUSES" in done.stdout, done.stdout + done.stderr
    statuses = done.stdout.partition("STATUSES")[2]
    assert re.findall(r"\d{3}", statuses)[:6] == ["200"] * 6
    assert "500" not in statuses
    outside = [m.group(0) for m in CONNECT.finditer(record.read_text()) if (m[2] or m[3]) not in ("127.0.0.1", "::1")]
    assert outside == []
    assert record.read_text().count('inet_addr("127.0.0.1")') >= 9, "the record saw our own requests"
