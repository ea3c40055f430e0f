"""Verification of every token of the realm: signature, kind, origin, audience and times. What is not exactly right is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from app.adapters.keycloak.keys import RealmKeys
from app.kernel import clock
from app.kernel.ports import TokenRefused

ALGORITHMS = ("RS256", "ES256")
LEEWAY_S = 30
MAX_TOKEN = 16_384
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_MAX_AGE_S = 120

Claims = Mapping[str, Any]


class KeycloakTokens:
    """The port `TokenVerifier`, and the check of ID tokens that signing in needs."""

    def __init__(self, *, issuer: str, web_client: str, audience: str, keys: RealmKeys) -> None:
        self._issuer = issuer
        self._web_client = web_client
        self._audience = audience
        self._keys = keys

    def access_token(self, token: str) -> Claims:
        _, claims = self._read(token)
        _require(claims.get("typ") == "Bearer", "not-an-access-token")
        _require(self._audience in _audiences(claims), "wrong-audience")
        _require_subject(claims)
        return claims

    def id_token(self, token: str, *, nonce: str | None) -> Claims:
        """The claims of an ID token for the web client; `nonce` is the one sent, None for a refreshed token."""
        _, claims = self._read(token)
        _require(claims.get("typ") == "ID", "not-an-id-token")
        _require(_audiences(claims) == [self._web_client], "wrong-audience")
        _require(claims.get("azp", self._web_client) == self._web_client, "wrong-party")
        _require(nonce is None or claims.get("nonce") == nonce, "wrong-nonce")
        _require_subject(claims)
        return claims

    def logout_token(self, token: str) -> Claims:
        header, claims = self._read(token)
        _require(str(header.get("typ", "")).lower() == "logout+jwt", "not-a-logout-token")
        _require(_audiences(claims) == [self._web_client], "wrong-audience")
        _require("nonce" not in claims, "nonce-present")
        events = claims.get("events")
        _require(isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict), "wrong-event")
        _require(_text(claims.get("sub")) or _text(claims.get("sid")), "nobody-named")
        _require(_text(claims.get("jti")), "no-identifier")
        _require(claims["iat"] >= _now() - LOGOUT_MAX_AGE_S, "too-old")
        return claims

    def _read(self, token: str) -> tuple[Mapping[str, Any], Claims]:
        """Header and claims of a token whose signature, issuer and times hold."""
        _require(0 < len(token) <= MAX_TOKEN, "malformed")
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
            _require(header.get("alg") in ALGORITHMS, "wrong-algorithm")
            _require(_text(header.get("kid")), "no-key-named")
            signed = jws.deserialize_compact(token, self._keys.get(header["kid"]), algorithms=list(ALGORITHMS))
            claims = json.loads(signed.payload)
        except (JoseError, ValueError) as error:
            raise TokenRefused("bad-signature") from error
        _require(isinstance(claims, dict), "malformed")
        self._check_origin_and_times(claims)
        return header, claims

    def _check_origin_and_times(self, claims: Claims) -> None:
        _require(claims.get("iss") == self._issuer, "wrong-issuer")
        now = _now()
        times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
        _require(all(type(value) in {int, float} for value in times.values()), "malformed")
        _require("iat" in times and times["iat"] <= now + LEEWAY_S, "issued-later")
        _require("exp" in times and times["exp"] > now - LEEWAY_S, "expired")
        _require(times.get("nbf", 0) <= now + LEEWAY_S, "not-yet-valid")


def _now() -> float:
    return clock.now().timestamp()


def _require(holds: object, reason: str) -> None:
    if not holds:
        raise TokenRefused(reason)


def _require_subject(claims: Claims) -> None:
    _require(_text(claims.get("sub")), "nobody-named")


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _audiences(claims: Claims) -> list[str]:
    value = claims.get("aud")
    return [value] if isinstance(value, str) else [each for each in value or () if isinstance(each, str)]
