"""The Dirección sees counts of every municipality, never their records, and leaves a trace of each look."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.functional.room.conftest import Room
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, PROVINCE

TRES_ARROYOS = 833


def audit(room: Room, tenant: int) -> list[tuple[str, dict[str, str]]]:
    with room.world.admin() as conn:
        rows = conn.execute(
            "select action, canon from app.audit_entries where tenant_id = %s and action like 'province:%%' order by seq",
            (tenant,),
        ).fetchall()
    return [(action, json.loads(canon)["detalle"]) for action, canon in rows]


def hit(room: Room, tenant: int) -> None:
    camera = make_camera(room.world, tenant, name=f"Acceso de {tenant}")
    make_hotlist(tenant, "ZA482QK")
    submit(node(tenant), read(camera))


def test_the_board_counts_alarms_of_every_municipality_without_showing_them(room: Room) -> None:
    hit(room, OURS)
    hit(room, TRES_ARROYOS)

    page = room.client("direccion-admin", PROVINCE).get("/direccion/")

    assert page.status_code == 200
    assert "Tablero provincial" in page.text
    assert "4 de 135" in page.text
    for name in ("Laprida", "Tres Arroyos", "General Pueyrredón", "Azul"):
        assert re.search(rf'href="/direccion/municipios/[a-z-]+">{name}</a>', page.text), name
    assert page.text.count('class="district') >= 135
    waiting = dict(
        re.findall(
            r'">(Laprida|Tres Arroyos|Azul)</a></th>(?:\s*<td[^>]*>.*?</td>){3}\s*<td[^>]*>(?:<span[^>]*>▲</span> )?(\d+)<',
            page.text,
        )
    )
    assert waiting == {"Laprida": "1", "Tres Arroyos": "1", "Azul": "0"}
    for secret in ("ZA482QK", f"Acceso de {OURS}"):
        assert secret not in page.text


def test_each_look_is_recorded_with_its_motive_before_it_is_answered(room: Room) -> None:
    client = room.client("direccion-auditor", PROVINCE)

    client.get("/direccion/")
    client.get("/direccion/municipios/laprida")

    motives = [detail["motivo"] for action, detail in audit(room, PROVINCE) if action == "province:tenants:read"]
    assert motives == ["Tablero provincial: estado agregado de los municipios", "Ficha de Laprida: estado agregado"]


@pytest.mark.parametrize("role", ["operador-municipal", "supervisor", "admin-municipal"])
def test_people_of_a_municipality_do_not_enter(room: Room, role: str) -> None:
    for path in ("/direccion/", "/direccion/municipios/", "/direccion/municipios/alta", "/direccion/roles/"):
        assert room.client(role, OURS).get(path).status_code == 403
        assert room.client("direccion-admin", PROVINCE).get(path).status_code == 200


def test_the_list_of_municipalities_is_narrowed_by_name_and_state(room: Room) -> None:
    client = room.client("direccion-admin", PROVINCE)

    everyone = client.get("/direccion/municipios/").text
    some = client.get("/direccion/municipios/?nombre=pueyrr&estado=active").text

    assert "135" in everyone
    assert "Chascomús" in everyone
    assert "General Pueyrredón" in some
    assert "Chascomús" not in some


def test_an_unknown_municipality_and_the_province_itself_are_not_found(room: Room) -> None:
    client = room.client("direccion-admin", PROVINCE)

    assert client.get("/direccion/municipios/atlantis").status_code == 404
    assert client.get("/direccion/municipios/provincia").status_code == 404


def test_a_municipality_is_brought_in_with_its_motive(room: Room) -> None:
    client = room.client("direccion-admin", PROVINCE)
    form = {"municipio": "chascomus", "motivo": "Convenio 14/26, expediente 1234"}

    refused = client.post("/direccion/municipios/alta", form | {"motivo": "ok"})
    started = time.monotonic()
    added = client.post("/direccion/municipios/alta", form)
    took = time.monotonic() - started
    again = client.post("/direccion/municipios/alta", form)

    assert (refused.status_code, added.status_code, again.status_code) == (422, 303, 409)
    assert took < 1.0
    assert "Identidad en preparación" in client.get(added.headers["Location"]).text
    with room.world.admin() as conn:
        tenant, state = conn.execute("select id, state from app.tenants where slug = 'chascomus'").fetchone() or (0, "")
        jobs = conn.execute("select kind from app.outbox where tenant_id = %s", (tenant,)).fetchall()
    assert (state, jobs) == ("active", [("identity.reconcile",)])
    for chain in (tenant, PROVINCE):
        assert ("province:tenant:activate", form["motivo"]) in [
            (action, d["motivo"]) for action, d in audit(room, chain)
        ]


def test_the_auditor_looks_and_brings_nobody_in(room: Room) -> None:
    auditor = room.client("direccion-auditor", PROVINCE)

    answer = auditor.post(
        "/direccion/municipios/alta", {"municipio": "chascomus", "motivo": "Convenio 14/26, expediente 1234"}
    )

    assert answer.status_code == 403
    assert "Sumar municipio" not in auditor.get("/direccion/").text


def test_the_roles_page_is_the_table_that_decides(room: Room) -> None:
    page = room.client("direccion-admin", PROVINCE).get("/direccion/roles/").text

    for words in ("Operador municipal", "Buscar lecturas de patentes, con motivo", "Auditoría provincial"):
        assert words in page
