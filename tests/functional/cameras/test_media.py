"""Clips, pictures and live video as browsers fetch them."""

from __future__ import annotations

import hashlib
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.monitoring.cameras import video
from tests.functional.cameras.conftest import Room
from tests.support.nodes import CLIP, JPEG, add_camera, ago, enrolled, event, kept, leased, send
from tests.support.world import OURS, THEIRS


def alarmed(room: Room, tenant_id: int = OURS) -> tuple[UUID, UUID, dict[str, Any]]:
    """An alarm's camera, its clip's id, and the order that its node received."""
    node = enrolled(tenant_id)
    camera = add_camera(tenant_id, place="square")
    (order,) = send(node, event(camera.id), fence=leased(room.world, node)).orders
    with room.world.admin() as conn:
        row = conn.execute("select id from app.clips where tenant_id = %s", [tenant_id]).fetchone()
    assert row is not None
    result = {
        "type": "order_result", "order_id": str(order.id), "state": "done", "sha256": hashlib.sha256(CLIP).hexdigest(),
        "bytes": len(CLIP), "duration_ms": 15000, "codec": "h264", "from_at": ago(15), "to_at": ago(0), "error": None,
    }  # fmt: skip
    kept(room.plugs, CLIP, tenant_id)
    return camera.id, row[0], {"node": node, "result": result}


def watched(room: Room) -> int:
    with room.world.admin() as conn:
        row = conn.execute("select count(*) from app.audit_entries where action = 'evidence:clip:watch'").fetchone()
    assert row is not None
    number: int = row[0]
    return number


def test_clip_waits_then_plays_by_ranges_and_each_watching_is_recorded(room: Room) -> None:
    _, clip_id, rest = alarmed(room)
    operator = room.caller(OURS, "operador-municipal")
    assert operator.get(f"/sala/clips/{clip_id}.mp4").status_code == 404
    send(rest["node"], rest["result"])

    whole = operator.get(f"/sala/clips/{clip_id}.mp4")
    part = operator.get(f"/sala/clips/{clip_id}.mp4", headers={"Range": "bytes=100-199"})
    tail = operator.get(f"/sala/clips/{clip_id}.mp4", headers={"Range": "bytes=-10"})
    beyond = operator.get(f"/sala/clips/{clip_id}.mp4", headers={"Range": f"bytes={len(CLIP)}-"})

    assert (whole.status_code, whole.data, whole.mimetype) == (200, CLIP, "video/mp4")
    assert (part.status_code, part.data) == (206, CLIP[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(CLIP)}"
    assert tail.data == CLIP[-10:]
    assert beyond.status_code == 416
    assert watched(room) == 1
    assert room.caller(THEIRS, "operador-municipal").get(f"/sala/clips/{clip_id}.mp4").status_code == 404
    assert room.caller(OURS, "alumno").get(f"/sala/clips/{clip_id}.mp4").status_code == 403


def test_clip_ready_is_bound_to_its_alarm_and_told_to_its_room_only(room: Room) -> None:
    _, clip_id, rest = alarmed(room)
    alarmed(room, THEIRS)

    for _ in range(2):
        send(rest["node"], rest["result"])

    with room.world.admin() as conn:
        bound = conn.execute("select tenant_id, clip_id from app.alarms where clip_id is not null").fetchall()
        told = conn.execute("select tenant_id, count(*) from app.tenant_events where kind = 'alarm.clip' group by 1").fetchall()
    assert bound == [(OURS, clip_id)]
    assert told == [(OURS, 1)]


@pytest.mark.parametrize("lost", ["failed", "missing"])
def test_clip_that_could_not_be_cut_leaves_the_alarm_without_one(room: Room, lost: str) -> None:
    _, clip_id, rest = alarmed(room)
    failed = rest["result"] | {"state": "failed", "error": "no_footage"} if lost == "failed" else rest["result"] | {"sha256": "0" * 64}

    assert send(rest["node"], failed).accepted == [0]

    with room.world.admin() as conn:
        assert conn.execute("select state from app.clips where id = %s", [clip_id]).fetchone() == ("failed",)
        assert conn.execute("select count(*) from app.alarms where clip_id is not null").fetchone() == (0,)
    assert room.caller().get(f"/sala/clips/{clip_id}.mp4").status_code == 404


def test_picture_is_served_to_its_own_municipality_only(room: Room) -> None:
    sha = kept(room.plugs, JPEG)

    ours = room.caller(OURS, "operador-municipal").get(f"/sala/imagenes/{sha}")

    assert (ours.status_code, ours.data, ours.mimetype) == (200, JPEG, "image/jpeg")
    assert room.caller(THEIRS, "operador-municipal").get(f"/sala/imagenes/{sha}").status_code == 404
    assert room.caller().get(f"/sala/imagenes/{'0' * 64}").status_code == 404
    assert room.caller().get(f"/sala/imagenes/{'z' * 64}").status_code == 404
    assert room.caller().get(f"/sala/imagenes/{sha}", headers={"If-None-Match": f'"{sha}"'}).status_code == 304


def test_ticket_then_stream_then_renewal_then_end(room: Room) -> None:
    enrolled()
    camera = add_camera()
    operator = room.caller(OURS, "operador-municipal")

    offer = operator.post(f"/sala/camaras/{camera.id}/ver", json={"stream": "sub"})
    frames = operator.post("/video/vivo", json={"tickets": [offer.json["ticket"]]})  # type: ignore[index]  # a JSON answer

    assert offer.status_code == 200
    assert (frames.status_code, frames.data, frames.mimetype) == (200, b"onetwo", "application/octet-stream")
    assert "no-store" in frames.headers["Cache-Control"]
    view_id = offer.json["view_id"]  # type: ignore[index]  # same
    with room.world.admin() as conn:
        rows = conn.execute("select id::text, ended_at is not null from app.camera_views").fetchall()
    assert rows == [(view_id, True)]
    again = operator.post("/video/vivo", json={"tickets": [offer.json["ticket"]]})  # type: ignore[index]  # same
    assert again.status_code == 403


def test_cameras_join_and_leave_an_open_stream(room: Room) -> None:
    enrolled()
    camera = add_camera()
    operator = room.caller(OURS, "operador-municipal")
    offer = operator.post(f"/sala/camaras/{camera.id}/ver", json={}).get_json()
    sid = str(uuid4())

    assert operator.post(f"/video/vivo/{sid}/add", json={"tickets": [offer["ticket"]]}).status_code == 204
    assert operator.post(f"/video/vivo/{sid}/remove", json={"views": [offer["view_id"]]}).status_code == 204
    assert operator.post(f"/video/vivo/{sid}/remove", json={"views": [offer["view_id"]]}).status_code == 404
    assert [told[0] for told in room.plugs.live.told] == ["add", "remove"]


def test_watching_asks_for_the_sessions_token_and_a_sane_body(room: Room) -> None:
    enrolled()
    camera = add_camera()
    operator = room.caller(OURS, "operador-municipal")

    assert operator.post("/video/vivo", csrf=False, json={"tickets": ["x"]}).status_code == 403
    for body in ({}, {"tickets": "x"}, {"tickets": [1]}, {"tickets": []}, ["x"]):
        assert operator.post("/video/vivo", json=body).status_code == 422
    assert operator.post(f"/sala/camaras/{camera.id}/ver", json={"view_id": "x"}).status_code == 422
    assert operator.post(f"/sala/camaras/{uuid4()}/ver", json={}).status_code == 404
    assert room.caller(OURS, "alumno").post(f"/sala/camaras/{camera.id}/ver", json={}).status_code == 403
    assert room.caller(THEIRS).post(f"/sala/camaras/{camera.id}/ver", json={}).status_code == 404


def test_stream_beyond_the_last_place_is_told_to_wait(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    enrolled()
    offer = room.caller().post(f"/sala/camaras/{add_camera().id}/ver", json={}).get_json()
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(video, "_places", places)

    with places:
        full = room.caller().post("/video/vivo", json={"tickets": [offer["ticket"]]})
    watched = room.caller().post("/video/vivo", json={"tickets": [offer["ticket"]]})

    assert full.status_code == 503
    assert full.headers["Retry-After"]
    assert (watched.status_code, watched.data) == (200, b"onetwo")
    assert places.acquire(blocking=False), "the response that ended must give its place back"


def test_protected_camera_asks_why_as_json(room: Room) -> None:
    enrolled()
    camera = add_camera(visibility="protected")

    refused = room.caller().post(f"/sala/camaras/{camera.id}/ver", json={})

    assert refused.status_code == 409
    assert room.caller().post(f"/sala/camaras/{camera.id}/ver", json={"reason": "Robo en curso en la esquina"}).status_code == 200
