"""Pulling over JSON and OGC API Features: every fault loses nothing or fails loudly, and no secret is written anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.demo.servers import Town, poles, serving
from etl.fetch import connections
from tests.pulling import Place, numbers

TABLE = 'x = "lon"\ny = "lat"\ncrs = "EPSG:4490"\n'
ITEMS = 'items = "data.list", total = "data.total", size = "50"'
STYLES = ("page", "offset", "cursor", "link")
FAULTS_THAT_PASS = ("none", "500", "error_body", "cut", "html", "long_length", "short_length", "empty", "doubled")
FAULTS_THAT_STAY = {
    "error_body": "connection pool exhausted",
    "500": "500",
    "cut": "cut",
    "html": "login",
    "redirect": "another host",
    "around": "circle",
    "bomb": "limit of",
    "401": "credentials",
    "short_length": "not",
}


def json_source(style: str) -> str:
    return f'part = "json/{style}"\n{TABLE}options = {{ paging = "{style}", {ITEMS} }}'


FEATURES = 'part = "stand"\noptions = { size = "50" }'


@pytest.fixture
def town() -> Iterator[tuple[Town, str]]:
    made = Town(rows=poles(230))
    with serving(made) as address:
        yield made, address


def place(tmp_path: Path, address: str, style: str, **more: object) -> Place:
    kind, path, source = ("features", "/oapif", FEATURES) if style == "features" else ("json", "", json_source(style))
    key = "number"
    return Place(tmp_path / style, {"kind": kind, "address": address + path, **more}, source, key=key)


@pytest.mark.parametrize("style", ["page", "features"])
def test_every_row_arrives_once_and_again_is_unchanged(tmp_path: Path, town: tuple[Town, str], style: str) -> None:
    here = place(tmp_path, town[1], style)
    assert here.receive().status == "published"
    assert here.ids() == numbers(town[0])
    assert here.receive().status == "unchanged"


@pytest.mark.parametrize("style", ["page", "offset", "link", "features"])
@pytest.mark.parametrize("fault", FAULTS_THAT_PASS)
def test_a_fault_that_passes_loses_nothing(tmp_path: Path, town: tuple[Town, str], style: str, fault: str) -> None:
    here = place(tmp_path, town[1], style)
    town[0].misbehave(fault, at=3, times=1)
    assert sorted(here.pulled()) == sorted(numbers(town[0]))


@pytest.mark.parametrize("style", ["offset", "features"])
@pytest.mark.parametrize("fault", sorted(FAULTS_THAT_STAY))
def test_a_fault_that_stays_is_said_and_nothing_is_published(
    tmp_path: Path, town: tuple[Town, str], style: str, fault: str
) -> None:
    here = place(tmp_path, town[1], style, most_bytes=20_000_000)
    town[0].misbehave(fault, at=2)
    assert FAULTS_THAT_STAY[fault] in here.refusal()
    assert here.kept() == []


@pytest.mark.parametrize("style", ["page", "offset", "link", "features"])
@pytest.mark.parametrize("change", ["insert", "delete", "churn"])
def test_pages_that_shift_once_are_read_again_and_all_rows_are_there(
    tmp_path: Path, town: tuple[Town, str], style: str, change: str
) -> None:
    here = place(tmp_path, town[1], style)
    town[0].next_row = lambda n: {**town[0].rows[-1], "id": f"N{n}", "number": n}
    town[0].misbehave(change, at=3, times=1)
    assert sorted(here.pulled()) == sorted(numbers(town[0]))


@pytest.mark.parametrize("style", ["page", "offset", "link", "features"])
@pytest.mark.parametrize("change", ["insert", "delete", "churn"])
def test_pages_that_shift_at_every_request_are_refused(
    tmp_path: Path, town: tuple[Town, str], style: str, change: str
) -> None:
    here = place(tmp_path, town[1], style)
    town[0].next_row = lambda n: {**town[0].rows[-1], "id": f"N{n}", "number": n}
    town[0].misbehave(change)
    assert "did not come out even" in here.refusal()
    assert here.kept() == []


@pytest.mark.parametrize("style", ["page", "cursor", "link", "features"])
def test_paging_in_a_circle_ends_and_is_refused(tmp_path: Path, town: tuple[Town, str], style: str) -> None:
    here = place(tmp_path, town[1], style)
    town[0].misbehave("circle")
    assert "did not come out even" in here.refusal()
    assert len(town[0].asked) < 40


@pytest.mark.parametrize("style", ["page", "cursor", "link", "features"])
def test_rows_twice_are_named_up_to_twenty(tmp_path: Path, town: tuple[Town, str], style: str) -> None:
    here = place(tmp_path, town[1], style)
    town[0].misbehave("doubled")
    first = "P00001" if style == "features" else "1"
    assert f"twice: {first}" in here.refusal()


@pytest.mark.parametrize("style", [*STYLES, "features"])
def test_an_empty_list_is_never_published(tmp_path: Path, town: tuple[Town, str], style: str) -> None:
    here = place(tmp_path, town[1], style)
    town[0].misbehave("empty")
    assert "did not come out even" in here.refusal()
    town[0].faults.clear()
    town[0].rows.clear()
    assert "no row at all" in here.refusal()


def test_a_slow_drip_ends_at_its_time_limit(tmp_path: Path, town: tuple[Town, str]) -> None:
    here = place(tmp_path, town[1], "offset", request_seconds=0.3, attempts=2)
    town[0].misbehave("drip")
    before = time.monotonic()
    assert "too slow" in here.refusal()
    assert time.monotonic() - before < 5


def test_what_is_asked_to_wait_waits_as_long_as_it_was_asked(tmp_path: Path, town: tuple[Town, str]) -> None:
    here = place(tmp_path, town[1], "offset")
    town[0].misbehave("429", at=2, times=1)
    before = time.monotonic()
    assert len(here.pulled()) == 230
    assert time.monotonic() - before >= 1.0


def test_a_next_link_to_another_host_is_not_followed(tmp_path: Path, town: tuple[Town, str]) -> None:
    trap = Town(rows=poles(500))
    with serving(trap) as other:
        town[0].other = other + "/"
        for fault in ("elsewhere", "redirect"):
            here = place(tmp_path / fault, town[1], "link")
            town[0].faults.clear()
            town[0].misbehave(fault, at=2)
            assert "another host" in here.refusal()
        assert trap.asked == []


def test_another_system_is_refused_by_name_and_exchanged_axes_are_found(tmp_path: Path, town: tuple[Town, str]) -> None:
    here = place(tmp_path, town[1], "features")
    assert here.receive().status == "published"
    for fault, said in (("crs", "EPSG/0/4490"), ("axes", "exchanged")):
        town[0].faults.clear()
        town[0].misbehave(fault)
        report = here.receive(force=True)
        assert report.status == "refused"
        assert said in report.reason_en
    assert len(here.rows()) == 230


def test_a_token_that_expires_midway_is_renewed_and_nothing_is_lost(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town[0].user, town[0].password, town[0].expires_after = "reader", "CANARY-password-ö/+", 2
    monkeypatch.setenv("H_USER", "reader")
    monkeypatch.setenv("H_PASSWORD", town[0].password)
    more = {"auth": "login", "login": "auth/token", "user_env": "H_USER", "password_env": "H_PASSWORD", "attempts": 9}
    here = place(tmp_path, town[1], "page", **more)
    assert sorted(here.pulled()) == sorted(numbers(town[0]))
    assert len(town[0].tokens) > 1


AUTHS = {
    "bearer": {"auth": "bearer", "token_env": "H_TOKEN"},
    "query": {"auth": "query:tk", "token_env": "H_TOKEN"},
    "header": {"auth": "header:X-Key", "token_env": "H_TOKEN"},
}


@pytest.mark.parametrize("auth", sorted(AUTHS))
@pytest.mark.parametrize("style", ["offset", "features"])
def test_no_secret_stands_in_anything_that_is_written_or_said(
    tmp_path: Path,
    town: tuple[Town, str],
    style: str,
    auth: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    town[0].token = canary = "CANARY-t0ken-7f3a"
    here = place(tmp_path, town[1], style, **AUTHS[auth])
    monkeypatch.setenv("H_TOKEN", canary)
    assert here.receive().status == "published"
    for fault in ("500", "html", "error_body", "redirect", "cut", "401"):
        town[0].faults.clear()
        town[0].misbehave(fault)
        assert canary not in here.refusal(whole=True)
    monkeypatch.setenv("H_TOKEN", "CANARY-wrong")
    town[0].faults.clear()
    report = here.receive(force=True)
    assert report.status == "refused"
    assert "H_TOKEN" in report.reason_en
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) > 10
    assert not [p for p in written if b"CANARY" in p.read_bytes()]
    said = capfd.readouterr()
    assert "CANARY" not in said.out + said.err
    assert not [r for r in caplog.records if "CANARY" in r.getMessage() and r.name.startswith(("etl", "twin"))]


def test_without_its_variable_the_file_that_lies_there_is_read(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, town[1], "offset", address_env="H_ADDRESS")
    assert here.receive().status == "never"
    assert town[0].asked == []
    monkeypatch.setenv("H_ADDRESS", town[1])
    assert len(here.pulled()) == 230


def test_a_secret_may_lie_in_a_file_only_its_owner_can_read(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town[0].token = "CANARY-in-a-file"
    here = place(tmp_path, town[1], "offset", auth="bearer", token_env="H_TOKEN")
    secret = tmp_path / "secret"
    secret.write_text(town[0].token + "\n")
    monkeypatch.setenv("H_TOKEN_FILE", str(secret))
    secret.chmod(0o640)
    assert "chmod 600" in here.refusal()
    secret.chmod(0o600)
    assert len(here.pulled()) == 230


@pytest.mark.parametrize("address", ["http://u:p@h.cn/x", "http://h.cn/?tk=1", "http://169.254.169.254/latest"])
def test_a_connection_with_a_secret_or_a_link_local_address_is_refused(tmp_path: Path, address: str) -> None:
    here = Place(tmp_path / "v", {"kind": "json", "address": address}, json_source("offset"))
    assert "connections.toml" in here.refusal()


def test_one_page_whose_etag_did_not_change_is_not_sent_again(tmp_path: Path, town: tuple[Town, str]) -> None:
    source = f'part = "json/all"\n{TABLE}options = {{ {ITEMS} }}'
    here = Place(tmp_path / "v", {"kind": "json", "address": town[1]}, source)
    assert here.receive().status == "published"
    assert here.receive().status == "unchanged"
    assert here.receive().status == "unchanged"
    town[0].rows[0]["名称"] = "改"
    assert here.receive().status == "published"
    assert next(r["pole_name"] for r in here.rows() if r["id"] == "1") == "改"


def test_the_connections_of_the_demo_are_sound_and_ask_nobody_without_their_variables() -> None:
    known = connections.read(Path(__file__).parents[1] / "data")
    assert {c.kind for c in known.values()} == {"postgis", "mysql", "wfs", "features", "arcgis", "json", "web", "s3"}
    assert [connections.opened(c, {}) for c in known.values()] == [None] * len(known)
