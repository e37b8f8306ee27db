"""What an officer does about a person: look, hand out, ask, withdraw, approve, carry out; recorded before it is done.

The console and the page of the office both act here, and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import ops
from twin.audit import Event
from twin.errors import BadRequest, Refused
from twin.retention import erasing, exporting, finding, requests, rules, uploaded

if TYPE_CHECKING:
    from twin.audit import Audit
    from twin.retention.applying import Taken
    from twin.retention.erasing import Ground, Proof
    from twin.retention.finding import Hit
    from twin.retention.persons import Person, Sure
    from twin.retention.requests import Request
    from twin.settings import Settings

PURPOSE = "person_request"
BACKUPS = Path("/var/backups/onemap")
"""Where an installed one-map keeps its backups."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who acts, from where, and what the act is done with."""

    officer: str
    role: str
    via: str
    audit: Audit
    ground: Ground
    settings: Settings
    address: str = ""

    def note(self, action: str, outcome: str = "ok", **detail: Any) -> None:
        """Write down what is about to be done; raises AuditDown."""
        self.audit.write(
            Event(
                action=action,
                outcome=outcome,
                subject=self.officer,
                role=self.role,
                via=self.via,
                address=self.address,
                purpose=PURPOSE,
                detail=detail,
            )
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an erasure went: what was taken out, what the search after it saw, and the certificate."""

    taken: tuple[Taken, ...]
    proof: Proof
    certificate: Path
    sha256: str


def ground_of(settings: Settings, store: ops.Ops | None, backups: Path | None) -> Ground:
    """Give where everything lies."""
    folder = backups or (BACKUPS if BACKUPS.is_dir() else None)
    days = rules.read(settings.village).backups
    return erasing.Ground(data=settings.data, village=settings.village, backups=folder, backup_days=days, store=store)


def find(desk: Desk, person: Person, action: str = "person.found", **detail: Any) -> list[Hit]:
    """Find where a person's data lies, once it is recorded that somebody looks."""
    desk.note(action, numbers=len(person.numbers), names=len(person.names), rows=len(person.rows), **detail)
    hits = list(finding.find(desk.ground.data / "store", desk.ground.store, person))
    owners: dict[str, Sure] = {h.key: h.sure for h in hits if h.place == finding.ACCOUNT}
    return [*hits, *uploaded.find(desk.ground.data, person, owners)]


def hand_out(desk: Desk, person: Person, **detail: Any) -> tuple[bytes, int]:
    """Give the archive of what is surely a person's as it stands now, and its rows; raises BadRequest for nothing."""
    hits = [h for h in find(desk, person, "person.exported", **detail) if h.sure != "name" and h.current]
    content, rows = exporting.archive(hits, ops.now())
    desk.note("person.exported", "written", sha256=hashlib.sha256(content).hexdigest(), rows=rows)
    return content, rows


def ask(desk: Desk, person: Person, *, reason: str = "", **detail: Any) -> tuple[Request, int]:
    """Ask for a person to be erased, which somebody else approves; gives the request and the rows it is about."""
    sure = [h for h in find(desk, person, **detail) if h.sure != "name"]
    wanted = person.marks(requests.house_keys(desk.settings))
    made = requests.ask(desk.ground.data, desk.officer, ops.now(), wanted, reason=hashed(reason))
    desk.note("person.erase_asked", request=made.id, rows=len(sure), **detail)
    return made, len(sure)


def hashed(reason: str) -> str:
    """Give what is kept of a reason that was typed freely: its hash, for it may tell of whom."""
    return hashlib.sha256(reason.encode()).hexdigest()[:16] if reason else ""


def withdraw(desk: Desk, name: str) -> Request:
    """Take back what was asked; raises Refused for another officer's request, BadRequest once it was approved."""
    request = requests.get(desk.ground.data, name)
    if request.asked_by != desk.officer:
        raise Refused("只能撤回自己提出的请求", "Only who asked may withdraw a request")
    desk.note("person.erase_withdrawn", request=request.id)
    return requests.withdraw(desk.ground.data, name)


def approve(desk: Desk, name: str) -> Request:
    """Approve what another officer asked; one that was approved before is given again, to be gone on with.

    Raises NotFound, Refused for one's own, BadRequest for one that was withdrawn.
    """
    request = requests.get(desk.ground.data, name)
    if request.state == "asked" and request.asked_by != desk.officer:
        desk.note("person.erase_approved", request=request.id)
    if request.state == "asked":
        request = requests.approve(desk.ground.data, request.id, desk.officer, ops.now())
    if request.state == "withdrawn":
        raise BadRequest(f"请求 {request.id} 已撤回", f"Request {request.id} was withdrawn")
    return request


def carry_out(desk: Desk, request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Erase what an approved request marks, search for it again, and certify; killed on the way, it is done again.

    Raises StoreFull, PublishConflict, OpsDown, AuditDown.
    """
    ground = desk.ground
    marks = requests.of([request], requests.house_keys(desk.settings))
    taken = erasing.apply(ground, marks, ops.now(), say)
    proof = erasing.prove(ground, marks)
    path, digest = erasing.certify(ground, request, taken, proof, ops.now())
    desk.note(
        "person.erased", "broken" if proof.occurrences else "ok", request=request.id, places=len(taken),
        files=proof.files, searched=proof.sha256, occurrences=proof.occurrences, certificate=digest,
    )  # fmt: skip
    if not proof.occurrences:
        requests.done(ground.data, request.id, ops.now(), digest)
    return Outcome(taken=tuple(taken), proof=proof, certificate=path, sha256=digest)
