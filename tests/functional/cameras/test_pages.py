"""The camera pages as a browser meets them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel import clock
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraView, StateReport
from app.ui import formatters
from tests.functional.cameras.conftest import Room
from tests.support.nodes import JPEG, add_camera, ago, enrolled, kept, send
from tests.support.world import OURS, THEIRS, actor

NEW = {
    "name": "Banco Provincia", "place": "bank", "kind": "dome", "source_url": "rtsp://u:cl4ve@10.0.0.7/c1", "lat": "-38,37",
    "lon": "-60,27", "ownership": "municipal", "visibility": "normal", "record": "y", "street": "Belgrano", "azimuth": "90",
}  # fmt: skip


def get(camera_id: UUID | str, tenant_id: int = OURS) -> CameraView:
    with unit_of_work(actor(tenant_id), read_only=True):
        return cameras.get_camera(actor(tenant_id), camera_id=UUID(str(camera_id)))


def made(room: Room, **changes: Any) -> CameraView:
    enrolled()
    answer = room.caller().post("/sala/camaras/alta", NEW | changes)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return get(answer.headers["Location"].rsplit("/", 1)[1])


def test_empty_inventory_says_what_to_do(room: Room) -> None:
    text = room.caller().get("/sala/camaras/").get_data(as_text=True)

    assert "Todavía no hay cámaras" in text
    assert 'href="/sala/camaras/alta"' in text
    assert "/sala/camaras/alta" not in room.caller(OURS, "operador-municipal").get("/sala/camaras/").get_data(as_text=True)


def test_camera_is_added_from_the_page_and_listed(room: Room) -> None:
    camera = made(room)
    add_camera(THEIRS, name="Cámara ajena")

    text = room.caller().get("/sala/camaras/").get_data(as_text=True)

    assert (camera.place, camera.kind, camera.lat, camera.azimuth, camera.record) == ("bank", "dome", -38.37, 90, True)
    assert "Banco Provincia" in text
    assert "Cámara ajena" not in text
    assert "Sin datos" in text


def test_list_narrows_and_says_when_nothing_fits(room: Room) -> None:
    made(room)

    found = room.caller().get("/sala/camaras/?q=provincia&place=bank&state=unknown").get_data(as_text=True)
    none = room.caller().get("/sala/camaras/?q=nadie").get_data(as_text=True)
    junk = room.caller().get("/sala/camaras/?place=luna&state=feliz")

    assert "Banco Provincia" in found
    assert "Ninguna cámara coincide" in none
    assert junk.status_code == 200


@pytest.mark.parametrize("path", ["", "/modificar", "/dibujos", "/huecos", "/ultima.jpg"])
def test_page_of_a_neighbours_camera_does_not_exist(room: Room, path: str) -> None:
    ours, theirs = made(room), add_camera(THEIRS)
    node = enrolled(number=2)
    sha = kept(room.plugs, JPEG)
    with room.world.admin() as conn:
        conn.execute("update app.cameras set node_id = %s where id = %s", [node.node_id, ours.id])
    send(node, {"type": "snapshot", "camera_id": str(ours.id), "taken_at": ago(1), "sha256": sha})

    assert room.caller().get(f"/sala/camaras/{ours.id}{path}").status_code == 200
    assert room.caller().get(f"/sala/camaras/{theirs.id}{path}").status_code == 404
    assert room.caller().get(f"/sala/camaras/{uuid4()}{path}").status_code == 404


def test_page_of_a_camera_tells_its_health_and_rules_in_words_and_no_credentials(room: Room) -> None:
    camera = made(room)
    report = StateReport(camera.id, "offline", clock.now(), error_code="auth_failed", codec="h264", width=1920, height=1080)
    with unit_of_work(actor()):
        cameras.report_states(actor(), reports=[report], allowed={camera.id})

    text = room.caller().get(f"/sala/camaras/{camera.id}").get_data(as_text=True)

    for words in ("Sin video", "La cámara rechaza el usuario o la clave", "1920×1080", "Intrusión de 20:00 a 06:00",
                  "Merodeo o detención desde los 20 s", "cifradas para el nodo", "rtsp://10.0.0.7/…"):  # fmt: skip
        assert words in text
    assert "cl4ve" not in text
    assert "/c1" not in text


def test_operator_sees_the_page_and_nothing_to_change(room: Room) -> None:
    camera = made(room)
    operator = room.caller(OURS, "operador-municipal")

    text = operator.get(f"/sala/camaras/{camera.id}").get_data(as_text=True)

    assert 'data-module="videowall"' in text
    assert "Dar de baja" not in text
    for path in ("modificar", "dibujos"):
        assert operator.get(f"/sala/camaras/{camera.id}/{path}").status_code == 403
    for path in ("modificar", "dibujos", "reglas", "mantenimiento", "baja", "probar"):
        assert operator.post(f"/sala/camaras/{camera.id}/{path}", {"version": "1"}).status_code == 403


def test_wrong_fields_are_named_and_what_was_typed_stays(room: Room) -> None:
    answer = room.caller().post("/sala/camaras/alta", NEW | {"name": "", "lat": "norte", "azimuth": "400", "password": "s3creta"})
    text = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert "Escribir el nombre de la cámara." in text
    assert 'value="Belgrano"' in text
    assert "s3creta" not in text
    outside = room.caller().post("/sala/camaras/alta", NEW | {"source_url": "rtsp://8.8.8.8/x"})
    assert outside.status_code == 422
    assert "fuera de las redes" in outside.get_data(as_text=True)


def test_change_without_a_new_address_keeps_the_source(room: Room) -> None:
    camera = made(room)
    form = NEW | {"name": "Banco Nación", "source_url": "", "version": "1"}

    assert room.caller().post(f"/sala/camaras/{camera.id}/modificar", form).status_code == 303

    changed = get(camera.id)
    assert (changed.name, changed.source, changed.has_credentials) == ("Banco Nación", camera.source, True)
    assert room.caller().post(f"/sala/camaras/{camera.id}/modificar", form).status_code == 409
    assert room.caller().post(f"/sala/camaras/{camera.id}/modificar", NEW).status_code == 422


def test_lanes_and_zones_are_drawn_by_typed_points(room: Room) -> None:
    camera = made(room, place="entrance")
    form = {
        "version": "1", "lane-0-name": "Carril 1", "lane-0-points": "10 10\n90 10\n90 90\n10,5 90", "lane-0-axis": "50 90\n50 10",
        "zone-0-points": "",
    }  # fmt: skip

    assert room.caller().post(f"/sala/camaras/{camera.id}/dibujos", form).status_code == 303

    (lane,) = get(camera.id).lanes
    assert lane["axis"] == [[0.5, 0.9], [0.5, 0.1]]
    assert "falta dibujar un carril" not in room.caller().get(f"/sala/camaras/{camera.id}").get_data(as_text=True)
    assert "Carril 1" in room.caller().get(f"/sala/camaras/{camera.id}/dibujos").get_data(as_text=True)
    for points in ("diez 10\n90 10\n90 90", "10 10\n90 90\n90 10\n10 90", "10 10\n200 10\n90 90"):
        answer = room.caller().post(f"/sala/camaras/{camera.id}/dibujos", {"version": "2", "zone-0-points": points})
        assert answer.status_code == 422


def test_rules_are_switched_off_and_on(room: Room) -> None:
    camera = made(room)

    room.caller().post(f"/sala/camaras/{camera.id}/reglas", {"version": "1", "rule": ["dwell"]})

    assert {rule["id"]: rule["enabled"] for rule in get(camera.id).profile} == {
        "zone_enter": False, "dwell": True, "tamper": False,
    }  # fmt: skip


def test_maintenance_and_retirement_from_the_page(room: Room) -> None:
    camera = made(room)
    base = f"/sala/camaras/{camera.id}"

    def maintain(until: str, reason: str = "Limpieza del domo") -> int:
        form = {"version": "1", "until": until, "reason": reason}
        return room.caller().post(f"{base}/mantenimiento", form).status_code

    tomorrow = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert maintain("2020-01-01T00:00") == 422
    assert maintain(tomorrow, "") == 422
    assert maintain(tomorrow) == 303
    told = f"hasta {formatters.minute(get(camera.id).maintenance_until)} (Ana Pérez, Limpieza del domo)"
    assert f"En mantenimiento {told}" in room.caller().get(base).get_data(as_text=True)
    assert told in room.caller().get("/sala/camaras/").get_data(as_text=True)
    assert "Terminar el mantenimiento" in room.caller().get(base).get_data(as_text=True)
    assert told not in room.caller(THEIRS).get("/sala/camaras/").get_data(as_text=True)
    assert room.caller().post(f"{base}/mantenimiento", {"version": "2", "finish": "1"}).status_code == 303
    assert room.caller().post(f"{base}/baja", {"version": "3"}).status_code == 303
    assert get(camera.id).decommissioned_at is not None
    assert "Dada de baja" in room.caller().get(base).get_data(as_text=True)


def test_maintenance_that_is_over_can_be_set_again(room: Room) -> None:
    camera = made(room)
    until = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    path = f"/sala/camaras/{camera.id}"
    assert room.caller().post(f"{path}/mantenimiento", {"version": "1", "until": until, "reason": "Cambio de cable"}).status_code == 303
    with room.world.admin() as conn:
        conn.execute("update app.cameras set maintenance_until = now() - interval '1 minute'")

    page = room.caller().get(path).get_data(as_text=True)

    assert "Cambio de cable" not in page
    assert "Poner en mantenimiento" in page


def test_trial_waits_for_the_node_and_shows_its_report(room: Room) -> None:
    node = enrolled()
    waiting = room.caller().post("/sala/camaras/probar", {"source_url": "rtsp://u:p@10.0.0.9/x"}, headers={"HX-Request": "true"})
    path = re.search(r'hx-get="(/sala/camaras/pruebas/[^"]+)"', waiting.get_data(as_text=True))
    assert path is not None

    assert "está probando" in room.caller().get(path[1]).get_data(as_text=True)
    order_id = path[1].rsplit("/", 1)[1]
    report = {"ok": True, "codec": "h264", "width": 1280, "height": 720, "fps": 25, "warnings": ["long_gop"]}
    send(node, {"type": "order_result", "order_id": order_id, "state": "done", "report": report})

    text = room.caller().get(path[1]).get_data(as_text=True)
    assert "Hay video" in text
    assert "1280×720" in text
    assert "Pasan más de 4 s" in text
    assert room.caller(THEIRS).get(path[1]).status_code == 404


def test_trial_that_failed_says_why(room: Room) -> None:
    node = enrolled()
    camera = add_camera()
    room.caller().post(f"/sala/camaras/{camera.id}/probar", {})
    with room.world.admin() as conn:
        row = conn.execute("select id from app.node_orders").fetchone()
    assert row is not None
    send(node, {"type": "order_result", "order_id": str(row[0]), "state": "done", "report": {"ok": False, "error_code": "auth_failed"}})

    text = room.caller().get(f"/sala/camaras/pruebas/{row[0]}").get_data(as_text=True)

    assert "No hay video" in text
    assert "rechaza el usuario" in text


def test_list_is_exported_as_a_spreadsheet_that_runs_nothing(room: Room) -> None:
    made(room, name="=HYPERLINK(1)")

    answer = room.caller().get("/sala/camaras/exportar.csv")
    text = answer.get_data(as_text=True)

    assert answer.mimetype == "text/csv"
    assert text.startswith("\ufeffcódigo;nombre")
    assert ";'=HYPERLINK(1);Banco;" in text
    assert "cl4ve" not in text


def test_gaps_are_told_in_words(room: Room) -> None:
    node = enrolled()
    camera = add_camera()
    gap = {
        "type": "gap", "gap_id": str(uuid4()), "camera_id": str(camera.id), "from_at": ago(60), "to_at": None, "cause": "camara",
        "code": "camera_offline",
    }  # fmt: skip
    send(node, gap)

    text = room.caller().get(f"/sala/camaras/{camera.id}/huecos").get_data(as_text=True)

    assert "sigue abierto" in text
    assert "La cámara: la cámara no envió video" in text


def test_what_was_deleted_is_told_with_its_reason_and_its_date(room: Room) -> None:
    node = enrolled()
    camera = add_camera()
    path = f"/sala/camaras/{camera.id}/huecos"
    assert "Ninguna grabación eliminada" in room.caller().get(path).get_data(as_text=True)
    purge = {
        "type": "purge", "purge_id": str(uuid4()), "camera_id": str(camera.id), "from_at": "2026-03-10T12:00:00.000000+00:00",
        "to_at": "2026-03-10T12:01:00.000000+00:00", "segments": 1, "bytes": 9, "cause": "vencimiento",
        "ordered_at": ago(60), "deleted_at": ago(60),
    }  # fmt: skip
    send(node, purge)

    text = room.caller().get(path).get_data(as_text=True)

    assert "Grabaciones eliminadas por política" in text
    assert "10/03/2026 09:01:00" in text
    assert "venció el plazo de conservación" in text
    assert room.caller(THEIRS).get(path).status_code == 404
