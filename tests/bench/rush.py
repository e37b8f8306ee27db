"""Many people who come within a minute, each by a connection of his own, in a process of their own; prints what they saw."""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit


def sign_in(link: http.client.HTTPConnection, job: dict, number: int) -> dict[str, str]:
    """Sign official `number` in by name and password; give the headers their browser shows from then on."""
    fields = urlencode({"name": f"official{number}", "password": job["password"]})
    form = {"origin": job["base"], "content-type": "application/x-www-form-urlencoded"}
    link.request("POST", "/signin", body=fields, headers=form)
    answer = link.getresponse()
    answer.read()
    if answer.status != 303:
        raise OSError(answer.status)
    given = [v.partition(";")[0] for k, v in answer.getheaders() if k.lower() == "set-cookie"]
    return {"cookie": "; ".join(given)}


def visit(job: dict, number: int, at: float, seen: dict[str, list[float]], wrong: list[str]) -> None:
    """Wait for one's turn, sign in from an address of one's own, open the page, its layout, then tiles and answers."""
    time.sleep(max(0.0, at - time.monotonic()))
    where = urlsplit(job["base"])
    own = (f"127.1.{number // 250}.{number % 250 + 1}", 0)
    link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60, source_address=own)
    started = time.perf_counter()
    try:
        headers = sign_in(link, job, number)
    except OSError as error:
        wrong.append(f"/signin {error}")
        return
    seen.setdefault("signing in", []).append(time.perf_counter() - started)
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
    """Read {base, people, password, seconds, visit} and print {times, errors, said}."""
    job = json.load(sys.stdin)
    rnd, seen, wrong = random.Random(1), {}, []
    start = time.monotonic() + 0.5
    threads = [
        threading.Thread(target=visit, args=(job, number, start + rnd.uniform(0, job["seconds"]), seen, wrong))
        for number in range(job["people"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump({"times": seen, "errors": len(wrong), "said": sorted(set(wrong))[:5]}, sys.stdout)


if __name__ == "__main__":
    main()
