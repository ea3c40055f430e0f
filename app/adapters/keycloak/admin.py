"""Calls to Keycloak's Admin API as a service account: one token for every thread, each call with a time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from app.kernel.errors import Unavailable

TIMEOUT_S = 10
PAGE = 200
THREADS = 4
_TOKEN_MARGIN_S = 10


class AdminRefused(RuntimeError):
    """Keycloak refused a call; the message names it, never what it carried."""

    def __init__(self, method: str, path: str, response: requests.Response) -> None:
        super().__init__(f"{method} {path}: {response.status_code} {response.text[:300]}")
        self.status = response.status_code


class IdentityServerDown(Unavailable):
    """The identity server does not answer, or answers that it cannot: nothing was decided."""

    code = "identity-unavailable"
    title = "El servicio de identidad no responde en este momento"


class AdminApi:
    """The administration of one realm. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        realm: str,
        *,
        client_id: str,
        client_secret: str,
        login_realm: str = "",
        timeout_s: int = TIMEOUT_S,
    ) -> None:
        self._url = url
        self._realm = realm
        self._client = (client_id, client_secret)
        self._token_url = f"{url}/realms/{login_realm or realm}/protocol/openid-connect/token"
        self._timeout_s = timeout_s
        self._http = requests.Session()
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=2 * THREADS))
        self._lock = threading.Lock()
        self._token = ""
        self._token_until = 0.0
        self._writes = 0

    @property
    def writes(self) -> int:
        """How many calls that change something were accepted."""
        return self._writes

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query).json()

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every element of a list: Keycloak shows ten unless asked for more."""
        first = 0
        while True:
            found = self.get(path, first=first, max=PAGE, **query)
            yield from found
            if len(found) < PAGE:
                return
            first += PAGE

    def post(self, path: str, body: Any = None) -> str:
        """Create or add. Returns the id of what was created, when Keycloak names it. A 409 raises `AdminRefused`."""
        response = self._write("POST", path, body)
        return response.headers.get("Location", "").rsplit("/", 1)[-1]

    def put(self, path: str, body: Any = None) -> None:
        self._write("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> None:
        self._write("DELETE", path, body)

    def _write(self, method: str, path: str, body: Any) -> requests.Response:
        response = self._call(method, path, json=body)
        with self._lock:
            self._writes += 1
        return response

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self._send(method, path, **options)
        if response.status_code == 401:  # the token was revoked, or Keycloak lost its session
            self._forget_token()
            response = self._send(method, path, **options)
        if response.status_code >= 500:
            raise IdentityServerDown(f"{method} {path}: {response.status_code}")
        if response.status_code >= 400:
            raise AdminRefused(method, path, response)
        return response

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        url = "/".join(filter(None, (f"{self._url}/admin/realms", self._realm))) + path
        try:
            return self._http.request(method, url, headers=headers, timeout=self._timeout_s, **options)
        except requests.RequestException as error:
            raise IdentityServerDown(f"{method} {path}: {type(error).__name__}") from error

    def _access_token(self) -> str:
        with self._lock:
            if time.monotonic() >= self._token_until:
                self._token, lifetime = self._new_token()
                self._token_until = time.monotonic() + max(lifetime - _TOKEN_MARGIN_S, 1)
            return self._token

    def _forget_token(self) -> None:
        with self._lock:
            self._token_until = 0.0

    def _new_token(self) -> tuple[str, int]:
        form = {"grant_type": "client_credentials"}
        try:
            response = self._http.post(self._token_url, data=form, auth=self._client, timeout=self._timeout_s)
        except requests.RequestException as error:
            raise IdentityServerDown(f"token: {type(error).__name__}") from error
        if response.status_code >= 500:
            raise IdentityServerDown(f"token: {response.status_code}")
        if not response.ok:
            raise AdminRefused("POST", "token", response)
        answer = response.json()
        return answer["access_token"], answer["expires_in"]
