"""Accounts in a real operational store, SQLite and PostgreSQL: signing in, what is refused and how, sessions and keys and their end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from twin.accounts import (
    Accounts,
    Came,
    attempts,
    demo,
    living,
    passwords,
    people,
    second_factor,
    seen,
    sessions,
    tokens,
)
from twin.errors import BadRequest, OpsDown, SignInRefused
from twin.ops import Ops, select, tables
from twin.settings import Settings

NOW = datetime(2025, 11, 21, 2, 32, tzinfo=UTC)
GOOD = "我家门口有两棵老樟树今年开花"
HERE = Came(address="127.0.0.1", agent="browser")
PLACE = demo.Place(village="330521199201", county="330521", grid="330521199201003", department="real_estate")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Compute the same argon2id with fewer bytes: what it costs is measured in test_accounts.py."""
    before, passwords._HASHER = passwords._HASHER, PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
    passwords._KEPT.clear()
    yield
    passwords._HASHER = before
    passwords._KEPT.clear()


@pytest.fixture(scope="module")
def hashed(quick: None) -> str:
    return passwords.hashed(GOOD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


SETTINGS = replace(Settings(), secret="kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE")


@pytest.fixture
def accounts(url: str, clock: Clock) -> Iterator[Accounts]:
    found = Ops(url)
    yield Accounts(found, SETTINGS, clock)
    found.close()


@pytest.fixture
def wang(accounts: Accounts, hashed: str, clock: Clock) -> people.Account:
    return add(accounts, clock, "wang", "official", hashed, prefix="330521199201")


def add(accounts: Accounts, clock: Clock, name: str, role: str, hashed: str, **more: object) -> people.Account:
    with accounts.ops.begin() as connection:
        return people.add(connection, clock(), name=name, role=role, password_hash=hashed, **more)


def refused(accounts: Accounts, name: str, password: str, code: str = "", came: Came = HERE) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        accounts.sign_in(name, password, code, came)
    return caught.value


# signing in


def test_the_right_password_begins_a_session_that_stands_for_its_person(
    accounts: Accounts, wang: people.Account
) -> None:
    signed = accounts.sign_in(" Wang ", GOOD, "", HERE)
    subject = accounts.subject(signed.session_token)
    assert subject is not None
    assert (subject.id, subject.role, subject.prefix, subject.via) == (wang.id, "official", "330521199201", "session")
    assert signed.csrf == tokens.csrf_of(signed.session_token)


def test_neither_token_nor_password_lies_in_the_store(accounts: Accounts, wang: people.Account) -> None:
    signed = accounts.sign_in("wang", GOOD, "", HERE)
    refused(accounts, "wang", "not the right one")
    with accounts.ops.read() as connection:
        rows = [repr(r) for t in tables.metadata.sorted_tables for r in connection.execute(select(t))]
        tried = connection.execute(select(tables.attempt)).all()
    kept = "\n".join(rows).encode()
    if accounts.ops.path is not None:
        kept += b"".join(p.read_bytes() for p in accounts.ops.path.parent.glob("ops.sqlite*"))
    for secret in (signed.session_token, signed.csrf, GOOD, "not the right one"):
        assert secret.encode() not in kept
    assert all(len(t.name_hash) == len(t.address_hash) == 64 for t in tried)
    assert len(tried) == 2


def test_a_wrong_name_a_wrong_password_a_wrong_code_and_a_shut_account_are_refused_alike(
    accounts: Accounts, wang: people.Account, hashed: str, clock: Clock
) -> None:
    factor = second_factor.new()
    li = add(accounts, clock, "li", "planner", hashed)
    accounts._set(li, totp_secret=second_factor.sealed(factor, accounts._secret, li.id))
    accounts.disable(add(accounts, clock, "shut", "planner", hashed).id)
    said = {
        (e.zh, e.en, tuple(e.where))
        for e in (
            refused(accounts, "nobody", GOOD),
            refused(accounts, "wang", "not the right one"),
            refused(accounts, "li", GOOD),
            refused(accounts, "li", GOOD, "000000"),
            refused(accounts, "shut", GOOD),
        )
    }
    assert len(said) == 1


def test_an_unknown_name_costs_the_same_one_hash_as_a_wrong_password(
    accounts: Accounts, wang: people.Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    matches = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda stored, tried: hashed.append(stored) or matches(stored, tried))
    refused(accounts, wang.name, "wrong")
    refused(accounts, "nobody", "wrong")
    assert len(hashed) == 2
    assert bool(hashed[0])
    assert not hashed[1]


def test_five_failures_make_the_name_wait_whoever_tries_and_whether_or_not_it_exists(
    accounts: Accounts, wang: people.Account, clock: Clock
) -> None:
    for name in ("wang", "nobody"):
        for i in range(5):
            assert "wait_s" not in refused(accounts, name, "wrong").where, i
        waiting = refused(accounts, name, GOOD, came=Came(address="10.9.9.9"))
        assert waiting.where == {"wait_s": "30"}
    clock.on(seconds=31)
    assert accounts.sign_in("wang", GOOD, "", HERE)
    assert "wait_s" not in refused(accounts, "wang", "wrong").where


def test_one_address_cannot_try_many_names_and_its_own_success_does_not_clear_it(
    accounts: Accounts, wang: people.Account
) -> None:
    with accounts.ops.begin() as connection:
        from twin.accounts import sealing

        where = sealing.pseudonym(accounts._secret, "address:127.0.0.1")
        for i in range(30):
            attempts.note(connection, f"name{i}", where, NOW - timedelta(seconds=5), ok=False)
        attempts.note(connection, "own", where, NOW, ok=True)
    assert refused(accounts, "wang", GOOD).where["wait_s"] == "25"
    assert accounts.sign_in("wang", GOOD, "", Came(address="10.9.9.9"))


def test_guesses_side_by_side_do_not_pass_the_wait(accounts: Accounts, wang: people.Account) -> None:
    found: list[dict[str, str]] = []

    def guess() -> None:
        try:
            accounts.sign_in("wang", "wrong", "", HERE)
        except SignInRefused as error:
            found.append(error.where)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum("wait_s" in w for w in found) >= 5
    with accounts.ops.read() as connection:
        assert len([t for t in connection.execute(select(tables.attempt)) if not t.ok]) <= 6


def test_a_code_that_was_taken_is_not_taken_again(accounts: Accounts, wang: people.Account, clock: Clock) -> None:
    factor, sealed = accounts.offer_factor(wang)
    accounts.enrol(wang, sealed, second_factor.code_at(factor, clock()))
    clock.on(seconds=30)
    code = second_factor.code_at(factor, clock())
    assert accounts.sign_in("wang", GOOD, code, HERE)
    refused(accounts, "wang", GOOD, code)
    refused(accounts, "wang", GOOD)
    clock.on(seconds=30)
    assert accounts.sign_in("wang", GOOD, second_factor.code_at(factor, clock()), HERE)


def test_a_second_factor_outlives_a_change_of_secret_and_is_sealed_anew_at_its_next_use(
    accounts: Accounts, wang: people.Account, clock: Clock
) -> None:
    factor, sealed = accounts.offer_factor(wang)
    accounts.enrol(wang, sealed, second_factor.code_at(factor, clock()))
    new = replace(SETTINGS, secret="zP4nW8cT1vB6yK3qL9xJ7mR5hF2gD0sa-AeU")
    clock.on(seconds=30)
    forgotten = Accounts(accounts.ops, new, clock)
    refused(forgotten, "wang", GOOD, second_factor.code_at(factor, clock()))
    told = Accounts(accounts.ops, replace(new, secret_previous=f"{'x' * 40},{SETTINGS.secret}"), clock)
    assert told.sign_in("wang", GOOD, second_factor.code_at(factor, clock()), HERE)
    clock.on(seconds=30)
    assert forgotten.sign_in("wang", GOOD, second_factor.code_at(factor, clock()), HERE), "it is the new secret's now"


def test_a_factor_offered_to_another_or_confirmed_by_a_wrong_code_is_not_taken(
    accounts: Accounts, wang: people.Account, hashed: str, clock: Clock
) -> None:
    li = add(accounts, clock, "li", "planner", hashed)
    factor, sealed = accounts.offer_factor(li)
    for account, code in ((wang, second_factor.code_at(factor, clock())), (li, "123")):
        with pytest.raises(SignInRefused):
            accounts.enrol(account, sealed, code)


# the first administrator


def test_the_first_start_makes_one_administrator_once_who_is_nobody_until_password_and_factor_are_their_own(
    accounts: Accounts, clock: Clock
) -> None:
    password = accounts.first_admin()
    assert password is not None
    assert accounts.first_admin() is None
    signed = accounts.sign_in("admin", password, "", HERE)
    admin = signed.account
    token = signed.session_token
    assert admin.owes(demo=False) == "password"
    assert accounts.subject(token).role == "anonymous"  # type: ignore[union-attr]
    accounts.change_password(admin, password, GOOD, keep=tokens.hash_of(token))
    known = accounts.known(token)
    assert known is not None
    assert (known.subject.role, known.account.owes(demo=False)) == ("anonymous", "second_factor")
    factor, sealed = accounts.offer_factor(known.account)
    accounts.enrol(known.account, sealed, second_factor.code_at(factor, clock()), keep=tokens.hash_of(token))
    assert accounts.subject(token).role == "security_admin"  # type: ignore[union-attr]
    refused(accounts, "admin", password)


def test_a_new_password_must_be_new_and_strong_and_ends_the_other_sessions(
    accounts: Accounts, wang: people.Account
) -> None:
    here, there = (accounts.sign_in("wang", GOOD, "", HERE).session_token for _ in range(2))
    assert accounts.subject(there)
    with pytest.raises(SignInRefused):
        accounts.change_password(wang, "wrong", "another good long sentence")
    for weak in ("short", GOOD):
        with pytest.raises(BadRequest):
            accounts.change_password(wang, GOOD, weak)
    accounts.change_password(wang, GOOD, "another good long sentence", keep=tokens.hash_of(here))
    assert accounts.subject(here)
    assert accounts.subject(there) is None


# sessions


def test_a_session_ends_after_half_an_hour_unused_and_after_eight_hours_used(
    accounts: Accounts, wang: people.Account, clock: Clock
) -> None:
    idle, busy = (accounts.sign_in("wang", GOOD, "", HERE).session_token for _ in range(2))
    for _ in range(23):
        clock.on(minutes=20)
        accounts.living._known.clear()
        assert accounts.subject(busy)
    assert accounts.subject(idle) is None
    clock.on(minutes=21)
    accounts.living._known.clear()
    assert accounts.subject(busy) is None


def used(accounts: Accounts, token: str) -> bool:
    """Ask as somebody does who was not heard of for some seconds."""
    accounts.living._known.clear()
    return accounts.subject(token) is not None


def stands(accounts: Accounts) -> list[datetime]:
    """Give what the store itself says of when each session was last used."""
    with accounts.ops.read() as connection:
        return list(connection.execute(select(sessions.TABLE.c.seen_at)).scalars())


def test_a_use_is_written_once_a_minute_not_once_a_request(
    accounts: Accounts, wang: people.Account, clock: Clock
) -> None:
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    stood = []
    for _ in range(6):
        clock.on(seconds=25)
        assert used(accounts, token)
        accounts.living.seen.write()
        stood += stands(accounts)
    assert len(set(stood)) == 3


def test_a_killed_process_loses_at_most_the_last_minute_of_when_it_was_used() -> None:
    unwritten = sessions.TOUCH + timedelta(seconds=living.BELIEVED_S + seen.GATHER_S)
    assert unwritten <= timedelta(minutes=1)


def test_nobody_waits_until_a_use_is_written_and_all_of_a_moment_are_written_at_once(
    accounts: Accounts, wang: people.Account, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "GATHER_S", 0.2)
    tokens_ = [accounts.sign_in("wang", GOOD, "", HERE).session_token for _ in range(5)]
    begin, written = accounts.ops.begin, threading.Event()
    begun: list[str] = []

    @contextlib.contextmanager
    def counted() -> Iterator[object]:
        begun.append(threading.current_thread().name)
        with begin() as connection:
            yield connection
        written.set()

    clock.on(minutes=2)
    monkeypatch.setattr(accounts.ops, "begin", counted)
    with begin():  # the one who writes: a request that wrote would wait for its turn, and in vain
        assert all(used(accounts, t) for t in tokens_)
        assert stands(accounts) == [NOW] * 5
    assert written.wait(30)
    assert stands(accounts) == [clock()] * 5
    assert [name.partition("_")[0] for name in begun] == ["seen"]


def test_a_use_that_is_not_written_yet_keeps_a_session_and_half_an_hour_later_it_is_over(
    accounts: Accounts, wang: people.Account, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts.living.seen, "_write_soon", lambda: None)
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    clock.on(minutes=29)
    assert used(accounts, token)
    clock.on(minutes=29)
    assert used(accounts, token)
    assert accounts.sessions(wang.id)[0].seen_at == clock()
    assert stands(accounts) == [NOW]
    clock.on(minutes=30)
    assert not used(accounts, token)
    assert accounts.sessions(wang.id) == []


def test_what_was_ended_is_not_touched_and_no_use_goes_back_in_time(
    accounts: Accounts, wang: people.Account, clock: Clock
) -> None:
    ended, other = (accounts.sign_in("wang", GOOD, "", HERE).session_token for _ in range(2))
    clock.on(minutes=2)
    assert used(accounts, ended)
    assert used(accounts, other)
    accounts.end(ended)
    with accounts.ops.begin() as connection:
        sessions.touch(connection, {tokens.hash_of(other): clock() + timedelta(minutes=1)})
    accounts.living.seen.close()
    assert sorted(stands(accounts)) == [NOW, clock() + timedelta(minutes=1)]
    assert not used(accounts, ended)


def test_a_store_that_cannot_write_ends_no_session_and_is_written_to_when_it_can(
    accounts: Accounts, wang: people.Account, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    clock.on(minutes=2)
    with monkeypatch.context() as away:
        away.setattr(accounts.ops, "begin", lambda: _raising(OpsDown("满", "full", reason="full")))
        assert used(accounts, token)
        accounts.living.seen.write()
        assert stands(accounts) == [NOW]
    accounts.living.seen.write()
    assert stands(accounts) == [clock()]


@contextlib.contextmanager
def _raising(error: Exception) -> Iterator[None]:
    raise error
    yield


def test_a_sign_in_ends_the_session_it_came_with(accounts: Accounts, wang: people.Account) -> None:
    old = accounts.sign_in("wang", GOOD, "", HERE).session_token
    new = accounts.sign_in("wang", GOOD, "", replace(HERE, old=old)).session_token
    assert accounts.subject(old) is None
    assert accounts.subject(new)


def test_a_session_is_ended_by_its_owner_and_by_nobody_elses_name(
    accounts: Accounts, wang: people.Account, hashed: str, clock: Clock
) -> None:
    li = add(accounts, clock, "li", "planner", hashed)
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    listed = accounts.sessions(wang.id)
    assert [(s.address, s.agent) for s in listed] == [("127.0.0.1", "browser")]
    assert not accounts.end_session(li.id, listed[0].id_hash)
    assert accounts.subject(token)
    assert accounts.end_session(wang.id, listed[0].id_hash)
    assert accounts.subject(token) is None
    assert accounts.sessions(wang.id) == []
    assert not accounts.end(token)


def test_a_shut_account_is_out_at_once_here_and_within_five_seconds_in_another_process(
    accounts: Accounts, url: str, wang: people.Account, clock: Clock
) -> None:
    other = Accounts(Ops(url), SETTINGS, clock)
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    assert accounts.subject(token)
    assert other.subject(token)
    accounts.disable(wang.id)
    shut = time.monotonic()
    assert accounts.subject(token) is None
    while other.subject(token):
        assert time.monotonic() - shut < 5
        time.sleep(0.1)
    accounts.enable(wang.id)
    assert accounts.subject(token) is None


def test_a_text_that_is_no_token_asks_the_store_nothing(accounts: Accounts) -> None:
    accounts.ops = None  # type: ignore[assignment]
    assert accounts.subject("") is None
    assert accounts.subject("x" * 42) is None
    assert accounts.subject("' OR 1=1 --") is None


def test_a_known_session_is_known_without_asking_the_store(accounts: Accounts, wang: people.Account) -> None:
    token = accounts.sign_in("wang", GOOD, "", HERE).session_token
    first = accounts.subject(token)
    accounts.ops = None  # type: ignore[assignment]
    assert accounts.subject(token) == first


# keys


def test_a_key_stands_for_a_system_until_it_ends_and_only_from_its_networks(accounts: Accounts, clock: Clock) -> None:
    key, text = accounts.keys.make(
        client="12345",
        scopes=["layer:L06:read"],
        prefix="330521",
        networks=["10.1.0.0/16"],
        expires_at=NOW + timedelta(days=30),
    )
    header = f"Bearer {text}"
    subject = accounts.key_subject(header, "10.1.2.3")
    assert subject is not None
    assert (subject.id, subject.role, subject.prefix, subject.via, subject.scopes) == (
        f"key:{key.id}", "system", "330521", "key", ("layer:L06:read",),
    )  # fmt: skip
    assert accounts.key_subject(header, "10.2.2.3") is None
    assert accounts.key_subject(header[:-1] + ("A" if text[-1] != "A" else "B"), "10.1.2.3") is None
    assert accounts.key_subject(text, "10.1.2.3") is None
    clock.on(days=31)
    assert accounts.key_subject(header, "10.1.2.3") is None


def test_a_client_has_two_live_keys_and_a_revoked_one_is_dead_at_once(accounts: Accounts) -> None:
    wanted = {"client": "12345", "scopes": ["area:330521"], "expires_at": NOW + timedelta(days=365)}
    (one, text), _ = accounts.keys.make(**wanted), accounts.keys.make(**wanted)
    with pytest.raises(BadRequest):
        accounts.keys.make(**wanted)
    assert accounts.key_subject(f"Bearer {text}")
    assert accounts.keys.revoke(one.id)
    assert accounts.key_subject(f"Bearer {text}") is None
    assert accounts.keys.make(**wanted)


@pytest.mark.parametrize(
    "wrong", [{"expires_at": NOW + timedelta(days=366)}, {"expires_at": NOW}, {"scopes": ["*"]}, {"prefix": "33"}, {"client": " "}]
)  # fmt: skip
def test_a_key_for_longer_than_a_year_or_for_anything_is_refused(accounts: Accounts, wrong: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        accounts.keys.make(**{"client": "x", "scopes": [], "expires_at": NOW + timedelta(days=1), **wrong})
    assert accounts.keys.listed() == []


# the demo


def test_the_demo_has_one_account_a_role_made_once_and_none_has_a_password(
    url: str, clock: Clock, tmp_path: Path
) -> None:
    accounts = Accounts(Ops(url), replace(Settings(), demo=True, data=tmp_path), clock)
    nine = demo.accounts(accounts, PLACE)
    assert [a.id for a in demo.accounts(accounts, PLACE)] == [a.id for a in nine]
    assert [a.role for a in nine] == [*people.ROLES, "system"]
    assert {a.password_hash for a in nine} == {""}
    refused(accounts, "demo-auditor", "")
    for account in nine:
        token = accounts.admit(account, HERE).session_token
        assert accounts.subject(token).role == account.role  # type: ignore[union-attr]


def test_outside_the_demo_there_is_no_role_switcher(accounts: Accounts) -> None:
    with pytest.raises(SignInRefused):
        demo.accounts(accounts, PLACE)


def test_two_changes_at_once_do_not_overwrite_each_other(accounts: Accounts, wang: people.Account) -> None:
    with accounts.ops.begin() as connection:
        assert people.change(connection, wang, department="a")
        assert not people.change(connection, wang, department="b")
        assert people.by_id(connection, wang.id).department == "a"


def test_a_name_is_taken_once_however_it_is_written(accounts: Accounts, wang: people.Account, clock: Clock) -> None:
    with pytest.raises(BadRequest):
        add(accounts, clock, " WANG", "planner", "")
    with pytest.raises(BadRequest):
        add(accounts, clock, "other", "emperor", "")
    assert [a.name for a in people.listed(accounts.ops)] == ["wang"]


def test_sessions_are_over_when_they_say_so() -> None:
    base = sessions.Session(
        id_hash="", account_id="", created_at=NOW, seen_at=NOW, expires_at=NOW + sessions.LONGEST, address="", agent="",
        ended_at=None, csrf_hash="", purpose="",
    )  # fmt: skip
    assert base.alive(NOW + timedelta(minutes=29, seconds=59))
    assert not base.alive(NOW + timedelta(minutes=30))
    assert not replace(base, seen_at=NOW + timedelta(hours=8)).alive(NOW + timedelta(hours=8))
    assert not replace(base, ended_at=NOW).alive(NOW)
