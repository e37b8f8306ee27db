"""The one road of every delivery: declared, received in the cage by one `etl run` over all, published or kept back.

Every class becomes one resource of its files that are read (each an edition of its own year), and one resource for each
file that is refused, before which a good version stands.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from etl import batch, catalog, run, tasks
from etl.ledger import Report
from tests import receiving
from tests.corpus import services
from tests.corpus.items import CANARY, ITEMS, OUTSIDE, Class, File
from twin.settings import Settings
from twin.store import Store

FIRST_YEAR = 2001
CODES = """
id = "area@2023"
title = { zh = "行政区划", en = "Administrative areas" }
source = "test"
[[code]]
code = "330521199299"
title = { zh = "小村", en = "Hamlet" }
[[code]]
code = "330522100200"
title = { zh = "旧村", en = "Old village" }
abolished = true
"""
CONNECTION = """
[[connection]]
id = "corpus"
kind = "json"
address = "{address}"
attempts = 2
retry_seconds = 0.01
most_bytes = 4194304
"""
HEAD = """
[department]
id = "corpus"
title = { zh = "试验局", en = "Test bureau" }
provider_code = "X"
"""
RESOURCE = """
[[resource]]
id = "{id}"
code = "1"
title = {{ zh = "{id}", en = "{id}" }}
class_path = ["试验"]
abstract = {{ zh = "试验", en = "Test" }}
format = "{format}"
reader = "{reader}"
kind = "{kind}"
key = "number"
share_type = "unconditional"
share_condition = ""
share_method = ""
open_attr = "开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2024-01-01
theme = "planning"
layers = []
within_village = false
"""
FIELD = """[[resource.field]]
name = "{name}"
title = {{ zh = "{zh}", en = "{name}" }}
{rest}
"""
SOURCE = """[[resource.source]]
location = "{location}"
year = {year}
"""


@dataclass(kw_only=True)
class Night:
    """What became of every delivery: reports by resource, and the listener's callers."""

    settings: Settings
    reports: dict[str, Report] = field(default_factory=dict)
    stood: dict[str, str] = field(default_factory=dict)
    callers: list[str] = field(default_factory=list)

    def published(self, table: str) -> list[dict[str, Any]]:
        """Give the published rows of the version that is served."""
        return pq.ParquetFile(Store(self.settings.store).current(table).file("part.parquet")).read().to_pylist()

    def quarantined(self, table: str) -> list[dict[str, Any]]:
        """Give the rows that were kept back."""
        return pq.ParquetFile(tasks.quarantine(self.settings).current(table).file("part.parquet")).read().to_pylist()


def table_of(number: int, file: File | None = None) -> str:
    """Give the resource of a class, or that of one of its files that is refused."""
    return f"c{number:02d}" + (f"_{file.name.replace('-', '_')}" if file else "")


def location(one: Class, file: File) -> str:
    """Give where a file lies below raw/."""
    return f"c{one.number:02d}/{file.name}{file.suffix}"


def sha256(night: Night, one: Class, file: File) -> str:
    """Give the hash a person would check with sha256sum."""
    return hashlib.sha256((night.settings.raw / location(one, file)).read_bytes()).hexdigest()


@contextmanager
def listener(callers: list[str]) -> Iterator[int]:
    """Listen on a loopback port that nobody may connect to; gives the port, and notes who did."""

    class Noted(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            callers.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
            callers.append(format % args)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noted)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """Serve the files below `folder`, each with the headers its class gives it; gives the address."""

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].lstrip("/")
            body = (folder / name).read_bytes()
            known = {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **services.HEADERS.get(name, {}),
            }
            self.send_response(200)
            for key, value in known.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def receive(folder: Path, classes: Sequence[Class]) -> Night:
    """Write every file of `classes`, declare them, and receive them in one run."""
    night = Night(settings=Settings(data=folder, village=folder))
    with listener(night.callers) as outside, service(folder / "served") as address:
        OUTSIDE.update(port=outside, canary=folder / "canary-8f2c")
        OUTSIDE["canary"].write_text(CANARY)
        (folder / "connections.toml").write_text(CONNECTION.format(address=address), "utf-8")
        _receive(night, folder, classes)
    return night


def _receive(night: Night, folder: Path, classes: Sequence[Class]) -> None:
    receiving.village(folder, declarations(classes))
    (folder / "catalog" / "01_land.toml").rename(folder / "catalog" / "01_corpus.toml")
    (folder / "codes" / "area.toml").write_text(CODES, "utf-8")
    for one in classes:
        for file in one.files:
            path = (folder / "served" if one.served else night.settings.raw) / location(one, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            file.make(path)
    known = catalog.read(folder)
    _stand(night, known, classes)
    resources = [r for r in known.resources if r.id != "standing"]
    with batch_of(resources, known, night) as reports:
        night.reports.update({r.resource: r for r in reports})


@contextmanager
def batch_of(resources: Sequence[Any], known: catalog.Catalog, night: Night) -> Iterator[Iterator[Report]]:
    """Run all as `etl run --all` does."""
    yield batch.run_all(
        resources, known, night.settings, accept=False, force=False, progress=lambda _table, _rows: None
    )


def _stand(night: Night, known: catalog.Catalog, classes: Sequence[Class]) -> None:
    """Publish a good version of every resource whose delivery will be refused."""
    refused = [table_of(c.number, f) for c in classes for f in c.files if f.outcome == "R"]
    if not refused:
        return
    path = night.settings.raw / "standing.csv"
    path.write_text("编号,名称,数量\nS1,好,1\nS2,好,2\n", "utf-8")
    resource = known.resource("standing")
    assert resource is not None
    assert run.run(resource, known, night.settings).status == "published"
    store = Store(night.settings.store)
    good = store.current("standing")
    for table in refused:

        def fill(directory: Path, table: str = table) -> Mapping[str, Any]:
            for name in good.manifest["files"]:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(good.file(name), directory / name)
            kept = {k: v for k, v in good.manifest.items() if k not in ("files", "table", "version", "parent")}
            return {**kept, "resource": table}

        night.stood[table] = store.publish(table, fill).version


def declarations(classes: Sequence[Class]) -> str:
    """Give the department's TOML: every resource of the corpus."""
    parts = [HEAD, _resource("standing", Class(number=0, title="", files=()), [])]
    parts[-1] += SOURCE.format(location="standing.csv", year=FIRST_YEAR)
    for one in classes:
        read = [f for f in one.files if f.outcome != "R"]
        if read:
            parts.append(_resource(table_of(one.number), one, read))
        parts += [_resource(table_of(one.number, f), one, [f]) for f in one.files if f.outcome == "R"]
    return "\n".join(parts)


def _resource(table: str, one: Class, files: Sequence[File]) -> str:
    words = [RESOURCE.format(id=table, format="FILE", reader=one.reader, kind=one.kind)]
    for year, file in enumerate(files, FIRST_YEAR):
        part = {"part": location(one, file)} if one.served else {}
        more = {"crs": one.crs, "x": one.x, "y": one.y, **part, **file.source}
        lines = [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in more.items() if v and k != "options"]
        text = SOURCE.format(location=location(one, file), year=year) + "\n".join(lines) + "\n"
        words.append(text + (f"options = {file.source['options']}\n" if "options" in file.source else ""))
    for name in one.fields:
        heading = next(line for line in ITEMS[name].splitlines() if line.startswith("source"))
        words.append(FIELD.format(name=name, zh=heading.split('"')[1], rest=ITEMS[name]))
    return "".join(words)
