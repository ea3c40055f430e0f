"""Live video ends with the session that opened it, whatever ends the session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.identity import service
from app.monitoring.cameras import video
from tests.support.identity import Installation, Somebody, Visitor
from tests.support.nodes import FakeLive, add_camera, enrolled, plugged
from tests.support.tokens import Realm, logout

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

DOOR = "/m/laprida/entrar"


@dataclass
class Watching:
    """Somebody in front of a live camera, and the same person in front of another screen."""

    installation: Installation
    person: Somebody
    visitor: Visitor
    elsewhere: Visitor
    camera_id: UUID
    live: FakeLive

    def open(self, visitor: Visitor) -> dict[str, str]:
        answer = visitor.post(f"/sala/camaras/{self.camera_id}/ver", json={})
        assert answer.status_code == 200, answer.text
        offer: dict[str, str] = answer.get_json()
        return offer

    def change(self, sql: str) -> None:
        with self.installation.world.admin() as connection:
            connection.execute(sql)


@pytest.fixture
def watching(installation: Installation, tmp_path: Path) -> Watching:
    live = plugged(tmp_path).live
    enrolled(installation.ours.id)
    person, visitor, elsewhere = (
        installation.somebody("operador-municipal", installation.ours),
        installation.visitor(),
        installation.visitor(),
    )
    visitor.sign_in(person, DOOR)
    elsewhere.come_back(elsewhere.go_out_to(DOOR, person))
    return Watching(installation, person, visitor, elsewhere, add_camera(installation.ours.id).id, live)


def by_the_button(watching: Watching) -> None:
    watching.visitor.post("/salir")


def from_another_screen(watching: Watching) -> None:
    key = hashlib.sha256(watching.visitor.cookie.encode()).hexdigest()
    assert watching.elsewhere.post(f"/perfil/sesiones/{key}/cerrar").status_code == 303


def by_notice_of_one_session(watching: Watching) -> None:
    watching.change("update app.web_sessions set kc_sid = 'esta' where seen_at = (select min(seen_at) from app.web_sessions)")
    notify(watching, sub=None, sid="esta")


def by_a_refused_refresh(watching: Watching) -> None:
    watching.change(
        "update app.web_sessions set access_expires_at = now() where seen_at = (select min(seen_at) from app.web_sessions)"
    )
    watching.installation.disable(watching.person)
    watching.visitor.get("/inicio")


def by_signing_in_again(watching: Watching) -> None:
    watching.visitor.come_back(watching.visitor.go_out_to(DOOR, watching.person))


def notify(watching: Watching, **claims: str | None) -> None:
    realm = Realm()
    installation = watching.installation
    provider = installation.plug().sign_in.provider
    service.plug(installation.settings, provider, realm.verifier())
    token = realm.sign(logout(**claims), typ="logout+jwt")
    answer = watching.visitor.client.post(
        "/auth/backchannel-logout", base_url=watching.visitor.base_url, data={"logout_token": token}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "end",
    [by_the_button, from_another_screen, by_notice_of_one_session, by_a_refused_refresh, by_signing_in_again],
    ids=lambda end: end.__name__,
)
def test_end_of_a_session_cuts_its_video_and_no_other(watching: Watching, end: Callable[[Watching], None]) -> None:
    cut, kept = watching.open(watching.visitor), watching.open(watching.elsewhere)

    end(watching)

    assert watching.live.revoked == [UUID(cut["view_id"])]
    with watching.installation.world.admin() as connection:
        open_views = connection.execute("select id::text from app.camera_views where ended_at is null").fetchall()
    assert open_views == [(kept["view_id"],)]
    recorded = watching.installation.audited(watching.installation.ours, "room:camera:leave")
    assert ["la sesión terminó" in canon for _, canon in recorded] == [True]


def test_notice_about_the_person_cuts_all_they_watch(watching: Watching) -> None:
    views = {UUID(watching.open(each)["view_id"]) for each in (watching.visitor, watching.elsewhere)}

    notify(watching, sub=watching.person.subject)

    assert set(watching.live.revoked) == views


@pytest.mark.parametrize("how", ["shift", "suspension", "role", "none"])
def test_open_answer_ends_when_its_session_does_by_itself(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(video, "LOOK_EVERY_S", 0.0)

    def frames() -> Iterator[bytes]:
        yield b"before"
        if how == "shift":
            watching.change("update app.web_sessions set expires_at = now()")
        elif how == "suspension":
            watching.installation.suspend(watching.installation.ours)
        elif how == "role":
            watching.change("update app.web_sessions set roles = '[\"alumno\"]'")
        yield b"after"
        yield b"more"

    watching.live.frames = frames()  # type: ignore[assignment]  # read once
    offer = watching.open(watching.visitor)
    try:
        answer = watching.visitor.post("/video/vivo", json={"tickets": [offer["ticket"]]})
        assert answer.data == (b"beforeaftermore" if how == "none" else b"beforeafter")
    finally:
        watching.change("update app.tenants set state = 'active' where state = 'suspended'")


def test_ticket_after_the_end_is_refused_in_a_way_a_page_can_tell(watching: Watching) -> None:
    assert timedelta(seconds=video.LOOK_EVERY_S) < timedelta(seconds=5)
    token = watching.visitor.csrf()
    watching.visitor.post("/salir")

    answer = watching.visitor.client.post(
        f"/sala/camaras/{watching.camera_id}/ver", base_url=watching.visitor.base_url, json={},
        headers={"Accept": "application/json", "X-CSRF-Token": token},
    )  # fmt: skip

    assert answer.status_code == 401
