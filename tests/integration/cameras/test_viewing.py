"""Watching live: permission, reason, one row per view, and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.identity.events import EndedSession, SessionsEnded
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden, Invalid, Unavailable
from app.kernel.ports import LiveOffer
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.errors import CameraNotFound, NotWatchable, ReasonRequired, ViewNotFound
from tests.support.nodes import Plugs, add_camera, enrolled
from tests.support.world import OURS, THEIRS, World, actor

WHO = actor(OURS, "operador-municipal")


@pytest.fixture(autouse=True)
def _node(plugs: Plugs) -> None:
    enrolled()
    enrolled(THEIRS)


def watch(camera_id: UUID, who: Actor = WHO, **wanted: object) -> LiveOffer:
    with unit_of_work(who):
        return cameras.open_view(who, camera_id=camera_id, **wanted)  # type: ignore[arg-type]


def rows(world: World) -> list[tuple[UUID, bool]]:
    with world.admin() as conn:
        return list(conn.execute("select id, ended_at is not null from app.camera_views order by id"))


def deeds(world: World) -> list[str]:
    with world.admin() as conn:
        return [action for (action,) in conn.execute("select action from app.audit_entries where action ~ 'view|leave' order by seq")]


def test_each_view_is_one_row_and_one_entry_and_renewals_add_none(world: World) -> None:
    camera = add_camera()
    offer = watch(camera.id)

    again = watch(camera.id, view_id=offer.view_id)

    assert again.view_id == offer.view_id
    assert rows(world) == [(offer.view_id, False)]
    assert deeds(world) == ["room:camera:view"]


def test_camera_of_another_municipality_cannot_be_watched() -> None:
    ours, theirs = add_camera(), add_camera(THEIRS)

    assert watch(ours.id).camera_id == ours.id
    with pytest.raises(CameraNotFound):
        watch(theirs.id)
    assert watch(theirs.id, actor(THEIRS)).camera_id == theirs.id


def test_protected_camera_asks_why(world: World) -> None:
    camera = add_camera(visibility="protected")

    with pytest.raises(ReasonRequired):
        watch(camera.id)
    assert rows(world) == []
    assert watch(camera.id, reason="Seguimiento de un robo en curso").camera_id == camera.id


def test_camera_without_signal_has_nothing_to_watch() -> None:
    with pytest.raises(NotWatchable):
        watch(add_camera(source_url="").id)


def test_trainee_may_not_watch_and_a_stream_that_is_none_is_refused() -> None:
    camera = add_camera()

    with pytest.raises(Forbidden):
        watch(camera.id, actor(OURS, "alumno"))
    with pytest.raises(Invalid):
        watch(camera.id, stream="all")


def test_view_of_somebody_else_is_neither_renewed_nor_streamed() -> None:
    camera = add_camera()
    other = actor(OURS, "operador-municipal", user="persona-2")
    offer = watch(camera.id, other)

    with pytest.raises(ViewNotFound):
        watch(camera.id, view_id=offer.view_id)
    with unit_of_work(WHO), pytest.raises(Forbidden):
        cameras.grant_stream(WHO, tickets=[offer.ticket])
    with unit_of_work(WHO), pytest.raises(ViewNotFound):
        cameras.close_views(WHO, view_ids=[offer.view_id])
    with unit_of_work(other):
        grant = cameras.grant_stream(other, tickets=[offer.ticket])
    assert b"".join(cameras.frames_of(grant)) == b"onetwo"
    assert grant.view_ids == (offer.view_id,)


def test_stream_of_no_camera_or_too_many_is_refused() -> None:
    for tickets in ([], [str(uuid4())] * 17):
        with unit_of_work(WHO), pytest.raises(Invalid):
            cameras.grant_stream(WHO, tickets=tickets)


def test_end_is_recorded_once_with_its_duration(world: World, plugs: Plugs) -> None:
    offer = watch(add_camera().id)

    for _ in range(2):
        with unit_of_work(WHO):
            cameras.end_views(WHO, view_ids=[offer.view_id])

    assert rows(world) == [(offer.view_id, True)]
    assert deeds(world) == ["room:camera:view", "room:camera:leave"]
    with pytest.raises(ViewNotFound):
        watch(add_camera().id, view_id=offer.view_id)


def test_cameras_join_and_leave_an_open_stream(world: World, plugs: Plugs) -> None:
    first, second = watch(add_camera().id), watch(add_camera().id)

    with unit_of_work(WHO):
        grant = cameras.grant_stream(WHO, tickets=[second.ticket])
    cameras.join_stream(grant, sid="s1")
    with unit_of_work(WHO):
        tenant = cameras.close_views(WHO, view_ids=[second.view_id])
    cameras.leave_stream(tenant, sid="s1", view_ids=[second.view_id])

    assert plugs.live.told == [("add", "s1", (second.ticket,)), ("remove", "s1", (second.ticket,))]
    assert rows(world) == [(first.view_id, False), (second.view_id, True)]


def ended(*keys: str, tenant_id: int = OURS) -> SessionsEnded:
    return SessionsEnded(tuple(EndedSession(tenant_id, key) for key in keys))


def test_end_of_a_session_cuts_what_it_watches_and_nothing_else(world: World, plugs: Plugs) -> None:
    camera, theirs = add_camera(), add_camera(THEIRS)
    here, there = replace(WHO, session_id="aa"), replace(WHO, session_id="bb")
    cut, kept = watch(camera.id, here), watch(camera.id, there)
    neighbour = watch(theirs.id, actor(THEIRS, session_id="aa"))

    cameras.on_sessions_ended(ended("aa"))

    assert plugs.live.revoked == [cut.view_id]
    assert rows(world) == [(cut.view_id, True), (kept.view_id, False), (neighbour.view_id, False)]
    assert deeds(world).count("room:camera:leave") == 1
    with unit_of_work(here), pytest.raises(Forbidden):
        cameras.grant_stream(here, tickets=[cut.ticket])
    cameras.on_sessions_ended(ended("aa", tenant_id=THEIRS))
    assert plugs.live.revoked == [cut.view_id, neighbour.view_id]


def test_view_belongs_to_the_session_that_last_renewed_it(plugs: Plugs) -> None:
    camera = add_camera()
    offer = watch(camera.id, replace(WHO, session_id="aa"))
    watch(camera.id, replace(WHO, session_id="bb"), view_id=offer.view_id)

    cameras.on_sessions_ended(ended("aa"))
    assert plugs.live.revoked == []
    cameras.on_sessions_ended(ended("bb"))
    assert plugs.live.revoked == [offer.view_id]


def test_sign_out_stands_though_the_video_cannot_be_cut(
    world: World, plugs: Plugs, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = watch(add_camera().id, replace(WHO, session_id="aa"))

    def away(*_: object) -> None:
        raise Unavailable("no responde")

    monkeypatch.setattr(plugs.live, "revoke", away)
    cameras.on_sessions_ended(ended("aa"))

    assert rows(world) == [(offer.view_id, True)]


def test_view_nobody_renewed_ends_when_it_was_last_seen(world: World) -> None:
    old, fresh = watch(add_camera().id), watch(add_camera().id)
    with world.admin() as conn:
        conn.execute(
            "update app.camera_views set renewed_at = %s where id = %s",
            [clock.now() - timedelta(minutes=6), old.view_id],
        )

    with unit_of_work(WHO):
        assert cameras.end_abandoned(WHO) == 1

    assert rows(world) == [(old.view_id, True), (fresh.view_id, False)]
