"""What the policy, the session and the record cost on a bare callback and a warm tile, and how a rush and an hour are stood."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.bench import peers
from tests.bench.machine import ROOT, percentile, table
from tests.bench.town import PASSWORD

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
TILES = [f"/tiles/L06/14/{x}/{y}.mvt" for x in (13651, 13652) for y in (6730, 6731)]
SCRIPT = Path(__file__).with_name("wrk.lua")
ROUNDS = 7
SECONDS = 3.0
CONF = """daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; types {{ application/vnd.mapbox-vector-tile mvt; }} sendfile on; keepalive_requests 1000000;
server {{ listen 127.0.0.1:{port}; root {folder}/root;
location / {{ gzip_static on; add_header Cache-Control "private, no-cache"; add_header Vary "Accept-Encoding"; }} }} }}
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one burst of clients saw: answers a second, milliseconds, how many answers were none, and what was said instead.

    `kinds` counts them as wrk does; a "timeout" is an answer that took longer than two seconds, or never came.
    """

    rate: float
    p95: float
    p99: float
    wrong: int
    most: float = 0.0
    kinds: Mapping[str, int] = field(default_factory=dict)
    said: tuple[str, ...] = ()


@contextlib.contextmanager
def town(folder: Path, what: str = "whole", *, people: int = 150) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve the demo village outside the demo in one process, officials signed in; gives the address and their headers."""
    port = peers.free_port()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.bench.town", what, str(folder), str(port), str(people)]
    base = f"http://127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with peers.serving(command, env, base, "/" if what == "bare" else "/health", cwd=ROOT):
        made = folder / "people.json"
        yield base, json.loads(made.read_text()) if made.exists() else []


def burst(
    base: str,
    paths: list[str],
    people: list[dict[str, str]],
    *,
    clients: int = 4,
    seconds: float = SECONDS,
    body: str = "",
    keep: int = 0,
) -> Asked:
    """Let wrk ask for `paths` over `clients` connections, each request the next person's; `keep` wrong answers' words."""
    with tempfile.TemporaryDirectory() as folder:
        listed, askers = Path(folder, "paths"), Path(folder, "people")
        listed.write_text("\n".join(paths))
        askers.write_text("\n".join(f"{p['cookie']}\t{p['x-csrf-token']}" for p in people) or "x=y\tz")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "-s", str(SCRIPT), base, "--"]
        command += ["POST" if body else "GET", body, str(listed), str(askers), str(keep)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    got = json.loads(done.stdout.strip().splitlines()[-1])
    return Asked(
        rate=1e6 * got["requests"] / got["us"],
        p95=got["p95_us"] / 1000,
        p99=got["p99_us"] / 1000,
        wrong=got["wrong"],
        most=got["most_us"] / 1000,
        kinds={kind: many for kind, many in got["kinds"].items() if many},
        said=tuple(got["said"]),
    )


# 1 a callback


def callback(folder: Path) -> tuple[str, str, str]:
    """Compare one Dash callback with and without wall, session, policy and record around it, by turns."""
    ask = {"output": "out.children", "outputs": {"id": "out", "property": "children"}, "changedPropIds": ["ask.data"]}
    body = json.dumps({**ask, "inputs": [{"id": "ask", "property": "data", "value": "x"}]})
    path, costs, times = ["/_dash-update-component"], [], []
    with town(folder / "in", "callback") as (base, people), town(folder / "out", "bare") as (plain, _):
        for _ in range(ROUNDS):
            without, within = (burst(where, path, people, clients=1, body=body) for where in (plain, base))
            if without.wrong or within.wrong:
                raise RuntimeError(f"{without} {within}")
            costs.append(without.rate / within.rate - 1)
            times.append((1000 / within.rate, 1000 / without.rate))
    ours, theirs = (statistics.median(t[i] for t in times) for i in (0, 1))
    said = f"{100 * statistics.median(costs):.0f} % ({ours:.2f} against {theirs:.2f} ms)"
    return "wall + session + policy + record over the same bare callback", "≤ 35 %", said


# 2 a warm tile


def tile(folder: Path) -> tuple[str, str, str]:
    """Compare warm tiles of signed-in officials with nginx serving the same bytes, four clients, by turns."""
    what, goal = "warm tile with policy ÷ nginx serving the same bytes, four clients", "≥ 0.5"
    if not Path(NGINX).exists():
        return what, goal, "skipped: nginx is not installed (Debian: apt-get install nginx-light)"
    rates = []
    with town(folder, people=400) as (base, people), nginx(folder / "nginx", base, people[0]) as theirs:
        burst(base, TILES, people, seconds=8)  # until everybody's ground of today stands in the ledger
        for _ in range(ROUNDS):
            other, mine = (burst(where, TILES, people) for where in (theirs, base))
            if other.wrong or mine.wrong:
                raise RuntimeError(f"{other} {mine}")
            rates.append((mine.rate, other.rate))
    ratios = sorted(m / o for m, o in rates)
    mine, other = (statistics.median(r[i] for r in rates) for i in (0, 1))
    shown = " ".join(f"{r:.2f}" for r in ratios)
    return what, goal, f"{statistics.median(ratios):.2f} ({mine:.0f} against {other:.0f} a second; rounds {shown})"


@contextlib.contextmanager
def nginx(folder: Path, base: str, headers: dict[str, str]) -> Iterator[str]:
    """Serve what our service answers from files, packed as it packs them."""
    port = peers.free_port()
    for path in TILES:
        answer = httpx.get(base + path, headers={**headers, "accept-encoding": "gzip"})
        answer.raise_for_status()
        with httpx.stream("GET", base + path, headers={**headers, "accept-encoding": "gzip"}) as raw:
            packed = b"".join(raw.iter_raw())
        out = folder / "root" / path.lstrip("/")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(answer.content)
        out.with_name(out.name + ".gz").write_bytes(packed)
    (folder / "conf").write_text(CONF.format(folder=folder.resolve(), port=port))
    for path in [folder.resolve(), *folder.resolve().parents]:
        if path.stat().st_mode & 0o005 != 0o005 and path.is_relative_to(ROOT):
            path.chmod(0o755)
    command = [NGINX, "-p", str(folder.resolve()), "-c", str((folder / "conf").resolve())]
    with peers.serving(command, dict(os.environ), f"http://127.0.0.1:{port}", TILES[0]) as theirs:
        yield theirs


def bombs(folder: Path) -> list[tuple[str, str, str]]:
    """Compare the p99 of a warm tile while hostile deliveries are read with that of a calm moment, by turns."""
    from tests.hostile.test_bombs import BOMBS
    from tests.hostile.test_kernel import made

    shutil.rmtree(folder / "bombs", ignore_errors=True)
    items = made(folder / "bombs", BOMBS)
    seen = []
    with town(folder / "service") as (base, people):
        burst(base, TILES, people, seconds=1)
        for _ in range(ROUNDS):
            calm = burst(base, TILES, people)
            reading = subprocess.Popen(
                [sys.executable, "-m", "tests.hostile.probe", str(items), "bubblewrap"],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            time.sleep(1)
            seen.append((calm, burst(base, TILES, people)))
            reading.terminate()
            reading.wait()
    wrong = sum(c.wrong + b.wrong for c, b in seen)
    ratio = statistics.median(b.p99 / c.p99 for c, b in seen)
    calm, busy = (statistics.median(s[i].p99 for s in seen) for i in (0, 1))
    return [
        (
            "p99 of a warm tile while bombs are read ÷ in calm, one child at a time",
            "stands",
            f"{ratio:.1f} ({busy:.1f} against {calm:.1f} ms)",
        ),
        ("… errors", "0", str(wrong)),
    ]


# 3 a rush


def rush(folder: Path, people: int = 300, seconds: float = 60.0) -> list[tuple[str, str, str]]:
    """Let 300 people come within a minute: each signs in by password, then the page, its layout, tiles and answers."""
    visit = [
        ("the page", "/"),
        ("callbacks' layout", "/_dash-layout"),
        ("answers", "/api/v1/layers"),
        ("answers", "/api/v1/style.json"),
    ]
    visit += [("tiles", path) for path in TILES * 3]
    with town(folder, people=people) as (base, _):
        job = {"base": base, "people": people, "password": PASSWORD, "seconds": seconds, "visit": visit}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.rush"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
    got = json.loads(done.stdout)
    head = f"{people} people in {seconds:.0f} s, one process"
    rows = [
        (f"{head}: {kind}, p95", "≤ 500 ms", f"{1000 * percentile(times, 0.95):.0f} ms ({len(times)} answers)")
        for kind, times in got["times"].items()
    ]
    return [*rows, ("… errors", "0", f"{got['errors']} {' '.join(got['said'])}".strip()), hashes()]


def hashes() -> tuple[str, str, str]:
    """Measure what a password costs: how many sign-ins a minute this machine's cores can check at all."""
    from twin.accounts import passwords

    stored = passwords.hashed("a sentence nobody guesses")
    started = time.perf_counter()
    for _ in range(5):
        passwords.matches(stored, "a sentence nobody guesses")
    each = (time.perf_counter() - started) / 5
    return (
        "one argon2id check (64 MiB), and so how many sign-ins a minute a core can check",
        "",
        f"{1000 * each:.0f} ms; {60 / each:.0f}",
    )


# 4 an hour


def hold(folder: Path, minutes: float) -> list[tuple[str, str, str]]:
    """Ask without a pause for `minutes`; give the slope of memory and of descriptors after a warm-up of a fifth.

    Each burst that saw an error is told at once, with kinds, words, its slowest answer and the machine's load.
    """
    samples: list[tuple[float, float, int]] = []
    kinds: Counter[str] = Counter()
    with town(folder, people=300) as (base, headers):
        pid = int((folder / "pid").read_text())
        ends = time.monotonic() + 60 * minutes
        while time.monotonic() < ends:
            seen = burst(base, [*TILES * 5, "/", "/api/v1/layers"], headers, seconds=10, keep=20)
            kinds.update(seen.kinds)
            if seen.wrong:
                told = {"kinds": seen.kinds, "said": seen.said, "slowest_ms": seen.most, "load": os.getloadavg()[0]}
                print(json.dumps(told, ensure_ascii=False), file=sys.stderr, flush=True)
            status = Path(f"/proc/{pid}/status").read_text()
            resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
            samples.append((time.monotonic() / 60, resident, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())))
    kept = samples[len(samples) // 5 :]
    minute, memory, files = ([s[i] for s in kept] for i in range(3))
    slope = statistics.linear_regression(minute, memory).slope if len(kept) > 2 else float("nan")
    named = ", ".join(f"{many} {kind}" for kind, many in sorted(kinds.items()))
    return [
        (f"{minutes:.0f} minutes' load: slope of memory", "≤ 1 MB/min", f"{slope:+.2f} MB/min ({memory[0]:.0f} → {memory[-1]:.0f} MB)"),
        ("… descriptors, first and last, highest", "flat", f"{files[0]}, {files[-1]}, {max(files)}"),
        ("… errors", "0", f"{kinds.total()} {named}".strip()),
    ]  # fmt: skip


def compare(folder: Path, minutes: float = 10.0) -> str:
    """Measure all five and give them as Markdown."""
    if shutil.which("wrk") is None:
        return "Not measured: wrk is not installed (Debian: apt-get install wrk nginx-light)."
    work = folder / "serving"
    rows = []
    for part in (
        lambda: [callback(work)],
        lambda: [tile(work)],
        lambda: bombs(work),
        lambda: rush(work),
        lambda: hold(work, minutes),
    ):
        found = part()
        rows += found
        print(json.dumps(found, ensure_ascii=False), flush=True)
    load = os.getloadavg()[1]
    return (
        table(("what", "goal", "measured"), rows)
        + f"\n\nEach ratio is the median of {ROUNDS} rounds by turns in one run; the machine's load was {load:.1f}."
    )


if __name__ == "__main__":  # one part alone: `python -m tests.bench.serving rush`, or `hold 10` (minutes)
    alone = Path(os.environ.get("ONEMAP_BENCH", ROOT / "build" / "bench")) / "serving"
    found = rush(alone) if sys.argv[1] == "rush" else hold(alone, float(sys.argv[2]))
    print(table(("what", "goal", "measured"), found))
