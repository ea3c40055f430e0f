"""The inventory of cameras on the real database, with the neighbour's look-alike cameras beside it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.kernel import clock
from app.kernel.errors import Forbidden, Invalid, StaleVersion
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.errors import CameraNotFound, CodeTaken, Decommissioned, NoNode
from app.monitoring.cameras.profiles import default_profile
from app.monitoring.cameras.types import CameraData, CameraFilter, CameraView, StateReport
from tests.support.nodes import add_camera, enrolled
from tests.support.world import OURS, THEIRS, World, actor

WHO = actor()
pytestmark = pytest.mark.usefixtures("plugs")


def get(camera_id: UUID, tenant_id: int = OURS) -> CameraView:
    with unit_of_work(actor(tenant_id), read_only=True):
        return cameras.get_camera(actor(tenant_id), camera_id=camera_id)


def change(camera: CameraView, *, version: int | None = None, **changes: object) -> CameraView:
    with unit_of_work(WHO):
        return cameras.update_camera(
            WHO, camera_id=camera.id, version=camera.version if version is None else version, changes=changes
        )


def listed(tenant_id: int = OURS, **wanted: object) -> list[str]:
    with unit_of_work(actor(tenant_id), read_only=True):
        page = cameras.list_cameras(actor(tenant_id), wanted=CameraFilter(**wanted))  # type: ignore[arg-type]
    return [camera.name for camera in page.items]


def audited(world: World, tenant_id: int = OURS) -> list[tuple[str, str]]:
    with world.admin() as conn:
        rows = conn.execute("select action, canon from app.audit_entries where tenant_id = %s order by seq", [tenant_id])
        return [(action, canon) for action, canon in rows]


def test_camera_is_kept_with_the_profile_of_its_place_and_a_code(world: World) -> None:
    camera = add_camera(place="bank", name="Banco Provincia")

    assert get(camera.id).profile == default_profile("bank")
    assert camera.code == "LA-BCO-01"
    assert add_camera(place="bank", name="Otro banco").code == "LA-BCO-02"
    assert add_camera(THEIRS, place="bank", name="Banco Provincia").code.endswith("-BCO-01")
    assert camera.state.state == "unknown"
    assert audited(world)[0][0] == "room:camera:create"


def test_camera_of_another_municipality_does_not_exist() -> None:
    theirs = add_camera(THEIRS)
    ours = add_camera()

    assert get(ours.id).id == ours.id
    assert get(theirs.id, THEIRS).id == theirs.id
    with pytest.raises(CameraNotFound):
        get(theirs.id)
    with pytest.raises(CameraNotFound):
        change(theirs, name="Otra")
    with unit_of_work(WHO), pytest.raises(CameraNotFound):
        cameras.decommission_camera(WHO, camera_id=theirs.id, version=1)
    with unit_of_work(WHO, read_only=True):
        assert set(cameras.names_by_id(WHO, {ours.id, theirs.id})) == {ours.id}
    assert listed() == ["Acceso Ruta 3"]
    assert get(theirs.id, THEIRS).name == "Acceso Ruta 3"


def test_credentials_are_sealed_and_shown_to_nobody(world: World) -> None:
    with pytest.raises(NoNode):
        add_camera(source_url="rtsp://admin:s3creta@10.0.0.1:554/canal/1")
    enrolled()

    camera = add_camera(source_url="rtsp://admin:s3creta@10.0.0.1:554/canal/1")

    assert camera.has_credentials
    assert camera.source == "rtsp://10.0.0.1:554/…"
    assert "s3creta" not in repr(camera)
    with world.admin() as conn:
        stored = conn.execute("select source_url, source_sealed from app.cameras where id = %s", [camera.id]).fetchone()
        dump = str(conn.execute("select * from app.cameras").fetchall())
    assert stored is not None
    assert stored[0] == "rtsp://10.0.0.1:554/canal/1"
    assert len(stored[1]) > 60
    assert "s3creta" not in dump
    assert all("s3creta" not in canon and "canal" not in canon for _, canon in audited(world))


def test_new_address_drops_the_old_credentials_and_new_credentials_keep_the_address() -> None:
    enrolled()
    camera = add_camera(source_url="rtsp://a:b@10.0.0.1/x")

    moved = change(camera, source_url="rtsp://10.0.0.2/y")
    again = change(moved, username="c", password="d")

    assert not moved.has_credentials
    assert again.has_credentials
    assert again.source == "rtsp://10.0.0.2/…"


def test_change_needs_the_present_version_and_tells_it() -> None:
    camera = add_camera()
    changed = change(camera, name="Acceso Norte")

    assert (changed.version, changed.name) == (camera.version + 1, "Acceso Norte")
    with pytest.raises(StaleVersion) as stale:
        change(camera, name="Acceso Sur")
    assert stale.value.extra["version"] == changed.version
    assert get(camera.id).name == "Acceso Norte"


def test_place_changes_the_profile_only_while_nobody_touched_it() -> None:
    camera = add_camera(place="bank")
    square = change(camera, place="square")
    edited = change(square, profile=default_profile("square")[:1])

    assert square.profile == default_profile("square")
    assert change(edited, place="bank").profile == default_profile("square")[:1]


def test_analysis_version_grows_only_with_what_is_analysed() -> None:
    camera = add_camera()
    zone = [{"id": "z", "name": "", "polygon": [[0, 0], [1, 0], [1, 1]]}]

    turned = change(camera, azimuth=90)
    drawn = change(turned, zones=zone)

    assert (turned.version, turned.config_version) == (2, 1)
    assert (drawn.version, drawn.config_version) == (3, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 121}, "name"), ({"place": "moon"}, "place"), ({"kind": "radar"}, "kind"),
        ({"lat": 1.0}, "lat"), ({"lat": 91.0, "lon": 0.0}, "lat"), ({"azimuth": 360}, "azimuth"), ({"fov_deg": 0}, "fov_deg"),
        ({"code": "á b"}, "code"), ({"source_url": "rtsp://8.8.8.8/x"}, "source_url"),
        ({"zones": [{"id": "z", "polygon": [[0, 0]]}]}, "zones"), ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_wrong_field_is_named_and_nothing_is_kept(changes: dict[str, object], field: str) -> None:
    camera = add_camera()

    with pytest.raises(Invalid) as refused:
        change(camera, **changes)

    assert field in refused.value.errors
    assert get(camera.id) == camera


def test_code_of_another_camera_is_refused_but_the_neighbours_is_free() -> None:
    add_camera(code="LPR-01")
    add_camera(THEIRS, code="LPR-02")

    with pytest.raises(CodeTaken):
        add_camera(code="lpr-01")
    assert add_camera(code="LPR-02").code == "LPR-02"


def test_list_is_found_by_words_without_accents_place_kind_and_state() -> None:
    enrolled()
    add_camera(name="Plaza San Martín", place="square", street="Belgrano", between="Mitre y Colón")
    add_camera(name="Banco Nación", place="bank", kind="dome", source_url="")
    add_camera(THEIRS, name="Plaza San Martín", place="square")

    assert listed(text="plaza martin") == ["Plaza San Martín"]
    assert listed(text="MITRE") == ["Plaza San Martín"]
    assert listed(text="100%") == []
    assert listed(place="bank") == ["Banco Nación"]
    assert listed(kind="dome") == ["Banco Nación"]
    assert listed(state="no_signal") == ["Banco Nación"]
    assert listed(state="unknown") == ["Plaza San Martín"]


def test_pages_neither_repeat_nor_skip() -> None:
    for _ in range(7):
        add_camera()
    seen, cursor = [], None
    while True:
        with unit_of_work(WHO, read_only=True):
            page = cameras.list_cameras(WHO, cursor=cursor, limit=3)
        seen += [camera.code for camera in page.items]
        cursor = page.cursor
        if cursor is None:
            break

    assert seen == [f"LA-ACC-0{n}" for n in range(1, 8)]


def test_maintenance_shows_in_the_state_and_asks_for_a_reason() -> None:
    camera = add_camera()
    until = clock.now() + timedelta(hours=2)
    with unit_of_work(WHO), pytest.raises(Invalid):
        cameras.set_maintenance(WHO, camera_id=camera.id, version=1, until=until, reason="")
    with unit_of_work(WHO), pytest.raises(Invalid):
        cameras.set_maintenance(WHO, camera_id=camera.id, version=1, until=clock.now(), reason="Limpieza del domo")

    with unit_of_work(WHO):
        cameras.set_maintenance(WHO, camera_id=camera.id, version=1, until=until, reason="Limpieza del domo")

    shown = get(camera.id)
    assert (shown.state.state, shown.maintenance_until, shown.maintenance_by) == ("maintenance", until, WHO.display_name)
    with unit_of_work(WHO):
        cameras.set_maintenance(WHO, camera_id=camera.id, version=2, until=None, reason="")
    assert get(camera.id).state.state == "unknown"


def test_retired_camera_leaves_the_list_and_no_longer_changes() -> None:
    camera = add_camera()
    with unit_of_work(WHO):
        cameras.decommission_camera(WHO, camera_id=camera.id, version=1)

    assert listed() == []
    assert listed(with_decommissioned=True) == ["Acceso Ruta 3"]
    assert get(camera.id).state.state == "decommissioned"
    with pytest.raises(Decommissioned):
        change(get(camera.id), name="Otra")


def test_operator_reads_and_does_not_edit() -> None:
    operator = actor(OURS, "operador-municipal")
    camera = add_camera()

    with unit_of_work(operator, read_only=True):
        assert cameras.get_camera(operator, camera_id=camera.id).id == camera.id
    with unit_of_work(operator), pytest.raises(Forbidden):
        cameras.create_camera(operator, data=CameraData(name="x"))
    with unit_of_work(operator), pytest.raises(Forbidden):
        cameras.update_camera(operator, camera_id=camera.id, version=1, changes={"name": "x"})
    trainee = actor(OURS, "alumno")
    with unit_of_work(trainee, read_only=True), pytest.raises(Forbidden):
        cameras.get_camera(trainee, camera_id=camera.id)


def report(camera_id: UUID, state: str, *, age_s: float = 1, **changes: object) -> None:
    one = StateReport(camera_id, state, clock.now() - timedelta(seconds=age_s), **changes)  # type: ignore[arg-type]
    with unit_of_work(WHO):
        cameras.report_states(WHO, reports=[one], allowed={camera_id})


def history(camera_id: UUID) -> list[str]:
    with unit_of_work(WHO, read_only=True):
        return [line.state for line in cameras.history(WHO, camera_id=camera_id)]


def notices(world: World) -> list[str]:
    with world.admin() as conn:
        rows = conn.execute("select payload->>'state' from app.tenant_events where kind = 'camera.state' order by seq")
        return [state for (state,) in rows]


def test_state_changes_are_told_once_however_often_they_are_reported(world: World) -> None:
    enrolled()
    camera = add_camera()
    since = clock.now() - timedelta(seconds=60)
    same = StateReport(camera.id, "online", since, recording=True, codec="h264", width=1920, height=1080, fps=25.0)

    for _ in range(3):
        with unit_of_work(WHO):
            cameras.report_states(WHO, reports=[same], allowed={camera.id})
    report(camera.id, "offline", age_s=30, error_code="timeout")

    shown = get(camera.id).state
    assert history(camera.id) == ["offline", "online"]
    assert notices(world) == ["online", "offline"]
    assert (shown.state, shown.error_code, shown.width, shown.recording) == ("offline", "timeout", 1920, False)


def test_older_change_that_arrives_late_completes_the_history_only(world: World) -> None:
    enrolled()
    camera = add_camera()
    report(camera.id, "online", age_s=10)

    report(camera.id, "offline", age_s=50)

    assert get(camera.id).state.state == "online"
    assert history(camera.id) == ["online", "offline"]
    assert notices(world) == ["online"]


def test_state_from_the_future_is_dated_now() -> None:
    enrolled()
    camera = add_camera()

    report(camera.id, "online", age_s=-3600)

    since = get(camera.id).state.since
    assert since is not None
    assert since <= clock.now()


def test_camera_of_a_silent_node_says_that_the_node_is_silent(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    report(camera.id, "online")
    for seconds, state in ((5, "online"), (45, "no_link")):
        with world.admin() as conn:
            conn.execute(
                "update app.nodes set last_seen_at = now() - make_interval(secs => %s) where id = %s",
                [seconds, node.node_id],
            )

        assert get(camera.id).state.state == state
        with unit_of_work(WHO, read_only=True):
            assert cameras.count_by_state(WHO) == {state: 1}


def test_report_of_a_camera_that_is_not_the_nodes_is_ignored() -> None:
    theirs = add_camera(THEIRS)
    with unit_of_work(WHO):
        cameras.report_states(WHO, reports=[StateReport(theirs.id, "online", clock.now())], allowed=set())

    assert get(theirs.id, THEIRS).state.state == "unknown"
