"""What the page of a new source shows: the source at its step, what is on the way, what may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.api.views import Common

if TYPE_CHECKING:
    from twin.model import Text
    from twin.runs.newcomers import Newcomer


@dataclass(frozen=True, kw_only=True)
class NewView(Common):
    """A new source at one of its four steps (`step` goes back to an earlier one), and those on their way.

    `given` is what was typed into a form that was refused; `systems` are the coordinate systems the village accepts.
    """

    source: Newcomer | None = None
    step: str = ""
    listed: tuple[Newcomer, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, Text] = field(default_factory=dict)
    themes: Mapping[str, Text] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    bbox: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    mine: bool = False
    starts: bool = False
    decides: bool = False
    given: Mapping[str, str] = field(default_factory=dict)
    done: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: the source and the step."""
        return {k: v for k, v in (("entry", self.source.id if self.source else ""), ("step", self.step)) if v}
