"""Signing in with an OpenID provider: code with PKCE, state and nonce; issuer, audience and algorithm pinned.

After OpenID Connect Core 1.0 §3.1 and RFC 9700. What the provider publishes (endpoints, keys) is kept on disk, so that
tokens can be checked while only that part of it is down.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from twin import durable
from twin.accounts import people, sealing
from twin.accounts.egress import Egress
from twin.accounts.refusals import refused
from twin.errors import ProviderDown, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from twin.accounts.directory import Accounts
    from twin.accounts.people import Account
    from twin.settings import Settings

LABEL = "oidc begun"
BEGUN_S = 600
"""Seconds one may take at the provider."""
LEEWAY_S = 60
KEPT_S = 86_400
"""How long the provider's published keys are believed before they are asked for again."""
AREA, GRID = frozenset({6, 9, 12}), 15
HELD = frozenset({"grid_worker", "official", "department_owner"})
"""Roles that mean nothing without an area; a person whose claim names none is refused, not given everything."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A way to the provider: its address, and what our cookie keeps until the person comes back."""

    address: str
    kept: str


class Provider:
    """The one declared provider; raises SettingError where its roles name ones there are not."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self._secret = sealing.house_secret(settings)
        self._issuer = settings.oidc_issuer
        self._egress = Egress(self._issuer)
        self._folder = settings.data / "run" / "oidc"
        self._roles = roles(settings.oidc_roles)
        self._back = settings.origin.rstrip("/") + "/signin/back"

    def begin(self, onward: str) -> Begun:
        """Give the way to the provider, to come back and go on to `onward`; raises ProviderDown."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        at = int(self._accounts.now().timestamp())
        kept = json.dumps({"state": state, "nonce": nonce, "verifier": verifier, "onward": onward, "at": at})
        address = prepare_grant_uri(
            self._published()["authorization_endpoint"],
            self._settings.oidc_client_id,
            "code",
            redirect_uri=self._back,
            scope="openid profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(address=address, kept=sealing.seal(kept, self._secret, LABEL))

    def finish(self, kept: str, given: Mapping[str, str]) -> tuple[Account, str]:
        """Give whose account it is and where to go on to.

        Raises SignInRefused for an answer that is not to our question, a token not made for us, or a person none of
        our roles is for; ProviderDown where the provider does not answer.
        """
        opened = sealing.opened(kept, self._secret, LABEL)
        begun = json.loads(opened) if opened else {}
        now = self._accounts.now()
        late = now.timestamp() - begun.get("at", 0) > BEGUN_S
        if late or not secrets.compare_digest(given.get("state", "").encode(), begun.get("state", "").encode()):
            raise refused()
        if not given.get("code") or given.get("iss", self._issuer) != self._issuer:
            raise refused()
        claims = self._claims(self._token(given["code"], begun["verifier"]), begun["nonce"], now)
        return self._account(claims, now), begun["onward"]

    def _token(self, code: str, verifier: str) -> str:
        body = prepare_token_request("authorization_code", redirect_uri=self._back, code=code, code_verifier=verifier)
        secret = self._settings.oidc_client_secret
        auth = ClientAuth(self._settings.oidc_client_id, secret, "client_secret_basic" if secret else "none")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        uri, headers, body = auth.prepare("POST", self._published()["token_endpoint"], headers, body)
        token = self._egress.post(uri, body, headers).get("id_token")
        if not isinstance(token, str):
            raise refused()
        return token

    def _claims(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        """Give the claims of a token made by this provider, for us, in answer to this sign-in; raises SignInRefused."""
        wanted = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            found = self._decoded(token).claims
            wanted.validate(found)
        except (JoseError, ValueError) as error:
            raise refused() from error
        others = isinstance(found["aud"], list) and len(found["aud"]) > 1
        if found.get("azp", self._settings.oidc_client_id) != self._settings.oidc_client_id or (
            others and "azp" not in found
        ):
            raise refused()
        return found

    def _decoded(self, token: str) -> jwt.Token:
        """Decode with the keys kept; where none fits, with those the provider publishes now."""
        algorithms = [self._settings.oidc_algorithm]
        try:
            return jwt.decode(token, self._keys(fresh=False), algorithms=algorithms)
        except (JoseError, ValueError):
            return jwt.decode(token, self._keys(fresh=True), algorithms=algorithms)

    def _keys(self, *, fresh: bool) -> KeySet:
        found: Any = self._kept("jwks.json", self._published()["jwks_uri"], fresh=fresh)
        listed = [k for k in found.get("keys", []) if k.get("kty") != "oct" and k.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": listed})

    def _published(self) -> Mapping[str, Any]:
        """Give what the provider says of itself; raises ProviderDown where that names another issuer."""
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._kept("provider.json", address, fresh=False)
        if found.get("issuer") != self._issuer or "S256" not in found.get("code_challenge_methods_supported", ["S256"]):
            raise ProviderDown("统一身份平台的声明与设置不符", "The provider is not the one that was declared")
        return found

    def _kept(self, name: str, address: str, *, fresh: bool) -> Mapping[str, Any]:
        """Give a published document: as kept while it is young, else asked for, else, where nobody answers, as kept."""
        path = self._folder / name
        kept = json.loads(path.read_bytes()) if path.is_file() else None
        now = self._accounts.now().timestamp()
        if kept and kept["address"] == address and not fresh and now - kept["at"] < KEPT_S:
            return kept["content"]
        try:
            content = self._egress.get(address)
        except ProviderDown:
            if kept and kept["address"] == address:
                return kept["content"]
            raise
        durable.make_directory(self._folder)
        durable.write(path, json.dumps({"address": address, "at": now, "content": content}).encode())
        return content

    def _account(self, claims: Mapping[str, Any], now: datetime) -> Account:
        """Find or make the account of these claims, with the role and area they name today; raises SignInRefused."""
        held = claims.get(self._settings.oidc_claim, [])
        theirs = {held} if isinstance(held, str) else set(held) if isinstance(held, list) else set()
        role = next((ours for there, ours in self._roles if there in theirs), None)
        area = str(claims.get(self._settings.oidc_area, ""))
        grid = area if len(area) == GRID and area.isascii() and area.isdigit() else ""
        prefix = area[:12] if grid else area
        bad = bool(prefix) and not (prefix.isascii() and prefix.isdigit() and len(prefix) in AREA)
        if role is None or bad or (role in HELD and not prefix) or (role == "grid_worker" and not grid):
            raise refused()
        values = {
            "role": role,
            "prefix": prefix,
            "grid": grid,
            "department": str(claims.get("department", ""))[:80],
            "display_name": str(claims.get("name") or claims.get("preferred_username") or "")[:120],
        }
        return self._accounts.vouched(self.name_of(str(claims["sub"])), values, now)

    def name_of(self, sub: str) -> str:
        """Give the account's name of a person of this provider."""
        return people.FEDERATED + hashlib.sha256(f"{self._issuer}|{sub}".encode()).hexdigest()[:40]


def roles(declared: str) -> tuple[tuple[str, str], ...]:
    """Read "theirs=ours, …"; raises SettingError for a role of ours that there is not."""
    found: list[tuple[str, str]] = []
    for pair in filter(None, (p.strip() for p in declared.split(","))):
        theirs, _, ours = pair.rpartition("=")
        if not theirs or ours not in people.ROLES:
            raise SettingError(
                f"ONEMAP_OIDC_ROLES 中的 {pair} 写法不对", f"ONEMAP_OIDC_ROLES: {pair} is not theirs=ours", pair=pair
            )
        found.append((theirs.strip(), ours))
    return tuple(found)
