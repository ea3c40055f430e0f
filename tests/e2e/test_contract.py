"""The API as its own description promises it: no 5xx, answers that match their schema, problem+json for every error."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.support.product import Product

pytestmark = [
    pytest.mark.slow("uses the whole running product"),
    pytest.mark.product,
    pytest.mark.xdist_group("product"),
]

EXAMPLES = 12


def test_no_operation_of_the_api_fails_or_breaks_its_description(product: Product) -> None:
    token = product.token("admin.azul")
    schema = schemathesis.openapi.from_url(f"{product.url}/api/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    failures: list[str] = []

    for operation in operations:
        if operation.path.startswith("/rt/"):
            continue
        _fuzz(operation, token, failures)

    assert len(operations) > 15
    assert failures == []


def _fuzz(operation: schemathesis.APIOperation, token: str, failures: list[str]) -> None:
    from hypothesis import given

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
              suppress_health_check=list(HealthCheck), database=None)  # fmt: skip
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        response = case.call(headers=headers)
        try:
            case.validate_response(
                response, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
            )
        except AssertionError as error:
            failures.append(f"{operation.method.upper()} {operation.path} {response.status_code}: {str(error)[:600]}")

    check()


def reads(camera: str, *plates: str) -> dict[str, list[dict[str, object]]]:
    seen = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    return {
        "reads": [
            {"client_id": str(uuid.uuid4()), "camera_id": camera, "plate": plate, "seen_at": seen, "confidence": 0.9}
            for plate in plates
        ]
    }


@pytest.fixture(scope="module")
def token(product: Product) -> str:
    return product.token("admin.tres-arroyos")


@pytest.fixture(scope="module")
def camera(product: Product, token: str) -> str:
    return str(product.api("GET", "/api/v1/cameras", token).body["items"][0]["id"])


def test_a_batch_sent_twice_is_stored_once_and_found_by_its_client_id(
    product: Product, token: str, camera: str
) -> None:
    batch = reads(camera, "ZY123AB", "ZY124AB")

    first = product.api("POST", "/api/v1/plate-reads", token, batch)
    again = product.api("POST", "/api/v1/plate-reads", token, batch)
    found = product.api("GET", "/api/v1/plate-reads?plate=ZY12*", token, Pipc_Reason="prueba%20de%20contrato")

    assert (first.status, again.status) == (200, 200)
    wanted = {row["client_id"] for row in batch["reads"]}
    listed = [row["client_id"] for row in found.body["items"] if row["client_id"] in wanted]
    assert sorted(listed) == sorted(wanted)  # type: ignore[type-var]


def test_a_search_without_a_reason_is_refused(product: Product, token: str) -> None:
    refused = product.api("GET", "/api/v1/plate-reads?plate=ZY12*", token)

    assert refused.status == 422
    assert refused.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("plate", ["A" * 200, "", "☃☃☃"])
def test_a_strange_plate_spoils_only_its_own_row(product: Product, token: str, camera: str, plate: str) -> None:
    answer = product.api("POST", "/api/v1/plate-reads", token, reads(camera, plate, "ZY200AB"))

    assert answer.status in (200, 422)
    if answer.status == 200:
        assert len(answer.body["items"]) == 2


def test_bad_tokens_large_bodies_and_foreign_ids_get_a_clear_problem(product: Product, token: str, camera: str) -> None:
    forged = token[:-6] + "aaaaaa"
    other = product.token("admin.azul")
    large = json.dumps({"reads": [], "pad": "x" * 11_000_000}).encode()

    answers = {
        "forged": product.api("GET", "/api/v1/cameras", forged),
        "nobody": product.api("GET", "/api/v1/cameras"),
        "foreign": product.api("GET", f"/api/v1/cameras/{camera}", other),
        "missing": product.api("GET", f"/api/v1/cameras/{uuid.uuid4()}", other),
        "large": product.api("POST", "/api/v1/plate-reads", token, large),
        "not json": product.api("POST", "/api/v1/plate-reads", token, b"{"),
    }

    assert {name: answer.status for name, answer in answers.items()} == {
        "forged": 401, "nobody": 401, "foreign": 404, "missing": 404, "large": 413, "not json": 400,
    }  # fmt: skip
    assert all(answer.headers["Content-Type"].startswith("application/problem+json") for answer in answers.values())
    told = [
        {k: v for k, v in answers[name].body.items() if k not in ("instance", "request_id")}
        for name in ("foreign", "missing")
    ]
    assert told[0] == told[1]
