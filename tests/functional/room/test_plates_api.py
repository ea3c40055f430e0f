"""Readings, searches and lists through the API, as a program of a municipality meets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest

from app.kernel import clock
from app.kernel.ids import new_id
from tests.functional.room.conftest import Room
from tests.support.room import make_camera, make_hotlist
from tests.support.world import OURS, THEIRS

REASON = {"Pipc-Reason": quote("IPP 02-00-001182-26, vehículo robado")}


def reading(camera: UUID, plate: str = "ZA482QK", **changes: Any) -> dict[str, Any]:
    seen_at = (clock.now() - timedelta(seconds=2)).isoformat()
    body = {
        "client_id": str(new_id()),
        "camera_id": str(camera),
        "plate": plate,
        "seen_at": seen_at,
        "confidence": 0.93,
    }
    return body | changes


def test_submitted_readings_are_answered_one_by_one_and_found_by_their_client_id(room: Room) -> None:
    camera = make_camera(room.world)
    admin, operator = room.client("admin-municipal"), room.client()
    good = reading(camera, "za 482 qk")
    batch = [
        good,
        reading(camera, "A" * 200),
        reading(new_id()),
        reading(camera, client_id="x"),
        "basura",
        reading(camera, seen_at="ayer"),
    ]

    first = admin.post("/api/v1/plate-reads", json={"reads": batch})
    again = admin.post("/api/v1/plate-reads", json={"reads": [good]})

    assert first.status_code == 200
    assert [(item["status"], item["code"]) for item in first.json["items"]] == [
        ("accepted", ""), ("rejected", "plate_invalid"), ("rejected", "camera_not_found"), ("rejected", "client_id_invalid"),
        ("rejected", "malformed"), ("rejected", "seen_at_invalid"),
    ]  # fmt: skip
    assert (first.json["accepted"], first.json["rejected"]) == (1, 5)
    assert [item["status"] for item in again.json["items"]] == ["duplicate"]
    found = operator.get("/api/v1/plate-reads?plate=ZA482QK", headers=REASON).json["items"]
    assert [(item["client_id"], item["plate"], item["camera_name"]) for item in found] == [
        (good["client_id"], "ZA482QK", "Acceso Ruta 3")
    ]


@pytest.mark.parametrize("body", [{}, {"reads": []}, {"reads": "x"}, {"reads": [{}] * 501}, [], {"reads": None}])
def test_a_malformed_batch_is_refused_whole(room: Room, body: Any) -> None:
    response = room.client("admin-municipal").post("/api/v1/plate-reads", json=body)

    assert (response.status_code, response.mimetype) == (422, "application/problem+json")


def test_submitting_needs_its_permission(room: Room) -> None:
    batch = {"reads": [reading(make_camera(room.world))]}

    assert room.client("operador-municipal").post("/api/v1/plate-reads", json=batch).status_code == 403
    assert room.client("admin-municipal").post("/api/v1/plate-reads", json=batch).status_code == 200


def test_searching_without_a_reason_is_refused(room: Room) -> None:
    client = room.client()

    refused = client.get("/api/v1/plate-reads?plate=ZA482QK")

    assert (refused.status_code, list(refused.json["errors"])) == (422, ["Pipc-Reason"])
    assert client.get("/api/v1/plate-reads?plate=ZA482QK", headers=REASON).status_code == 200


@pytest.mark.parametrize(
    "query", ["plate=A%25", "from=ayer", "camera_id=7", "limit=0", "cursor=x", "from=2026-11-22&to=2026-11-01T00:00Z"]
)
def test_a_malformed_search_is_refused(room: Room, query: str) -> None:
    assert room.client().get(f"/api/v1/plate-reads?{query}", headers=REASON).status_code == 422


def test_pages_of_one_search_are_audited_once(room: Room) -> None:
    camera = make_camera(room.world)
    room.client("admin-municipal").post(
        "/api/v1/plate-reads", json={"reads": [reading(camera, f"AB{n:03d}CD") for n in range(5)]}
    )
    client = room.client()

    seen, path = [], "/api/v1/plate-reads?plate=AB*&limit=2"
    while path:
        page = client.get(path, headers=REASON).json
        seen += [item["plate"] for item in page["items"]]
        parts = urlsplit(page["next"] or "")
        path = f"{parts.path}?{parts.query}" if page["next"] else ""

    assert sorted(seen) == [f"AB{n:03d}CD" for n in range(5)]
    with room.world.admin() as conn:
        assert conn.execute(
            "select count(*) from app.audit_entries where action = 'plates:read:search'"
        ).fetchone() == (1,)


def test_another_municipality_finds_nothing(room: Room) -> None:
    camera = make_camera(room.world, OURS)
    room.client("admin-municipal").post("/api/v1/plate-reads", json={"reads": [reading(camera)]})

    for tenant, count in ((OURS, 1), (THEIRS, 0)):
        found = room.client(tenant=tenant).get("/api/v1/plate-reads?plate=ZA*", headers=REASON)
        assert len(found.json["items"]) == count


def test_a_list_is_made_filled_and_raises_a_possible_match(room: Room) -> None:
    camera = make_camera(room.world)
    supervisor, admin, operator = room.client("supervisor"), room.client("admin-municipal"), room.client()

    made = supervisor.post("/api/v1/hotlists", json={"name": "Robados", "kind": "LPR_SECUESTRO"})
    filled = supervisor.post(
        f"/api/v1/hotlists/{made.json['id']}/entries",
        json={"entries": [{"plate": "ZA482QK", "reason": "Robo"}, {"plate": ""}]},
    )
    sent = admin.post("/api/v1/plate-reads", json={"reads": [reading(camera)]})
    alarms = operator.get("/api/v1/alarms?state=open").json["items"]

    assert (made.status_code, made.headers["ETag"]) == (201, '"v1"')
    assert (filled.json["added"], [error["row"] for error in filled.json["errors"]]) == (1, [2])
    assert sent.json["items"][0]["hit"] is True
    assert [(one["plate"], one["match"], one["priority"], one["entry"]) for one in alarms] == [
        ("ZA482QK", "possible", 1, None)
    ]


def test_entries_come_as_csv_too(room: Room) -> None:
    hotlist = make_hotlist(OURS, "AB123CD")
    client = room.client("supervisor")
    data = "dominio,motivo,sin efecto\nZA482QK,Camión,\nAB123CD,,sí\n".encode("latin-1")

    preview = client.post(f"/api/v1/hotlists/{hotlist}/entries?dry_run=true", data=data, content_type="text/csv")  # type: ignore[arg-type]
    done = client.post(f"/api/v1/hotlists/{hotlist}/entries", data=data, content_type="text/csv")  # type: ignore[arg-type]
    entries = client.get(f"/api/v1/hotlists/{hotlist}/entries").json["items"]

    assert (preview.json["revoked"], preview.json["dry_run"]) == (1, True)
    assert (done.json["added"], done.json["revoked"], done.json["dry_run"]) == (1, 1, False)
    assert [(entry["plate"], entry["revoked_at"] is not None) for entry in entries] == [
        ("AB123CD", True),
        ("ZA482QK", False),
    ]
    assert client.get(f"/api/v1/hotlists/{hotlist}").json["plates"] == 1


@pytest.mark.parametrize("body", [b"", b"hola", b"\x00\x01", b"marca;modelo\nVW;Gol\n"])
def test_a_file_that_is_no_list_is_refused(room: Room, body: bytes) -> None:
    hotlist = make_hotlist(OURS)

    response = room.client("supervisor").post(f"/api/v1/hotlists/{hotlist}/entries", data=body, content_type="text/csv")  # type: ignore[arg-type]

    assert response.status_code == 422


def test_a_list_is_changed_with_its_etag(room: Room) -> None:
    hotlist = make_hotlist(OURS)
    client, path = room.client("supervisor"), f"/api/v1/hotlists/{hotlist}"
    body = {"name": "Otro nombre", "kind": "LPR_LOCAL"}

    assert client.request("PUT", path, json=body).status_code == 428
    assert client.request("PUT", path, json=body, headers={"If-Match": '"v9"'}).status_code == 412
    assert client.request("PUT", path, json=body, headers={"If-Match": '"v1"'}).json["version"] == 2


def test_a_list_of_another_municipality_answers_as_one_that_does_not_exist(room: Room) -> None:
    ours = make_hotlist(OURS)
    stranger = room.client("supervisor", THEIRS)

    foreign, missing = (stranger.get(f"/api/v1/hotlists/{each}") for each in (ours, new_id()))

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json["title"] == missing.json["title"]
    assert room.client("supervisor").get(f"/api/v1/hotlists/{ours}").status_code == 200
