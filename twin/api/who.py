"""Whom a request comes from: cookie or key → subject, from which address, and whether its form or script is our own."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from twin import ops
from twin.accounts import Account, Accounts, Known, house_secret, tokens
from twin.accounts.demo import Place
from twin.accounts.passwords import AT_ONCE
from twin.accounts.provider import Provider
from twin.api.limits import Limits
from twin.audit import Audit, Event
from twin.errors import SignInRefused, TooMany
from twin.ground import Ground
from twin.kept import Kept
from twin.policy import ANONYMOUS, ANONYMOUS_LOCAL, Subject
from twin.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import Scope

    from twin.model import OneMap
    from twin.settings import Settings

CSRF_HEADER = "X-CSRF-Token"
HOSTS = frozenset({*LOOPBACK, "[::1]"})
"""The names the service answers to on the loopback: a rebound DNS name is none of them."""
PORT = re.compile(r"[0-9]{1,5}")
KEPT = 5_000
"""Cookie headers whose token is remembered; a stranger may send as many as they like, of 64 KB each."""
LONG = 4096
"""Bytes of a Cookie header from which it is not remembered."""
BEHIND = 5
"""How much nicer than the rest the threads are that compute hashes."""
MOST_WAITING = 40
"""Sign-ins that wait for their turn at most: some seconds' worth."""
T = TypeVar("T")
GRID = "001"
"""The demo's grid worker has the village's first grid."""


def subject(request: Scope | Request) -> Subject:
    """Give who sent a request (or its scope) that has passed the guard."""
    scope = request if isinstance(request, dict) else request.scope  # type: ignore[union-attr]
    return scope["state"]["subject"]


def _step_back() -> None:
    """Let everybody else's threads go first; where niceness is the whole process's (not on Linux), change nothing."""
    if sys.platform == "linux":
        os.nice(BEHIND)


def sid_cookie(settings: Settings) -> str:
    """Name the session's cookie: bound to this host and to TLS, except in the demo, which has none."""
    return "onemap_sid" if settings.demo else "__Host-onemap_sid"


def csrf_cookie(settings: Settings) -> str:
    """Name the cookie from which our scripts read what they must send back."""
    return "onemap_csrf" if settings.demo else "__Host-onemap_csrf"


class Who:
    """The askers of one service; the operational store is opened when the first of them shows a cookie or a key."""

    def __init__(self, settings: Settings, place: Place, accounts: Accounts | None = None) -> None:
        self.settings = settings
        self.place = place
        self.nobody = ANONYMOUS_LOCAL if settings.demo else ANONYMOUS
        self.limits = Limits()
        self.hosts = HOSTS | ({urlsplit(settings.origin).netloc.lower()} if settings.origin else set())
        self.sid = sid_cookie(settings)
        self.csrf = csrf_cookie(settings)
        self._marker = self.sid.encode() + b"="
        self._proxies = [ipaddress.ip_network(p.strip()) for p in settings.trusted_proxy.split(",") if p.strip()]
        self._accounts = accounts
        self._audit: Audit | None = None
        self._provider: Provider | None = None
        self.ledger_if_open: Ground | None = None
        self._opening = threading.Lock()
        self._hashing = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sign-in", initializer=_step_back)
        self._waiting = 0
        self._hashes: Kept[bytes, tuple[str, str]] = Kept(KEPT)

    @classmethod
    def of_village(cls, onemap: OneMap, settings: Settings) -> Who:
        """Give the askers of one village."""
        village = onemap.village
        department = onemap.departments[-1].id if onemap.departments else ""
        place = Place(village=village.code, county=village.county_code, grid=village.code + GRID, department=department)
        return cls(settings, place)

    @property
    def accounts(self) -> Accounts:
        """Give the accounts, opening (and where needed making) their store; raises OpsDown, SettingError."""
        if self._accounts is None:
            with self._opening:
                if self._accounts is None:
                    url = self.settings.ops_url or f"sqlite:///{self.settings.data / 'run' / 'ops.sqlite'}"
                    ops.upgrade(url)
                    self._accounts = Accounts(ops.Ops(url), self.settings)
        return self._accounts

    @property
    def audit(self) -> Audit:
        """Give the record, in the same store as the accounts."""
        if self._audit is None:
            store = self.accounts.ops
            with self._opening:
                if self._audit is None:
                    secret = house_secret(self.settings).decode()
                    folder = self.settings.data / "run" / "audit"
                    self._audit = Audit(store, secret, folder=folder, older=self.settings.older_secrets)
        return self._audit

    @property
    def ledger(self) -> Ground:
        """Give the ledger of ground delivered, in the same store as the accounts."""
        if self.ledger_if_open is None:
            store = self.accounts.ops
            with self._opening:
                if self.ledger_if_open is None:
                    self.ledger_if_open = Ground(store)
        return self.ledger_if_open

    @property
    def provider(self) -> Provider | None:
        """Give the declared provider, None where there is none; raises SettingError."""
        if self._provider is None and self.settings.oidc_issuer:
            self._provider = Provider(self.settings, self.accounts)
        return self._provider

    async def hashed(self, work: Callable[[], T]) -> T:
        """Do what computes a password's hash, on threads of its own: a flood of it keeps nobody else waiting.

        Raises TooMany where so many wait already that this one would not be answered in time.
        """
        if self._waiting >= MOST_WAITING:
            raise TooMany("登录的人太多，请稍后再试", "Too many sign in just now; try again shortly", wait_s=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, work)
        finally:
            self._waiting -= 1

    async def record(
        self, scope: Scope, action: str, outcome: str, *, account: Account | None = None, name: str = "", **detail: Any
    ) -> None:
        """Write down what was done by or to an account, before it is answered; raises AuditDown.

        `account` is whose it is where the request has no session yet; `name` one that was tried, kept as an alias.
        """
        who = subject(scope)
        event = Event(
            action=action,
            subject=account.id if account else who.id,
            role=account.role if account else who.role,
            via=who.via,
            outcome=outcome,
            address=self.address(scope),
            detail={**detail, **({"name": self.accounts.alias(name)[:16]} if name else {})},
        )
        await asyncio.to_thread(lambda: self.audit.write(event))

    def first_admin(self) -> str | None:
        """Give the first administrator's one-time password on the first start outside the demo, else None."""
        return None if self.settings.demo else self.accounts.first_admin()

    async def of(self, scope: Scope) -> Subject:
        """Give who sent this request, asking the store in a thread if need be; raises SignInRefused for a dead key."""
        found = self.quick(scope)
        return found if found is not None else await asyncio.to_thread(self.ask, scope)

    def quick(self, scope: Scope) -> Subject | None:
        """Give who sent this request where that is known without waiting, else None."""
        cookie, authorization = self._shown(scope)
        if authorization:
            return None
        if not cookie:
            return self.nobody
        if self._accounts is None:
            return None
        id_hash = self._read(cookie)[1]
        if not id_hash:
            return self.nobody
        sure, known = self._accounts.living.believed(id_hash)
        if not sure:
            return None
        return known.subject if known else self.nobody

    def ask(self, scope: Scope) -> Subject:
        """Give who sent this request, reading the store; raises SignInRefused for a key that is not good here."""
        cookie, authorization = self._shown(scope)
        if authorization:
            found = self.accounts.key_subject(authorization.decode("latin-1"), self.address(scope))
            if found is None:
                raise SignInRefused("密钥无效、已停用或来源不符", "The key is unknown, over, or used from elsewhere")
            return found
        known = self.accounts.known(self._read(cookie)[0])
        return known.subject if known else self.nobody

    def token(self, scope: Scope) -> str:
        """Give the session token a request shows, "" for none."""
        cookie, _ = self._shown(scope)
        return self._read(cookie)[0] if cookie else ""

    def known(self, scope: Scope) -> Known | None:
        """Give the session a request shows, with its account; None where it is over."""
        token = self.token(scope)
        return self.accounts.known(token) if token else None

    def _shown(self, scope: Scope) -> tuple[bytes, bytes]:
        """Give (the Cookie header that holds ours, the Authorization header that holds a bearer's)."""
        cookie = authorization = b""
        for name, value in scope["headers"]:
            if name == b"cookie" and self._marker in value:
                cookie = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                authorization = value
        return cookie, authorization

    def _read(self, cookie: bytes) -> tuple[str, str]:
        """Give (token, its hash) of a Cookie header, both "" for no token of ours."""
        found = self._hashes.get(cookie)
        if found is None:
            parts = (p.strip().partition("=") for p in cookie.decode("latin-1").split(";"))
            token = next((value for name, _, value in parts if name == self.sid), "")
            found = (token, tokens.hash_of(token)) if tokens.SESSION.fullmatch(token) else ("", "")
            if len(cookie) <= LONG:
                self._hashes.put(cookie, found)
        return found

    def address(self, scope: Scope) -> str:
        """Give the address a request comes from: the connection's, or what a trusted proxy says of it."""
        client = scope.get("client")
        direct = client[0] if client else ""
        if not self._proxies or not tokens.lies_in(direct, self._proxies):
            return direct
        said = b",".join(v for k, v in scope["headers"] if k == b"x-forwarded-for").decode("latin-1")
        for hop in reversed([h.strip() for h in said.split(",") if h.strip()]):
            if not tokens.lies_in(hop, self._proxies):
                return hop[:64]
        return direct

    def is_ours(self, host: bytes) -> bool:
        """Say whether a Host header names this service."""
        name = host.decode("latin-1").lower()
        if name in self.hosts:
            return True
        known, _, port = name.rpartition(":")
        return known in self.hosts and PORT.fullmatch(port) is not None

    def asker(self, scope: Scope, who: Subject) -> str:
        """Name whose bucket a request is taken from: a person's or key's own, else its address's."""
        return who.id if who.via in ("session", "key") else self.address(scope)

    def wait(self, scope: Scope, who: Subject, kind: str) -> float:
        """Give the seconds this asker must wait for `kind`, 0 for none; the demo's own visitor never waits."""
        return 0.0 if who is ANONYMOUS_LOCAL else self.limits.take(kind, self.asker(scope, who))

    def cookies(self, token: str, csrf: str) -> list[tuple[str, str]]:
        """Give the Set-Cookie headers that begin a session in the browser."""
        secure = "" if self.settings.demo else "; Secure"
        return [
            ("set-cookie", f"{self.sid}={token}; Path=/; HttpOnly; SameSite=Lax{secure}"),
            ("set-cookie", f"{self.csrf}={csrf}; Path=/; SameSite=Strict{secure}"),
        ]

    def no_cookies(self) -> list[tuple[str, str]]:
        """Give the Set-Cookie headers that end it there."""
        secure = "" if self.settings.demo else "; Secure"
        return [
            ("set-cookie", f"{self.sid}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}"),
            ("set-cookie", f"{self.csrf}=; Path=/; Max-Age=0; SameSite=Strict{secure}"),
        ]

    def csrf_right(self, scope: Scope, given: Mapping[bytes, bytes] | str) -> bool:
        """Say whether a request with a session shows its token too: in the header, or as read from its form."""
        token = self.token(scope)
        shown: Any = given if isinstance(given, str) else given.get(CSRF_HEADER.lower().encode(), b"").decode("latin-1")
        return not token or tokens.csrf_matches(token, shown)
