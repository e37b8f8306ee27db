"""Many people who come within a minute, each by a connection of his own, in a process of their own; prints what they saw."""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import urlsplit


def visit(job: dict, headers: dict[str, str], at: float, seen: dict[str, list[float]], wrong: list[str]) -> None:
    """Wait for one's turn, open the page, its layout, then tiles and answers as a browser would."""
    time.sleep(max(0.0, at - time.monotonic()))
    where = urlsplit(job["base"])
    link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    for kind, path in job["visit"]:
        started = time.perf_counter()
        try:
            link.request("GET", path, headers={**headers, "accept-encoding": "gzip"})
            answer = link.getresponse()
            answer.read()
        except OSError as error:
            wrong.append(f"{path} {error}")
            return
        seen.setdefault(kind, []).append(time.perf_counter() - started)
        if answer.status not in (200, 204):
            wrong.append(f"{path} {answer.status}")
    link.close()


def main() -> None:
    """Read {base, people, seconds, visit} and print {times, errors, said}."""
    job = json.load(sys.stdin)
    rnd, seen, wrong = random.Random(1), {}, []
    start = time.monotonic() + 0.5
    threads = [
        threading.Thread(target=visit, args=(job, headers, start + rnd.uniform(0, job["seconds"]), seen, wrong))
        for headers in job["people"]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump({"times": seen, "errors": len(wrong), "said": sorted(set(wrong))[:5]}, sys.stdout)


if __name__ == "__main__":
    main()
