"""The console as an operator of each municipality sees and uses it."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from tests.functional.room.conftest import Room
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS

HTMX = {"HX-Request": "true"}


def hit(room: Room, tenant: int = OURS, plate: str = "ZA482QK", consensus: str = "strong") -> UUID:
    """An alarm of a listed plate."""
    camera = make_camera(room.world, tenant, name=f"Acceso de {tenant}")
    make_hotlist(tenant, {"plate": plate, "authority": "UFI 4", "case_no": "1182/26", "make": "VW", "model": "Gol"})
    submit(node(tenant), read(camera, plate, consensus=consensus))
    with room.world.admin() as conn:
        row = conn.execute("select id from app.alarms where tenant_id = %s", (tenant,)).fetchone()
    assert row is not None
    return row[0]


def state(room: Room, alarm_id: UUID) -> tuple[str, int]:
    with room.world.admin() as conn:
        row = conn.execute("select state, version from app.alarms where id = %s", (alarm_id,)).fetchone()
    assert row is not None
    return row


def test_an_empty_room_says_so(room: Room) -> None:
    page = room.client().get("/sala/")

    assert page.status_code == 200
    assert "No hay alarmas abiertas" in page.text
    assert "En las últimas 8 h: 0 alarmas" in page.text


def test_the_console_shows_the_alarm_of_its_own_municipality_only(room: Room) -> None:
    alarm_id = hit(room)

    ours, theirs = (room.client(tenant=tenant).get("/sala/").text for tenant in (OURS, THEIRS))

    for shown in (
        "Patente con pedido de secuestro",
        f"Acceso de {OURS}",
        str(alarm_id),
        "UFI 4 · 1182/26",
        "VW Gol",
        "supervisor en",
    ):
        assert shown in ours
    assert str(alarm_id) not in theirs
    assert "No hay alarmas abiertas" in theirs


def test_a_card_of_another_municipality_is_not_found(room: Room) -> None:
    alarm_id = hit(room)

    assert room.client(tenant=THEIRS).get(f"/sala/alarmas/{alarm_id}", headers=HTMX).status_code == 404
    assert room.client(tenant=THEIRS).get(f"/sala/?alarma={alarm_id}").status_code == 404
    assert room.client().get(f"/sala/alarmas/{alarm_id}", headers=HTMX).status_code == 200


def test_taking_and_confirming_answer_the_card_as_it_became(room: Room) -> None:
    alarm_id = hit(room)
    client = room.client()

    taken = client.post(f"/sala/alarmas/{alarm_id}/tomar", {"version": "1"}, headers=HTMX)
    confirmed = client.post(
        f"/sala/alarmas/{alarm_id}/confirmar", {"version": "2", "outcome": "confirmed"}, headers=HTMX
    )
    source = client.post(f"/sala/alarmas/{alarm_id}/confirmar", {"version": "3", "source": "valid"}, headers=HTMX)

    assert taken.status_code == 200
    assert re.search(r"La tomó Ana Pérez", taken.text)
    assert "Respuesta de la fuente" in confirmed.text
    assert "Vigente" in source.text
    assert state(room, alarm_id) == ("verified", 4)


def test_without_script_the_actions_lead_back_to_the_console(room: Room) -> None:
    alarm_id = hit(room)

    answer = room.client().post(f"/sala/alarmas/{alarm_id}/tomar", {"version": "1"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sala/?alarma={alarm_id}")


def test_a_stale_click_is_refused_naming_who_has_the_alarm(room: Room) -> None:
    alarm_id = hit(room)
    room.client(display_name="Rocío Medina").post(f"/sala/alarmas/{alarm_id}/tomar", {"version": "1"})

    late = room.client("supervisor").post(f"/sala/alarmas/{alarm_id}/tomar", {"version": "1"}, headers=HTMX)

    assert late.status_code == 409
    assert "Rocío Medina" in late.text


def test_a_possible_match_shows_neither_letters_nor_entry_until_typed(room: Room) -> None:
    alarm_id = hit(room, consensus="single")
    client = room.client()

    hidden = client.get("/sala/").text
    shown = client.post(
        f"/sala/alarmas/{alarm_id}/escribir", {"version": "1", "typed_plate": "ZA 482 QK"}, headers=HTMX
    ).text

    for secret in ("ZA482QK", "ZA\u00a0482\u00a0QK", "UFI 4", "VW Gol"):
        assert secret not in hidden
    assert "Posible coincidencia de patente" in hidden
    assert "UFI 4 · 1182/26" in shown


def test_discarding_and_closing_end_the_alarm(room: Room) -> None:
    one, two = hit(room), hit(room, plate="ZB111AA", tenant=THEIRS)

    bad = room.client().post(f"/sala/alarmas/{one}/descartar", {"version": "1", "code": "NADA"}, headers=HTMX)
    room.client().post(f"/sala/alarmas/{one}/descartar", {"version": "1", "code": "LECTURA", "note": "Es una Q"})
    room.client(tenant=THEIRS).post(f"/sala/alarmas/{two}/tomar", {"version": "1"})
    room.client(tenant=THEIRS).post(
        f"/sala/alarmas/{two}/cerrar", {"version": "2", "outcome": "unverified", "note": "Sin móvil"}
    )

    assert bad.status_code == 422
    assert (state(room, one), state(room, two)) == (("discarded", 2), ("closed", 3))


def test_steps_of_the_procedure_are_ticked(room: Room) -> None:
    alarm_id = hit(room)

    answer = room.client().post(f"/sala/alarmas/{alarm_id}/pasos/look", {"done": "1"}, headers=HTMX)

    assert answer.status_code == 200
    assert "hecho por Ana Pérez" in answer.text
    assert state(room, alarm_id) == ("new", 1)


@pytest.mark.parametrize("path", ["/sala/cola", "/sala/turno"])
def test_fragments_answer(room: Room, path: str) -> None:
    hit(room)

    answer = room.client().get(path, headers=HTMX)

    assert answer.status_code == 200
    assert ("Patente con pedido" in answer.text) == (path == "/sala/cola")


def test_who_has_no_console_reads_the_alarm_on_a_page_of_its_own(room: Room) -> None:
    alarm_id = hit(room)
    admin = room.client("admin-municipal")

    assert admin.get("/sala/").status_code == 403
    assert "Patente con pedido de secuestro" in admin.get(f"/sala/alarmas/{alarm_id}").text
    assert room.client().get(f"/sala/alarmas/{alarm_id}").status_code == 303


def test_the_list_of_alarms_is_narrowed_by_its_address(room: Room) -> None:
    alarm_id = hit(room)
    client = room.client("supervisor")

    assert str(alarm_id) in client.get("/sala/alarmas/").text
    assert str(alarm_id) in client.get("/sala/alarmas/?estado=open&prioridad=1").text
    assert str(alarm_id) not in client.get("/sala/alarmas/?estado=closed").text
    assert str(alarm_id) not in room.client("supervisor", THEIRS).get("/sala/alarmas/").text
