"""One resource of lamp posts behind a connection, and how often it is received: for the tests of pulling."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import catalog, fetch, run
from etl.demo.servers import Town
from etl.job import Job
from etl.ledger import Report
from tests.receiving import VILLAGE
from twin.errors import TwinError
from twin.model import Resource, Source
from twin.settings import Settings
from twin.store import Store

RESOURCE = """
[department]
id = "power"
title = {{ zh = "供电公司", en = "Power" }}
provider_code = "11330521DEM000487T"

[[resource]]
id = "pole"
code = "204004/480001"
title = {{ zh = "路灯", en = "Lamp posts" }}
class_path = ["主题", "公共服务", "公用事业", "供电"]
abstract = {{ zh = "路灯", en = "Lamp posts" }}
format = "API"
reader = "vector"
kind = "point"
key = "pole_id"
share_type = "unconditional"
share_condition = ""
share_method = ""
open_attr = "开放"
update_cycle = "每日"
cadence_seconds = 86400
published = 2024-01-01
theme = "planning"
layers = []
[[resource.source]]
location = "48_power/pole.geojson"
connection = "power"
{source}
[[resource.field]]
name = "pole_id"
title = {{ zh = "编号", en = "Pole" }}
type = "{key_type}"
source = "{key}"
sensitivity = "public"
required = true
[[resource.field]]
name = "pole_name"
title = {{ zh = "名称", en = "Name" }}
type = "string"
source = "名称"
sensitivity = "public"
[[resource.field]]
name = "power_w"
title = {{ zh = "功率", en = "Power" }}
type = "number"
source = "功率"
sensitivity = "public"
"""


class Place:
    """A village in a folder whose one resource comes over a connection."""

    def __init__(
        self,
        folder: Path,
        connection: Mapping[str, Any],
        source: str,
        *,
        key: str = "number",
        key_type: str = "string",
    ) -> None:
        self.folder, self.connection = folder, dict(connection)
        (folder / "catalog").mkdir(parents=True)
        (folder / "codes").mkdir()
        (folder / "village.toml").write_text(VILLAGE, "utf-8")
        self.declare(source, key=key, key_type=key_type)
        self.connect()
        self.settings = Settings(data=folder / "data", village=folder)
        self.settings.raw.mkdir(parents=True)

    def declare(self, source: str, *, key: str = "number", key_type: str = "string") -> None:
        text = RESOURCE.format(source=source, key=key, key_type=key_type)
        (self.folder / "catalog" / "48_power.toml").write_text(text, "utf-8")

    def connect(self, **more: Any) -> None:
        self.connection |= more
        known = {"retry_seconds": 0.02, **self.connection}
        lines = [
            f"{k} = {str(v) if isinstance(v, (int, float)) else chr(34) + str(v) + chr(34)}" for k, v in known.items()
        ]
        (self.folder / "connections.toml").write_text('[[connection]]\nid = "power"\n' + "\n".join(lines) + "\n")

    def receive(self, **flags: bool) -> Report:
        known = catalog.read(self.folder)
        resource = known.resource("pole")
        assert resource is not None
        return run.run(resource, known, self.settings, **flags)

    def files(self, *, whole: bool = False) -> tuple[Resource, Source]:
        """Pull without reading."""
        resource = catalog.read(self.folder).resource("pole")
        assert resource is not None
        (source,) = fetch.arranged(resource, self.settings.raw, self.folder, None, whole=whole)
        return resource, source

    def pulled(self, *, whole: bool = False) -> list[str]:
        """Pull without publishing; gives the numbers of the rows that are kept, in the order the reader gives them."""
        resource, source = self.files(whole=whole)
        kind = fetch.reads(source, self.settings.raw) or resource.reader
        with sandboxless(resource, source, self.settings.raw, kind) as batches:
            return [str(n) for b in batches for n in b.column("number").to_pylist()]

    def refusal(self, *, whole: bool = False) -> str:
        """Pull, which must be refused; gives what is said."""
        with pytest.raises(TwinError) as said:
            self.pulled(whole=whole)
        return said.value.en

    def kept(self) -> list[str]:
        """Give the pulls of this resource that lie below raw/."""
        return [p.name for p in (self.settings.raw / "_pulled" / "pole" / "0").iterdir() if p.name[0] != "."]

    def rows(self) -> list[dict[str, Any]]:
        snapshot = Store(self.settings.store).current("pole")
        return pq.read_table(snapshot.file("part.parquet")).to_pylist()

    def ids(self) -> set[str]:
        return {str(r["id"]) for r in self.rows()}


@contextlib.contextmanager
def sandboxless(resource: Resource, source: Source, raw: Path, reader: str) -> Iterator[Iterator[pa.RecordBatch]]:
    """Read in this process: the sandbox has tests of its own, and costs a second each time."""
    module = importlib.import_module(f"etl.readers.{reader}")
    path = str(raw / source.location)
    job = Job(reader=reader, path=path, name=source.part, kind=resource.kind, x=source.x, y=source.y)
    yield module.read(job, {})


def numbers(town: Town) -> set[str]:
    return {str(r["number"]) for r in town.rows}
