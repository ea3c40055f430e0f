"""The port `IdentityProvider`: authorization code with PKCE against the realm, and every ID token verified."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter

from app.adapters.keycloak.admin import IdentityServerDown
from app.adapters.keycloak.keys import RealmKeys
from app.adapters.keycloak.realm import API
from app.adapters.keycloak.tokens import KeycloakTokens
from app.kernel.ports import TokenRefused, TokenSet
from app.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 5
# A wrong secret or a missing client says nothing about the person: nobody is signed out for it.
_OUR_FAULT = frozenset({"invalid_client", "unauthorized_client"})


class KeycloakSignIn:
    """Signing in as the web client of the realm."""

    def __init__(self, settings: Settings, tokens: KeycloakTokens) -> None:
        self._protocol = f"{settings.issuer}/protocol/openid-connect"
        self._client = (settings.oidc_client_id, settings.oidc_client_secret)
        self._callback = f"{settings.base_url}/auth/callback"
        self._home = f"{settings.base_url}/"
        self._tokens = tokens
        self._connections = HTTPAdapter(pool_maxsize=16)

    def authorization_url(self, *, scope: str, state: str, nonce: str, verifier: str, second_factor: bool) -> str:
        asked: dict[str, str] = {"nonce": nonce, "ui_locales": "es-AR es"}
        if second_factor:
            asked["claims"] = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2"]}}})
        url, _ = self._session(scope=scope).create_authorization_url(
            f"{self._protocol}/auth", state=state, code_verifier=verifier, **asked
        )
        return str(url)

    def exchange(self, *, code: str, verifier: str, nonce: str) -> TokenSet:
        return self._ask(nonce, grant_type="authorization_code", code=code, code_verifier=verifier)

    def refresh(self, *, refresh_token: str, scope: str) -> TokenSet:
        return self._ask(None, grant_type="refresh_token", refresh_token=refresh_token, scope=scope)

    def end(self, refresh_token: str) -> None:
        form = {"client_id": self._client[0], "client_secret": self._client[1], "refresh_token": refresh_token}
        try:
            requests.post(f"{self._protocol}/logout", data=form, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            log.info("sign-in server not told of a logout: %s", type(error).__name__)

    def logout_url(self, id_token: str) -> str:
        asked = {"client_id": self._client[0], "post_logout_redirect_uri": self._home}
        hint = {"id_token_hint": id_token} if id_token else {}
        return f"{self._protocol}/logout?{urlencode(asked | hint)}"

    def _ask(self, nonce: str | None, **form: str) -> TokenSet:
        try:
            answer = self._session().fetch_token(f"{self._protocol}/token", timeout=TIMEOUT_S, **form)
        except requests.RequestException as error:
            # A 5xx is Keycloak being unable, for instance while its database restarts: it decided nothing.
            raise IdentityServerDown(f"token: {type(error).__name__}") from error
        except AuthlibBaseError as error:
            if error.error in _OUR_FAULT:
                log.error("Keycloak does not accept the web client: %s", error.error)
                raise IdentityServerDown(f"token: {error.error}") from error
            raise TokenRefused(str(error.error or "refused")) from error
        except ValueError as error:
            raise IdentityServerDown("token: not JSON") from error
        return self._verified(answer, nonce)

    def _verified(self, answer: dict[str, Any], nonce: str | None) -> TokenSet:
        id_token = answer.get("id_token", "")
        return TokenSet(
            claims=self._tokens.id_token(id_token, nonce=nonce),
            id_token=id_token,
            refresh_token=answer.get("refresh_token", ""),
            expires_in=int(answer.get("expires_in", 0)),
        )

    def _session(self, **options: Any) -> OAuth2Session:
        """A session for one call: Authlib keeps the last token in it, so it is not shared; its connections are."""
        session = OAuth2Session(
            *self._client,
            redirect_uri=self._callback,
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
            code_challenge_method="S256",
            leeway=0,
            **options,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._connections)
        return session


def connect(settings: Settings) -> tuple[KeycloakSignIn, KeycloakTokens]:
    """Both ports of signing in over one cache of keys. Nothing is asked of Keycloak until the first use."""
    keys = RealmKeys.of(f"{settings.issuer}/protocol/openid-connect/certs")
    tokens = KeycloakTokens(issuer=settings.issuer, web_client=settings.oidc_client_id, audience=API, keys=keys)
    return KeycloakSignIn(settings, tokens), tokens
