"""Who gets in, with which proof, and what is recorded when they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from app.http.guards import elevated, requires
from app.kernel import clock
from app.kernel.permissions import Permission
from tests.support.client import Client
from tests.support.world import actor

Audits = Callable[[], list[tuple[str, str]]]


def test_page_without_session_leads_to_the_choice_of_municipality_and_back(anonymous: Client) -> None:
    response = anonymous.get("/perfil?x=1")

    assert response.status_code == 303
    assert response.headers["Location"] == "/?volver=%2Fperfil%3Fx%3D1"


def test_fragment_without_session_makes_the_whole_page_leave(anonymous: Client) -> None:
    response = anonymous.get("/perfil", headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/")


def test_api_without_token_answers_401_problem(anonymous: Client) -> None:
    response = anonymous.get("/api/v1/prueba/lecturas")

    assert response.status_code == 401
    assert response.mimetype == "application/problem+json"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_api_ignores_the_cookie_of_a_session(app: Flask, operator: Client) -> None:
    response = operator._http.get("/api/v1/prueba/lecturas", base_url="http://127.0.0.1:8000")

    assert response.status_code == 401


def test_missing_permission_is_refused_and_audited(operator: Client, audits: Audits) -> None:
    response = operator.post("/api/v1/prueba/lecturas", json={"plate": "ZA482QK"})

    assert response.status_code == 403
    assert audits()[-1] == ("http:route:refuse", "/api/v1/prueba/lecturas")


def test_held_permission_is_let_in(administrator: Client) -> None:
    response = administrator.post("/api/v1/prueba/lecturas", json={"plate": "ZA482QK"})

    assert (response.status_code, response.json) == (200, {"plate": "ZA482QK"})


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "stale-form"),
        ({"X-CSRF-Token": "otro"}, "stale-form"),
        ({"X-CSRF-Token": "csrf-de-prueba", "Sec-Fetch-Site": "cross-site"}, "cross-site"),
        ({"X-CSRF-Token": "csrf-de-prueba", "Origin": "https://otro.invalid"}, "cross-site"),
        ({"X-CSRF-Token": "csrf-de-prueba", "Origin": "null"}, "cross-site"),
    ],
)
def test_write_that_was_not_meant_is_refused(operator: Client, headers: dict[str, str], code: str) -> None:
    response = operator.post(
        "/prueba/guardar", {"nota": "hola"}, csrf=False, headers={"Accept": "application/json", **headers}
    )

    assert (response.status_code, response.json["code"]) == (403, code)


def test_write_with_token_and_same_origin_passes(operator: Client) -> None:
    response = operator.post("/prueba/guardar", {"nota": "hola"}, headers={"Origin": "http://127.0.0.1:8000"})

    assert (response.status_code, response.text) == (200, "hola")


def test_sensitive_action_asks_for_a_fresh_second_factor(app: Flask) -> None:
    stale = Client(app, actor(805, user="viejo", elevated_until=clock.now() - timedelta(seconds=1)))
    fresh = Client(app, actor(805, user="nuevo", elevated_until=clock.now() + timedelta(minutes=5)))

    refused = stale.post("/prueba/sensible", headers={"Accept": "application/json"})

    assert (refused.status_code, refused.json["code"]) == (401, "elevation-required")
    assert refused.json["step_up_url"].startswith("/auth/elevar")
    assert fresh.post("/prueba/sensible").text == "hecho"


def test_elevated_above_requires_does_not_import() -> None:
    with pytest.raises(TypeError, match="debajo de @requires"):

        @elevated
        @requires(Permission.PROFILE_USE)
        def view() -> str:
            return ""


@pytest.mark.parametrize("reason", [None, "corta", "x" * 501])
def test_audited_read_without_a_reason_is_refused(operator: Client, reason: str | None) -> None:
    headers = {} if reason is None else {"Pipc-Reason": reason}

    response = operator.get("/api/v1/prueba/lecturas", headers=headers)

    assert response.status_code == 422
    assert "Pipc-Reason" in response.json["errors"]


def test_audited_read_is_recorded_before_it_is_answered(operator: Client, audits: Audits) -> None:
    before = len(audits())

    response = operator.get(
        "/api/v1/prueba/lecturas", headers={"Pipc-Reason": "Oficio%201182%2F26%20de%20la%20UFI%204"}
    )

    assert response.json["items"] == ["ZA482QK"]
    assert audits()[before:] == [("plates:reads:search", "/api/v1/prueba/lecturas")]


def test_anonymous_refusal_is_not_audited(anonymous: Client, audits: Audits) -> None:
    before = len(audits())

    anonymous.get("/api/v1/prueba/lecturas")

    assert len(audits()) == before


def test_actor_of_another_client_is_another_actor(app: Flask) -> None:
    ours = actor(805, user="igual")

    assert Client(app, ours).bearer != Client(app, replace(ours, tenant_id=448)).bearer
