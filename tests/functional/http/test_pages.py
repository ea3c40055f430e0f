"""The pages every context shares, fetched through the client that checks them."""

from __future__ import annotations

import pytest
from flask import Flask

from app.http.redirects import local_path
from app.ui.help import help_pages
from tests.support.client import Client
from tests.support.world import actor

PUBLIC = ("/", "/ayuda", "/licencias", "/accesibilidad", "/api/docs", "/problemas/conflict")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_is_well_formed(anonymous: Client, path: str) -> None:
    assert anonymous.get(path).status_code == 200


def test_every_help_page_is_well_formed(anonymous: Client) -> None:
    assert help_pages()
    for slug in help_pages():
        assert anonymous.get(f"/ayuda/{slug}").status_code == 200, slug


def test_unknown_help_page_answers_404(anonymous: Client) -> None:
    assert anonymous.get("/ayuda/nada").status_code == 404


def test_choice_offers_the_135(anonymous: Client) -> None:
    text = anonymous.get("/").text

    assert text.count("<option value=") == 135
    assert "General Pueyrredón" in text


@pytest.mark.parametrize(
    ("typed", "door"),
    [
        ("Tres Arroyos", "/m/tres-arroyos/entrar"),
        ("tres arroyos", "/m/tres-arroyos/entrar"),
        ("laprida", "/m/laprida/entrar"),
        ("Pueyrr", "/m/general-pueyrredon/entrar"),
        ("06805", "/m/tigre/entrar"),
    ],
)
def test_choice_leads_to_the_door_of_the_municipality(anonymous: Client, typed: str, door: str) -> None:
    response = anonymous.get("/entrar", query_string={"municipio": typed, "volver": "/sala/"})

    assert (response.status_code, response.headers["Location"]) == (303, f"{door}?volver=%2Fsala%2F")


@pytest.mark.parametrize("typed", ["", "tres", "Narnia", "<script>alert(1)</script>"])
def test_choice_that_names_no_single_municipality_is_explained(anonymous: Client, typed: str) -> None:
    response = anonymous.get("/entrar", query_string={"municipio": typed})

    assert response.status_code == 422
    assert "municipio-error" in response.text
    assert "<script>alert" not in response.text


@pytest.mark.parametrize(
    "target", ["https://otro.invalid/", "//otro.invalid", "/\\otro.invalid", "javascript:alert(1)", "/\nx"]
)
def test_return_path_of_another_site_is_dropped(target: str) -> None:
    assert local_path(target) == ""


def test_return_path_of_this_site_is_kept() -> None:
    assert local_path("/sala/?alarma=1#a") == "/sala/?alarma=1#a"


def test_signed_in_person_lands_in_their_only_section(operator: Client, director: Client) -> None:
    assert operator.get("/").headers["Location"] == "/sala/"
    assert director.get("/").headers["Location"] == "/direccion/"


def test_start_shows_only_what_the_person_may_open(operator: Client, director: Client) -> None:
    mine, theirs = operator.get("/inicio").text, director.get("/inicio").text

    assert "/direccion/" not in mine
    assert "/sala/" not in theirs


def test_profile_keeps_what_was_chosen_and_nothing_else(app: Flask, operator: Client) -> None:
    response = operator.post("/perfil", {"theme": "dark", "scale": "999", "shortcuts": "off", "otro": "x"})

    assert response.status_code == 303
    assert app.extensions["pipc_actor_loader"].remembered == {"theme": "dark", "shortcuts": "off"}
    assert operator.get("/perfil?guardado=si").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/_galeria/", "/_galeria/?tema=dark", "/_galeria/consola", "/_galeria/consola?vacia=1", "/_galeria/tablero"],
)
def test_gallery_is_well_formed(director: Client, path: str) -> None:
    assert director.get(path).status_code == 200


def test_gallery_is_not_for_the_room(operator: Client) -> None:
    assert operator.get("/_galeria/").status_code == 403


def test_theme_and_scale_of_the_person_come_in_the_first_byte(app: Flask) -> None:
    person = Client(app, actor(805, user="grande", preferences={"theme": "dark", "scale": "150"}))

    assert 'data-bs-theme="dark" data-scale="150"' in person.get("/inicio").text


def test_training_and_support_say_what_is_not_there_yet(app: Flask) -> None:
    trainee = Client(app, actor(805, "alumno", user="alumno"))
    technician = Client(app, actor(0, "soporte", user="soporte"))

    assert "Todavía no hay cursos" in trainee.get("/capacitacion/").text
    assert "Todavía no hay tickets" in technician.get("/soporte/").text
    assert trainee.get("/soporte/").status_code == 403
    assert technician.get("/capacitacion/").status_code == 403
