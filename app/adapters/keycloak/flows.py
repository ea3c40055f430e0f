"""Authentication flows of the realm: one page with user and password, a second factor on demand, and clients.

A realm's own list replaces Keycloak's, so the ones used are all here.
"""

from __future__ import annotations

from typing import Any

BROWSER = "navegador"
DIRECT = "directo"
CLIENTS = "clientes"
SHIFT_S = 12 * 3600

_REQUIRED, _ALTERNATIVE, _CONDITIONAL = "REQUIRED", "ALTERNATIVE", "CONDITIONAL"


def _step(authenticator: str, requirement: str, config: str | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {"authenticator": authenticator, "authenticatorFlow": False, "requirement": requirement}
    return step | ({"authenticatorConfig": config} if config else {})


def _sub(alias: str, requirement: str) -> dict[str, Any]:
    return {"flowAlias": alias, "authenticatorFlow": True, "requirement": requirement}


def _flow(alias: str, *steps: dict[str, Any], top: bool = False, provider: str = "basic-flow") -> dict[str, Any]:
    ordered = [
        {**step, "priority": 10 * number, "userSetupAllowed": False} for number, step in enumerate(steps, start=1)
    ]
    return {
        "alias": alias,
        "description": "",
        "providerId": provider,
        "topLevel": top,
        "builtIn": False,
        "authenticationExecutions": ordered,
    }


def _browser() -> list[dict[str, Any]]:
    return [
        # `organization` comes after the forms: before them it would ask the user name on a page of its own, and without it the
        # cookie alone never succeeds when an organization is asked for. `reingreso` turns "signed in, but no member" into a
        # password page instead of an error.
        _flow(
            BROWSER,
            _step("auth-cookie", _ALTERNATIVE),
            _sub("formularios", _ALTERNATIVE),
            _step("organization", _ALTERNATIVE),
            _sub("reingreso", _ALTERNATIVE),
            top=True,
        ),
        _flow("reingreso", _step("auth-username-password-form", _REQUIRED)),
        _flow("formularios", _sub("nivel-1", _CONDITIONAL), _sub("nivel-2", _CONDITIONAL)),
        _flow(
            "nivel-1",
            _step("conditional-level-of-authentication", _REQUIRED, "nivel-1"),
            _step("auth-username-password-form", _REQUIRED),
        ),
        _flow(
            "nivel-2",
            _step("conditional-level-of-authentication", _REQUIRED, "nivel-2"),
            _sub("segundo-factor", _REQUIRED),
        ),
        _flow(
            "segundo-factor",
            _step("webauthn-authenticator", _ALTERNATIVE),
            _step("auth-otp-form", _ALTERNATIVE),
            _sub("alta-segundo-factor", _ALTERNATIVE),
        ),
        # Somebody without a second factor is asked to set one up here, instead of meeting an error page.
        _flow("alta-segundo-factor", _step("auth-otp-form", _REQUIRED)),
    ]


def authentication_flows() -> list[dict[str, Any]]:
    """Every flow of the realm."""
    return [
        *_browser(),
        _flow(
            DIRECT,
            _step("direct-grant-validate-username", _REQUIRED),
            _step("direct-grant-validate-password", _REQUIRED),
            top=True,
        ),
        _flow(
            CLIENTS,
            _step("client-secret", _ALTERNATIVE),
            _step("client-jwt", _ALTERNATIVE),
            top=True,
            provider="client-flow",
        ),
    ]


def authenticator_configs() -> list[dict[str, Any]]:
    """How long each level lasts: a shift for the password, a single use for the second factor."""
    return [
        {"alias": "nivel-1", "config": {"loa-condition-level": "1", "loa-max-age": str(SHIFT_S)}},
        {"alias": "nivel-2", "config": {"loa-condition-level": "2", "loa-max-age": "0"}},
    ]


def required_actions() -> list[dict[str, Any]]:
    """What a person may be asked to do after signing in."""
    actions = {
        "CONFIGURE_TOTP": "Configurar el segundo factor",
        "UPDATE_PASSWORD": "Cambiar la contraseña",
        "webauthn-register": "Registrar una llave de seguridad",
        "UPDATE_PROFILE": "Completar los datos",
        "VERIFY_PROFILE": "Revisar los datos",
    }
    return [
        {"alias": alias, "name": name, "providerId": alias, "enabled": True, "defaultAction": False, "priority": 10 * n}
        for n, (alias, name) in enumerate(actions.items(), start=1)
    ]
