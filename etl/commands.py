"""What each command of `python -m etl` does and prints."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from etl import batch, catalog, ledger, tasks
from etl.derived import order
from etl.progress import Ticker, table
from etl.words import Language, say, span
from twin import durable, freshness
from twin.errors import BadRequest, NotFound
from twin.store import Store

if TYPE_CHECKING:
    import argparse

    from etl.catalog import Catalog
    from etl.ledger import Report
    from twin.model import Resource
    from twin.settings import Settings

Command = Callable[["argparse.Namespace", "Settings", Language], int]
GOOD, FAILED, PARTLY = 0, 1, 3
LONGEST_NOTE = 140
DEMO = ".demo"
"""The file below raw/ that says by which recipe the demo was written."""
COUNTS = ("read", "published", "quarantined", "duplicates", "repaired")


def demo(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Write the demo departments' files below raw/, or a county's for benchmarks; what is already there is left."""
    out = Path(options.out) if options.out else settings.raw
    ticker = Ticker()
    if options.villages:
        county = importlib.import_module("etl.demo.county")
        write = county.write_apart if options.apart else county.write
        write(options.villages, out, lambda done, of: ticker.tick(f"{done}/{of}"), seed=options.seed)
    elif _made(out) != (recipe := _recipe(options.seed, settings.village)):
        village = importlib.import_module("etl.demo.village")
        departments = importlib.import_module("etl.demo.departments")
        departments.write(village.build(options.seed), out, ticker.tick, _declared(settings.village))
        durable.write(out / DEMO, recipe.encode())
    ticker.line(say("demo.done", language, path=out))
    return _served(options, settings, out) if options.serve else GOOD


def _served(options: argparse.Namespace, settings: Settings, out: Path) -> int:
    """Play the departments' servers until interrupted; print what arms their connections."""
    given = {"postgis": options.postgis, "mysql": options.mysql}
    playing = importlib.import_module("etl.demo.playing")
    databases = {kind: address for kind, address in given.items() if address}
    for line in playing.play(
        _declared(settings.village), settings.village, out, port=options.port, databases=databases
    ):
        print(line, flush=True)
    return GOOD


def _recipe(seed: int, village: Path) -> str:
    """Give one hash over the seed, the programs and the declarations behind the demo: the same hash, the same files."""
    read = [*sorted(Path(__file__).with_name("demo").rglob("*.py")), *sorted((village / "catalog").glob("*.toml"))]
    return hashlib.sha256(b"".join([str(seed).encode(), *(p.read_bytes() for p in read)])).hexdigest()


def _declared(village: Path) -> Sequence[Resource]:
    """Give the demo village's resources but those somebody added; of a real village none are played."""
    known = catalog.read(village) if (village / "village.toml").exists() else None
    return [r for r in known.resources if "added" not in r.options] if known and known.village.demo else ()


def _made(out: Path) -> str:
    try:
        return (out / DEMO).read_text("utf-8")
    except FileNotFoundError:
        return ""


def check(_options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Prove the declarations; print every fault with file, line, field and remedy."""
    found = catalog.check(settings.village, drafts=True)
    for fault in found:
        words, remedy = (fault.zh, fault.remedy_zh) if language == "zh" else (fault.en, fault.remedy_en)
        print(f"{fault.file}:{fault.line} [{fault.field}] {words} → {say('check.remedy', language)}: {remedy}")
    if found:
        print(say("check.bad", language, count=len(found)))
        return FAILED
    sound = catalog.read(settings.village)
    counts = {"departments": len(sound.departments), "resources": len(sound.resources)}
    print(say("check.good", language, systems=len(sound.code_systems), **counts))
    return GOOD


def run(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Receive the named resources, or all; print a table of what became of each."""
    known = catalog.read(settings.village)
    chosen = known.resources if options.all else [_named(known, name) for name in options.resources]
    if not chosen:
        raise BadRequest(say("none", "zh"), say("none", "en"))
    chosen = _with_derived(known, chosen)
    titles = {r.id: _title(r, language) for r in chosen}
    ticker = Ticker()
    reports: dict[str, Report] = {}

    def progress(resource: str, rows: int) -> None:
        ticker.tick(say("run.rows", language, title=titles[resource], rows=f"{rows:,}"))

    ticker.tick(say("run.start", language, title=titles[chosen[0].id]))
    flags = {"accept": options.accept, "force": options.force}
    for report in batch.run_all(chosen, known, settings, **flags, progress=progress):
        reports[report.resource] = report
        status = say(f"status.{report.status}", language)
        facts = {"done": len(reports), "all": len(chosen), "title": titles[report.resource]}
        ticker.line(say("run.step", language, status=status, seconds=report.seconds, **facts))
    ordered = [reports[r.id] for r in chosen if r.id in reports]
    print(summary(ordered, titles, language))
    return exit_code(ordered)


def _with_derived(known: Catalog, chosen: Sequence[Resource]) -> list[Resource]:
    """Give the resources to run, followed by every derived table that is made of one of them."""
    given = {r.id for r in chosen}
    made = order.downstream(known.derived, given)
    return [*(r for r in chosen if r not in made), *made]


def exit_code(reports: Iterable[Report]) -> int:
    """Give 1 where a run failed, 3 where a delivery was refused or held, else 0; never delivered is no fault."""
    statuses = {r.status for r in reports}
    if "failed" in statuses:
        return FAILED
    return PARTLY if statuses & {"refused", "held"} else GOOD


def summary(reports: Sequence[Report], titles: dict[str, str], language: Language) -> str:
    """Give the table a run ends with, and the sums."""
    head = [say(f"head.{k}", language) for k in ("status", "resource", *COUNTS, "seconds", "reason")]
    rows = [
        [
            say(f"status.{r.status}", language),
            titles[r.resource],
            *(f"{r.counts[k]:,}" if k in r.counts else "" for k in COUNTS),
            f"{r.seconds:.1f}",
            _remarks(r, language),
        ]
        for r in reports
    ]
    sums = {k: sum(r.counts.get(k, 0) for r in reports if r.status in freshness.GOOD) for k in COUNTS}
    never = sum(r.status == "never" for r in reports)
    good = sum(r.status in freshness.GOOD for r in reports)
    facts = {"good": good, "bad": len(reports) - good - never, "never": never}
    named = {k: f"{v:,}" for k, v in sums.items()}
    last = [say("run.done", language, **facts, **named)]
    if sums["quarantined"] or facts["bad"]:
        last.append(say("run.see", language))
    notes = _notes(reports, language)
    return "\n".join([table(head, rows, right=range(2, 8)), "", *(notes and [*notes, ""]), *last])


def _remarks(report: Report, language: Language) -> str:
    reason = report.reason_zh if language == "zh" else report.reason_en
    counted = {**report.rules, **report.warnings, **report.repairs}
    return "; ".join(filter(None, [reason, " ".join(f"{k}×{v}" for k, v in counted.items() if v)]))


def _notes(reports: Sequence[Report], language: Language) -> list[str]:
    """Give the remarks on deliveries, one line each and cut short; the ledger has them whole."""
    said = dict.fromkeys(zh if language == "zh" else en for r in reports for zh, en in r.notes)
    return [note if len(note) <= LONGEST_NOTE else note[:LONGEST_NOTE] + "…" for note in said]


def status(_options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Print how fresh each resource is, by the ledger, its cadence and the village's clock."""
    known = catalog.read(settings.village)
    last = freshness.read(ledger.path(settings.data))
    now = known.village.clock or datetime.now(UTC)
    head = [say(f"head.{k}", language) for k in ("status", "resource", "age", "cadence", "reason")]
    rows = [_fresh_row(r, freshness.status(last.get(r.id), r.cadence_seconds, now), language) for r in known.resources]
    print(table(head, rows))
    counts = Counter(row[0] for row in rows)
    print("\n" + "  ".join(f"{k} {v}" for k, v in counts.items()))
    return GOOD


def _fresh_row(resource: Resource, state: freshness.Freshness, language: Language) -> list[str]:
    reason = state.reason_zh if language == "zh" else state.reason_en
    cadence = resource.update_cycle if language == "zh" else _cadence(resource)
    if state.state == "stale":
        reason = say("stale.reason", language, cadence=cadence, age=span(state.age_seconds or 0, language))
    stated = state.as_of.isoformat() if state.as_of else ""
    return [say(state.state, language), _title(resource, language), stated, cadence, reason]


def _cadence(resource: Resource) -> str:
    return span(resource.cadence_seconds, "en") if resource.cadence_seconds else say("once", "en")


def quarantine(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Print quarantined rows: counts by rule, then each row with its reasons, its place, and the way back."""
    known = catalog.read(settings.village)
    store = tasks.quarantine(settings)
    wanted = [_named(known, options.resource)] if options.resource else known.resources
    shown = 0
    for resource in wanted:
        try:
            snapshot = store.current(resource.id)
        except NotFound:
            continue
        if snapshot.manifest["rows"]:
            shown += 1
            first = pq.ParquetFile(snapshot.file("part.parquet")).iter_batches(batch_size=max(1, options.limit))
            print(_quarantined(resource, snapshot.manifest, next(first).to_pylist(), language))
            print(say("quarantine.back", language, raw=settings.raw, id=resource.id) + "\n")
    if not shown:
        print(say("quarantine.none", language))
    return GOOD


def _quarantined(resource: Resource, manifest: Any, rows: list[dict[str, Any]], language: Language) -> str:
    title = _title(resource, language)
    top = say("quarantine.head", language, title=title, id=resource.id, rows=manifest["rows"], run=manifest["run"])
    counted = table(
        [say("head.rule", language), say("head.rows", language)],
        [[rule, str(count)] for rule, count in manifest["rules"].items()],
    )
    listed = table(
        [say(f"head.{k}", language) for k in ("source", "reason", "remedy")],
        [
            [f"{row['_source']}!{row['_row']}", reason[language], reason[f"remedy_{language}"]]
            for row in rows
            for reason in row["reasons"]
        ],
    )
    rest = manifest["rows"] - len(rows)
    more = [say("quarantine.more", language, rows=rest)] if rest else []
    return "\n".join([top, "", counted, "", listed, *more])


def verify(_options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Hash every published file again; print what is damaged."""
    stores = (Store(settings.store), tasks.quarantine(settings))
    found = [fault for store in stores for fault in store.verify()]
    for fault in found:
        print(fault.zh if language == "zh" else fault.en)
    if found:
        print(say("verify.bad", language, count=len(found)), file=sys.stderr)
        return FAILED
    print(say("verify.good", language, tables=sum(len(store.tables()) for store in stores)))
    return GOOD


def _named(known: Catalog, name: str) -> Resource:
    found = known.resource(name)
    if found is None:
        names = ", ".join(r.id for r in known.resources)
        raise BadRequest(say("unknown", "zh", name=name, names=names), say("unknown", "en", name=name, names=names))
    return found


def _title(resource: Resource, language: Language) -> str:
    return resource.title.in_("en" if language == "en" else "zh-CN")
