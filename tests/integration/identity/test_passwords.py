"""What the real identity server says of a new password."""

from __future__ import annotations

import secrets

import pytest

from app.adapters.keycloak.admin import AdminApi, AdminRefused
from app.adapters.keycloak.headless import HeadlessBrowser, SignInStopped
from app.adapters.keycloak.realm import DEMONSTRATION, PROVISION, demonstration_redirect

pytestmark = [pytest.mark.keycloak, pytest.mark.verification, pytest.mark.xdist_group("keycloak")]

FIRST = "la primera la eligió otra persona"


@pytest.fixture
def accounts(keycloak: dict[str, str]) -> AdminApi:
    return AdminApi(
        keycloak["url"], keycloak["realm"], client_id=PROVISION, client_secret=keycloak["provision_client_secret"]
    )


@pytest.fixture
def person(accounts: AdminApi) -> dict[str, str]:
    """Somebody who must change the password they were given; their name is long enough to be a password."""
    username = f"prueba-{secrets.token_hex(6)}"
    account = {
        "username": username, "email": f"{username}@example.org", "firstName": "Ana", "lastName": "Prueba", "enabled": True,
        "requiredActions": ["UPDATE_PASSWORD"], "credentials": [{"type": "password", "value": FIRST}],
    }  # fmt: skip
    return {"id": accounts.post("/users", account), "username": username}


def told(keycloak: dict[str, str], person: dict[str, str], password: str) -> str:
    """What the page that asks for a new password answers."""
    redirect = demonstration_redirect(keycloak["base_url"])
    door = (
        f"{keycloak['url']}/realms/{keycloak['realm']}/protocol/openid-connect/auth?client_id={DEMONSTRATION}&response_type=code"
        f"&scope=openid&redirect_uri={redirect}&code_challenge_method=S256&code_challenge={'a' * 43}"
    )
    answers = {
        "username": person["username"],
        "password": FIRST,
        "password-new": password,
        "password-confirm": password,
    }
    try:
        HeadlessBrowser().follow(door, redirect, answers)
    except SignInStopped as stop:
        return stop.text
    return ""


@pytest.mark.parametrize("password", ["Contraseña2026", "RIVERPLATE123", "general pueyrredon"])
def test_a_password_of_the_list_is_refused(accounts: AdminApi, person: dict[str, str], password: str) -> None:
    with pytest.raises(AdminRefused) as refusal:
        accounts.put(f"/users/{person['id']}/reset-password", {"type": "password", "value": password})

    assert refusal.value.status == 400
    assert "invalidPasswordBlacklistedMessage" in str(refusal.value)


def test_a_phrase_of_ones_own_is_accepted(accounts: AdminApi, person: dict[str, str]) -> None:
    accounts.put(
        f"/users/{person['id']}/reset-password", {"type": "password", "value": "el farol titila en la esquina"}
    )

    assert accounts.writes == 2


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("bocajuniors1905", "Esa contraseña es de las que se prueban primero. Elegí una frase que sea sólo tuya."),
        ("corta", "La contraseña debe tener 12 caracteres o más: una frase sirve."),
        ("larga" * 30, "La contraseña puede tener hasta 128 caracteres."),
        ("{username}", "La contraseña no puede ser igual al usuario."),
        ("{username}@example.org", "La contraseña no puede ser igual al correo."),
    ],
)
def test_the_page_tells_in_our_words_why_it_refuses(
    keycloak: dict[str, str], person: dict[str, str], password: str, sentence: str
) -> None:
    assert sentence in told(keycloak, person, password.format(**person))


def test_the_page_takes_a_phrase_of_ones_own(keycloak: dict[str, str], person: dict[str, str]) -> None:
    assert told(keycloak, person, "el farol titila en la esquina") == ""
