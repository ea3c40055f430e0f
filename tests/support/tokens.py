"""A realm that signs what a test asks, right or wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from app.adapters.keycloak.keys import RealmKeys
from app.adapters.keycloak.tokens import LOGOUT_EVENT, KeycloakTokens
from app.kernel import clock

ISSUER = "http://127.0.0.1:9/realms/prueba"
WEB, API = "operacion-web", "api"


class Realm:
    """Keys and claims of an invented realm. `served` is what its JWKS shows."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
        self.served = [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]
        self.asked = 0

    def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        return {"keys": self.served}

    def verifier(self) -> KeycloakTokens:
        return KeycloakTokens(issuer=ISSUER, web_client=WEB, audience=API, keys=RealmKeys(self.fetch))

    def sign(self, claims: Mapping[str, Any] | str, *, alg: str = "RS256", key: Any = None, **header: Any) -> str:
        chosen = key or (self.ec if alg.startswith("ES") else self.rsa)
        payload = claims if isinstance(claims, str) else json.dumps(dict(claims))
        full = {"alg": alg, "kid": chosen.kid, "typ": "JWT", **header}
        return jws.serialize_compact({k: v for k, v in full.items() if v is not None}, payload, chosen, algorithms=[alg])


def access(**changes: Any) -> dict[str, Any]:
    return _with({"typ": "Bearer", "aud": [API, "otra"], "sub": "persona", **_times()}, changes)


def identity(**changes: Any) -> dict[str, Any]:
    return _with({"typ": "ID", "aud": WEB, "azp": WEB, "sub": "persona", "nonce": "n", **_times()}, changes)


def logout(**changes: Any) -> dict[str, Any]:
    events = {LOGOUT_EVENT: {}}
    return _with({"typ": "Logout", "aud": WEB, "sub": "persona", "jti": "j", "events": events, **_times()}, changes)


def _times() -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return {"iss": ISSUER, "iat": now, "exp": now + 300}


def _with(claims: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`claims` with `changes`; a value of None takes the claim away."""
    return {name: value for name, value in (claims | dict(changes)).items() if value is not None}
