"""One connection asked over HTTP: its own host only, no redirect off it, bounded in bytes and time, tried again."""

from __future__ import annotations

import base64
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import httpx
import tenacity

from etl import paged
from etl.fetch.connections import HIDDEN, Open, origin
from twin.errors import SourceError

T = TypeVar("T")
Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""(method, address, body) → headers that prove who asks."""
REDIRECTS = 3
LONGEST_WAIT = 120.0
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CHUNK = 1 << 16
_GZIP = 47


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered: `shown` is the address without its host and without secrets."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    address: str
    shown: str


class Faulty(SourceError):
    """Every attempt at one request failed; asking for less of it may go better."""


class _Again(Exception):
    """It may go better the next time; `wait` is what the source asked for, in seconds."""

    def __init__(self, zh: str, en: str, wait: float = 0.0) -> None:
        super().__init__(en)
        self.zh, self.en, self.wait = zh, en, wait


class Web:
    """One pull's conversation with one connection."""

    def __init__(self, to: Open, name: str, *, sign: Sign | None = None) -> None:
        self._to, self._name, self._sign = to, name, sign
        self._connection = to.connection
        self._until = time.monotonic() + to.connection.seconds
        self._left = to.connection.most_bytes
        self._token = to.secrets.token
        self._renewed = 0

    def ask(
        self,
        address: str,
        parameters: Mapping[str, str] | None = None,
        read: Callable[[Answer], T] = lambda answer: answer,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Give `read` of what is answered at `address` (absolute, or relative to the connection's).

        An answer that fails (5xx, 429, cut, too slow, or `read` raises paged.Unusable) is asked for again, with
        growing pauses or as long as the source asks. Raises SourceError, in which no secret stands.
        """
        full = self.full(address, parameters)
        return self._tried(lambda: self._once(lambda: self._followed(full, headers or {}), read))

    def put(self, address: str, body: bytes) -> None:
        """Keep `body` at `address`, whole: what failed is sent again. Raises SourceError, in which no secret stands."""
        full = self.full(address)
        self._tried(lambda: self._once(lambda: self._taken("PUT", full, self._proof("PUT", full, body), body)))

    def _tried(self, once: Callable[[], T]) -> T:
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self._connection.attempts),
            wait=self._pause,
            reraise=True,
        )
        try:
            return trying(once)
        except _Again as last:
            refusal = self.refused(last.zh, last.en)
            raise Faulty(refusal.zh, refusal.en, **refusal.where) from None

    def full(self, address: str, parameters: Mapping[str, str] | None = None) -> str:
        """Give an absolute address with `parameters` added; raises SourceError where it leaves the host."""
        base = self._to.address.rstrip("/")
        whole = urljoin(base + "/", address if urlsplit(address).scheme else address.lstrip("/")) if address else base
        if origin(whole) != self._to.origin:
            raise self.refused(
                f"指向了另一台主机 {urlsplit(whole).hostname}", f"it points to another host, {urlsplit(whole).hostname}"
            )
        parts = urlsplit(whole)
        query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **(parameters or {})}
        return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))

    def shown(self, address: str) -> str:
        """Give an address as it may be written down: no host, no secret."""
        parts = urlsplit(address)
        kind, _, name = self._connection.auth.partition(":")
        query = [(k, HIDDEN if kind == "query" and k == name else v) for k, v in parse_qsl(parts.query)]
        text = parts.path + ("?" + urlencode(query, safe="/:,•") if query else "")
        return self._to.secrets.scrub(self._scrubbed_token(text))

    def refused(self, zh: str, en: str) -> SourceError:
        """Make a refusal that names the source and no secret."""
        zh, en = (self._to.secrets.scrub(self._scrubbed_token(t)) for t in (zh, en))
        return SourceError(
            f"“{self._name}”没有取到:{zh}。上一版继续提供。",
            f"“{self._name}” could not be had: {en}. The last version stays.",
            file=self._name,
        )

    def _scrubbed_token(self, text: str) -> str:
        return text.replace(self._token, HIDDEN) if self._token else text

    def _pause(self, state: tenacity.RetryCallState) -> float:
        wrong = state.outcome.exception() if state.outcome else None
        asked = wrong.wait if isinstance(wrong, _Again) else 0.0
        grown = self._connection.retry_seconds * 2 ** (state.attempt_number - 1)
        pause = max(min(asked, LONGEST_WAIT), grown * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
        return min(pause, max(0.0, self._until - time.monotonic()))

    def _once(self, asking: Callable[[], Answer], read: Callable[[Answer], T] = lambda answer: answer) -> T:
        try:
            answer = asking()
        except httpx.HTTPError as wrong:
            kind = type(wrong).__name__
            raise _Again(f"连接失败或中断({kind})", f"the connection failed or was cut ({kind})") from None
        except zlib.error:
            raise _Again("压缩内容损坏", "its compressed body is damaged") from None
        if answer.status in _AGAIN:
            raise _Again(f"来源应答 {answer.status}", f"it answered {answer.status}", _asked_wait(answer.headers))
        if answer.status in (401, 403):
            return self._renew(asking, read, answer.status)
        if answer.status not in (200, 201, 204, 304):
            raise self.refused(f"来源应答 {answer.status}", f"it answered {answer.status}")
        try:
            return read(answer)
        except paged.Unusable as wrong:
            raise _Again(f"应答不是所要的内容({wrong})", f"its answer is not what was asked for ({wrong})") from None

    def _renew(self, asking: Callable[[], Answer], read: Callable[[Answer], T], status: int) -> T:
        if self._connection.auth == "login" and self._renewed < self._connection.attempts:
            self._renewed, self._token = self._renewed + 1, ""
            return self._once(asking, read)
        named = ", ".join(self._connection.variables) or "-"
        raise self.refused(
            f"来源拒绝了凭据({status});请核对 {named}", f"it refused the credentials ({status}); see {named}"
        )

    def _followed(self, address: str, headers: Mapping[str, str]) -> Answer:
        for _ in range(REDIRECTS + 1):
            answer = self._taken("GET", address, {**self._proof("GET", address), **headers})
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            address = self.full(urljoin(address, answer.headers.get("location", "")))
        raise self.refused("转向次数过多", "it redirects in a circle")

    def _proof(self, method: str, address: str, body: bytes = b"") -> dict[str, str]:
        secrets, (kind, _, name) = self._to.secrets, self._connection.auth.partition(":")
        if self._sign:
            return dict(self._sign(method, address, body))
        if kind == "login" and not self._token:
            self._token = self._logged_in()
        if kind == "basic":
            both = f"{secrets.user}:{secrets.password}".encode()
            return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
        if kind in ("bearer", "login"):
            return {"Authorization": f"Bearer {self._token}"}
        return {name: secrets.token} if kind == "header" else {}

    def _logged_in(self) -> str:
        secrets = self._to.secrets
        body = urlencode({"username": secrets.user, "password": secrets.password})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._taken("POST", self.full(self._connection.login), form, body)
        found = paged.at(paged.loads(answer.body), "access_token") if answer.status == httpx.codes.OK else None
        if not isinstance(found, str):
            raise self.refused(f"登录未成功({answer.status})", f"signing in failed ({answer.status})")
        return found

    def _taken(self, method: str, address: str, headers: Mapping[str, str], body: bytes | str | None = None) -> Answer:
        kind, _, name = self._connection.auth.partition(":")
        asked = self.full(address, {name: self._to.secrets.token}) if kind == "query" else address
        until = min(self._until, time.monotonic() + self._connection.request_seconds)
        timeout = httpx.Timeout(max(0.1, min(20.0, until - time.monotonic())))
        known = {"Accept-Encoding": "gzip", "User-Agent": "village-onemap", **headers}
        with (
            httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(method, asked, headers=known, content=body) as answer,
        ):
            taken = b"".join(self._unpacked(answer, until))
        return Answer(
            status=answer.status_code,
            headers={k.lower(): v for k, v in answer.headers.items()},
            body=taken,
            address=address,
            shown=self.shown(address),
        )

    def _unpacked(self, answer: httpx.Response, until: float) -> Iterator[bytes]:
        packing = answer.headers.get("content-encoding", "identity").lower()
        if packing not in ("identity", "gzip", ""):
            raise self.refused(f"压缩方式 {packing} 不接收", f"bodies packed by {packing} are not taken")
        opener = zlib.decompressobj(_GZIP) if packing == "gzip" else None
        for chunk in answer.iter_raw():  # as it comes: a drip must not fill a piece first
            if time.monotonic() > until:
                raise _Again("来源太慢,超过时限", "it was too slow for its time limit")
            yield from self._counted(opener, chunk) if opener else self._count(chunk)
        if opener and not opener.eof:
            raise zlib.error

    def _counted(self, opener: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            yield from self._count(opener.decompress(chunk, _CHUNK))
            chunk = opener.unconsumed_tail

    def _count(self, chunk: bytes) -> Iterator[bytes]:
        self._left -= len(chunk)
        if self._left < 0:
            most = self._connection.most_bytes >> 20
            raise self.refused(f"内容超过 {most} MiB 的上限", f"it is more than the limit of {most} MiB")
        yield chunk


def _asked_wait(headers: Mapping[str, str]) -> float:
    asked = headers.get("retry-after", "")
    if asked.isdigit():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
