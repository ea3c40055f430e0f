"""Bearer tokens of the node's own service account: `client_credentials` with a signed assertion, no shared secret."""

from __future__ import annotations

import http.client
import json
import threading
import time
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from workers.node.identity import Identity

TIMEOUT_S = 10.0
_EARLY_S = 30.0
_ASSERTION_S = 60
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenError(Exception):
    """No token could be had now."""


class TokenSource:
    """One identity's token, renewed half a minute before it ends; safe for several threads."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """Raises `TokenError`."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, lifetime = self._ask()
                self._until = time.monotonic() + max(5.0, lifetime - _EARLY_S)
            return self._token

    def forget(self) -> None:
        """The province refused the token: get another one at the next use."""
        with self._lock:
            self._until = 0.0

    def _ask(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._identity.client_id,
            "scope": self._identity.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        parts = urlsplit(self._identity.token_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            connection.request("POST", parts.path, urlencode(form), headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                raise TokenError(f"identity server answered {answer.status} {body.get('error', '')}")
            return str(body["access_token"]), float(body.get("expires_in", 60))
        except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError) as error:
            raise TokenError(type(error).__name__) from None
        finally:
            connection.close()

    def _assertion(self) -> str:
        try:
            raw = json.loads(self._identity.private_jwk.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TokenError(type(error).__name__) from None
        key = ECKey.import_key(raw) if raw.get("kty") == "EC" else RSAKey.import_key(raw)
        algorithm = "ES256" if raw.get("kty") == "EC" else "RS256"
        now = int(time.time())
        claims = {
            "iss": self._identity.client_id, "sub": self._identity.client_id, "jti": str(uuid4()), "iat": now,
            "aud": self._identity.issuer or self._identity.token_url, "exp": now + _ASSERTION_S,
        }  # fmt: skip
        return jwt.encode({"alg": algorithm, "kid": raw.get("kid") or key.thumbprint()}, claims, key)
