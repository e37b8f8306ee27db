"""What a script of the page may ask: one callback there is, its one question, of the kinds declared; or nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request

from twin.api import moments, problems
from twin.api.guard import CALLBACKS
from twin.errors import BadRequest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONG = 60_000
"""Bodies beyond are read in a thread: others are answered meanwhile."""
HALF = re.compile("[\ud800-\udfff]")
"""Half a character: JSON can write it, nothing else can."""
Kind = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What one callback may be asked: the kind of each value, and the sets of values of which one must be there.

    A kind gives the value as it is answered, and raises ValueError or TypeError for what is none.
    """

    kinds: Mapping[str, Kind]
    needs: Sequence[Sequence[str]] = ((),)

    def read(self, given: Any) -> dict[str, Any]:
        """Give what of `given` is asked, without what nobody asks for; raises BadRequest naming the wrong value."""
        if not isinstance(given, Mapping):
            raise _wrong("data")
        there = {k: v for k, v in given.items() if k in self.kinds and v is not None}
        found: dict[str, Any] = {}
        for name, value in there.items():
            try:
                found[name] = self.kinds[name](value)
            except (ValueError, TypeError, OverflowError, RecursionError) as wrong:
                raise _wrong(name) from wrong
        if not any(all(n in found for n in needed) for needed in self.needs):
            raise _wrong(" / ".join(",".join(needed) for needed in self.needs))
        return found


def text(most: int) -> Kind:
    """Give the kind of a text of `most` letters, or a whole number that stands for one."""

    def read(value: Any) -> str:
        said = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(said, str) or len(said) > most or HALF.search(said):
            raise ValueError(most)
        return said

    return read


def whole(least: int, most: int) -> Kind:
    """Give the kind of a whole number between two others."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise ValueError(value)
        if not least <= value <= most:
            raise ValueError(value)
        return int(value)

    return read


def flag(value: Any) -> bool:
    """Read yes or no."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def place(value: Any) -> list[float]:
    """Read [longitude, latitude] in degrees."""
    lon, lat = value
    if isinstance(lon, (str, bool)) or isinstance(lat, (str, bool)) or not (abs(lon) <= 180 and abs(lat) <= 85):
        raise ValueError(value)
    return [float(lon), float(lat)]


def several(kind: Kind, most: int) -> Kind:
    """Give the kind of a list of `most` values of `kind`."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(most)
        return [kind(v) for v in value]

    return read


def record(**kinds: Kind) -> Kind:
    """Give the kind of an object with some of these values; others are left out."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise TypeError(value)
        return {k: kind(value[k]) for k, kind in kinds.items() if value.get(k) is not None}

    return read


def any_object(value: Any) -> Mapping[str, Any]:
    """Read an object that whoever answers looks into; raises ValueError where a text in it cannot be written."""
    if not isinstance(value, Mapping) or HALF.search(json.dumps(value, ensure_ascii=False)):
        raise TypeError(value)
    return value


class Pages(Protocol):
    """What the API knows of the pages: Flask's server, their scripts' hashes, their callbacks and what those take."""

    server: Any
    callback_map: dict[str, Any]
    questions: Mapping[str, Question]

    def csp_hashes(self) -> Any:
        """Give the sources of the inline scripts for a content policy."""


class Callbacks:
    """Stand before the pages: what Dash is given to answer is written here, never by whoever asks."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, refusing a callback that is none."""
        if scope["path"] != CALLBACKS:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._rewritten(scope, receive)
        except ClientDisconnect:
            return
        except BadRequest as error:
            await problems.answer(*problems.of(error))(scope, receive, send)
            return
        if body is None:
            await problems.response(415, code="json")(scope, receive, send)
            return
        await self._app(_asked(scope, body), _once(body), send)

    async def _rewritten(self, scope: Scope, receive: Receive) -> bytes | None:
        """Give the request as our own page would have sent it, None for a body that is said to be no JSON."""
        request = Request(scope, receive)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return None
        given = await request.body()
        return await asyncio.to_thread(self._checked, given) if len(given) > LONG else self._checked(given)

    def _checked(self, given: bytes) -> bytes:
        try:
            told = json.loads(given, parse_constant=_no_number)
        except (ValueError, RecursionError) as wrong:
            raise BadRequest("内容不是有效的 JSON", "The body is no valid JSON") from wrong
        key = told.get("output") if isinstance(told, Mapping) else None
        known = self._pages.callback_map.get(key) if isinstance(key, str) else None
        asked = known["inputs"][0]["id"] if known and "callback" in known else ""
        if asked not in self._pages.questions:
            raise _wrong("output")
        question = self._pages.questions[asked].read(_value(told.get("inputs"), asked))
        return json.dumps(_body(str(key), asked, question)).encode()


def _value(inputs: Any, asked: str) -> Any:
    """Give what the one input of a callback holds; raises BadRequest where there are others, or none."""
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], Mapping):
        raise _wrong("inputs")
    if (inputs[0].get("id"), inputs[0].get("property")) != (asked, "data"):
        raise _wrong("inputs")
    return inputs[0].get("value")


def _body(key: str, asked: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """Write the call of a callback as Dash's own script does."""
    pairs = [name.partition(".")[::2] for name in key.strip(".").split("...")]
    outputs = [{"id": owner, "property": prop} for owner, prop in pairs]
    return {
        "output": key,
        "outputs": outputs if key.startswith("..") else outputs[0],
        "inputs": [{"id": asked, "property": "data", "value": question}],
        "changedPropIds": [f"{asked}.data"],
    }


def _asked(scope: Scope, body: bytes) -> Scope:
    dropped = (b"content-length", b"content-type", b"transfer-encoding", b"content-encoding")
    kept = [(k, v) for k, v in scope["headers"] if k not in dropped]
    headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    as_of = moments.asked(scope["query_string"])
    query = f"{moments.NAME}={quote(as_of)}".encode() if as_of else b""
    return {**scope, "query_string": query, "headers": headers}


def _once(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _wrong(name: str) -> BadRequest:
    return BadRequest(
        "页面的请求不是本页发出的样子，请刷新后重试", "This is not what our page asks; reload it", value=name
    )


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
