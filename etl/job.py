"""What a reader is asked to read, in words that pass through a pipe to the throw-away process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Job:
    """One delivered file set and what its declaration says of it.

    `path` is the main file (or folder) as the reading process sees it; `files` all names that belong to the set;
    `name` is what a clerk calls it; `headings` are those declared. The rest is `model.Source`, `kind` the resource's
    ("none" needs no geometry).
    """

    reader: str
    path: str
    name: str
    files: tuple[str, ...] = ()
    kind: str = "none"
    part: str = ""
    crs: str = ""
    encoding: str = ""
    x: str = ""
    y: str = ""
    options: dict[str, str] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    batch_rows: int = 8192

    @property
    def main(self) -> Path:
        """Give `path` as a Path."""
        return Path(self.path)

    def to_json(self) -> str:
        """Give the job as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=True)


def from_json(text: str) -> Job:
    """Read what `Job.to_json` wrote."""
    values = json.loads(text)
    return Job(**{**values, "files": tuple(values["files"]), "headings": tuple(values["headings"])})
