"""Sealed tokens, second factors, deadlines and the demonstration's people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.identity import demonstration, totp
from app.identity.deadlines import IDLE, SHIFT, idle_deadline
from app.identity.sealing import Sealer
from app.kernel import clock
from app.kernel.permissions import ROLES, permissions_of

SECRET = "un-secreto-de-pruebas-de-cuarenta-letras"


def test_a_sealed_token_opens_for_its_own_session_only() -> None:
    sealer = Sealer(SECRET)
    sealed = sealer.seal("token", b"una")

    assert sealer.open(sealed, b"una") == "token"
    assert sealer.open(sealed, b"otra") == ""
    assert Sealer(SECRET.upper()).open(sealed, b"una") == ""
    assert sealer.open(None, b"una") == ""
    assert b"token" not in sealed


def test_sealing_twice_never_gives_the_same_bytes() -> None:
    sealer = Sealer(SECRET)

    assert sealer.seal("token", b"una") != sealer.seal("token", b"una")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="PIPC_SECRET_KEY"):
        Sealer("corto")


@pytest.mark.parametrize(
    ("seconds", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(seconds: int, digits: str) -> None:
    assert totp.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", seconds) == digits


def test_a_console_lasts_the_shift_and_an_office_half_an_hour() -> None:
    now = clock.now()
    ends = now + SHIFT

    assert idle_deadline(permissions_of(("operador-municipal",), kind="municipal"), now, ends) == ends
    assert idle_deadline(permissions_of(("admin-municipal",), kind="municipal"), now, ends) == now + IDLE
    assert idle_deadline(permissions_of(("direccion-admin",), kind="provincial"), now, ends) == now + IDLE
    near = now + timedelta(minutes=5)
    assert idle_deadline(frozenset(), now, near) == near


def test_demonstration_people_are_the_same_in_one_installation_and_others_in_another() -> None:
    ours, again, theirs = (demonstration.people(secret) for secret in (SECRET, SECRET, "otra instalación"))

    assert ours == again
    assert {person.username for person in ours} == {person.username for person in theirs}
    assert not {person.password for person in ours} & {person.password for person in theirs}
    assert len({person.totp_secret for person in ours}) == len(ours) == 24


def test_demonstration_people_have_roles_that_exist() -> None:
    for person in demonstration.people(SECRET):
        assert ROLES[person.role_code].kind == ("provincial" if person.tenant == "provincia" else "municipal")
        assert person.username.split(".")[0] == person.role


def test_secrets_of_demonstration_people_are_not_shown_by_accident() -> None:
    person = demonstration.find(SECRET, "operador.laprida")

    assert person.password not in repr(person)
    assert person.totp_secret not in repr(person)
    assert person.password not in repr(person.spec("muni-06448"))


def test_an_unknown_demonstration_person_is_not_found() -> None:
    with pytest.raises(LookupError):
        demonstration.find(SECRET, "nadie")


def test_the_theme_has_what_keycloak_needs() -> None:
    theme = Path(__file__).resolve().parents[3] / "app" / "adapters" / "keycloak" / "theme" / "pba" / "login"
    properties = dict(
        line.split("=", 1) for line in (theme / "theme.properties").read_text().splitlines() if "=" in line
    )

    assert properties["parent"] == "keycloak.v2"
    for sheet in properties["styles"].split():
        assert sheet == "css/styles.css" or (theme / "resources" / sheet).is_file()
