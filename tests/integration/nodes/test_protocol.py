"""Enrolment, desired state, heartbeat, leases and orders of a node."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden, Invalid
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraData, StateReport
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes.errors import LeaseHeld, NodeNotFound, NodeTaken, SessionNotFound
from app.monitoring.nodes.types import Enrolment, Heartbeat, SessionReport
from tenants.core import service as municipalities
from tests.support.nodes import Plugs, add_camera, enrolled, keys, send, session_of
from tests.support.world import OURS, THEIRS, World, actor

pytestmark = pytest.mark.usefixtures("plugs")
LANE = {"id": "c1", "name": "Carril", "polygon": [[0, 0], [1, 0], [1, 1]], "axis": [[0.5, 1], [0.5, 0]]}


def desired(node: Actor, since: int | None = None) -> dict[str, Any] | None:
    with unit_of_work(node, read_only=True):
        return nodes.desired_state(node, since=since)


def known(node: Actor) -> dict[str, Any]:
    found = desired(node)
    assert found is not None
    return found


def beat(node: Actor, *reports: StateReport, sessions: tuple[SessionReport, ...] = ()) -> Any:
    with unit_of_work(node):
        return nodes.heartbeat(node, beat=Heartbeat("1.0", clock.now(), tuple(reports), sessions))


def test_enrolment_takes_the_cameras_that_waited_for_a_node() -> None:
    waiting = add_camera(name="Antes")
    neighbour = add_camera(THEIRS)

    node = enrolled()

    assert [row["id"] for row in known(node)["cameras"]] == [str(waiting.id)]
    assert waiting.node_id is None
    with unit_of_work(actor(THEIRS), read_only=True):
        assert cameras.get_camera(actor(THEIRS), camera_id=neighbour.id).node_id is None


def test_client_is_one_node_only() -> None:
    node = enrolled()

    with unit_of_work(actor()), pytest.raises(NodeTaken):
        nodes.enrol_node(actor(), enrolment=Enrolment(uuid4(), "otro", node.user_id, keys()[1], "t"))
    operator = actor(OURS, "operador-municipal")
    with unit_of_work(operator), pytest.raises(Forbidden):
        nodes.enrol_node(operator, enrolment=Enrolment(uuid4(), "otro", "nodo-x", keys()[1], "t"))


def test_client_that_is_no_node_of_the_municipality_gets_nothing() -> None:
    node = enrolled()
    elsewhere = Actor(kind="node", tenant_id=THEIRS, user_id=node.user_id, permissions=node.permissions)

    assert desired(node) is not None
    with pytest.raises(NodeNotFound):
        desired(elsewhere)
    with pytest.raises(NodeNotFound):
        send(elsewhere)
    with pytest.raises(Forbidden):
        desired(actor())


def test_desired_state_says_all_a_node_must_know() -> None:
    node = enrolled()
    entrance = add_camera(source_url="rtsp://u:p@10.0.0.1/main", sub_url="rtsp://10.0.0.1/sub", lanes=[LANE])
    square = add_camera(
        place="square", name="Plaza", source_url="rtsp://10.0.0.2/main", sub_url="rtsp://10.0.0.2/sub", record=False
    )
    add_camera(name="Sin señal", source_url="")
    enrolled(THEIRS)
    add_camera(THEIRS, name="Ajena")

    state = known(node)

    tenant = municipalities.by_id(OURS)
    assert (state["schema"], state["tenant"], state["tenant_slug"]) == (1, str(tenant.uuid), tenant.slug)
    assert state["node_id"] == str(node.node_id)
    assert state["demonstration"] is True
    assert state["camera_networks"] == ["10.0.0.0/8", "127.0.0.0/8"]
    assert [row["name"] for row in state["cameras"]] == ["Acceso Ruta 3", "Plaza"]
    first, second = state["cameras"]
    assert first["source"]["url"] == "rtsp://10.0.0.1/main"
    assert len(base64.b64decode(first["source"]["sealed"])) > 60
    assert second["source"]["sealed"] is None
    assert (first["sub"], first["record"], second["record"]) == ("rtsp://10.0.0.1/sub", True, False)
    (session,) = state["sessions"]
    watched = {row["id"]: row for row in session["cameras"]}
    assert (watched[str(entrance.id)]["stream"], watched[str(square.id)]["stream"]) == ("main", "sub")
    assert [rule["kind"] for rule in watched[str(entrance.id)]["rules"]] == ["plate", "wrong_way", "tamper"]
    assert [rule["kind"] for rule in watched[str(square.id)]["rules"]] == ["zone_enter", "dwell", "tamper"]
    assert watched[str(entrance.id)]["lanes"][0]["axis"] == LANE["axis"]


def test_version_grows_with_every_change_a_node_must_know_and_only_then() -> None:
    node = enrolled()
    enrolled(THEIRS)
    start = known(node)["version"]
    camera = add_camera()
    added = known(node)["version"]
    add_camera(THEIRS)
    with unit_of_work(actor()):
        cameras.update_camera(actor(), camera_id=camera.id, version=1, changes={"name": "Norte"})
    renamed = known(node)["version"]
    with unit_of_work(actor()):
        cameras.decommission_camera(actor(), camera_id=camera.id, version=2)
    retired = known(node)["version"]

    assert start < added < renamed < retired
    assert renamed == added + 1
    assert desired(node, since=retired) is None
    assert known(node)["cameras"] == []
    assert known(node)["sessions"] == []


def test_camera_in_maintenance_is_recorded_and_analysed_on() -> None:
    """A node asks again only when something changes, and nothing does when maintenance ends by its time."""
    node = enrolled()
    camera = add_camera()
    version = known(node)["version"]
    with unit_of_work(actor()):
        cameras.set_maintenance(
            actor(), camera_id=camera.id, version=1, until=clock.now() + timedelta(hours=1), reason="Cambio de domo"
        )

    assert [row["id"] for row in known(node)["cameras"]] == [str(camera.id)]
    assert [row["id"] for row in known(node)["sessions"][0]["cameras"]] == [str(camera.id)]
    assert known(node)["version"] == version


def test_heartbeat_keeps_cameras_sessions_and_time(world: World) -> None:
    node = enrolled()
    camera, foreign = add_camera(), add_camera(THEIRS)
    session_id = session_of(world, node)
    version = known(node)["version"]

    answer = beat(
        node, StateReport(camera.id, "online", clock.now(), recording=True), StateReport(foreign.id, "online", clock.now()),
        sessions=(SessionReport(session_id, "running", "", 3), SessionReport(uuid4(), "running", "", 3)),
    )  # fmt: skip

    assert answer.desired_version == version + 1  # the deployment's policy was new to this node
    assert beat(node).desired_version == version + 1
    with unit_of_work(actor(), read_only=True):
        assert cameras.get_camera(actor(), camera_id=camera.id).state.state == "online"
        assert nodes.list_nodes(actor())[0].last_seen_at is not None
    with world.admin() as conn:
        assert conn.execute("select state, config_version from app.analysis_sessions where id = %s", [session_id]).fetchone() == (
            "running", 3,
        )  # fmt: skip
        assert conn.execute("select count(*) from app.camera_states where tenant_id = %s", [THEIRS]).fetchone() == (0,)


def test_lease_is_taken_by_one_renewed_by_it_and_fenced_by_its_epoch(world: World) -> None:
    node = enrolled()
    session_id = session_of(world, node)

    def acquire(holder: str) -> int:
        with unit_of_work(node):
            return nodes.acquire_lease(node, session_id=session_id, holder=holder).epoch

    def renew(holder: str, epoch: int) -> int:
        with unit_of_work(node):
            return nodes.renew_lease(node, session_id=session_id, holder=holder, epoch=epoch).epoch

    first = acquire("a")
    with pytest.raises(LeaseHeld):
        acquire("b")
    assert renew("a", first) == first
    _expire(world)
    assert renew("a", first) == first  # also after it expired, as long as nobody took it
    _expire(world)
    second = acquire("b")
    assert second == first + 1
    with pytest.raises(LeaseHeld):
        renew("a", first)
    assert acquire("b") == second + 1  # its holder, started again, does not wait for itself


def _expire(world: World) -> None:
    with world.admin() as conn:
        conn.execute("update app.session_leases set expires_at = now() - interval '1 second'")


def test_session_of_another_municipality_is_not_there(world: World) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    foreign = session_of(world, theirs)

    with unit_of_work(ours), pytest.raises(SessionNotFound):
        nodes.acquire_lease(ours, session_id=foreign, holder="a")
    with unit_of_work(ours), pytest.raises(SessionNotFound):
        nodes.renew_lease(ours, session_id=foreign, holder="a", epoch=1)
    with unit_of_work(theirs):
        assert nodes.acquire_lease(theirs, session_id=foreign, holder="a").epoch == 1


def test_address_is_tried_by_the_node_and_its_report_comes_back() -> None:
    node = enrolled()
    with unit_of_work(actor()):
        order_id = nodes.check_source(actor(), data=CameraData(name="", source_url="rtsp://u:p@10.0.0.9/x"))

    (order,) = beat(node).orders
    answer = send(
        node, {"type": "order_result", "order_id": str(order_id), "state": "done", "report": {"ok": True, "codec": "h264"}}
    )

    assert (order.id, order.kind) == (order_id, "check_source")
    assert order.params["source"]["url"] == "rtsp://10.0.0.9/x"
    assert order.params["source"]["sealed"]
    assert answer.accepted == [0]
    assert answer.orders == []
    with unit_of_work(actor(), read_only=True):
        assert nodes.order_of(actor(), order_id=order_id)[1:] == (
            "done", {"error": None, "report": {"ok": True, "codec": "h264"}},
        )  # fmt: skip
    with unit_of_work(actor(THEIRS), read_only=True), pytest.raises(NodeNotFound):
        nodes.order_of(actor(THEIRS), order_id=order_id)


def test_bad_address_or_no_node_is_told_at_once() -> None:
    with unit_of_work(actor()), pytest.raises(NodeNotFound):
        nodes.check_source(actor(), data=CameraData(name="", source_url="rtsp://10.0.0.9/x"))
    enrolled()
    for url in ("", "rtsp://8.8.8.8/x"):
        with unit_of_work(actor()), pytest.raises(Invalid):
            nodes.check_source(actor(), data=CameraData(name="", source_url=url))


def test_blob_is_kept_under_its_own_digest_for_its_own_municipality(plugs: Plugs) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of "foo"

    def put(node: Actor, content: bytes) -> bool:
        with unit_of_work(node, read_only=True):
            home = nodes.blob_home(node)
        return nodes.store_blob(node, home=home, sha256=sha256, chunks=iter([content]))

    with pytest.raises(Invalid):
        put(ours, b"bar")
    assert put(ours, b"foo") is True
    assert put(ours, b"foo") is False
    with unit_of_work(ours, read_only=True):
        assert nodes.has_blob(ours, sha256=sha256)
    with unit_of_work(theirs, read_only=True):
        assert not nodes.has_blob(theirs, sha256=sha256)
