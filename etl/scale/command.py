"""What `python -m etl county` does and prints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from etl import catalog
from etl.progress import Ticker, table
from etl.scale import county as counties
from etl.scale import executors, places
from etl.words import Language, say
from twin.errors import BadRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from etl.scale.county import County
    from etl.scale.parts import Kept
    from twin.settings import Settings

GOOD, FAILED, PARTLY = 0, 1, 3
COUNTS = ("read", "published", "quarantined", "duplicates", "repaired")


def county(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Receive, show or verify a county's table, or be the scheduler or one of its workers."""
    if options.what in ("scheduler", "worker"):
        cluster = import_module("etl.scale.cluster")  # an optional extra
        if options.what == "scheduler":
            cluster.scheduler(options.listen, options.tls)
        else:
            folder = settings.data / "run" / "dask"
            cluster.worker(options.scheduler, options.listen, options.tls, memory=options.memory, folder=folder)
        return GOOD
    if not options.table or not options.out:
        raise BadRequest(say("county.what", "zh"), say("county.what", "en"))
    return {"run": _run, "show": _show, "verify": _verify}[options.what](options, settings, language)


def _run(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    known = catalog.read(settings.village)
    resource = known.resource(options.table)
    if resource is None or not options.deliveries:
        raise BadRequest(say("county.what", "zh"), say("county.what", "en"))
    wanted = counties.Wanted(
        resource=resource, known=known, deliveries=options.deliveries, out=options.out, accept=options.accept
    )
    ticker = Ticker()

    def tell(kept: Kept, done: int, of: int) -> None:
        ticker.tick(say("county.step", language, done=done, of=of, code=kept.code, seconds=kept.seconds))

    executor = executors.chosen(options.on, settings, options.tls)
    made, results = counties.run(wanted, settings, executor, tell)
    ticker.line(say("county.done", language, index=made.index, **_counted(results)))
    print(summary(made, language))
    failed = [k for k in results if not k.name]
    for kept in failed:
        why = kept.reason_zh if language == "zh" else kept.reason_en
        print(f"{say(f'status.{kept.status}', language)} {kept.code} {why}")
    return (FAILED if any(k.status == "failed" for k in failed) else PARTLY) if failed else GOOD


def _counted(results: Sequence[Kept]) -> dict[str, int]:
    statuses = [k.status for k in results]
    published, unchanged = statuses.count("published"), statuses.count("unchanged")
    workers = len({k.worker for k in results})
    return {"published": published, "unchanged": unchanged, "bad": len(results) - published - unchanged, "by": workers}


def _show(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    print(summary(counties.read(places.opened(options.out, settings), options.table), language))
    return GOOD


def _verify(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    out = places.opened(options.out, settings)
    found = counties.read(out, options.table)
    damaged = counties.damaged(out, found)
    print("\n".join(damaged) if damaged else say("county.whole", language, parts=len(found.entries)))
    return FAILED if damaged else GOOD


def summary(made: County, language: Language) -> str:
    """Give the county's sums by town and class, and its row ledger."""
    head = [say(f"head.{k}", language) for k in ("town", "class", "rows", "mu")]
    rows = [[s.town, s.land_class, f"{s.rows:,}", f"{s.mu:,.2f}"] for s in made.sums]
    counts = {k: f"{made.counts.get(k, 0):,}" for k in COUNTS}
    return "\n".join([table(head, rows, right=(2, 3)), "", say("county.sums", language, **counts)])
