"""Cameras and nodes through the API."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel import clock
from tests.functional.cameras.conftest import Room
from tests.support.client import BASE_URL, Client
from tests.support.nodes import JPEG, add_camera, ago, enrolled, event, leased, session_of
from tests.support.world import OURS, THEIRS

NODE = "/api/v1/nodes/self"
CAMERAS = "/api/v1/cameras"


def test_camera_is_added_read_listed_and_changed(room: Room) -> None:
    admin = room.caller(OURS, "admin-municipal")
    body = {"name": "Acceso Norte", "place": "entrance", "url": "rtsp://10.0.0.1/x", "lat": -38.1, "lon": -60.2}

    created = admin.post(CAMERAS, json=body)
    camera = created.get_json()
    read = admin.get(f"{CAMERAS}/{camera['id']}")
    changed = admin.request("PATCH", f"{CAMERAS}/{camera['id']}", json={"name": "Norte"}, headers={"If-Match": read.headers["ETag"]})

    assert created.status_code == 201
    assert created.headers["Location"].endswith(camera["id"])
    assert (camera["url"], camera["state"], camera["code"]) == ("rtsp://10.0.0.1/…", "unknown", "LA-ACC-01")
    assert read.get_json() == camera
    assert (changed.status_code, changed.get_json()["name"]) == (200, "Norte")
    assert [row["name"] for row in admin.get(CAMERAS).get_json()["items"]] == ["Norte"]


def test_change_without_or_with_an_old_etag_is_refused(room: Room) -> None:
    admin = room.caller(OURS, "admin-municipal")
    path = f"{CAMERAS}/{add_camera().id}"

    assert admin.request("PATCH", path, json={"name": "x"}).status_code == 428
    assert admin.request("PATCH", path, json={"name": "x"}, headers={"If-Match": '"otro"'}).status_code == 412
    assert admin.request("PATCH", path, json={"name": "x"}, headers={"If-Match": '"v1"'}).status_code == 200
    assert admin.request("PATCH", path, json={"name": "y"}, headers={"If-Match": '"v1"'}).status_code == 412


def test_maintenance_is_set_and_ended_with_its_version_and_recorded(room: Room) -> None:
    admin = room.caller(OURS, "admin-municipal")
    path = f"{CAMERAS}/{add_camera().id}/maintenance"
    body = {"until": (clock.now() + timedelta(hours=2)).isoformat(), "reason": "Limpieza del domo"}

    assert admin.request("PUT", path, json=body).status_code == 428
    assert admin.request("PUT", path, json=body | {"reason": "x"}, headers={"If-Match": '"v1"'}).status_code == 422
    assert admin.request("PUT", path, json=body | {"until": ago(5)}, headers={"If-Match": '"v1"'}).status_code == 422
    on = admin.request("PUT", path, json=body, headers={"If-Match": '"v1"'})
    assert (on.status_code, on.headers["ETag"]) == (200, '"v2"')
    document = on.get_json()
    assert (document["state"], document["maintenance_reason"], document["maintenance_by"]) == (
        "maintenance", "Limpieza del domo", "Ana Pérez",
    )  # fmt: skip
    assert admin.request("DELETE", path, headers={"If-Match": '"v1"'}).status_code == 412
    off = admin.request("DELETE", path, headers={"If-Match": '"v2"'})

    assert (off.status_code, off.get_json()["maintenance_until"], off.get_json()["maintenance_by"]) == (200, None, "")
    with room.world.admin() as conn:
        (count,) = conn.execute("select count(*) from app.audit_entries where action = 'room:camera:maintain'").fetchone() or (0,)
    assert count == 2


def test_maintenance_is_for_who_may_edit_cameras_of_that_municipality(room: Room) -> None:
    path = f"{CAMERAS}/{add_camera().id}/maintenance"
    body = {"until": (clock.now() + timedelta(hours=2)).isoformat(), "reason": "Limpieza del domo"}
    version = {"If-Match": '"v1"'}

    for tenant_id, role, status in (
        (OURS, "operador-municipal", 403), (THEIRS, "admin-municipal", 404), (OURS, "supervisor", 200),
    ):  # fmt: skip
        assert room.caller(tenant_id, role).request("PUT", path, json=body, headers=version).status_code == status
    assert room.caller(OURS, "operador-municipal").request("DELETE", path, headers={"If-Match": '"v2"'}).status_code == 403


def test_camera_of_the_neighbour_is_not_found_by_any_route(room: Room) -> None:
    enrolled(THEIRS)
    theirs = add_camera(THEIRS)
    admin, owner = room.caller(OURS, "admin-municipal"), room.caller(THEIRS, "admin-municipal")
    path = f"{CAMERAS}/{theirs.id}"

    for caller, status in ((admin, 404), (owner, 200)):
        assert caller.get(path).status_code == status
        assert caller.post(f"{path}/views", json={}).status_code == status
        assert caller.request("PATCH", path, json={"name": "x"}, headers={"If-Match": '"v1"'}).status_code == status
    assert admin.get(CAMERAS).get_json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "x" * 121}, {"name": "x", "place": "moon"}, {"name": "x", "lat": 1}, {"name": "x", "lat": "norte"},
        {"name": "x", "azimuth": 1.5}, {"name": "x", "url": "rtsp://8.8.8.8/"}, {"name": "x", "url": "file:etc/passwd"},
        {"name": "x", "zones": [{}]}, {"name": "x", "zones": [{"id": "z", "polygon": [[0, 0], [1, 1]]}]}, {"name": "x", "zones": "z"},
        {"name": "x", "profile": [{"kind": "nada"}]}, {"name": "x", "unknown": 1}, {"name": "x", "record": "tal vez"}, ["x"], "x",
        {"name": "x", "lanes": [{"id": "l", "polygon": [[None, 0], [1, 1], [1, 0]]}]}, {"name": "x", "lat": None, "lon": 1},
    ],
)  # fmt: skip
def test_bad_input_is_named_and_never_a_surprise(room: Room, body: Any) -> None:
    answer = room.caller(OURS, "admin-municipal").post(CAMERAS, json=body)

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert "passwd" not in answer.get_data(as_text=True)


def test_list_pages_by_next_and_narrows(room: Room) -> None:
    for number in range(5):
        add_camera(name=f"Plaza {number}", place="square")
    admin = room.caller(OURS, "admin-municipal")

    first = admin.get(f"{CAMERAS}?limit=3&place=square").get_json()
    second = admin.get(first["next"].removeprefix(BASE_URL)).get_json()

    assert [row["name"] for row in first["items"] + second["items"]] == [f"Plaza {number}" for number in range(5)]
    assert second["next"] is None
    assert admin.get(f"{CAMERAS}?place=bank").get_json()["items"] == []
    assert admin.get(f"{CAMERAS}?q=plaza+la-pla-04").get_json()["items"][0]["name"] == "Plaza 3"
    for query in ("place=moon", "limit=0", "limit=501", "cursor=zzz", "state=feliz"):
        assert admin.get(f"{CAMERAS}?{query}").status_code == 422


def test_ticket_by_api_is_for_those_who_may_watch(room: Room) -> None:
    enrolled()
    camera = add_camera()
    path = f"{CAMERAS}/{camera.id}/views"

    offer = room.caller(OURS, "operador-municipal").post(path, json={"stream": "sub"})

    assert offer.status_code == 200
    assert set(offer.get_json()) == {"view_id", "camera_id", "ticket", "transports", "expires_at"}
    assert room.caller(OURS, "alumno").post(path, json={}).status_code == 403
    assert room.app.test_client().post(path, json={}, base_url="http://127.0.0.1:8000").status_code == 401


def node_caller(room: Room, tenant_id: int = OURS) -> tuple[Client, Any]:
    node = enrolled(tenant_id)
    return Client(room.app, node), node


def test_node_reads_its_desired_state_once_per_version(room: Room) -> None:
    caller, node = node_caller(room)
    camera = add_camera()

    state = caller.get(f"{NODE}/desired")
    version = state.get_json()["version"]

    assert state.status_code == 200
    assert state.get_json()["node_id"] == str(node.node_id)
    assert [row["id"] for row in state.get_json()["cameras"]] == [str(camera.id)]
    assert state.get_json()["schema"] == 1
    assert caller.get(f"{NODE}/desired?since={version}").status_code == 304
    assert caller.get(f"{NODE}/desired?since={version - 1}").status_code == 200
    for junk in ("x", "-1", "99999999999"):
        assert caller.get(f"{NODE}/desired?since={junk}").status_code == 422


def test_people_do_not_speak_as_nodes(room: Room) -> None:
    for role in ("supervisor", "admin-municipal"):
        assert room.caller(OURS, role).get(f"{NODE}/desired").status_code == 403
    node, _ = node_caller(room)
    assert node.get(CAMERAS).status_code == 403


def test_heartbeat_answers_version_orders_and_time(room: Room) -> None:
    caller, node = node_caller(room)
    camera = add_camera()
    beat = {
        "recorded_until": ago(1), "version": "1.0", "unknown": True,
        "cameras": [
            {"camera_id": str(camera.id), "state": "online", "since": ago(9), "recording": True, "last_packet_at": ago(0)}
        ],
        "sessions": [{"session_id": str(session_of(room.world, node)), "state": "running", "detail": None, "config_version": 1}],
    }  # fmt: skip

    answer = caller.post(f"{NODE}/heartbeat", json=beat)

    assert answer.status_code == 200
    assert set(answer.get_json()) == {"desired_version", "orders", "server_time"}
    assert caller.post(f"{NODE}/heartbeat", json={"cameras": [{"state": "feliz"}]}).status_code == 422


def test_lease_then_batch_then_fence(room: Room) -> None:
    caller, node = node_caller(room)
    camera = add_camera(place="square")
    session_id = session_of(room.world, node)

    lease = caller.post(f"{NODE}/leases/{session_id}", json={"holder": "a", "epoch": None}).get_json()
    fence = {"session_id": str(session_id), "epoch": lease["epoch"], "run": 1}
    batch = {"schema": 1, "batch_id": str(uuid4()), "session": fence, "items": [event(camera.id) | {"n": 7}]}
    taken = caller.post(f"{NODE}/batches", json=batch)
    held = caller.post(f"{NODE}/leases/{session_id}", json={"holder": "b", "epoch": None})
    stale = caller.post(f"{NODE}/batches", json=batch | {"session": fence | {"epoch": lease["epoch"] + 1}})

    assert taken.status_code == 200
    assert taken.get_json()["accepted"] == [7]
    assert taken.get_json()["orders"][0]["kind"] == "cut_clip"
    assert set(taken.get_json()["orders"][0]) == {"id", "kind", "camera_id", "from", "to"}
    assert (held.status_code, held.get_json()["code"]) == (409, "lease_held")
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_epoch")
    assert caller.post(f"{NODE}/leases/{uuid4()}", json={"holder": "a"}).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2}, {"batch_id": "x"}, {"items": [{"n": 0}] * 501}, {"items": [{"n": 1}, {"n": 1}]}, {"items": [{"n": "1"}]},
        {"items": ["x"]}, {"items": [{}]}, {"session": {"session_id": "x", "epoch": 1}},
        {"session": {"session_id": str(uuid4()), "epoch": -1}},
    ],
)  # fmt: skip
def test_batch_of_another_shape_is_refused_whole(room: Room, change: dict[str, Any]) -> None:
    caller, _ = node_caller(room)
    batch = {"schema": 1, "batch_id": str(uuid4()), "session": None, "items": []}

    assert caller.post(f"{NODE}/batches", json=batch).status_code == 200
    assert caller.post(f"{NODE}/batches", json=batch | change).status_code == 422


def test_ten_megabytes_are_refused_before_they_are_read(room: Room) -> None:
    caller, _ = node_caller(room)

    answer = caller.post(f"{NODE}/batches", data=b"x" * 10_000_000, content_type="application/json")  # type: ignore[arg-type]  # raw bytes

    assert answer.status_code == 413


def test_blob_is_put_asked_for_and_kept_apart(room: Room) -> None:
    ours, _ = node_caller(room)
    theirs, _ = node_caller(room, THEIRS)
    path = f"{NODE}/blobs/{hashlib.sha256(JPEG).hexdigest()}"

    def put(content: bytes, kind: str = "image/jpeg") -> int:
        return ours.request("PUT", path, data=content, content_type=kind).status_code

    assert ours.request("HEAD", path).status_code == 404
    assert put(JPEG, "text/html") == 415
    assert put(gzip.compress(JPEG)) == 422
    assert put(JPEG) == 201
    assert put(JPEG) == 200
    assert ours.request("HEAD", path).status_code == 200
    assert theirs.request("HEAD", path).status_code == 404
    assert ours.request("HEAD", f"{NODE}/blobs/{'z' * 64}").status_code == 422


def test_node_of_a_lost_session_of_the_neighbour_cannot_write(room: Room) -> None:
    ours, _ = node_caller(room)
    _, theirs = node_caller(room, THEIRS)
    fence = leased(room.world, theirs)
    body = {
        "schema": 1, "batch_id": str(uuid4()), "items": [],
        "session": {"session_id": str(fence.session_id), "epoch": fence.epoch, "run": 1},
    }  # fmt: skip

    assert ours.post(f"{NODE}/batches", json=body).status_code == 409
    assert Client(room.app, theirs).post(f"{NODE}/batches", json=body).status_code == 200
