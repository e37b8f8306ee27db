"""The record of who looked at what, when, why and from where: hash-chained, sealed, anchored; free of personal data.

`Audit(store, secret, folder=…).write(Event(…))` returns when the entry is durable, or raises AuditDown; what was to be
recorded must then not be done. Entries are checked by `verify`, handed out signed by `export`, moved out by `archive`.
"""

from __future__ import annotations

from twin.audit.archives import Exported, check
from twin.audit.entries import Event
from twin.audit.record import Audit
from twin.audit.verifying import Fault

__all__ = ["Audit", "Event", "Exported", "Fault", "check"]
