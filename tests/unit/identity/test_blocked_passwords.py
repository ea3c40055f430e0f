"""The list of passwords that are guessed first, as Keycloak reads it."""

from __future__ import annotations

import pytest

from app.adapters.keycloak.blocked_passwords import MIN_LENGTH, blocked_passwords


@pytest.fixture(scope="module")
def blocked() -> list[str]:
    return blocked_passwords()


def test_every_line_can_be_met_by_a_password_in_lower_case(blocked: list[str]) -> None:
    assert [line for line in blocked if line != line.lower().strip() or len(line) < MIN_LENGTH] == []
    assert blocked == sorted(set(blocked))


@pytest.mark.parametrize(
    "password",
    [
        "contraseña123", "contrasena2026", "password1234", "qwertyuiopasdf", "123456789012", "argentina2026", "boca juniors",
        "bocajuniors2026", "riverplate123", "proteccionciudadana", "generalpueyrredon", "general pueyrredón", "laplata123456",
        "cañuelas2026", "canuelas2026",
    ],
)  # fmt: skip
def test_what_people_would_choose_to_reach_the_length_is_there(blocked: list[str], password: str) -> None:
    assert password in blocked


@pytest.mark.parametrize("password", ["una clave para pruebas", "el farol de la esquina titila", "abcd-efgh-ijkl-mnop"])
def test_a_phrase_of_ones_own_is_not(blocked: list[str], password: str) -> None:
    assert password not in blocked
