"""One pull as it is written down below raw/: its pages as they came, hashed, and what they add up to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl import paged
from etl.fetch import tally
from twin import durable

PULL = "pull.json"
FORM = 1


@dataclass(kw_only=True)
class Book:
    """What one reading of a source has brought so far, in `folder`; `layer` tells its pages from earlier ones.

    `dropped` are the rows of earlier layers that are no more, `marked` the column whose newest value is `mark`; a book
    that is not `keeping` only counts.
    """

    name: str
    folder: Path
    layer: int = 0
    pages: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    stated: set[str] | None = None
    dropped: dict[int, list[str]] = field(default_factory=dict)
    marked: str = ""
    mark: str = ""
    keeping: bool = True
    kinds: dict[str, set[str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    digest: int = 0
    whole: bool = True

    def page(self, suffix: str, shown: str, body: bytes, rows: Sequence[tuple[str, Any]], overlap: int = 0) -> None:
        """Keep a page: its bytes, and the (identity, value) of its rows but the first `overlap`, which are known."""
        path = self.lay(suffix, shown, len(rows) - overlap)
        if self.keeping:
            path.write_bytes(body)
        self.pages[-1]["sha256"] = hashlib.sha256(body).hexdigest()
        for identity, value in rows[overlap:]:
            self.ids.append(identity)
            self.digest += paged.digest(identity, value)

    def place(self, name: str, shown: str, body: bytes) -> None:
        """Keep a file under its own name; a file is told from others by its name and its bytes."""
        if name in ("", ".", "..", PULL):
            raise tally.uneven(self.name, f"文件名 {name!r} 不可用", f"a file cannot be called {name!r}")
        (self.folder / name).write_bytes(body)
        hashed = hashlib.sha256(body).hexdigest()
        self.pages.append({"file": name, "address": shown, "rows": 1, "layer": self.layer, "sha256": hashed})
        self.ids.append(name)
        self.digest += paged.digest(name, body)

    def lay(self, suffix: str, shown: str, rows: int) -> Path:
        """Give the file the next page goes into."""
        file = f"{self.layer:03d}-{len(self.pages) + 1:06d}.{suffix}"
        self.pages.append({"file": file, "address": shown, "rows": rows, "layer": self.layer})
        return self.folder / file

    def aside(self) -> Book:
        """Give a book that only counts: for what is asked to compare."""
        return Book(name=self.name, folder=self.folder, keeping=False)

    def empty(self) -> None:
        """Forget what came so far, pages and all."""
        for page in self.pages:
            (self.folder / page["file"]).unlink(missing_ok=True)
        fresh = Book(name=self.name, folder=self.folder, marked=self.marked, facts={**self.facts})
        vars(self).update(vars(fresh))

    def newest(self, value: str) -> None:
        """Note a value of the watermark."""
        both = (self.mark, value)
        self.mark = max(both, key=int) if all(v.isdigit() for v in both) else max(both)

    def seen(self, row: Mapping[str, Any]) -> None:
        """Note of which JSON type each column is, and how new the row."""
        self.newest(paged.text(row.get(self.marked)) or "")
        for name, value in row.items():
            found = self.kinds.setdefault(name, set())  # a column that is empty everywhere is a column
            if kind := paged.kind(value):
                found.add(kind)

    def state(self, count: object) -> None:
        """Note how many rows the source says it has; what is no number says nothing."""
        if isinstance(count, int) and not isinstance(count, bool):
            self.counts.append(count)
        elif isinstance(count, str) and count.isdigit():
            self.counts.append(int(count))

    def even(self) -> None:
        """Raise Uneven unless what arrived is what was stated."""
        tally.reconcile(self.name, arrived=self.ids, counts=self.counts, ids=self.stated)

    def confirm(self, number: int, ids: Iterable[str]) -> None:
        """Raise Uneven where the rows of a page, asked for again, are no longer those of page `number` (from 0)."""
        first = sum(p["rows"] for p in self.pages[:number])
        before, now = self.ids[first : first + self.pages[number]["rows"]], list(ids)
        if before != now:
            raise tally.moved(self.name, expected=before, found=now)

    def close(self, facts: Mapping[str, Any]) -> None:
        """Write pull.json: what was asked, what was answered, and what it adds up to."""
        words = {
            "form": FORM,
            **facts,
            **self.facts,
            "stated": self.counts[-1] if self.counts else (len(self.stated) if self.stated is not None else None),
            "types": {k: sorted(v) for k, v in sorted(self.kinds.items())},
            "pages": self.pages,
            **({"dropped": self.dropped} if self.dropped else {}),
            **({"watermark": self.mark, "watermark_of": self.marked} if self.mark else {}),
        }
        durable.write(self.folder / PULL, json.dumps(words, ensure_ascii=False, indent=1).encode())


def read(folder: Path) -> dict[str, Any]:
    """Give what pull.json in `folder` says."""
    return json.loads((folder / PULL).read_bytes())
