"""One thing of the village with all that any table knows of it; the only maker of cards, for pages and API alike."""

from __future__ import annotations

from twin.entities.gathering import Asked, Entities
from twin.entities.values import box_of, local, provenance

__all__ = ["Asked", "Entities", "box_of", "local", "provenance"]
