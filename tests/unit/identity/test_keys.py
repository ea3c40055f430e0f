"""The realm's keys are asked for seldom, and Keycloak being away does not stop verification."""

from __future__ import annotations

import pytest
import requests

from app.adapters.keycloak.admin import IdentityServerDown
from app.adapters.keycloak.keys import AGAIN_S, FRESH_S, STALE_S, RealmKeys
from app.kernel.ports import TokenRefused
from tests.support.tokens import Realm


class Tick:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def signer() -> Realm:
    return Realm()


@pytest.fixture
def realm(signer: Realm) -> Realm:
    signer.asked = 0
    signer.served = [signer.rsa.as_dict(private=False), signer.ec.as_dict(private=False)]
    return signer


def test_keys_are_read_once_while_fresh(realm: Realm) -> None:
    tick = Tick()
    keys = RealmKeys(realm.fetch, tick)

    for _ in range(5):
        assert keys.get("rsa-1").kid == "rsa-1"
    tick.now += FRESH_S + 1
    keys.get("ec-1")

    assert realm.asked == 2


def test_an_unknown_key_is_looked_for_again_at_most_every_half_minute(realm: Realm) -> None:
    tick = Tick()
    keys = RealmKeys(realm.fetch, tick)
    keys.get("rsa-1")

    for _ in range(10):
        with pytest.raises(TokenRefused):
            keys.get("inventada")
    assert realm.asked == 1

    tick.now += AGAIN_S + 1
    with pytest.raises(TokenRefused):
        keys.get("inventada")
    assert realm.asked == 2


def test_a_new_key_of_the_realm_is_found(realm: Realm) -> None:
    tick = Tick()
    realm.served = [realm.rsa.as_dict(private=False)]
    keys = RealmKeys(realm.fetch, tick)
    keys.get("rsa-1")

    realm.served.append(realm.ec.as_dict(private=False))
    tick.now += AGAIN_S + 1

    assert keys.get("ec-1").kid == "ec-1"


def test_keys_serve_stale_for_a_day_while_keycloak_is_away(realm: Realm) -> None:
    tick = Tick()
    away = False

    def fetch() -> object:
        if away:
            raise requests.ConnectionError("away")
        return realm.fetch()

    keys = RealmKeys(fetch, tick)  # type: ignore[arg-type]
    keys.get("rsa-1")
    away = True

    tick.now += STALE_S - 1
    assert keys.get("rsa-1").kid == "rsa-1"

    tick.now += 2
    with pytest.raises(IdentityServerDown):
        keys.get("rsa-1")


def test_without_any_key_nothing_is_decided() -> None:
    def fetch() -> object:
        raise requests.ConnectionError("away")

    with pytest.raises(IdentityServerDown):
        RealmKeys(fetch).get("rsa-1")  # type: ignore[arg-type]


def test_keys_for_encryption_are_not_used(realm: Realm) -> None:
    realm.served = [{**realm.rsa.as_dict(private=False), "use": "enc"}]

    with pytest.raises(TokenRefused):
        RealmKeys(realm.fetch, Tick()).get("rsa-1")
