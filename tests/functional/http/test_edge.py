"""Headers, identifiers, limits, health, contract: what every answer carries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from flask import Flask

from app.http.limits import RateLimits, TooManyRequests
from app.http.openapi import build
from app.ui.assets import PREFIX, load
from tests.support.client import BASE_URL, Client


def test_page_carries_every_security_header(anonymous: Client) -> None:
    headers = anonymous.get("/").headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_https_deployment_asks_browsers_to_stay_on_it(other_app: Callable[..., Flask]) -> None:
    app = other_app(base_url="https://pipc.invalid", keycloak_url="https://identidad.invalid")

    response = app.test_client().get("/", base_url="https://pipc.invalid")

    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "form-action 'self' https://identidad.invalid;" in response.headers["Content-Security-Policy"]


def test_nonce_changes_with_each_answer(anonymous: Client) -> None:
    nonces = {re.search(r"nonce-(\S+)'", anonymous.get("/").headers["Content-Security-Policy"])[1] for _ in range(3)}

    assert len(nonces) == 3


def test_request_id_of_a_stranger_is_not_believed(anonymous: Client) -> None:
    response = anonymous.get("/healthz", headers={"X-Request-Id": "inventado-por-otro"})

    assert response.headers["X-Request-Id"] != "inventado-por-otro"


def test_page_under_another_name_goes_to_the_one_origin(app: Flask) -> None:
    client = app.test_client()

    response = client.get("/ayuda?a=1", base_url="http://localhost:8000")

    assert (response.status_code, response.headers["Location"]) == (308, f"{BASE_URL}/ayuda?a=1")
    assert client.get("/healthz", base_url="http://localhost:8000").status_code == 200


def test_healthz_says_alive(anonymous: Client) -> None:
    assert anonymous.get("/healthz").json == {"state": "alive"}


def test_readyz_names_each_part_and_fails_only_without_postgresql(anonymous: Client) -> None:
    response = anonymous.get("/readyz")

    assert response.status_code == 200
    assert response.json["state"] == "degraded"
    assert response.json["parts"]["postgres"]["ok"] is True
    assert response.json["parts"]["redis"]["ok"] is False


def test_readyz_without_postgresql_answers_503(other_app: Callable[..., Flask]) -> None:
    response = other_app().test_client().get("/readyz", base_url=BASE_URL)

    assert (response.status_code, response.json["state"]) == (503, "down")


def test_static_file_is_kept_for_ever_and_compressed(anonymous: Client) -> None:
    name = load().files["app.css"]

    response = anonymous.get(PREFIX + name, headers={"Accept-Encoding": "gzip"})

    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.mimetype == "text/css"


@pytest.mark.parametrize("path", ["/static/../settings.py", "/static/dist/%2e%2e/%2e%2e/shell.py", "/static/nada.js"])
def test_static_serves_nothing_outside_its_folder(anonymous: Client, path: str) -> None:
    assert anonymous.get(path).status_code in {404, 308}


def test_caller_over_its_class_waits() -> None:
    limits = RateLimits("redis://127.0.0.1:1/0")
    for _ in range(10):
        limits.hit("export", "805:a")

    with pytest.raises(TooManyRequests) as refusal:
        limits.hit("export", "805:a")
    limits.hit("export", "805:b")

    assert 1 <= refusal.value.extra["retry_after"] <= 3600


def test_absent_store_costs_time_only_once() -> None:
    limits = RateLimits("redis://127.0.0.1:1/0")
    limits.hit("api", "805:a")

    started = time.perf_counter()
    for _ in range(100):
        limits.hit("api", "805:a")

    assert time.perf_counter() - started < 0.5


def test_contract_annotates_the_access_of_each_operation(app: Flask) -> None:
    operation = build(app)["paths"]["/api/v1/prueba/lecturas"]["get"]

    assert operation["security"] == [{"bearer": []}]
    assert operation["x-permission"] == "room:plate_read:search"
    assert operation["x-audited"] == "plates:reads:search"
    assert "application/problem+json" in json.dumps(operation["responses"]) or "DEFAULT_ERROR" in json.dumps(
        operation["responses"]
    )


def test_contract_and_its_reference_are_served_from_here(anonymous: Client) -> None:
    contract = anonymous.get("/api/openapi.json")
    page = anonymous.get("/api/docs")

    assert contract.json["openapi"] == "3.1.0"
    assert "/api/v1/prueba/lecturas" in page.text
    assert not re.search(r"(?:src|href)=\"https?://", page.text)
