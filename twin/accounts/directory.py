"""The accounts of one village: who signs in and how, whose session or key a request carries, and their end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twin.accounts import attempts, passwords, people, sealing, second_factor, sessions, tokens
from twin.accounts.drafts import Drafts
from twin.accounts.living import Living
from twin.accounts.refusals import refuse_while, refused
from twin.accounts.ring import KeyRing
from twin.errors import BadRequest
from twin.ops import now as present
from twin.ops import select

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from twin.accounts.living import Known
    from twin.accounts.people import Account
    from twin.accounts.second_factor import Factor
    from twin.accounts.sessions import Session
    from twin.ops import Connection, Ops
    from twin.policy import Subject
    from twin.settings import Settings


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A sign-in that succeeded: the session's token, what forms must send with it, and whose it is."""

    session_token: str
    csrf: str
    account: Account


@dataclass(frozen=True, kw_only=True)
class Came:
    """From where a sign-in came: address, browser, and the token of the session it had before."""

    address: str
    agent: str = ""
    old: str = ""


class Accounts:
    """The accounts in one operational store; safe to share between threads. `clock` gives UTC."""

    def __init__(self, ops: Ops, settings: Settings, clock: Callable[[], datetime] = present) -> None:
        self.ops = ops
        self.demo = settings.demo
        self._secret = sealing.house_secret(settings)
        self._older = tuple(s.encode() for s in reversed(settings.older_secrets))
        self._clock = clock
        self.keys = KeyRing(ops, clock)
        self.drafts = Drafts()
        self.living = Living(ops, clock, demo=settings.demo)

    def now(self) -> datetime:
        """Give the present moment (UTC)."""
        return self._clock()

    def alias(self, name: str) -> str:
        """Give the pseudonym under which tries at a name are kept: it tells them apart and nothing else."""
        return sealing.pseudonym(self._secret, f"name:{people.tidy(name)}")

    def first_admin(self) -> str | None:
        """Make the first administrator and give the one-time password; None where there is an administrator."""
        password = passwords.one_time()
        stored = passwords.hashed(password)
        with self.ops.begin() as connection:
            query = select(people.TABLE.c.id).where(people.TABLE.c.role == "security_admin")
            if connection.execute(query).first() is not None:
                return None
            people.add(
                connection,
                self._clock(),
                name="admin",
                role="security_admin",
                password_hash=stored,
                must_change=True,
            )
        return password

    def sign_in(self, name: str, password: str, code: str, came: Came) -> SignedIn:
        """Sign a person in and end the session they came with.

        Raises SignInRefused, in the same words after about the same time whether name, password or code was wrong or
        the account is disabled; with `wait_s` where too many tries came before.
        """
        who = self.alias(name)
        where = sealing.pseudonym(self._secret, f"address:{came.address}")
        now = self._clock()
        with self.ops.read() as connection:
            account = people.named(connection, name)
            waiting = attempts.wait(connection, who, where, now)
        refuse_while(waiting)
        right = passwords.matches(account.password_hash if account else "", password)
        with self.ops.begin() as connection:
            waiting = attempts.wait(connection, who, where, now)  # others may have tried while this one was hashed
            entered = None
            if not waiting:
                entered = self._entered(connection, account, code, now) if right and account else None
                attempts.note(connection, who, where, now, ok=entered is not None)
            token = self._begun(connection, entered, now, came) if entered else ""
        refuse_while(waiting)
        if entered is None:
            raise refused()
        if passwords.outdated(entered.password_hash):
            self._set(entered, password_hash=passwords.hashed(password))
        return SignedIn(session_token=token, csrf=tokens.csrf_of(token), account=entered)

    def admit(self, account: Account, came: Came) -> SignedIn:
        """Begin a session for someone the provider, or the demo's role switcher, vouches for; raises SignInRefused."""
        now = self._clock()
        with self.ops.begin() as connection:
            present_one = people.by_id(connection, account.id)
            if present_one.disabled_at is not None:
                raise refused()
            token = self._begun(connection, present_one, now, came)
        return SignedIn(session_token=token, csrf=tokens.csrf_of(token), account=present_one)

    def vouched(self, name: str, values: Mapping[str, str], now: datetime) -> Account:
        """Give the account of a person the provider vouches for, made or brought up to what it says of them today."""
        with self.ops.begin() as connection:
            account = people.named(connection, name)
            if account is None:
                return people.add(connection, now, name=name, **values)
            if any(getattr(account, k) != v for k, v in values.items()):
                people.change(connection, account, **values)
                self.living.forget_account(account.id)
            return people.by_id(connection, account.id)

    def _entered(self, connection: Connection, account: Account, code: str, now: datetime) -> Account | None:
        """Give the account after its code was taken; None where it is shut, changed since, or the code wrong."""
        fresh = people.by_id(connection, account.id)
        if fresh.disabled_at is not None or fresh.password_hash != account.password_hash:
            return None
        if not fresh.totp_secret:
            return fresh
        opened = (second_factor.opened(fresh.totp_secret, s, fresh.id) for s in (self._secret, *self._older))
        factor = next(filter(None, opened), None)
        after = second_factor.taken(factor, code, now) if factor else None
        if after is None:
            return None
        sealed = second_factor.sealed(after, self._secret, fresh.id)
        people.change(connection, fresh, totp_secret=sealed)
        return replace(fresh, totp_secret=sealed, version=fresh.version + 1)

    def _begun(self, connection: Connection, account: Account, now: datetime, came: Came) -> str:
        if came.old:
            self.living.forget(sessions.end(connection, now, id_hash=tokens.hash_of(came.old)))
        return sessions.begin(connection, account, now, address=came.address, agent=came.agent)

    def subject(self, token: str) -> Subject | None:
        """Give whom a session's token stands for, None where it is over."""
        found = self.known(token)
        return found.subject if found else None

    def known(self, token: str) -> Known | None:
        """Give what a session's token stands for, None where it is over; one query at most every few seconds."""
        return self.living.known(token)

    def lapsed(self, token: str) -> Account | None:
        """Give whose session a token was that ran out by time alone, None for any other."""
        with self.ops.read() as connection:
            return sessions.lapsed(connection, tokens.hash_of(token), self._clock())

    def end(self, token: str) -> bool:
        """End the session of a token; gives False where it was over already."""
        with self.ops.begin() as connection:
            ended = sessions.end(connection, self._clock(), id_hash=tokens.hash_of(token))
        return bool(self.living.forget(ended))

    def end_session(self, account_id: str, id_hash: str) -> bool:
        """End one session of an account, by the hash it is listed under."""
        with self.ops.begin() as connection:
            ended = sessions.end(connection, self._clock(), id_hash=id_hash, account_id=account_id)
        return bool(self.living.forget(ended))

    def end_all(self, account_id: str, but: str = "") -> int:
        """End all sessions of an account but the one of hash `but`; gives how many were open."""
        with self.ops.begin() as connection:
            ended = sessions.end(connection, self._clock(), account_id=account_id, but=but)
        return len(self.living.forget(ended))

    def sessions(self, account_id: str) -> list[Session]:
        """Give an account's living sessions, the last used first."""
        with self.ops.read() as connection:
            return sessions.living(connection, account_id, self._clock(), self.living.seen.later)

    def disable(self, account_id: str) -> int:
        """Shut an account and end its sessions at once; gives how many were open. Raises NotFound."""
        with self.ops.begin() as connection:
            account = people.by_id(connection, account_id)
            people.change(connection, account, disabled_at=self._clock())
            ended = sessions.end(connection, self._clock(), account_id=account_id)
        return len(self.living.forget(ended))

    def enable(self, account_id: str) -> None:
        """Open an account again; raises NotFound."""
        with self.ops.begin() as connection:
            people.change(connection, people.by_id(connection, account_id), disabled_at=None)

    def change_password(self, account: Account, before: str, after: str, *, keep: str = "") -> None:
        """Change a password and end every other session (`keep`: the hash of one's own).

        Raises SignInRefused for a wrong present password, BadRequest for a weak new one.
        """
        if not passwords.matches(account.password_hash, before):
            raise refused()
        passwords.check(after, name=account.name)
        if after == before:
            raise BadRequest(
                "新密码要与现在的不同", "The new password must differ from the present one", field="password"
            )
        self._set(account, password_hash=passwords.hashed(after), must_change=False)
        self.end_all(account.id, but=keep)

    def offer_factor(self, account: Account) -> tuple[Factor, str]:
        """Give a new second factor and its sealed form, which the confirming form brings back."""
        factor = second_factor.new()
        return factor, second_factor.sealed(factor, self._secret, account.id)

    def offered(self, account: Account, sealed: str) -> Factor | None:
        """Give the factor that was offered to this account, None for any other text."""
        return second_factor.opened(sealed, self._secret, account.id)

    def enrol(self, account: Account, sealed: str, code: str, *, keep: str = "") -> None:
        """Take an offered second factor once a code of it was shown, and end other sessions; raises SignInRefused."""
        factor = self.offered(account, sealed)
        after = second_factor.taken(factor, code, self._clock()) if factor else None
        if after is None:
            raise refused()
        self._set(account, totp_secret=second_factor.sealed(after, self._secret, account.id))
        self.end_all(account.id, but=keep)

    def _set(self, account: Account, **values: object) -> None:
        with self.ops.begin() as connection:
            fresh = people.by_id(connection, account.id)
            people.change(connection, fresh, **values)
        self.living.forget_account(account.id)

    def key_subject(self, header: str, address: str = "") -> Subject | None:
        """Give whom an Authorization header's key stands for; None where it is unknown, dead, or from elsewhere."""
        return self.keys.subject(header, address)
