"""The record of a municipality as its supervisor reads it."""

from __future__ import annotations

from tests.functional.room.conftest import Room
from tests.support.room import make_hotlist
from tests.support.world import OURS, THEIRS

PAGE = "/sala/auditoria/"


def test_line_leads_to_what_it_is_about(room: Room) -> None:
    hotlist = make_hotlist(OURS, "ZA482QK")

    assert f'href="/sala/listas/{hotlist}"' in room.client("supervisor").get(PAGE).text


def test_lines_of_another_municipality_are_not_there(room: Room) -> None:
    ours, theirs = make_hotlist(OURS), make_hotlist(THEIRS)

    page = room.client("supervisor").get(PAGE).text

    assert str(ours) in page
    assert str(theirs) not in page


def test_filter_keeps_one_action_and_says_so_when_nothing_is_left(room: Room) -> None:
    hotlist = make_hotlist(OURS)
    supervisor = room.client("supervisor")

    assert str(hotlist) in supervisor.get(f"{PAGE}?accion=plates:hotlist:create").text
    nothing = supervisor.get(f"{PAGE}?accion=plates:hotlist:update").text
    assert str(hotlist) not in nothing
    assert "Ningún asiento con esos filtros" in nothing


def test_operators_do_not_read_the_record(room: Room) -> None:
    assert room.client().get(PAGE).status_code == 403
