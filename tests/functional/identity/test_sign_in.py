"""Signing in on the real identity server: who gets in, through which door, and who does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.keycloak.headless import SignInStopped
from app.kernel.permissions import ROLES
from tests.support.identity import Installation

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

DOOR = "/m/laprida/entrar"
PROVINCE_DOOR = "/provincia/entrar"


def roles_of(kind: str) -> list[str]:
    return [role.code for role in ROLES.values() if role.kind == kind and role.code != "nodo"]


@pytest.mark.parametrize("role", roles_of("municipal"))
def test_each_municipal_role_enters_its_municipality(installation: Installation, role: str) -> None:
    person, visitor = installation.somebody(role, installation.ours), installation.visitor()

    answer = visitor.sign_in(person, DOOR)

    assert (answer.status_code, answer.location) == (303, "/")
    start = visitor.get("/inicio")
    assert start.status_code == 200
    assert ROLES[role].name in start.text
    assert [who for who, _ in installation.audited(installation.ours, "auth:session:start")] == [person.spec.username]


@pytest.mark.parametrize("role", roles_of("provincial"))
def test_each_provincial_role_enters_by_the_province(installation: Installation, role: str) -> None:
    visitor = installation.visitor()

    answer = visitor.sign_in(installation.somebody(role), PROVINCE_DOOR)

    assert answer.status_code == 303
    assert ROLES[role].name in visitor.get("/inicio").text


def test_the_way_back_is_kept_when_it_is_ours(installation: Installation) -> None:
    person = installation.somebody("operador-municipal", installation.ours)

    answer = installation.visitor().sign_in(person, f"{DOOR}?volver=/sala/camaras/?estado=sin-senal")

    assert answer.location == "/sala/camaras/?estado=sin-senal"


@pytest.mark.parametrize("back", ["https://otro.example/", "//otro.example/", "/\\otro.example", "javascript:alert(1)"])
def test_the_way_back_is_forgotten_when_it_leads_elsewhere(installation: Installation, back: str) -> None:
    person, visitor = installation.somebody("operador-municipal", installation.ours), installation.visitor()

    away = visitor.get(DOOR, query_string={"volver": back})
    answer = person.browser.follow(away.location, f"{visitor.base_url}/auth/callback", person.answers)

    assert visitor.come_back(answer).location == "/"


def test_somebody_of_another_municipality_is_refused_and_recorded(installation: Installation) -> None:
    person, visitor = installation.somebody("operador-municipal", installation.theirs), installation.visitor()

    answer = visitor.sign_in(person, DOOR)

    assert answer.status_code == 403
    assert "Tu cuenta no trabaja en este municipio" in answer.text
    assert not visitor.cookie
    assert installation.sessions() == 0
    ((who, text),) = installation.audited(installation.ours, "auth:session:refuse")
    assert who == person.spec.username
    assert "not-a-member" in text
    assert installation.audited(installation.theirs, "auth:session:refuse") == []


def test_the_same_person_enters_by_their_own_door(installation: Installation) -> None:
    person, visitor = installation.somebody("operador-municipal", installation.theirs), installation.visitor()
    visitor.sign_in(person, DOOR)

    again = visitor.come_back(visitor.go_out_to("/m/tres-arroyos/entrar", person, person.answers))

    assert again.status_code == 303
    assert "Tres Arroyos" in visitor.get("/inicio").text


def test_a_member_of_two_municipalities_has_only_the_roles_of_the_door(installation: Installation) -> None:
    person = installation.somebody("operador-municipal", installation.ours)
    installation.admin.ensure_person(
        replace(person.spec, organization=installation.theirs.kc_alias or "", role="supervisor")
    )

    here, there = installation.visitor(), installation.visitor()
    here.sign_in(person, DOOR)
    there.come_back(there.go_out_to("/m/tres-arroyos/entrar", person))  # single sign-on

    assert "Operador municipal" in here.get("/inicio").text
    assert "Supervisor" not in here.get("/inicio").text
    assert "Supervisor de turno" in there.get("/inicio").text
    assert "Operador municipal" not in there.get("/inicio").text


def test_somebody_without_a_role_is_told_so(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    installation.take_role(person, installation.ours)

    answer = visitor.sign_in(person, DOOR)

    assert answer.status_code == 403
    assert "todavía no tiene una función" in answer.text


def test_municipal_people_do_not_enter_by_the_province(installation: Installation) -> None:
    visitor = installation.visitor()

    answer = visitor.sign_in(installation.somebody("admin-municipal", installation.ours), PROVINCE_DOOR)

    assert answer.status_code == 403
    assert installation.sessions() == 0


def test_provincial_people_do_not_enter_by_a_municipality(installation: Installation) -> None:
    visitor = installation.visitor()

    answer = visitor.sign_in(installation.somebody("direccion-admin"), DOOR)

    assert answer.status_code == 403
    assert installation.sessions() == 0


def test_an_organization_disabled_in_the_server_lets_nobody_in(installation: Installation) -> None:
    tenant = installation.open_tenant()
    person, visitor = installation.somebody("operador-municipal", tenant), installation.visitor()
    installation.close_organization(tenant)

    answer = visitor.sign_in(person, f"/m/{tenant.slug}/entrar")

    assert answer.status_code == 403
    assert "Tu cuenta no trabaja en este municipio" in answer.text


def test_a_municipality_that_has_not_joined_says_so_at_its_door(installation: Installation) -> None:
    page = installation.visitor().get("/m/olavarria/entrar")

    assert page.status_code == 200
    assert "todavía no se sumó" in page.text
    assert "Olavarría" in page.text


def test_a_municipality_that_does_not_exist_has_no_door(installation: Installation) -> None:
    visitor = installation.visitor()

    assert visitor.get("/m/gotham/entrar").status_code == 404
    assert visitor.get("/m/provincia/entrar").status_code == 404


def test_each_sign_in_asks_for_one_organization_with_pkce(installation: Installation) -> None:
    away = installation.visitor().get(DOOR).location

    assert "scope=openid+organization%3Amuni-06448" in away
    assert "code_challenge_method=S256" in away
    assert "nonce=" in away
    assert "ui_locales=es-AR" in away


def test_an_answer_works_once(installation: Installation) -> None:
    person, visitor = installation.somebody("operador-municipal", installation.ours), installation.visitor()
    answer = visitor.go_out_to(DOOR, person, person.answers)
    visitor.come_back(answer)

    again = visitor.come_back(answer)

    assert again.status_code == 400
    assert "El ingreso venció" in again.text


def test_an_answer_in_another_browser_is_refused(installation: Installation) -> None:
    person, visitor, other = (
        installation.somebody("supervisor", installation.ours),
        installation.visitor(),
        installation.visitor(),
    )
    answer = visitor.go_out_to(DOOR, person, person.answers)

    assert other.come_back(answer).status_code == 400
    assert not other.cookie


def test_an_answer_with_another_state_is_refused(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    answer = visitor.go_out_to(DOOR, person, person.answers)

    assert visitor.come_back({**answer, "state": "inventado"}).status_code == 400
    assert visitor.come_back({}).status_code == 400


def test_a_code_of_another_sign_in_is_refused(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    first = visitor.go_out_to(DOOR, person, person.answers)
    second = visitor.go_out_to(DOOR, person)

    answer = visitor.come_back({**second, "code": first["code"]})

    assert answer.status_code == 403
    assert "No se pudo confirmar tu identidad" in answer.text
    assert installation.audited(installation.ours, "auth:session:refuse")


def test_two_sign_ins_in_two_tabs_both_end_well(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    first = visitor.get(DOOR).location
    second = visitor.get(DOOR).location
    callback = f"{visitor.base_url}/auth/callback"

    assert visitor.come_back(person.browser.follow(first, callback, person.answers)).status_code == 303
    assert visitor.come_back(person.browser.follow(second, callback, {})).status_code == 303
    assert installation.sessions() == 1


def test_a_wrong_password_never_comes_back(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()

    with pytest.raises(SignInStopped) as stop:
        visitor.go_out_to(DOOR, person, {**person.answers, "password": "otra"})

    assert "no coinciden" in stop.value.text


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(installation: Installation) -> None:
    answer = installation.visitor().sign_in(installation.somebody("supervisor", installation.ours), DOOR)

    (cookie,) = (value for value in answer.headers.getlist("Set-Cookie") if value.startswith("pipc_dev="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


def test_neither_cookie_nor_tokens_are_readable_in_the_database(installation: Installation) -> None:
    visitor = installation.visitor()
    visitor.sign_in(installation.somebody("supervisor", installation.ours), DOOR)

    with installation.world.admin() as connection:
        row = connection.execute("select * from app.web_sessions where kind = 'municipal'").fetchone()

    text = repr(row)
    assert visitor.cookie not in text
    assert "eyJ" not in text  # how every token begins


def test_a_new_sign_in_gets_a_new_secret_and_ends_the_old_session(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    visitor.sign_in(person, DOOR)
    before = visitor.cookie

    visitor.come_back(visitor.go_out_to(DOOR, person))

    assert visitor.cookie != before
    assert installation.sessions() == 1
