"""What the page of one's own files shows: what was kept of each, and how much of one's room is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.api.views import Common

if TYPE_CHECKING:
    from twin.uploads.quota import Quota, Used
    from twin.uploads.shelf import Upload


@dataclass(frozen=True, kw_only=True)
class UploadsView(Common):
    """One's own files, the newest first; `done` names what was just done, `fresh` the file that has just come."""

    files: tuple[Upload, ...]
    used: Used
    most: Quota
    done: str = ""
    fresh: str = ""
