"""The one way out of the house that signing in may take: to the declared provider's origin, small, unredirected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from twin.errors import ProviderDown, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 10
MOST_BYTES = 262_144
LOCAL = ("127.0.0.1", "::1", "localhost")


class Egress:
    """Ask one origin; raises SettingError where it is not https (or this machine)."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise SettingError("ONEMAP_OIDC_ISSUER 必须是 https 地址", "ONEMAP_OIDC_ISSUER must be an https address")
        self._origin = (parts.scheme, parts.netloc)

    def get(self, address: str) -> dict[str, Any]:
        """Give the JSON object at an address; raises ProviderDown."""
        return self._asked("GET", address)

    def post(self, address: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Give the JSON object that answers a form; raises ProviderDown."""
        return self._asked("POST", address, content=body, headers=headers)

    def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        parts = urlsplit(address)
        if (parts.scheme, parts.netloc) != self._origin:
            raise _down("address")
        try:
            with (
                httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
                client.stream(method, address, **more) as answer,
            ):
                body = _read(answer)
        except httpx.HTTPError as error:
            raise _down("unreachable") from error
        if answer.status_code != httpx.codes.OK:
            raise _down(f"status {answer.status_code}")
        try:
            found = json.loads(body)
        except ValueError as error:
            raise _down("answer") from error
        if not isinstance(found, dict):
            raise _down("answer")
        return found


def _read(answer: httpx.Response) -> bytes:
    body = b""
    for part in answer.iter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise _down("size")
    return body


def _down(reason: str) -> ProviderDown:
    return ProviderDown(
        "统一身份平台没有正常应答，请稍后再试，或用本地账号登录",
        "The identity provider did not answer as it should; try later, or use a local account",
        reason=reason,
    )
