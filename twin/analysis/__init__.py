"""What lies at a point, inside a drawn polygon, and in view: exact areas in the village's metric system, by class."""

from __future__ import annotations

from twin.analysis.changes import Changes
from twin.analysis.questions import Analysis

__all__ = ["Analysis", "Changes"]
