"""Four clients asking for tiles over HTTP, in a process of their own so that they share nothing with a server."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit


def ask(paths: list[str], base: str, out: list[tuple[float, int, int]]) -> None:
    """Ask for every path over one kept connection; append (seconds, status, bytes)."""
    where = urlsplit(base)
    link = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=300)
    for path in paths:
        started = time.perf_counter()
        link.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = link.getresponse()
        body = answer.read()
        out.append((time.perf_counter() - started, answer.status, len(body)))


def main() -> None:
    """Read {base, paths, clients} from standard input and print {wall, times, statuses, bytes}."""
    job = json.load(sys.stdin)
    results: list[tuple[float, int, int]] = []
    threads = [
        threading.Thread(target=ask, args=(job["paths"][i :: job["clients"]], job["base"], results))
        for i in range(job["clients"])
    ]
    started = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wall = time.perf_counter() - started
    json.dump(
        {
            "wall": wall,
            "times": [r[0] for r in results],
            "statuses": sorted({r[1] for r in results}),
            "bytes": sum(r[2] for r in results),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
