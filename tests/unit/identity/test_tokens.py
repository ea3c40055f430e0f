"""What is not exactly a token of ours, for us and in time, is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from app.adapters.keycloak.tokens import MAX_TOKEN
from app.kernel import clock
from app.kernel.ports import TokenRefused
from tests.support.tokens import Realm, access, identity, logout

# A Tuesday of 2026: everything below is told from it, whenever the test runs.
NOW = 1_795_000_000


@pytest.fixture(autouse=True)
def fixed_clock() -> Iterator[None]:
    clock.use(lambda: datetime.fromtimestamp(NOW, UTC))
    yield
    clock.use(None)


@pytest.fixture(scope="module")
def realm() -> Realm:
    return Realm()


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': alg, 'kid': 'rsa-1'})}.{part(claims)}."


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_an_access_token_for_the_api_is_accepted(realm: Realm, alg: str) -> None:
    claims = realm.verifier().access_token(realm.sign(access(), alg=alg))

    assert claims["sub"] == "persona"


def test_an_id_token_for_the_web_client_is_accepted(realm: Realm) -> None:
    verifier, token = realm.verifier(), realm.sign(identity())

    assert verifier.id_token(token, nonce="n")["sub"] == "persona"
    assert verifier.id_token(token, nonce=None)["sub"] == "persona"


def test_a_logout_notice_for_the_web_client_is_accepted(realm: Realm) -> None:
    assert realm.verifier().logout_token(realm.sign(logout(), typ="logout+jwt"))["jti"] == "j"


@pytest.mark.parametrize("shift", [-29, 29])
def test_a_clock_half_a_minute_off_is_forgiven(realm: Realm, shift: int) -> None:
    token = realm.sign(access(iat=NOW + shift, exp=NOW + shift if shift < 0 else NOW + 300))

    assert realm.verifier().access_token(token)


WRONG_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "http://127.0.0.1:9/realms/otro"}, "wrong-issuer"),
    "issuer with a slash": ({"iss": "http://127.0.0.1:9/realms/prueba/"}, "wrong-issuer"),
    "no issuer": ({"iss": None}, "wrong-issuer"),
    "another audience": ({"aud": "otra"}, "wrong-audience"),
    "no audience": ({"aud": None}, "wrong-audience"),
    "audience inside another word": ({"aud": "api-interna"}, "wrong-audience"),
    "expired": ({"exp": NOW - 31}, "expired"),
    "no end": ({"exp": None}, "expired"),
    "end as text": ({"exp": "9999999999"}, "malformed"),
    "end as a list": ({"exp": [9999999999]}, "malformed"),
    "end as true": ({"exp": True}, "malformed"),
    "no beginning": ({"iat": None}, "issued-later"),
    "issued later": ({"iat": NOW + 120}, "issued-later"),
    "not yet valid": ({"nbf": NOW + 120}, "not-yet-valid"),
    "an ID token": ({"typ": "ID"}, "not-an-access-token"),
    "a refresh token": ({"typ": "Refresh"}, "not-an-access-token"),
    "no kind": ({"typ": None}, "not-an-access-token"),
    "nobody": ({"sub": None}, "nobody-named"),
    "a number as somebody": ({"sub": 7}, "nobody-named"),
}


@pytest.mark.parametrize(("changes", "reason"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_an_access_token_with_a_wrong_claim_is_refused(realm: Realm, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenRefused) as refusal:
        realm.verifier().access_token(realm.sign(access(**changes)))

    assert refusal.value.reason == reason


FORGERIES: dict[str, Callable[[Realm], str]] = {
    "alg none": lambda realm: unsigned(access()),
    "alg None in another case": lambda realm: unsigned(access(), "NONE"),
    "signed with the public key as a secret": lambda realm: _keyed(realm.rsa.as_pem(private=False)),
    "a key of somebody else under our name": lambda realm: realm.sign(
        access(), key=RSAKey.generate_key(2048, {"kid": "rsa-1"})
    ),
    "our key under another algorithm": lambda realm: realm.sign(access(), alg="PS256"),
    "RSA token naming the EC key": lambda realm: realm.sign(access(), kid="ec-1"),
    "an unknown key": lambda realm: realm.sign(access(), kid="rsa-9"),
    "no key named": lambda realm: realm.sign(access(), kid=None),
    "a key brought in the header": lambda realm: realm.sign(
        access(), key=(key := RSAKey.generate_key(2048, {"kid": "suya"})), jwk=key.as_dict(private=False)
    ),
    "a changed payload": lambda realm: _tampered(realm.sign(access())),
    "a cut signature": lambda realm: realm.sign(access())[:-8],
    "no signature": lambda realm: realm.sign(access()).rsplit(".", 1)[0] + ".",
    "claims that are a list": lambda realm: realm.sign("[1, 2]"),
    "claims that are not JSON": lambda realm: realm.sign("hola"),
    "an unknown critical header": lambda realm: _critical(realm),
    "five parts": lambda realm: realm.sign(access()) + ".a.b",
    "not a token": lambda realm: "hola",
    "nothing": lambda realm: "",
    "not ASCII": lambda realm: "ñandú.a.b",
    "too long": lambda realm: realm.sign(access(relleno="x" * MAX_TOKEN)),
}


def _keyed(secret: bytes) -> str:
    signing_input = unsigned(access(), "HS256").rstrip(".")
    mac = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "otra"}).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


def _critical(realm: Realm) -> str:
    token = realm.sign(access())
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(header | {"crit": ["exp"]}).encode()).rstrip(b"=").decode()
    return ".".join([forged, *token.split(".")[1:]])


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(realm: Realm, forge: Callable[[Realm], str]) -> None:
    with pytest.raises(TokenRefused):
        realm.verifier().access_token(forge(realm))


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "Bearer"},
        {"aud": "api"},
        {"aud": ["operacion-web", "api"]},
        {"azp": "otra"},
        {"nonce": "otro"},
        {"nonce": None},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_the_answer_is_refused(realm: Realm, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        realm.verifier().id_token(realm.sign(identity(**changes)), nonce="n")


WRONG_NOTICES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "kind of another token": ({}, {"typ": "JWT"}, "not-a-logout-token"),
    "no kind": ({}, {"typ": None}, "not-a-logout-token"),
    "a nonce": ({"nonce": "n"}, {}, "nonce-present"),
    "an empty nonce": ({"nonce": ""}, {}, "nonce-present"),
    "another audience": ({"aud": "api"}, {}, "wrong-audience"),
    "old": ({"iat": NOW - 180}, {}, "too-old"),
    "no event": ({"events": None}, {}, "wrong-event"),
    "another event": ({"events": {"http://otro": {}}}, {}, "wrong-event"),
    "an event that is not an object": (
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}}, {}, "wrong-event",
    ),
    "nobody": ({"sub": None}, {}, "nobody-named"),
    "no identifier": ({"jti": None}, {}, "no-identifier"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "header", "reason"), WRONG_NOTICES.values(), ids=WRONG_NOTICES)
def test_a_wrong_logout_notice_is_refused(
    realm: Realm, changes: dict[str, Any], header: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TokenRefused) as refusal:
        realm.verifier().logout_token(realm.sign(logout(**changes), **{"typ": "logout+jwt", **header}))

    assert refusal.value.reason == reason


def test_a_notice_may_name_the_session_alone(realm: Realm) -> None:
    token = realm.sign(logout(sub=None, sid="s"), typ="logout+jwt")

    assert realm.verifier().logout_token(token)["sid"] == "s"


def test_each_kind_of_token_is_refused_as_the_others(realm: Realm) -> None:
    verifier = realm.verifier()
    notice = realm.sign(logout(), typ="logout+jwt")

    for check, token in (
        (lambda t: verifier.id_token(t, nonce=None), notice),
        (verifier.access_token, notice),
        (verifier.logout_token, realm.sign(identity(nonce=None))),
        (verifier.access_token, realm.sign(identity())),
        (lambda t: verifier.id_token(t, nonce=None), realm.sign(access())),
    ):
        with pytest.raises(TokenRefused):
            check(token)
