"""One copy of everything that is not code, and the way back: `make`, `check`, `restore`."""

from __future__ import annotations

from twin.backup.form import Backup, Places, check
from twin.backup.making import make
from twin.backup.restoring import restore

__all__ = ["Backup", "Places", "check", "make", "restore"]
