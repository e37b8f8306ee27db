"""What `onemap person …` and `onemap retention` do and say: a person's data for a named officer, and what is over."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from twin import console, durable, ops
from twin.accounts import Accounts, Came
from twin.api import adopted
from twin.audit import Audit, Event
from twin.console import BROKEN, GOOD, Language
from twin.errors import BadRequest, Refused
from twin.policy import grants
from twin.retention import answering, erasing, exporting, persons, requests, rules, timers
from twin.retention.answering import Desk, ground_of
from twin.retention.words import say

if TYPE_CHECKING:
    import argparse

    from twin.accounts import Account
    from twin.policy import Capability
    from twin.policy.grants import Grants
    from twin.retention.answering import Outcome
    from twin.retention.erasing import Ground
    from twin.retention.persons import Person
    from twin.settings import Settings

MARKS = {"number": "●", "row": "◆", "name": "?"}


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Audit, ops.Ops]]:
    """Open the record and the operational store."""
    with (
        console.record(settings) as audit,
        contextlib.closing(ops.Ops(console.places(settings).ops_url)) as store,
    ):
        yield audit, store


@contextlib.contextmanager
def office(
    options: argparse.Namespace, settings: Settings, language: Language, capability: Capability
) -> Iterator[Desk]:
    """Let an officer in who has a capability; raises SignInRefused, Refused."""
    with _opened(settings) as (audit, store):
        officer = _officer(Accounts(store, settings), options.officer, language)
        if not _grants(settings, store).may(officer.role, capability):
            audit.write(
                Event(action="person.refused", outcome="refused", subject=officer.id, role=officer.role, via="console")
            )
            raise Refused("您没有办理个人信息请求的权限", "You have no right to answer requests about persons")
        yield Desk(
            officer=officer.id,
            role=officer.role,
            via="console",
            audit=audit,
            ground=ground_of(settings, store, options.backups),
            settings=settings,
        )


def _grants(settings: Settings, store: ops.Ops) -> Grants:
    """Give the grants that hold: those adopted last, unless the file's version is higher."""
    path = settings.village / adopted.FILE
    declared = grants.read(path) if path.is_file() else grants.LOCAL_ONLY
    return adopted.newest(store, declared.version) or declared


def _officer(accounts: Accounts, name: str, language: Language) -> Account:
    """Ask for account, password and code, and give the account; its session ends at once."""
    name = name or input(f"{say('account', language)}: ")
    password = getpass.getpass(f"{say('password', language)}: ")
    code = getpass.getpass(f"{say('code', language)}: ")
    entered = accounts.sign_in(name, password, code, Came(address="console", agent="onemap"))
    accounts.end(entered.session_token)
    if entered.account.owes(demo=accounts.demo):
        raise Refused(
            "请先在网页上换密码、登记第二因素", "Change your password and enrol a second factor first, on the page"
        )
    return entered.account


def _person(options: argparse.Namespace, language: Language) -> tuple[Person, str]:
    """Read whom it is about from a file or the keyboard: on the command line everybody on the machine would see it."""
    if options.of is None:
        told: Any = {k: _asked(k, language) for k in ("numbers", "names", "rows")}
    else:
        try:
            told = json.loads(sys.stdin.read() if str(options.of) == "-" else options.of.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BadRequest("读不了所给的 JSON", "The JSON given cannot be read") from error
    if not isinstance(told, Mapping):
        raise BadRequest("应为一个 JSON 对象", "A JSON object is wanted")
    return persons.of(told), str(told.get("reason", ""))[:200]


def _asked(key: str, language: Language) -> list[str]:
    return [t for t in input(f"{say(key, language)}: ").replace("、", ",").replace(",", ",").split(",") if t.strip()]


def find(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Say where a person's data lies; no value is printed."""
    with office(options, settings, language, "persons.answer") as desk:
        person, _ = _person(options, language)
        hits = answering.find(desk, person)
        for hit in hits:
            told = {"mark": MARKS[hit.sure], "old": "" if hit.current else say("old", language)}
            print(say("hit", language, place=hit.place, table=hit.table, row=hit.key, version=hit.version, **told))
        print(say("legend" if hits else "none", language))
    return GOOD


def export(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Hand a person's data out: what is surely theirs, as it stands now."""
    with office(options, settings, language, "persons.answer") as desk:
        person, _ = _person(options, language)
        if options.to.exists():
            raise BadRequest(f"{options.to} 已存在", f"{options.to} is there already", path=options.to)
        content, rows = answering.hand_out(desk, person)
        exporting.write(options.to, content)
    print(say("exported", language, rows=rows, path=options.to, sha256=hashlib.sha256(content).hexdigest()))
    return GOOD


def erase(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Ask for a person to be erased; somebody else approves."""
    with office(options, settings, language, "persons.answer") as desk:
        person, reason = _person(options, language)
        made, rows = answering.ask(desk, person, reason=reason)
    print(say("asked", language, id=made.id, rows=rows))
    return GOOD


def listed(_options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """List the requests: numbers and states, nothing of the persons."""
    found = requests.read(settings.data)
    for one in found:
        told = {"state": say(f"state.{one.state}", language), "at": one.asked_at[:16]}
        print(say("waiting", language, id=one.id, numbers=len(one.numbers), rows=len(one.rows), **told))
    if not found:
        print(say("none", language))
    return GOOD


def approve(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Approve a request and carry it out; or go on with one that was interrupted. 3 where something is left."""
    with office(options, settings, language, "persons.approve") as desk:
        request = answering.approve(desk, options.request)
        done = answering.carry_out(desk, request, lambda w: print(say("working", language, what=w), flush=True))
        _tell(desk.ground, done, language)
    return BROKEN if done.proof.occurrences else GOOD


def _tell(ground: Ground, done: Outcome, language: Language) -> None:
    proof = done.proof
    for one in done.taken:
        print(say("taken", language, where=one.where, rows=one.rows))
    if proof.occurrences:
        print(say("unclean", language, count=proof.occurrences, where=", ".join(proof.where[:10])))
    else:
        print(say("clean", language, files=proof.files, path=done.certificate, sha256=done.sha256))
    for copy in erasing.lefts(ground):
        print(say("copy", language, until=copy.until.date(), path=copy.path))
    for what in erasing.STAYS.values():
        print(say("stays", language, what=what[language == "en"]))


def reapply(settings: Settings, ground: Ground) -> int:
    """Take out again whoever was erased: after a restore, and of deliveries since; gives how many places."""
    marks = requests.held_out(settings)
    return len(erasing.apply(ground, marks, ops.now())) if marks else 0


def _take_out_again(settings: Settings, audit: Audit, ground: Ground, language: Language) -> None:
    """Do so, and let the record and whoever looks on know where it was needed."""
    if again := reapply(settings, ground):
        audit.write(Event(action="person.reapplied", role="system", via="console", detail={"places": again}))
        print(say("reapplied", language, count=again))


def retention(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """List what is past its time and, with --do, remove it; erased people are taken out again."""
    with _opened(settings) as (audit, store):
        ground = ground_of(settings, store, options.backups)
        declared = rules.read(settings.village)
        found = timers.due(ground, declared, ops.now())
        for one in found:
            told = {"kind": say(f"kind.{one.kind}", language), "since": one.over_since.date()}
            print(say("due", language, where=one.where, count=one.count, **told))
        if not options.do:
            print(say("dry" if found else "nothing_due", language, count=len(found)))
            return GOOD
        _carry_out(settings, audit, ground, found, language)
        audit.archive(before=ops.now() - timedelta(days=declared.record))
    return GOOD


def _carry_out(settings: Settings, audit: Audit, ground: Ground, found: list[timers.Due], language: Language) -> None:
    """Record what is about to go, end it, take erased people out again, and keep the list as proof."""
    at = ops.now()
    body = json.dumps([one.facts() for one in found], ensure_ascii=False, indent=1).encode()
    counted: dict[str, int] = dict(Counter(one.kind for one in found))
    folder = settings.data / "run" / erasing.FOLDER
    path, digest = folder / f"retention-{at:%Y%m%dT%H%M%SZ}.json", hashlib.sha256(body).hexdigest()
    if found:
        durable.make_directory(folder)
        durable.write(path, body)
        audit.write(Event(action="retention", role="system", via="console", detail={**counted, "list": digest}))
        for one in found:
            one.end()
            print(say("working", language, what=one.where), flush=True)
        if ground.store is not None and counted.keys() & {"session", "attempt", "ground"}:
            ops.forget_deleted(ground.store)
    print(say("ended" if found else "nothing_due", language, count=len(found), path=path, sha256=digest))
    _take_out_again(settings, audit, ground, language)


def restored(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Bring a backup back, then take out again whoever was erased since it was made."""
    lists = [requests.path(p.parent) for p in options.path.resolve().parent.glob("*/run")]
    code = console.restore(options, settings, language)
    if options.check or code != GOOD:
        return code
    for one in sorted(lists):
        requests.join(settings.data, one)
    with _opened(settings) as (audit, store):
        _take_out_again(settings, audit, ground_of(settings, store, None), language)
    return code
