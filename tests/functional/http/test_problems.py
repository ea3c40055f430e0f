"""What programs and people read when something goes wrong."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from app.http.catalogue import problems
from tests.support.client import Client

FIELDS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def test_unknown_api_address_answers_a_whole_problem(operator: Client) -> None:
    response = operator.get("/api/v1/nada")

    assert response.mimetype == "application/problem+json"
    assert response.json.keys() == FIELDS
    assert response.json["type"] == "/problemas/not-found"
    assert response.json["request_id"] == response.headers["X-Request-Id"]


def test_unknown_page_answers_a_page_in_spanish(operator: Client) -> None:
    response = operator.get("/nada")

    assert response.status_code == 404
    assert "No encontramos lo que buscás" in response.text


def test_fragment_gets_a_notice_for_the_corner_of_the_screen(operator: Client) -> None:
    response = operator.get("/nada", headers={"HX-Request": "true"})

    assert response.headers["HX-Retarget"] == "#avisos"
    assert "toast-bad" in response.text
    assert "<!doctype" not in response.text.lower()


def test_surprise_says_nothing_of_the_insides(operator: Client) -> None:
    response = operator.get("/prueba/roto")

    assert response.status_code == 500
    assert "ZeroDivisionError" not in response.text
    assert response.headers["X-Request-Id"] in response.text


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "plate", "Falta este dato."),
        ({"plate": "Z" * 200}, "plate", "No puede pasar de 12."),
        ({"plate": None}, "plate", "No puede ser nulo."),
        ({"plate": "ZA482QK", "seen": 10}, "seen", "Tiene que estar entre 0 y 9."),
        ({"plate": "ZA482QK", "otro": 1}, "otro", "Este campo no existe."),
        ([], "cuerpo", "El valor no es válido."),
    ],
)
def test_invalid_body_is_explained_by_field_in_spanish(
    administrator: Client, body: object, field: str, message: str
) -> None:
    response = administrator.post("/api/v1/prueba/lecturas", json=body)

    assert response.status_code == 422
    assert response.json["errors"][field] == [message]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 200_000], ids=["cut", "not utf-8", "too deep"])
def test_unreadable_body_answers_400(administrator: Client, raw: bytes) -> None:
    response = administrator.post("/api/v1/prueba/lecturas", data=raw, content_type="application/json")

    assert response.status_code == 400
    assert response.json["code"] == "malformed"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["nul", "half a character"])
def test_text_that_cannot_be_stored_is_refused_at_the_edge(administrator: Client, text: str) -> None:
    response = administrator.post(
        "/api/v1/prueba/lecturas", data=json.dumps({"plate": text}), content_type="application/json"
    )

    assert response.status_code == 422


def test_astral_characters_are_not_taken_for_halves(administrator: Client) -> None:
    response = administrator.post(
        "/api/v1/prueba/lecturas", data=json.dumps({"plate": "😀"}), content_type="application/json"
    )

    assert response.status_code == 200


def test_ten_megabytes_of_json_answer_413(administrator: Client) -> None:
    response = administrator.post("/api/v1/prueba/lecturas", json={"plate": "Z" * 10_000_000})

    assert (response.status_code, response.json["code"]) == (413, "too-large")


def test_wrong_method_says_which_are_allowed(administrator: Client) -> None:
    response = administrator.request("DELETE", "/api/v1/prueba/lecturas")

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_every_known_problem_has_its_page(app: Flask, anonymous: Client) -> None:
    for code in problems():
        assert anonymous.get(f"/problemas/{code}").status_code == 200, code


def test_unknown_problem_page_answers_404(anonymous: Client) -> None:
    assert anonymous.get("/problemas/no-existe").status_code == 404


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 428, "precondition-required"),
        ('"v2"', 412, "stale-version"),
        ("cualquiera", 412, "precondition-failed"),
        ('"v3"', 204, ""),
    ],
)
def test_write_on_a_shared_resource_names_the_version_it_saw(
    administrator: Client, header: str | None, status: int, code: str
) -> None:
    headers = {"If-Match": header} if header else {}

    response = administrator.request(
        "PUT", "/api/v1/prueba/lecturas/018f0000-0000-7000-8000-000000000001", headers=headers
    )

    assert response.status_code == status
    if code:
        assert response.json["code"] == code


def test_shared_resource_is_read_with_its_etag(operator: Client) -> None:
    response = operator.get("/api/v1/prueba/lecturas/018f0000-0000-7000-8000-000000000001")

    assert response.headers["ETag"] == '"v3"'


def test_list_is_continued_by_an_absolute_address_with_its_filters(operator: Client) -> None:
    reason = {"Pipc-Reason": "Verificación de un pedido"}

    first = operator.get("/api/v1/prueba/lecturas?limit=1", headers=reason).json
    second = operator.get("/api/v1/prueba/lecturas?limit=1&cursor=sigue", headers=reason).json

    assert first == {"items": ["ZA482QK"], "next": "http://127.0.0.1:8000/api/v1/prueba/lecturas?limit=1&cursor=sigue"}
    assert second["next"] is None
