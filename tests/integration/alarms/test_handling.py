"""The whole matrix of what people may do with an alarm in each state, and by whom."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from app.kernel import clock
from app.kernel.errors import Conflict, Forbidden, Invalid, StaleVersion
from app.kernel.ids import new_id
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.errors import AlarmNotFound, AlarmStateConflict, ReadingNotConfirmed
from app.monitoring.alarms.types import AlarmFilter, Candidate
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World, actor

CONFIRMED = alarms.Verification(outcome="confirmed")


def new_alarm(world: World, *, plate: str | None = None, consensus: str = "strong", tenant: int = OURS) -> UUID:
    """An open alarm: a wrong-way one, or a hit of `plate`."""
    camera = make_camera(world, tenant)
    if plate is None:
        with unit_of_work(node(tenant)):
            raised = alarms.raise_from_event(node(tenant), Candidate(str(new_id()), "wrong_way", camera, clock.now()))
        assert raised.alarm_id is not None
        return raised.alarm_id
    make_hotlist(tenant, plate)
    submit(node(tenant), read(camera, plate, consensus=consensus))
    with world.admin() as conn:
        row = conn.execute("select id from app.alarms where plate = %s", (plate,)).fetchone()
    assert row is not None
    return row[0]


def get(alarm_id: UUID, tenant: int = OURS) -> alarms.AlarmView:
    who = actor(tenant)
    with unit_of_work(who, read_only=True):
        return alarms.get_alarm(who, alarm_id=alarm_id)


def do(action: str, alarm_id: UUID, *, tenant: int = OURS, user: str = "persona-1", **values: Any) -> alarms.AlarmView:
    """Act on the alarm with its present version."""
    who = actor(tenant, user=user, display_name=f"Agente {user}")
    version = values.pop("version", None) or get(alarm_id, tenant).version
    with unit_of_work(who):
        getattr(alarms, action)(who, alarm_id=alarm_id, version=version, **values)
    return get(alarm_id, tenant)


ACTIONS: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "verify": {"step": CONFIRMED},
    "discard": {"code": "SOMBRA"},
    "close": {"outcome": "false"},
}
ALLOWED = {
    "new": {"acknowledge": "taken", "verify": "verified", "discard": "discarded"},
    "taken": {"verify": "verified", "discard": "discarded", "close": "closed"},
    "verified": {"verify": "verified", "close": "closed"},
    "discarded": {},
    "closed": {},
}
PATHS: dict[str, list[str]] = {
    "new": [],
    "taken": ["acknowledge"],
    "verified": ["verify"],
    "discarded": ["discard"],
    "closed": ["acknowledge", "close"],
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", PATHS)
def test_every_action_in_every_state(world: World, state: str, action: str) -> None:
    alarm_id = new_alarm(world)
    for step in PATHS[state]:
        do(step, alarm_id, **ACTIONS[step])
    expected = ALLOWED[state].get(action)

    if expected is None:
        with pytest.raises(AlarmStateConflict) as refusal:
            do(action, alarm_id, **ACTIONS[action])
        assert refusal.value.extra["state"] == state
        assert get(alarm_id).state == state
    else:
        assert do(action, alarm_id, **ACTIONS[action]).state == expected


def test_acknowledge_with_an_older_version_names_who_has_it(world: World) -> None:
    alarm_id = new_alarm(world)
    do("acknowledge", alarm_id, user="Medina")

    with pytest.raises(StaleVersion) as refusal:
        do("acknowledge", alarm_id, user="Iturbe", version=1)

    assert "Agente Medina" in refusal.value.detail
    assert (refusal.value.extra["version"], refusal.value.extra["yours"]) == (2, 1)


def test_acknowledge_at_once_has_one_winner(world: World) -> None:
    alarm_id = new_alarm(world)
    results: list[str] = []

    def take(n: int) -> None:
        who = actor(OURS, user=f"p{n}")
        try:
            with unit_of_work(who):
                alarms.acknowledge(who, alarm_id=alarm_id, version=1)
            results.append("won")
        except Conflict:
            results.append("lost")

    threads = [threading.Thread(target=take, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["lost"] * 7 + ["won"]


def test_each_decision_is_recorded_with_its_author(world: World) -> None:
    alarm_id = new_alarm(world)

    do("acknowledge", alarm_id, user="Medina")
    do("close", alarm_id, user="Iturbe", outcome="real", note="Se avisó al patrullero")

    with world.admin() as conn:
        acts = conn.execute(
            "select action, actor from app.audit_entries where action like 'alarms:%' order by seq"
        ).fetchall()
    assert acts == [
        ("alarms:alarm:raise", "nodo-1"),
        ("alarms:alarm:acknowledge", "Medina"),
        ("alarms:alarm:close", "Iturbe"),
    ]
    alarm = get(alarm_id)
    assert (alarm.taken_by_name, alarm.closed_by_name, alarm.note) == (
        "Agente Medina",
        "Agente Iturbe",
        "Se avisó al patrullero",
    )


def test_an_alarm_of_another_municipality_is_not_found_by_any_action(world: World) -> None:
    ours = new_alarm(world)

    for action, values in ACTIONS.items():
        who = actor(THEIRS)
        with unit_of_work(who), pytest.raises(AlarmNotFound):
            getattr(alarms, action)(who, alarm_id=ours, version=1, **values)
    with pytest.raises(AlarmNotFound):
        get(ours, THEIRS)
    assert get(ours).state == "new"


def test_lists_and_queue_show_the_own_municipality_only(world: World) -> None:
    ours, theirs = new_alarm(world), new_alarm(world, tenant=THEIRS)

    for tenant, expected in ((OURS, ours), (THEIRS, theirs)):
        who = actor(tenant)
        with unit_of_work(who, read_only=True):
            listed = alarms.list_alarms(who, wanted=AlarmFilter(), cursor=None, limit=10).items
            queued = alarms.queue(who)
        assert [view.id for view in listed] == [view.id for view in queued] == [expected]


@pytest.mark.parametrize("role", ["alumno", "proveedor"])
def test_people_without_the_permission_may_not_act(world: World, role: str) -> None:
    alarm_id = new_alarm(world)
    who = actor(OURS, role)

    with unit_of_work(who), pytest.raises(Forbidden):
        alarms.acknowledge(who, alarm_id=alarm_id, version=1)

    assert do("acknowledge", alarm_id).state == "taken"


@pytest.mark.parametrize(
    ("plate", "code", "note", "field"),
    [
        (None, "INVENTADO", "", "code"),
        (None, "LECTURA", "", "code"),
        ("ZA482QK", "ANIMAL", "", "code"),
        (None, "OTRA", " ", "note"),
    ],
)
def test_discard_with_a_code_that_does_not_fit_is_refused(
    world: World, plate: str | None, code: str, note: str, field: str
) -> None:
    alarm_id = new_alarm(world, plate=plate)

    with pytest.raises(Invalid) as refusal:
        do("discard", alarm_id, code=code, note=note)

    assert list(refusal.value.errors) == [field]


def test_closing_a_critical_alarm_needs_a_note(world: World) -> None:
    alarm_id = new_alarm(world, plate="ZA482QK")
    do("verify", alarm_id, step=CONFIRMED)

    with pytest.raises(Invalid):
        do("close", alarm_id, outcome="real")

    assert do("close", alarm_id, outcome="real", note="Interceptado").close_outcome == "real"


def test_a_plate_hit_is_real_only_when_confirmed_and_not_denied_by_the_source(world: World) -> None:
    alarm_id = new_alarm(world, plate="ZA482QK")
    do("acknowledge", alarm_id)
    with pytest.raises(ReadingNotConfirmed):
        do("close", alarm_id, outcome="real", note="x")
    with pytest.raises(ReadingNotConfirmed):
        do("verify", alarm_id, step=alarms.Verification(source="valid"))

    assert do("verify", alarm_id, step=CONFIRMED).is_confirmed
    assert do("verify", alarm_id, step=alarms.Verification(source="valid")).is_confirmed
    denied = do("verify", alarm_id, step=alarms.Verification(source="void"))

    assert (denied.is_confirmed, denied.source_outcome) == (False, "void")
    with pytest.raises(ReadingNotConfirmed):
        do("close", alarm_id, outcome="real", note="x")


def test_verify_as_not_matching_discards(world: World) -> None:
    alarm_id = new_alarm(world, plate="ZA482QK")

    alarm = do("verify", alarm_id, step=alarms.Verification(outcome="no_match"))

    assert (alarm.state, alarm.discard_code, alarm.reading_outcome) == ("discarded", "LECTURA", "no_match")


@pytest.mark.parametrize(
    "step",
    [
        alarms.Verification(),
        alarms.Verification(outcome="confirmed", source="valid"),
        alarms.Verification(outcome="sí"),
    ],
)
def test_verify_with_a_malformed_step_is_refused(world: World, step: alarms.Verification) -> None:
    alarm_id = new_alarm(world)

    with pytest.raises(Invalid):
        do("verify", alarm_id, step=step)


def test_a_possible_match_hides_its_entry_until_the_plate_is_typed(world: World) -> None:
    alarm_id = new_alarm(world, plate="ZA482QK", consensus="single")
    hidden = get(alarm_id)
    assert (hidden.entry, hidden.is_entry_shown, hidden.title) == (None, False, "Posible coincidencia de patente")
    with pytest.raises(Invalid):
        do("verify", alarm_id, step=CONFIRMED)

    typed = do("type_plate", alarm_id, typed_plate="za 482 qk")

    assert typed.entry is not None
    assert (typed.entry["plate"], typed.state) == ("ZA482QK", "taken")
    assert do("verify", alarm_id, step=CONFIRMED).is_confirmed


def test_typing_another_plate_discards_a_possible_match(world: World) -> None:
    alarm_id = new_alarm(world, plate="ZA482QK", consensus="weak")

    alarm = do("verify", alarm_id, step=alarms.Verification(outcome="confirmed", typed_plate="ZA482OK"))

    assert (alarm.state, alarm.reading_outcome, alarm.typed_plate) == ("discarded", "no_match", "ZA482OK")


def test_steps_are_ticked_without_moving_the_version(world: World) -> None:
    alarm_id = new_alarm(world)
    who = actor()
    with unit_of_work(who):
        alarms.tick_step(who, alarm_id=alarm_id, step="look", done=True)
    with unit_of_work(who), pytest.raises(Invalid):
        alarms.tick_step(who, alarm_id=alarm_id, step="dance", done=True)

    alarm = get(alarm_id)

    assert [step.done_by for step in alarm.steps] == ["Ana Pérez", None, None, None]
    assert alarm.version == 1


def test_a_repeat_does_not_make_the_operators_click_stale(world: World) -> None:
    camera = make_camera(world)
    for key in ("a", "b"):
        with unit_of_work(node()):
            raised = alarms.raise_from_event(node(), Candidate(key, "dwell", camera, clock.now()))

    assert raised.alarm_id is not None
    assert do("acknowledge", raised.alarm_id, version=1).count == 2


def test_the_clip_is_attached_once_and_announced(world: World) -> None:
    alarm_id, clip = new_alarm(world), new_id()
    for _ in range(2):
        with unit_of_work(node()):
            alarms.attach_clip(node(), alarm_id=alarm_id, clip_id=clip)

    with world.admin() as conn:
        told = conn.execute("select payload ->> 'clip' from app.tenant_events where kind = 'alarm.clip'").fetchall()
    assert told == [(str(clip),)]
    assert get(alarm_id).clip_id == clip


def test_counts_of_a_period_know_the_false_share(world: World) -> None:
    ids = [new_alarm(world) for _ in range(4)]
    do("discard", ids[0], code="CLIMA")
    do("acknowledge", ids[1])
    do("close", ids[1], outcome="real")
    new_alarm(world, tenant=THEIRS)
    who = actor()

    with unit_of_work(who, read_only=True):
        counts = alarms.count_period(who, hours=8)

    assert (counts.alarms, counts.per_hour, counts.false_share) == (4, 0.5, 0.5)
