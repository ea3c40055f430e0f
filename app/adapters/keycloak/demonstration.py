"""Tokens for the demonstration's people, through the client that exists only in a demonstration."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session

from app.adapters.keycloak.admin import IdentityServerDown
from app.adapters.keycloak.headless import HeadlessBrowser, SignInStopped
from app.adapters.keycloak.realm import DEMONSTRATION, demonstration_redirect
from app.kernel.ports import TokenRefused
from app.settings import Settings

TIMEOUT_S = 15
_SECOND_FACTOR = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2"]}}})


def token(settings: Settings, *, username: str, password: str, scope: str) -> Mapping[str, Any]:
    """Tokens for a user and password. Raises `TokenRefused`."""
    form = {"grant_type": "password", "username": username, "password": password, "scope": scope}
    return _ask(settings, form)


def elevated_token(
    settings: Settings, *, username: str, password: str, scope: str, codes: Iterable[str]
) -> Mapping[str, Any]:
    """Tokens with the second factor just used, through the pages: the password grant never reaches the second level.

    `codes` are tried in order, since each works once. Raises `TokenRefused` with what the page says.
    """
    redirect = demonstration_redirect(settings.base_url)
    verifier = secrets.token_urlsafe(48)
    session = OAuth2Session(DEMONSTRATION, redirect_uri=redirect, scope=scope, code_challenge_method="S256")
    url, _ = session.create_authorization_url(
        _endpoint(settings, "auth"), code_verifier=verifier, claims=_SECOND_FACTOR
    )
    reason = ""
    for code in codes:
        try:
            answers = {"username": username, "password": password, "otp": code}
            answer = HeadlessBrowser().follow(url, redirect, answers)
        except SignInStopped as stop:
            reason = stop.text
            continue
        except requests.RequestException as error:
            raise IdentityServerDown(type(error).__name__) from error
        form = {"grant_type": "authorization_code", "code": answer.get("code", ""), "redirect_uri": redirect}
        return _ask(settings, {**form, "code_verifier": verifier})
    raise TokenRefused(reason)


def _ask(settings: Settings, form: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        response = requests.post(
            _endpoint(settings, "token"), data={**form, "client_id": DEMONSTRATION}, timeout=TIMEOUT_S
        )
    except requests.RequestException as error:
        raise IdentityServerDown(type(error).__name__) from error
    if not response.ok:
        raise TokenRefused(response.text[:300])
    answer: Mapping[str, Any] = response.json()
    return answer


def _endpoint(settings: Settings, name: str) -> str:
    return f"{settings.issuer}/protocol/openid-connect/{name}"
