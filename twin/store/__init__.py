"""The room of published data: snapshots are the truth, serving copies are derived; what others use is named here."""

from twin.store.past import Known, Past
from twin.store.serving import Serving
from twin.store.snapshots import Store
from twin.store.verified import Fault, Snapshot

__all__ = ["Fault", "Known", "Past", "Serving", "Snapshot", "Store"]
