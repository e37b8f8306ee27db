"""Signing in with a real OpenID provider over HTTP: what is taken, and every wrong answer that is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests import oidc_provider
from twin import ops
from twin.accounts import Accounts, Came, people, provider
from twin.accounts.egress import Egress
from twin.errors import ProviderDown, SettingError, SignInRefused
from twin.ops import Ops
from twin.settings import Settings

HERE = "https://map.example.cn"
CAME = Came(address="10.0.0.1")
ROLES = "cunganbu=official,guihua=planner,wangge=grid_worker"


@pytest.fixture(scope="module")
def theirs_module() -> Iterator[oidc_provider.Provider]:
    with oidc_provider.serving() as found:
        yield found


@pytest.fixture
def theirs(theirs_module: oidc_provider.Provider) -> oidc_provider.Provider:
    theirs_module.wrong, theirs_module.down, theirs_module.asked = {}, set(), []
    theirs_module.person = oidc_provider.PERSON
    return theirs_module


@pytest.fixture
def settings(theirs: oidc_provider.Provider, tmp_path: Path) -> Settings:
    return replace(
        Settings(), data=tmp_path, secret="kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE", origin=HERE, oidc_issuer=theirs.issuer,
        oidc_client_id=oidc_provider.CLIENT, oidc_client_secret=oidc_provider.SECRET, oidc_roles=ROLES,
    )  # fmt: skip


@pytest.fixture
def accounts(settings: Settings, tmp_path: Path) -> Accounts:
    url = f"sqlite:///{tmp_path}/ops.sqlite"
    ops.upgrade(url)
    return Accounts(Ops(url), settings)


@pytest.fixture
def ours(settings: Settings, accounts: Accounts) -> provider.Provider:
    return provider.Provider(settings, accounts)


def visit(begun: provider.Begun) -> dict[str, str]:
    """Go to the provider as a browser does; give the query it sends back with."""
    answer = httpx.get(begun.address, follow_redirects=False)
    assert answer.headers["location"].startswith(f"{HERE}/signin/back?")
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def through(ours: provider.Provider) -> tuple[people.Account, str]:
    begun = ours.begin("/?layers=L06")
    return ours.finish(begun.kept, visit(begun))


def test_a_person_of_the_provider_comes_in_as_the_role_and_area_it_names(ours, accounts) -> None:
    account, onward = through(ours)
    assert (account.role, account.prefix, account.display_name, onward) == (
        "official",
        "330521199201",
        "王建平",
        "/?layers=L06",
    )
    assert account.name.startswith("oidc:")
    assert "u-1" not in account.name
    token = accounts.admit(account, CAME).session_token
    assert accounts.subject(token).role == "official"
    with pytest.raises(SignInRefused):
        accounts.sign_in(account.name, "", "", CAME)


def test_what_the_browser_is_sent_with_holds_challenge_state_and_nonce_and_no_secret(ours) -> None:
    begun, again = ours.begin("/"), ours.begin("/")
    asked = {k: v[0] for k, v in parse_qs(urlsplit(begun.address).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert min(len(asked["state"]), len(asked["nonce"])) >= 43
    assert asked["redirect_uri"] == f"{HERE}/signin/back"
    assert oidc_provider.SECRET not in begun.address + begun.kept
    assert asked["nonce"] not in begun.kept
    assert parse_qs(urlsplit(again.address).query)["state"] != [asked["state"]]


def test_who_comes_again_is_the_same_account_with_todays_role(ours, theirs, accounts) -> None:
    first, _ = through(ours)
    theirs.person = {**theirs.person, "roles": ["guihua"]}
    second, _ = through(ours)
    assert second.id == first.id
    assert second.role == "planner"
    accounts.disable(second.id)
    account, _ = through(ours)
    with pytest.raises(SignInRefused):
        accounts.admit(account, CAME)


def test_a_grid_workers_area_is_their_grid(ours, theirs) -> None:
    theirs.person = {**theirs.person, "roles": "wangge", "area": "330521199201003"}
    account, _ = through(ours)
    assert (account.role, account.prefix, account.grid) == ("grid_worker", "330521199201", "330521199201003")


@pytest.mark.parametrize(
    "person",
    [{"roles": []}, {"roles": ["stranger"]}, {"roles": None}, {"roles": {"cunganbu": 1}}, {"area": None}, {"area": "33052"},
     {"area": "everything"}, {"roles": ["wangge"], "area": "330521199201"}],
)  # fmt: skip
def test_a_person_without_a_role_of_ours_or_the_area_it_needs_stays_outside(
    ours, theirs, person: dict[str, Any]
) -> None:
    theirs.person = {**theirs.person, **person}
    with pytest.raises(SignInRefused):
        through(ours)


OTHER = RSAKey.generate_key(2048, {"kid": "two"})
SAME_NAME = RSAKey.generate_key(2048, {"kid": "one"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"iss": "https://evil.example"}}, {"claims": {"aud": "another"}}, {"claims": {"aud": ["onemap", "another"]}},
        {"claims": {"azp": "another"}}, {"claims": {"nonce": "replayed"}}, {"claims": {"nonce": None}}, {"claims": {"exp": None}},
        {"claims": {"exp": 1_600_000_000}}, {"claims": {"iat": None}}, {"claims": {"iat": 4_000_000_000}},
        {"claims": {"nbf": 4_000_000_000}}, {"claims": {"sub": None}}, {"signed": "none"}, {"signed": "HS256"},
        {"signed": "RS512"}, {"signed": "PS256"}, {"key": OTHER}, {"key": SAME_NAME},
    ],
    ids=lambda wrong: wrong["key"].kid if "key" in wrong else str(wrong),
)  # fmt: skip
def test_a_token_not_made_by_this_provider_for_us_and_now_is_not_taken(ours, theirs, wrong: dict[str, Any]) -> None:
    theirs.wrong = wrong
    with pytest.raises(SignInRefused):
        through(ours)


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": ""}, {"iss": "https://evil.example"}], ids=str
)  # fmt: skip
def test_an_answer_to_another_question_is_not_taken(ours, theirs, change: dict[str, str]) -> None:
    begun = ours.begin("/")
    with pytest.raises(SignInRefused):
        ours.finish(begun.kept, {**visit(begun), **change})
    assert "/token" not in theirs.asked


def test_what_our_cookie_kept_must_be_ours_and_young(ours, theirs, accounts, monkeypatch) -> None:
    begun, other = ours.begin("/"), ours.begin("/")
    given = visit(begun)
    for kept in ("", "x", other.kept, begun.kept[:-4] + "AAA="):
        with pytest.raises(SignInRefused):
            ours.finish(kept, given)
    real = accounts._clock
    monkeypatch.setattr(accounts, "_clock", lambda: real().fromtimestamp(time.time() + 601, real().tzinfo))
    with pytest.raises(SignInRefused):
        ours.finish(begun.kept, given)


def test_a_code_is_taken_once_and_only_with_its_verifier(ours) -> None:
    begun, other = ours.begin("/"), ours.begin("/")
    given = visit(begun)
    assert ours.finish(begun.kept, given)
    with pytest.raises(ProviderDown):
        ours.finish(begun.kept, given)
    stolen = {**visit(other), "state": given["state"]}
    with pytest.raises(ProviderDown):
        ours.finish(begun.kept, stolen)


def test_published_keys_are_kept_on_disk_while_that_part_of_the_provider_is_down(
    ours, theirs, settings, accounts
) -> None:
    through(ours)
    theirs.down = {"/jwks", "/.well-known/openid-configuration"}
    theirs.asked.clear()
    again = provider.Provider(settings, accounts)
    assert through(again)
    assert theirs.asked == ["/authorize", "/token"]


def test_a_new_key_of_the_provider_is_found_without_waiting(ours, theirs) -> None:
    through(ours)
    before, theirs.key = theirs.key, RSAKey.generate_key(2048, {"kid": "three"})
    try:
        assert through(ours)
    finally:
        theirs.key = before


def test_a_provider_that_is_down_is_said_in_both_languages(ours, theirs) -> None:
    theirs.down = {"/.well-known/openid-configuration"}
    with pytest.raises(ProviderDown) as down:
        ours.begin("/")
    assert any("一" <= c <= "鿿" for c in down.value.zh)


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://127.0.0.1:9/token"}, {"jwks_uri": "http://169.254.169.254/x"},
     {"code_challenge_methods_supported": ["plain"]}],
)  # fmt: skip
def test_a_provider_that_points_elsewhere_is_not_followed(ours, theirs, published: dict[str, Any]) -> None:
    theirs.wrong = {"published": published}
    with pytest.raises((ProviderDown, SignInRefused)):
        through(ours)


def test_the_way_out_leads_to_one_origin_by_tls_and_takes_little(theirs) -> None:
    for address in ("http://id.example.cn", "ftp://127.0.0.1", "file:///etc/passwd"):
        with pytest.raises(SettingError):
            Egress(address)
    with pytest.raises(ProviderDown):
        Egress(theirs.issuer).get("http://127.0.0.1:1/x")
    theirs.wrong = {"published": {"x": "y" * 300_000}}
    with pytest.raises(ProviderDown):
        Egress(theirs.issuer).get(theirs.issuer + "/.well-known/openid-configuration")


def test_roles_are_declared_as_theirs_equals_ours_or_refused() -> None:
    assert provider.roles(" a=planner, b=auditor ,") == (("a", "planner"), ("b", "auditor"))
    for wrong in ("a", "a=emperor", "=planner", "a=system"):
        with pytest.raises(SettingError):
            provider.roles(wrong)
