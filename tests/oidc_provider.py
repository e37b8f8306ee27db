"""A small OpenID provider on a loopback port, right in every point unless told to be wrong in one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "onemap", "s3cret"
PERSON: dict[str, Any] = {"sub": "u-1", "name": "王建平", "roles": ["cunganbu"], "area": "330521199201"}


class Provider:
    """What the provider knows: its keys, who is there, the codes given out, and how it misbehaves."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.person = PERSON
        self.codes: dict[str, dict[str, str]] = {}
        self.wrong: dict[str, Any] = {}
        self.asked: list[str] = []
        self.down: set[str] = set()

    def authorize(self, given: dict[str, str]) -> str:
        """Let the person in at once: give the address the browser is sent back to."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = given
        return given["redirect_uri"] + "?" + urlencode({"code": code, "state": given["state"], "iss": self.issuer})

    def token(self, given: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Give the tokens of a code, once, to the client that asked for it and knows the verifier."""
        begun = self.codes.pop(given.get("code", ""), None)
        right = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if begun is None or authorization != right or given.get("redirect_uri") != begun["redirect_uri"]:
            return None
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]:
            return None
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token(begun["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        claims |= self.wrong.get("claims", {})
        claims = {k: v for k, v in claims.items() if v is not None}
        how = self.wrong.get("signed", "RS256")
        if how in ("none", "HS256"):  # made by hand: no library helps with these
            head = json.dumps({"alg": how, "kid": self.key.kid}).encode()
            signed = ".".join(_b64(p) for p in (head, json.dumps(claims).encode()))
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_b64(mac) if how == 'HS256' else ''}"
        key = self.wrong.get("key", self.key)
        return jwt.encode({"alg": how, "kid": key.kid}, claims, key, algorithms=[how])

    def published(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token", "jwks_uri": self.issuer + "/jwks",
            "code_challenge_methods_supported": ["S256"], **self.wrong.get("published", {}),
        }  # fmt: skip


@contextmanager
def serving() -> Iterator[Provider]:
    """Serve a provider until the block ends."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, given = self._asked()
            if path in provider.down:
                self.close_connection = True
            elif path == "/authorize":
                self.send_response(302)
                self.send_header("location", provider.authorize(given))
                self.send_header("content-length", "0")
                self.end_headers()
            elif path == "/jwks":
                self._say({"keys": [provider.key.as_dict(private=False, kid=provider.key.kid, use="sig")]})
            else:
                self._say(provider.published() if path.endswith("openid-configuration") else None)

        def do_POST(self) -> None:
            path, _ = self._asked()
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            if path in provider.down:
                self.close_connection = True
                return
            self._say(provider.token(_one(text), self.headers.get("authorization", "")))

        def _asked(self) -> tuple[str, dict[str, str]]:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            return parts.path, _one(parts.query)

        def _say(self, content: dict[str, Any] | None) -> None:
            body = json.dumps(content or {"error": "invalid_grant"}).encode()
            self.send_response(200 if content else 400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _one(query: str) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(query).items()}
