"""Who signs in, proved without a server: passwords, second factor, waiting after failures, tokens, keys, settings."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import settings as setting
from twin.accounts import lockout, passwords, sealing, second_factor, tokens
from twin.errors import BadRequest, SettingError
from twin.settings import Settings, check_serving

NOW = datetime(2025, 11, 21, 2, 32, tzinfo=UTC)
KEY = b"k" * 32


# passwords


def test_a_password_is_kept_as_argon2id_and_only_itself_matches() -> None:
    kept = passwords.hashed("春天的茶园 一共九亩半")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.matches(kept, "春天的茶园 一共九亩半")
    assert not passwords.matches(kept, "春天的茶园 一共九亩")
    assert passwords.hashed("春天的茶园 一共九亩半") != kept


def test_nothing_matches_no_password_and_that_costs_as_much() -> None:
    kept = passwords.hashed("correct horse battery")
    assert not passwords.matches("", "x")
    nobody = passwords._nobody()
    assert nobody.split("$")[:4] == kept.split("$")[:4]  # the same method, memory, rounds and lanes


@pytest.mark.parametrize(
    "weak",
    ["short", "aaaaaaaaaaaaaa", "abababababababab", "abcdefghijklmnop", "password123456", "wangjianping1", "123456123456ab", "x" * 129],
)  # fmt: skip
def test_a_weak_password_is_refused_in_both_languages(weak: str) -> None:
    with pytest.raises(BadRequest) as refused:
        passwords.check(weak, name="wangjianping")
    assert any("一" <= c <= "鿿" for c in refused.value.zh)
    assert refused.value.en.isascii()
    assert weak not in refused.value.zh + refused.value.en


@pytest.mark.parametrize(
    "good", ["correct horse battery", "我家门口有两棵老樟树今年开花", pytest.param(passwords.one_time(), id="one-time")]
)
def test_a_sentence_is_a_good_password(good: str) -> None:
    passwords.check(good, name="wangjianping")


def test_one_time_passwords_differ_and_hold_nothing_that_looks_like_something_else() -> None:
    made = {passwords.one_time() for _ in range(500)}
    assert len(made) == 500
    assert not set("".join(made)) & set("01lio")


# the second factor


def test_a_code_is_taken_once_and_never_again_nor_any_before_it() -> None:
    factor = second_factor.new()
    code = second_factor.code_at(factor, NOW)
    before = second_factor.code_at(factor, NOW - timedelta(seconds=30))
    after = second_factor.taken(factor, f"{code[:3]} {code[3:]}", NOW)
    assert after is not None
    assert second_factor.taken(after, code, NOW) is None
    assert second_factor.taken(after, before, NOW) is None
    later = NOW + timedelta(seconds=30)
    assert second_factor.taken(after, second_factor.code_at(factor, later), later) is not None


@pytest.mark.parametrize(("seconds", "ok"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_telephone_may_be_half_a_minute_off(seconds: int, ok: bool) -> None:
    middle = NOW.replace(second=15)
    factor = second_factor.new()
    code = second_factor.code_at(factor, middle + timedelta(seconds=seconds))
    assert (second_factor.taken(factor, code, middle) is not None) is ok


@given(st.text(max_size=12))
def test_no_other_text_is_a_code(text: str) -> None:
    factor = second_factor.Factor(secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    right = {second_factor.code_at(factor, NOW + timedelta(seconds=s)) for s in (-30, 0, 30)}
    assert (second_factor.taken(factor, text, NOW) is not None) == ("".join(text.split()) in right)


def test_a_sealed_factor_opens_only_with_its_key_and_for_its_account() -> None:
    factor = second_factor.Factor(secret="JBSWY3DPEHPK3PXP", step=7)
    kept = second_factor.sealed(factor, KEY, "a1")
    assert "JBSWY3DPEHPK3PXP" not in kept
    assert second_factor.opened(kept, KEY, "a1") == factor
    assert second_factor.opened(kept, KEY, "a2") is None
    assert second_factor.opened(kept, b"x" * 32, "a1") is None
    assert second_factor.opened(kept[:-4] + "AAA=", KEY, "a1") is None
    assert second_factor.opened("", KEY, "a1") is None


def test_the_demo_makes_its_own_secret_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    at = replace(Settings(), data=tmp_path, demo=True)
    first = sealing.house_secret(at)
    assert len(first) >= 48
    assert sealing.house_secret(at) == first
    assert (tmp_path / "run" / "demo_secret").stat().st_mode & 0o077 == 0
    assert sealing.house_secret(replace(at, secret="given")) == b"given"


# waiting after failures


def failures(count: int, gap: int = 1) -> list[datetime]:
    return [NOW - timedelta(seconds=gap * (count - 1 - i)) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (50, 900), (5000, 900)]
)
def test_each_failure_past_the_free_ones_doubles_the_wait_up_to_a_quarter_hour(count: int, seconds: int) -> None:
    assert lockout.wait(failures(count), NOW, lockout.BY_NAME) == timedelta(seconds=seconds)


@given(st.integers(0, 40), st.integers(0, 100_000))
def test_waiting_only_shortens_the_wait(count: int, later: int) -> None:
    at = NOW + timedelta(seconds=later)
    now, then = (lockout.wait(failures(count), t, lockout.BY_NAME) for t in (NOW, at))
    assert timedelta() <= then <= now
    assert then == max(now - timedelta(seconds=later), timedelta())


def test_yesterdays_failures_are_forgotten() -> None:
    assert lockout.wait(failures(30), NOW + timedelta(hours=24), lockout.BY_NAME) == timedelta()


# tokens and keys


def test_a_session_token_has_256_bits_and_is_kept_only_as_a_hash() -> None:
    made = {tokens.new_session() for _ in range(1000)}
    assert len(made) == 1000
    assert all(tokens.SESSION.fullmatch(t) for t in made)
    assert all(t not in tokens.hash_of(t) for t in made)


def test_the_token_of_a_form_belongs_to_one_session() -> None:
    one, other = tokens.new_session(), tokens.new_session()
    assert tokens.csrf_matches(one, tokens.csrf_of(one))
    assert not tokens.csrf_matches(other, tokens.csrf_of(one))
    assert not tokens.csrf_matches(one, "")
    assert one not in tokens.csrf_of(one)


def test_a_key_reads_back_from_its_header_and_its_secret_only_matches_itself() -> None:
    key, text = tokens.new_key()
    assert tokens.key_in(f"Bearer {text}") == key
    assert text == f"vk_{key.id}_{key.secret}"
    assert tokens.secret_matches(key, tokens.hash_of(key.secret))
    assert not tokens.secret_matches(tokens.new_key()[0], tokens.hash_of(key.secret))


@given(st.text(alphabet=string.printable, max_size=80))
def test_no_other_header_holds_a_key(text: str) -> None:
    assert tokens.key_in(text) is None
    assert tokens.key_in(f"Bearer {text}") is None or tokens.KEY.fullmatch(text.strip())


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_a_key_under_another_scheme_is_no_key(scheme: str) -> None:
    assert tokens.key_in(f"{scheme} {tokens.new_key()[1]}") is None


def test_scopes_say_layer_columns_area_and_event_and_nothing_else() -> None:
    good = ["layer:L06:read", "layer:L06:read:land_class,area_m2", "area:330521", "area:330521199201", "event:case.*", "write:order.status"]  # fmt: skip
    assert tokens.scopes([*good, good[0]]) == tuple(sorted(good))
    for bad in ("layer:L06", "area:33052", "*", "layer:../x:read", "event:", "layer:L06:delete", ""):
        with pytest.raises(BadRequest):
            tokens.scopes([bad])


def test_a_key_is_good_only_from_its_networks() -> None:
    nets = tokens.networks(["10.1.0.0/16", "fd00::/8"])
    assert tokens.is_from("10.1.9.9", nets)
    assert tokens.is_from("fd00::1", nets)
    assert not tokens.is_from("10.2.0.1", nets)
    assert not tokens.is_from("nowhere", nets)
    assert tokens.is_from("8.8.8.8", ())
    for bad in ("10.1.0.1/16", "x", "10.0.0.0/99"):
        with pytest.raises(BadRequest):
            tokens.networks([bad])


# what may start

GOOD = replace(Settings(), secret="kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE")
SAFE = replace(GOOD, host="10.0.0.8", origin="https://map.example.cn", trusted_proxy="10.0.0.2")


@pytest.mark.parametrize(
    "settings", [GOOD, SAFE, replace(Settings(), demo=True), replace(SAFE, trusted_proxy="", tls_cert="c", tls_key="k")]
)
def test_a_safe_service_starts(settings: Settings) -> None:
    check_serving(settings, {})


@pytest.mark.parametrize(
    ("settings", "environ", "named"),
    [
        (Settings(), {}, ["ONEMAP_SECRET"]),
        (replace(Settings(), secret="short"), {}, ["ONEMAP_SECRET"]),
        (replace(Settings(), secret="changeme-changeme-changeme-changeme"), {}, ["ONEMAP_SECRET"]),
        (replace(Settings(), secret="a" * 40), {}, ["ONEMAP_SECRET"]),
        (replace(GOOD, debug=True), {}, ["ONEMAP_DEBUG"]),
        (GOOD, {"DASH_MCP_ENABLED": "true"}, ["DASH_MCP_ENABLED"]),
        (replace(GOOD, host="0.0.0.0"), {}, ["ONEMAP_HOST", "ONEMAP_ORIGIN"]),
        (replace(SAFE, origin="http://map.example.cn"), {}, ["ONEMAP_ORIGIN"]),
        (replace(GOOD, tls_cert="c"), {}, ["ONEMAP_TLS_KEY"]),
        (replace(GOOD, oidc_issuer="https://id.example.cn"), {}, ["ONEMAP_OIDC_CLIENT_ID", "ONEMAP_OIDC_ROLES"]),
        (replace(GOOD, oidc_issuer="https://id.example.cn", oidc_algorithm="none"), {}, ["ONEMAP_OIDC_ALGORITHM"]),
        (replace(Settings(), demo=True, host="0.0.0.0"), {}, ["ONEMAP_HOST", "ONEMAP_DEMO"]),
        (
            replace(Settings(), demo=True, origin="https://map.example.cn"),
            {},
            ["ONEMAP_ORIGIN", "ONEMAP_TRUSTED_PROXY"],
        ),
        (replace(Settings(), demo=True, trusted_proxy="127.0.0.1"), {}, ["ONEMAP_TRUSTED_PROXY"]),
        (
            replace(Settings(), host="0.0.0.0", debug=True),
            {"DASH_MCP_ENABLED": "1"},
            ["ONEMAP_SECRET", "ONEMAP_DEBUG", "DASH_MCP_ENABLED", "ONEMAP_HOST", "ONEMAP_ORIGIN"],
        ),
    ],
)
def test_an_unsafe_service_does_not_start_and_every_reason_is_said_at_once(
    settings: Settings, environ: dict[str, str], named: list[str]
) -> None:
    with pytest.raises(SettingError) as refused:
        check_serving(settings, environ)
    for name in named:
        assert name in refused.value.zh
        assert name in refused.value.en
    assert settings.secret not in refused.value.en or not settings.secret


def test_switches_are_read_as_switches() -> None:
    assert setting.read({"ONEMAP_DEMO": "1"}).demo is True
    assert setting.read({"ONEMAP_DEMO": "off"}).demo is False
    with pytest.raises(SettingError):
        setting.read({"ONEMAP_DEMO": "perhaps"})
