"""Broken HTTP by raw sockets to a real server: refused or dropped within its time, and everybody else is answered."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import uvicorn

from tests.matrix.people import CAME
from tests.wall.standing import Wall
from twin.api import wire

HEAD_S, BODY_S = 0.3, 0.5


class Hasty(wire.Wire):
    """The same with shorter times, so that a test need not wait."""

    head_s = HEAD_S
    body_s = BODY_S


@pytest.fixture(scope="module")
def port(wall: Wall) -> Iterator[int]:
    config = uvicorn.Config(
        wall.front, host="127.0.0.1", port=0, http=Hasty, lifespan="off", log_level="critical",
        timeout_keep_alive=1, timeout_graceful_shutdown=1, server_header=False, access_log=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextmanager
def connected(port: int, wait: float = 5.0) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.settimeout(wait)
        yield opened


def heard(opened: socket.socket) -> bytes:
    """Give everything said until the other side closes; a reset is one way to close."""
    found = b""
    try:
        while part := opened.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def say(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    with connected(port) as opened:
        try:
            for part in parts:
                opened.sendall(part)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return heard(opened)


def statuses(said: bytes) -> list[int]:
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


def head(line: str, *headers: str, port: int) -> bytes:
    return "\r\n".join([line, f"Host: 127.0.0.1:{port}", *headers, "", ""]).encode("latin-1")


def well(port: int) -> None:
    """Prove that somebody else is answered."""
    assert statuses(say(port, head("GET /health HTTP/1.1", "Connection: close", port=port))) == [200]


POST = "POST /api/v1/analysis/overlay HTTP/1.1"
HIDDEN = "GET /signin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
Make = Callable[[int], bytes]
NO_HTTP: Mapping[str, Make] = {
    "no host": lambda _: b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": lambda p: head("GET /health HTTP/1.1", "Host: evil.example", port=p),
    "every byte there is": lambda _: bytes(range(256)) * 8,
    "TLS": lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300,
    "SSH": lambda _: b"SSH-2.0-wall\r\n",
    "a header over two lines": lambda p: head("GET /health HTTP/1.1", "X-A: a", " b", port=p),
    "lines without CR": lambda p: head("GET /health HTTP/1.1", port=p).replace(b"\r\n", b"\n"),
    "the same host twice": lambda p: head("GET /health HTTP/1.1", f"Host: 127.0.0.1:{p}", port=p),
    "an encoding twice": lambda p: head(POST, *["Transfer-Encoding: chunked"] * 2, port=p) + b"0\r\n\r\n",
    "an encoding before chunks": lambda p: head(POST, "Transfer-Encoding: gzip, chunked", port=p) + b"0\r\n\r\n",
    "101 headers": lambda p: head("GET /health HTTP/1.1", *(f"X-{n}: a" for n in range(100)), port=p),
    "a header of 70 KB": lambda p: head("GET /health HTTP/1.1", port=p)[:-2] + b"X-A: " + b"a" * 70_000,
    "NUL in a header": lambda p: head("GET /health HTTP/1.1", "X-A: a\x00b", port=p),
    "a lone CR in a header": lambda p: head("GET /health HTTP/1.1", "X-A: a\rX-B: c", port=p),
    "a space before a colon": lambda p: head("GET /health HTTP/1.1", "X-A : a", port=p),
    "a header without a name": lambda p: head("GET /health HTTP/1.1", ": a", port=p),
    "a space in the address": lambda p: head("GET /api/v1/search?q=a b HTTP/1.1", port=p),
    "raw Chinese in the address": lambda p: head("GET /", port=p).replace(b"GET /", "GET /村 HTTP/1.1".encode()),
    "NUL in the address": lambda p: head("GET /a\x00b HTTP/1.1", port=p),
    "two lengths": lambda p: head(POST, "Content-Length: 5", "Content-Length: 6", port=p) + b"{}   ",
    "a negative length": lambda p: head(POST, "Content-Length: -1", port=p) + b"{}",
    "a length with a sign": lambda p: head(POST, "Content-Length: +2", port=p) + b"{}",
    "a length in hex": lambda p: head(POST, "Content-Length: 0x2", port=p) + b"{}",
    "a length without end": lambda p: head(POST, "Content-Length: " + "9" * 40, port=p) + b"{}",
    "an encoding there is not": lambda p: head(POST, "Transfer-Encoding: xchunked", port=p) + b"0\r\n\r\n",
    "an encoding of nothing": lambda p: head(POST, "Transfer-Encoding: identity", "Content-Length: 2", port=p) + b"{}",
    "chunked twice": lambda p: head(POST, "Transfer-Encoding: chunked, chunked", port=p) + b"0\r\n\r\n",
    "a chunk of no number": lambda p: head(POST, "Transfer-Encoding: chunked", port=p) + b"ZZ\r\n{}\r\n0\r\n\r\n",
    "a chunk of less than nothing": lambda p: head(POST, "Transfer-Encoding: chunked", port=p) + b"-1\r\n{}\r\n0\r\n\r\n",
    "20,000 headers": lambda p: head("GET /health HTTP/1.1", *(f"X-{n}: a" for n in range(20_000)), port=p),
    "a header of 3 MB": lambda p: head("GET /health HTTP/1.1", port=p)[:-2] + b"X-A: " + b"a" * 3_000_000,
    "a first line of 3 MB": lambda _: b"GET /" + b"a" * 3_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_is_no_http_is_refused_in_words_and_the_connection_is_over(port: int, name: str) -> None:
    said = say(port, NO_HTTP[name](port))
    assert statuses(said) in ([400], [])  # one that sends on after its refusal may hear a reset instead
    if said:
        body = json.loads(said.partition(b"\r\n\r\n")[2])
        assert (body["status"], body["zh"], body["en"]) == (400, "请求有误", "The request is wrong")
        assert b"uvicorn" not in said
        assert b"content-type: application/problem+json" in said
    well(port)


@pytest.mark.parametrize("path", [POST, "GET /tiles/M1/15/27304/13463.mvt HTTP/1.1", "POST /signin HTTP/1.1"])
def test_a_request_that_ends_in_two_places_hides_no_other(port: int, path: str) -> None:
    framed = head(path, "Content-Length: 5", "Transfer-Encoding: chunked", port=port) + b"0\r\n\r\n"
    said = say(port, framed + HIDDEN.encode())
    assert statuses(said) == [400]
    assert b'"code": "framing"' in said
    well(port)


def test_what_follows_a_body_is_not_read_as_a_part_of_it(port: int) -> None:
    body = HIDDEN.encode()
    asked = head("GET /health HTTP/1.1", f"Content-Length: {len(body)}", "Connection: close", port=port)
    assert statuses(say(port, asked + body)) == [200]
    several = head("GET /health HTTP/1.1", port=port) * 3 + head("GET /health HTTP/1.1", "Connection: close", port=port)
    assert statuses(say(port, several)) == [200] * 4


def test_what_follows_a_request_for_another_protocol_is_not_a_request(port: int) -> None:
    body = HIDDEN.replace("127.0.0.1", f"127.0.0.1:{port}").encode()
    upgrade = ("Connection: Upgrade", "Upgrade: wall", f"Content-Length: {len(body)}", "Sec-Fetch-Site: same-origin")
    for line in ("GET /health HTTP/1.1", POST):
        asked = head(line, *upgrade, port=port)
        for parts in ((asked + body,), (asked, body), (asked[:40], asked[40:], body[:9], body[9:])):
            assert len(statuses(say(port, *parts, pause=0.02))) == 1
    assert statuses(say(port, head("CONNECT 127.0.0.1:22 HTTP/1.1", port=port) + body)) in ([400], [404], [405], [])
    well(port)


def test_what_comes_after_the_last_chunk_is_no_header(wall: Wall, port: int) -> None:
    cookie = "Cookie: " + wall.headers["official"]["cookie"]
    asked = head("GET /api/v1/layers HTTP/1.1", "Transfer-Encoding: chunked", "Connection: close", port=port)
    end = f"0\r\n{cookie}\r\n\r\n".encode()
    plain, trailed = say(port, asked + b"0\r\n\r\n"), say(port, asked + end)
    assert statuses(plain) == statuses(trailed) == [200]
    assert plain.partition(b"\r\n\r\n")[2] == trailed.partition(b"\r\n\r\n")[2]


TILE = "GET /tiles/M1/15/27304/13463.mvt HTTP/1.1"


def told(said: bytes) -> tuple[bytes, ...]:
    """Give an answer without its date, in any order of headers."""
    first, _, body = said.partition(b"\r\n\r\n")
    return (*sorted(line for line in first.split(b"\r\n") if not line.lower().startswith(b"date:")), body)


@pytest.mark.parametrize("who", ["official", "planner", "auditor", "nobody"])
@pytest.mark.parametrize("more", [(), ("Accept-Encoding: gzip",), ("Accept-Encoding: br",)])
def test_a_tile_that_is_told_at_once_is_the_tile_that_was_waited_for(
    wall: Wall, port: int, who: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [f"{k}: {v}" for k, v in wall.headers.get(who, {}).items()]
    asked = head(TILE, *shown, *more, port=port)
    closing = head(TILE, *shown, *more, "Connection: close", port=port)
    say(port, closing)
    with monkeypatch.context() as patched:
        patched.setattr(wall.front.tile_server, "at_once", lambda _: None)
        waited = told(say(port, closing))
    served, given = wall.front.tile_server, []
    known = served.at_once
    monkeypatch.setattr(served, "at_once", lambda scope: given.append(known(scope)) or given[-1])
    both = say(port, asked + asked + closing)
    assert len(statuses(both)) == 3
    assert sum(ready is not None for ready in given) >= (2 if statuses(waited[0] + b" ") != [404] else 0)
    for one in both.split(b"HTTP/1.1 ")[1:-1]:
        assert told(b"HTTP/1.1 " + one) == tuple(part for part in waited if part != b"connection: close")


def test_a_tile_is_told_at_once_to_nobody_whose_session_has_ended(wall: Wall, port: int) -> None:
    account = wall.accounts.admit(wall.accounts.known(token_of(wall, "planner")).account, CAME)
    name = wall.headers["planner"]["cookie"].partition("=")[0]
    asked = head(TILE, f"Cookie: {name}={account.session_token}", "Connection: close", port=port)
    nobody = told(say(port, head(TILE, "Connection: close", port=port)))
    assert told(say(port, asked)) == told(say(port, asked)) != nobody
    wall.accounts.end(account.session_token)
    assert told(say(port, asked)) == nobody


def token_of(wall: Wall, who: str) -> str:
    return wall.headers[who]["cookie"].partition("=")[2].partition(";")[0]


def test_another_protocol_is_not_spoken(port: int) -> None:
    upgrade = ("Connection: Upgrade, close", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    for kind in ("websocket", "h2c", "wall"):
        for path in ("/", "/_dash-update-component", "/api/v1/layers"):
            asked = head(f"GET {path} HTTP/1.1", f"Upgrade: {kind}", *upgrade, port=port)
            assert statuses(say(port, asked))[0] in (200, 400, 404, 405)
    assert 101 not in statuses(say(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    well(port)


@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\nHo", b"GET /", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\r\n", b"A"],
)  # fmt: skip
def test_half_a_request_is_told_so_after_its_time_and_let_go(port: int, said: bytes) -> None:
    began = time.monotonic()
    answer = say(port, said)
    assert time.monotonic() - began >= HEAD_S / 2
    assert statuses(answer) in ([408], [])
    well(port)


def test_whoever_says_nothing_is_let_go_without_a_word(port: int) -> None:
    with connected(port) as opened:
        assert heard(opened) == b""


def test_a_head_that_drips_has_its_time_in_all_not_for_each_drop(port: int) -> None:
    with connected(port) as opened:
        opened.settimeout(0.05)
        began, answer = time.monotonic(), b""
        for letter in head("GET /health HTTP/1.1", "X-A: " + "a" * 500, port=port):
            try:
                opened.sendall(bytes([letter]))
                answer += opened.recv(4096)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
            if answer:
                break
        assert time.monotonic() - began < HEAD_S + 5
    assert statuses(answer) == [408]
    well(port)


@pytest.mark.parametrize(
    "asked",
    [
        (POST, "Content-Type: application/json", "Content-Length: 500"),
        (POST, "Content-Type: application/json", "Transfer-Encoding: chunked"),
        ("POST /signin HTTP/1.1", "Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded",
         "Content-Length: 500"),
        ("POST /_dash-update-component HTTP/1.1", "Content-Type: application/json", "Content-Length: 500"),
    ],
)  # fmt: skip
def test_half_a_body_is_told_so_after_its_time_and_holds_nobody_up(port: int, asked: tuple[str, ...]) -> None:
    with connected(port) as slow:
        slow.sendall(head(*asked, port=port) + b"2\r\n")
        began = time.monotonic()
        for _ in range(3):
            well(port)
        answer = heard(slow)
    assert time.monotonic() - began >= BODY_S * 0.5
    assert statuses(answer) == [408]
    well(port)


def test_a_body_larger_than_its_route_takes_is_refused_before_it_has_come(port: int) -> None:
    for path, length in ((POST, 1_000_001), ("POST /signin HTTP/1.1", 9_000), ("GET /health HTTP/1.1", 5_000)):
        asked = head(path, f"Content-Length: {length}", "Connection: close", port=port)
        assert statuses(say(port, asked)) == [413]
    chunks = head(POST, "Transfer-Encoding: chunked", "Connection: close", port=port) + b"4000\r\n" + b"[" * 0x4000
    assert statuses(say(port, chunks, *[b"\r\n4000\r\n" + b"[" * 0x4000] * 80))[:1] in ([413], [])
    well(port)


def test_a_hundred_connections_that_say_nothing_keep_nobody_out(port: int) -> None:
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    try:
        for one in opened:
            one.sendall(b"GET / HTTP/1.1\r\nX: ")
        well(port)
        for one in opened:
            one.settimeout(5)
        assert all(statuses(heard(one)) in ([408], []) for one in opened)
    finally:
        for one in opened:
            one.close()
    well(port)


def test_a_connection_that_is_used_is_not_let_go(port: int) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for _ in range(4):
        kept.request("GET", "/health")
        assert kept.getresponse().read()
        assert kept.sock is not None
        time.sleep(HEAD_S / 2)
    kept.close()
