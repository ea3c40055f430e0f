"""The realm's public keys: kept ten minutes, asked again for an unknown one, and used stale while Keycloak is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from app.adapters.keycloak.admin import IdentityServerDown
from app.kernel.ports import TokenRefused

log = logging.getLogger(__name__)

FRESH_S = 600.0
AGAIN_S = 30.0
STALE_S = 86_400.0
TIMEOUT_S = 5


class RealmKeys:
    """Keys by their id. `fetch` answers the JWKS document; `tick` is a monotonic clock."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], tick: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._tick = tick
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._read_at = self._tried_at = float("-inf")

    @classmethod
    def of(cls, url: str) -> RealmKeys:
        def fetch() -> Mapping[str, Any]:
            response = requests.get(url, timeout=TIMEOUT_S)
            response.raise_for_status()
            return dict(response.json())

        return cls(fetch)

    def get(self, kid: str) -> Key:
        """The key of that id. Raises `TokenRefused`, or `IdentityServerDown` when no key was ever read or all are too old."""
        with self._lock:
            age = self._tick() - self._read_at
            if age > FRESH_S or kid not in self._keys:
                self._read_again()
                age = self._tick() - self._read_at
            if age > STALE_S:
                raise IdentityServerDown("no hay claves con las que verificar")
            if kid not in self._keys:
                raise TokenRefused("unknown-key")
            return self._keys[kid]

    def _read_again(self) -> None:
        if self._tick() - self._tried_at < AGAIN_S and self._keys:
            return
        self._tried_at = self._tick()
        try:
            document = self._fetch()
        except (requests.RequestException, ValueError) as error:
            log.warning("realm keys not read: %s", error)
            return
        self._keys = dict(_signing(document))
        self._read_at = self._tick()


def _signing(document: Mapping[str, Any]) -> Iterator[tuple[str, Key]]:
    """The keys with which the realm signs, by id; one of a kind we do not know says nothing about the others."""
    for shown in document.get("keys", []):
        if shown.get("use") == "sig" and shown.get("kid"):
            try:
                yield shown["kid"], import_key(shown)
            except (JoseError, ValueError) as error:
                log.warning("realm key %s not usable: %s", shown["kid"], error)
