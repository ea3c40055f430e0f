"""The pages of plate searches and of search lists."""

from __future__ import annotations

import io
import re

from tests.functional.room.conftest import Room
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS

SEARCH = {"plate": "ZA4*", "motivo": "IPP 02-00-001182-26, vehículo robado"}


def test_a_search_asks_its_reason_and_shows_its_results(room: Room) -> None:
    camera = make_camera(room.world)
    submit(node(), read(camera), read(camera, "AB123CD"))
    client = room.client()

    assert client.get("/sala/patentes/").status_code == 200
    refused = client.post("/sala/patentes/", SEARCH | {"motivo": ""})
    opened = client.post("/sala/patentes/", SEARCH)
    results = client.get(opened.headers["Location"])

    assert (refused.status_code, "Escribir el motivo" in refused.text) == (422, True)
    assert opened.status_code == 303
    assert "ZA\u00a0482\u00a0QK" in results.text
    assert "AB\u00a0123\u00a0CD" not in results.text
    assert SEARCH["motivo"] in results.text


def test_a_search_with_a_bad_pattern_says_what_to_write(room: Room) -> None:
    answer = room.client().post("/sala/patentes/", SEARCH | {"plate": "A%B"})

    assert answer.status_code == 422
    assert "Usar letras, números" in answer.text


def test_results_belong_to_who_searched(room: Room) -> None:
    make_camera(room.world)
    path = room.client().post("/sala/patentes/", SEARCH).headers["Location"]

    assert room.client().get(path).status_code == 200
    assert room.client(user="otra").get(path).status_code == 404
    assert room.client(tenant=THEIRS).get(path).status_code == 404


def test_results_are_exported_as_csv(room: Room) -> None:
    submit(node(), read(make_camera(room.world)))
    client = room.client()
    path = client.post("/sala/patentes/", SEARCH).headers["Location"]

    answer = client.post(f"{path}/exportar")

    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert ";ZA482QK;" in answer.text
    assert answer.text.startswith("\ufeff")


def test_a_supervisor_makes_fills_and_revokes_a_list(room: Room) -> None:
    client = room.client("supervisor")
    form = {"name": "Robados", "kind": "LPR_SECUESTRO", "origin": "local", "severity": "", "refresh_hours": "24"}

    assert client.get("/sala/listas/nueva").status_code == 200
    path = client.post("/sala/listas/nueva", form).headers["Location"]
    client.post(f"{path}/patentes", {"plate": "za 482 qk", "reason": "Robo"})
    filled = client.get(path).text
    bad = client.post(f"{path}/patentes", {"plate": "¿", "reason": "Robo"})
    client.post(f"{path}/sin-efecto", {"plate": "ZA482QK", "case_no": ""})

    assert "ZA\u00a0482\u00a0QK" in filled
    assert (bad.status_code, "La patente falta" in bad.text) == (422, True)
    assert "sin efecto desde" in client.get(path).text
    assert "Robados" in client.get("/sala/listas/").text


def test_a_list_is_changed_only_from_its_present_version(room: Room) -> None:
    hotlist = make_hotlist(OURS)
    client, path = room.client("supervisor"), f"/sala/listas/{hotlist}/editar"
    form = {"name": "Nueva", "kind": "LPR_LOCAL", "origin": "local", "severity": "2", "refresh_hours": ""}

    assert 'name="version" value="1"' in client.get(path).text
    assert client.post(path, form | {"version": "1"}).status_code == 303
    assert client.post(path, form | {"version": "1"}).status_code == 409
    assert client.post(path, form | {"version": ""}).status_code == 422


def test_a_file_is_reviewed_before_it_is_imported(room: Room) -> None:
    hotlist = make_hotlist(OURS, "AB123CD")
    client, path = room.client("supervisor"), f"/sala/listas/{hotlist}/importar"
    data = "Patente;Motivo;Sin efecto\nZA482QK;Camión;\nAB123CD;;sí\n¿;;\n".encode("latin-1")

    assert client.get(path).status_code == 200
    assert client.post(path, {"file": (io.BytesIO(b""), "x.csv")}).status_code == 422
    preview_path = client.post(path, {"file": (io.BytesIO(data), "robados.csv")}).headers["Location"]
    preview = client.get(preview_path)
    version = re.search(r'name="version" value="(\d+)"', preview.text)
    assert version is not None
    stranger = room.client("supervisor", user="otra").get(preview_path)
    done = client.post(preview_path, {"version": version[1]})

    assert "robados.csv" in preview.text
    assert "Quedan sin efecto" in preview.text
    assert stranger.status_code == 404
    assert "La patente falta o no es válida" in done.text
    assert client.post(preview_path, {"version": version[1]}).status_code == 404
    entries = client.get(f"/sala/listas/{hotlist}").text
    assert "ZA\u00a0482\u00a0QK" in entries
    assert "sin efecto desde" in entries


def test_an_operator_sees_lists_without_what_changes_them(room: Room) -> None:
    hotlist = make_hotlist(OURS, "ZA482QK")
    operator = room.client()

    page = operator.get(f"/sala/listas/{hotlist}").text

    assert "ZA\u00a0482\u00a0QK" in page
    assert "Importar CSV" not in page
    assert operator.get(f"/sala/listas/{hotlist}/importar").status_code == 403
    assert operator.post(f"/sala/listas/{hotlist}/patentes", {"plate": "AB123CD", "reason": "x"}).status_code == 403


def test_a_list_of_another_municipality_is_not_found(room: Room) -> None:
    hotlist = make_hotlist(OURS, "ZA482QK")

    for verb in ("", "/editar", "/importar"):
        assert room.client("supervisor", THEIRS).get(f"/sala/listas/{hotlist}{verb}").status_code == 404
        assert room.client("supervisor", OURS).get(f"/sala/listas/{hotlist}{verb}").status_code == 200
