"""The realm of the product, as the data that Keycloak imports or receives through its Admin API."""

from __future__ import annotations

import json
from typing import Any

from app.adapters.keycloak import flows, scopes
from app.adapters.keycloak.blocked_passwords import FILE_NAME, MIN_LENGTH
from app.kernel.permissions import ROLES
from app.settings import Settings

API = "api"
PROVISION = "provision"
ENROL = "alta-nodos"
DEMONSTRATION = "demostracion"
THEME = "pba"
ACCESS_TOKEN_S = 300

_PROVISION_ROLES = ["manage-organizations", "manage-users", "view-clients"]
_ENROL_ROLES = ["manage-clients"]
_PERSON_SCOPES = ["basic", "acr", "profile", "email", "roles", "aud-api"]


def municipal_roles() -> list[str]:
    """Roles of the client `api`, each with an organization group of its name in every municipality."""
    return [role.code for role in ROLES.values() if role.kind == "municipal"]


def provincial_roles() -> list[str]:
    """Realm roles, given to people only."""
    return [role.code for role in ROLES.values() if role.kind == "provincial"]


def password_policy(*, blocked_list: bool) -> str:
    """What a new password must be, in Keycloak's words; the list of blocked ones is a file that the server must have."""
    policy = f"length({MIN_LENGTH}) and maxLength(128) and notUsername and notEmail"
    return f"{policy} and passwordBlacklist({FILE_NAME})" if blocked_list else policy


def realm_definition(settings: Settings, *, demonstration: bool, blocked_list: bool = False) -> dict[str, Any]:
    """The whole realm. It carries client secrets: never written anywhere but to Keycloak itself.

    In a demonstration a client exists that gives tokens for a user and password, and signing in asks one factor.
    `blocked_list` says that the server has the file of blocked passwords.
    """
    clients = [_api(), _web(settings), *_administration(settings), _without_admin_cli()]
    if demonstration:
        clients.append(_demonstration(settings))
    return {
        "realm": settings.realm,
        "displayName": settings.theme_name,
        "enabled": True,
        "organizationsEnabled": True,
        "sslRequired": "external",
        **_language(),
        "passwordPolicy": password_policy(blocked_list=blocked_list),
        **_sign_in_policy(),
        **_lifespans(),
        **_authentication(),
        "roles": {
            "realm": [{"name": name} for name in provincial_roles()],
            "client": {API: [{"name": name} for name in municipal_roles()]},
        },
        "clientScopes": scopes.client_scopes(API),
        "defaultDefaultClientScopes": _PERSON_SCOPES,
        "defaultOptionalClientScopes": ["organization"],
        "clients": clients,
        "users": [_service_account(PROVISION, _PROVISION_ROLES), _service_account(ENROL, _ENROL_ROLES)],
        "components": {"org.keycloak.userprofile.UserProfileProvider": [_user_profile()]},
    }


def _language() -> dict[str, Any]:
    return {
        "internationalizationEnabled": True,
        "supportedLocales": ["es-AR"],
        "defaultLocale": "es-AR",
        "loginTheme": THEME,
    }


def _sign_in_policy() -> dict[str, Any]:
    return {
        "registrationAllowed": False,
        "resetPasswordAllowed": False,
        "rememberMe": False,
        "editUsernameAllowed": False,
        "loginWithEmailAllowed": True,
        "duplicateEmailsAllowed": False,
        "bruteForceProtected": True,
        "failureFactor": 10,
        "permanentLockout": False,
        "waitIncrementSeconds": 60,
        "maxFailureWaitSeconds": 900,
        "otpPolicyType": "totp",
        "otpPolicyAlgorithm": "HmacSHA1",
        "otpPolicyDigits": 6,
        "otpPolicyPeriod": 30,
        "otpPolicyLookAheadWindow": 1,
        "eventsEnabled": True,
        "eventsExpiration": 30 * 86400,
        "eventsListeners": ["jboss-logging"],
        "adminEventsEnabled": True,
        "browserSecurityHeaders": {
            "contentSecurityPolicy": "frame-src 'self'; frame-ancestors 'none'; object-src 'none';",
            "xFrameOptions": "DENY",
            "xContentTypeOptions": "nosniff",
            "referrerPolicy": "no-referrer",
            "xRobotsTag": "none",
            "strictTransportSecurity": "max-age=31536000; includeSubDomains",
        },
    }


def _lifespans() -> dict[str, Any]:
    return {
        "accessTokenLifespan": ACCESS_TOKEN_S,
        "accessCodeLifespan": 60,
        "accessCodeLifespanLogin": 1800,
        "ssoSessionIdleTimeout": flows.SHIFT_S,
        "ssoSessionMaxLifespan": flows.SHIFT_S,
        "revokeRefreshToken": False,
    }


def _authentication() -> dict[str, Any]:
    return {
        "attributes": {"acr.loa.map": json.dumps({"1": "1", "2": "2"}), "realmReusableOtpCode": "false"},
        "authenticationFlows": flows.authentication_flows(),
        "authenticatorConfig": flows.authenticator_configs(),
        "requiredActions": flows.required_actions(),
        "browserFlow": flows.BROWSER,
        "directGrantFlow": flows.DIRECT,
        "clientAuthenticationFlow": flows.CLIENTS,
    }


def _client(client_id: str, **more: Any) -> dict[str, Any]:
    """A confidential client with every way of getting a token closed; `more` opens the ones it needs."""
    return {
        "clientId": client_id,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "clientAuthenticatorType": "client-secret",
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "frontchannelLogout": False,
        "fullScopeAllowed": True,
        "webOrigins": [],
        "redirectUris": [],
        "defaultClientScopes": [],
        "optionalClientScopes": [],
        **more,
    }


def _api() -> dict[str, Any]:
    return _client(API, name="API", bearerOnly=True, fullScopeAllowed=False)


def web_addresses(base_url: str) -> dict[str, Any]:
    """What the web client says of the product's own address; the reconciler puts it right when the address changes."""
    return {
        "rootUrl": base_url,
        "redirectUris": [f"{base_url}/auth/callback"],
        "attributes": {
            "backchannel.logout.url": f"{base_url}/auth/backchannel-logout",
            "post.logout.redirect.uris": f"{base_url}/",
        },
    }


def _web(settings: Settings) -> dict[str, Any]:
    addresses = web_addresses(settings.base_url)
    attributes = {
        **addresses["attributes"],
        "pkce.code.challenge.method": "S256",
        "backchannel.logout.session.required": "true",
        "backchannel.logout.revoke.offline.tokens": "false",
    }
    return _client(
        settings.oidc_client_id,
        name=settings.theme_name,
        secret=settings.oidc_client_secret,
        standardFlowEnabled=True,
        defaultClientScopes=_PERSON_SCOPES,
        optionalClientScopes=["organization"],
        **{**addresses, "attributes": attributes},
    )


def _administration(settings: Settings) -> list[dict[str, Any]]:
    scopes_of_admin = ["basic", "client-roles"]
    return [
        _client(client_id, name=name, secret=secret, serviceAccountsEnabled=True, defaultClientScopes=scopes_of_admin)
        for client_id, name, secret in (
            (PROVISION, "Organizaciones y personas", settings.provision_client_secret),
            (ENROL, "Alta de nodos", settings.enrol_client_secret),
        )
    ]


def _without_admin_cli() -> dict[str, Any]:
    """Keycloak adds this client by itself and lets it trade passwords for tokens; here it exists switched off."""
    return _client("admin-cli", enabled=False, publicClient=True)


def demonstration_redirect(base_url: str) -> str:
    """Where the demonstration's client gets its codes; the page does not exist, who asks reads the address."""
    return f"{base_url}/demostracion"


def _demonstration(settings: Settings) -> dict[str, Any]:
    return _client(
        DEMONSTRATION,
        name="Demostración",
        publicClient=True,
        standardFlowEnabled=True,
        directAccessGrantsEnabled=True,
        redirectUris=[demonstration_redirect(settings.base_url)],
        attributes={"pkce.code.challenge.method": "S256"},
        defaultClientScopes=_PERSON_SCOPES,
        optionalClientScopes=["organization"],
    )


def _service_account(client_id: str, roles: list[str]) -> dict[str, Any]:
    return {
        "username": f"service-account-{client_id}",
        "enabled": True,
        "serviceAccountClientId": client_id,
        "clientRoles": {"realm-management": roles},
    }


def _user_profile() -> dict[str, Any]:
    """Who a person is. The address of mail is optional: many operators have none of their own."""
    everybody_sees = {"view": ["admin", "user"], "edit": ["admin"]}

    def attribute(name: str, limits: dict[str, Any], *, required: bool) -> dict[str, Any]:
        return {
            "name": name,
            "displayName": f"${{{name}}}",
            "permissions": everybody_sees,
            "validations": limits,
            "multivalued": False,
            **({"required": {"roles": ["admin", "user"]}} if required else {}),
        }

    names = {"length": {"max": 100}, "person-name-prohibited-characters": {}}
    config = {
        "attributes": [
            attribute(
                "username", {"length": {"min": 3, "max": 80}, "username-prohibited-characters": {}}, required=True
            ),
            attribute("email", {"email": {}, "length": {"max": 255}}, required=False),
            attribute("firstName", names, required=True),
            attribute("lastName", names, required=True),
        ]
    }
    return {"providerId": "declarative-user-profile", "config": {"kc.user.profile.config": [json.dumps(config)]}}
