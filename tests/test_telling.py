"""Notices told once per change of state, signed, by webhook and by mail, to a real listener of each."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from etl.schedule import channels, telling
from etl.schedule.channels import Channel
from tests.running_runs import NOON, RULES, department, line, resource, write
from twin import ops
from twin.errors import DeclarationError
from twin.ops import run_tables
from twin.runs import notices, reading, standing, taking

SECRET = "whsec-0123456789"
HOUR = timedelta(hours=1)


class Hook(HTTPServer):
    """A receiver of webhooks that answers as it is told to, 200 where it is told nothing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []


class Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        code = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(code)
        if 300 <= code < 400:
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class PostOffice(socketserver.StreamRequestHandler):
    """As much of an SMTP server as a letter needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        letter: list[bytes] | None = None
        for text in self.rfile:
            if letter is not None:
                if text == b".\r\n":
                    self.server.got.append(b"".join(letter))
                    letter = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    letter.append(text)
            elif text.upper().startswith(b"DATA"):
                letter = []
                self.wfile.write(b"354 go on\r\n")
            elif text.upper().startswith(b"RCPT") and self.server.refuses:
                self.wfile.write(b"550 nobody of that name\r\n")
            elif text.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def office() -> Iterator[socketserver.TCPServer]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), PostOffice)
    server.got, server.refuses = [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def webhook(hook: Hook, **more) -> Channel:
    url = f"http://127.0.0.1:{hook.server_port}/in"
    return Channel(**{"id": "county", "kind": "webhook", "url": url, "secret_env": "HOOK", **more})


@pytest.fixture
def known(store: ops.Ops, tmp_path: Path) -> tuple[ops.Ops, Path]:
    ledger = tmp_path / "run" / "ledger.jsonl"
    with store.begin() as connection:
        standing.declare(connection, [department("land", PARCEL)], RULES, NOON - 9 * HOUR)
    tell_of(store, ledger, line("parcel", "published", NOON - 9 * HOUR))
    return store, ledger


PARCEL = resource("parcel")


def tell_of(store: ops.Ops, ledger: Path, *lines: dict) -> None:
    write(ledger, *lines)
    with store.begin() as connection:
        taking.take_up(connection, ledger, RULES)


def post(*declared: Channel, environ: dict[str, str] | None = None) -> telling.Post:
    given = {"HOOK": SECRET} if environ is None else environ
    return telling.Post(channels=declared, resources={"parcel": PARCEL}, environ=given)


def test_a_change_of_state_is_posted_once_and_signed(known: tuple[ops.Ops, Path], hook: Hook) -> None:
    store, ledger = known
    for at in (5, 4, 3):
        tell_of(store, ledger, line("parcel", "failed", NOON - at * HOUR))
        telling.tell(store, post(webhook(hook)), NOON)
    assert len(hook.got) == 1
    headers, body = hook.got[0]
    stamp, name = int(headers["webhook-timestamp"]), headers["webhook-id"]
    assert headers["webhook-signature"] == telling.sign(SECRET, name, stamp, body)
    told = json.loads(body)
    assert told["type"] == "resource.state_changed"
    assert (told["data"]["state_before"], told["data"]["state"]) == ("fresh", "failed")
    assert told["data"]["reason"]["zh"] == "failed 的原因"
    assert SECRET.encode() not in body


def test_a_channel_that_fails_is_tried_again_with_the_same_name_and_the_other_has_it_at_once(
    known: tuple[ops.Ops, Path], hook: Hook, office
) -> None:
    store, ledger = known
    hook.answers = [500, 302]
    mail = Channel(
        id="mail", kind="mail", host="127.0.0.1", port=office.server_address[1], security="none",
        sender="map@village.example", to=("chen@land.example",),
    )  # fmt: skip
    tell_of(store, ledger, line("parcel", "held", NOON))
    both = post(webhook(hook), mail)
    assert telling.tell(store, both, ops.now()) == 1
    assert "◆ 待批".encode() in office.got[0] or b"Subject: =?utf-8?" in office.got[0]
    assert b"To: chen@land.example" in office.got[0]
    assert telling.tell(store, both, ops.now()) == 0, "not yet"
    assert telling.tell(store, both, ops.now() + 10 * timedelta(seconds=1)) == 0, "a redirect is no delivery"
    assert telling.tell(store, both, ops.now() + timedelta(minutes=2)) == 1
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1
    assert (len(hook.got), len(office.got)) == (3, 1)


def test_the_letters_of_one_resource_keep_their_order(known: tuple[ops.Ops, Path], hook: Hook) -> None:
    store, ledger = known
    hook.answers = [500]
    tell_of(store, ledger, line("parcel", "failed", NOON))
    telling.tell(store, post(webhook(hook)), ops.now())
    tell_of(store, ledger, line("parcel", "published", NOON + HOUR))
    assert telling.tell(store, post(webhook(hook)), ops.now()) == 0
    for minutes in (2, 4):
        telling.tell(store, post(webhook(hook)), ops.now() + timedelta(minutes=minutes))
    assert [json.loads(body)["data"]["state"] for _, body in hook.got] == ["failed", "failed", "fresh"]


def test_a_channel_hears_only_what_it_asked_for(known: tuple[ops.Ops, Path], hook: Hook) -> None:
    store, ledger = known
    tell_of(store, ledger, line("parcel", "failed", NOON))
    deaf = (webhook(hook, id="a", states=("held",)), webhook(hook, id="b", departments=("civil",)))
    assert telling.tell(store, post(*deaf), NOON) == 0
    assert hook.got == []


@pytest.mark.parametrize("trouble", ["secret", "refused", "gone", "undeclared"])
def test_what_cannot_be_sent_says_why_without_its_secret_and_is_lost_in_the_end(
    known: tuple[ops.Ops, Path], hook: Hook, office, trouble: str
) -> None:
    store, ledger = known
    tell_of(store, ledger, line("parcel", "failed", NOON))
    channel = webhook(hook, url="http://127.0.0.1:9/") if trouble == "gone" else webhook(hook)
    if trouble == "refused":
        office.refuses = True
        channel = Channel(
            id="county", kind="mail", host="127.0.0.1", port=office.server_address[1], security="none",
            sender="a@b.example", to=("c@d.example",),
        )  # fmt: skip
    environ = {} if trouble == "secret" else None
    telling.tell(store, post(channel, environ=environ), ops.now())
    if trouble == "undeclared":
        hook.answers = [500]
    letter = run_tables.letter
    with store.begin() as connection:
        if trouble == "undeclared":
            connection.execute(ops.update(letter), {"state": "waiting", "next_at": NOON})
        connection.execute(ops.update(letter), {"attempt": notices.LAST - 1, "next_at": NOON})
    telling.tell(store, post(*([] if trouble == "undeclared" else [channel]), environ=environ), ops.now())
    with store.read() as connection:
        row = connection.execute(ops.select(letter)).one()
        assert len(reading.notices(connection)) == 1
    assert row.state == "lost"
    assert row.error
    assert SECRET not in row.error


@pytest.mark.parametrize(
    "wrong",
    [
        'kind = "pigeon"',
        'kind = "webhook"\nurl = "http://example.com/"\nsecret_env = "A"',
        'kind = "webhook"\nurl = "https://u:p@example.com/"\nsecret_env = "A"',
        'kind = "webhook"\nurl = "https://example.com/"',
        'kind = "mail"\nhost = "mail.example.com"\nport = 25\nsecurity = "none"\nsender = "a@b"\nto = ["c@d"]',
        'kind = "mail"\nhost = "mail.example.com"',
        'kind = "webhook"\nurl = "https://example.com/"\nsecret_env = "A"\nstates = ["broken"]',
        'kind = "webhook"\nurl = "https://example.com/"\nsecret = "in the open"',
    ],
)
def test_a_channel_that_is_wrong_or_unsafe_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "notices.toml").write_text(f'[[channel]]\nid = "x"\n{wrong}\n')
    with pytest.raises(DeclarationError, match="notices"):
        channels.read(tmp_path)


def test_the_demo_tells_nobody() -> None:
    assert channels.read(Path(__file__).resolve().parents[1] / "data") == ()
