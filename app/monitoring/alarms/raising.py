"""Turns events into alarms: once each, grouped with their repeats, marked in a flood, with the clock of who must be told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.kernel import clock, events, jobs, stream
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.ids import new_id
from app.monitoring.alarms import notices, queries
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.alarms.models import Alarm, AlarmFlood, AlarmOccurrence
from app.monitoring.alarms.types import (
    CAUSE_RULES,
    ESCALATIONS,
    FLOOD_BEGINS_ABOVE,
    FLOOD_CHECK,
    FLOOD_ENDS_BELOW,
    FLOOD_WINDOW,
    LASTING_RULES,
    OLDEST,
    TITLES,
    Candidate,
    Raised,
)
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraName


def raise_from_event(actor: Actor, candidate: Candidate) -> Raised:
    """Raise `candidate`, join it to the open alarm it repeats, or only count it. Doing it again changes nothing.

    Called by the intake of nodes and plates, each event in a small transaction of its own.
    """
    queries.lock_group(candidate.group_key)
    known = queries.alarm_of_event(candidate.key)
    if known is not None:
        return Raised(known, "repeated")
    camera = cameras.names_by_id(actor, {candidate.camera_id}).get(candidate.camera_id)
    if camera is None or _is_old(candidate) or _is_maintained(candidate, camera):
        return Raised(None, "counted")
    group = queries.open_group(candidate.group_key, candidate.occurred_at, lasting=bool(candidate.group))
    if group is not None:
        _join(group, candidate, camera)
        return Raised(group.id, "grouped")
    return Raised(_raise(candidate, camera).id, "raised")


def end_event(actor: Actor, *, key: str, ended_at: datetime) -> None:
    """The condition behind event `key` is over; its alarm stops being active once all of its events are."""
    occurrence = queries.occurrence(key)
    if occurrence is None or occurrence.ended_at is not None:
        return
    occurrence.ended_at = ended_at
    session().flush()  # the next query must see this event as ended
    alarm = queries.find(occurrence.alarm_id, lock=True)
    if alarm is not None and alarm.active and not queries.has_lasting(alarm.id):
        alarm.active = False
        notices.updated(actor, alarm)


def mark_entries_revoked(actor: Actor, *, entry_ids: Collection[UUID], at: datetime) -> None:
    """Say on the open alarms of these list entries that the order behind them is no longer in force."""
    if not entry_ids:
        return
    for alarm in queries.of_entries(entry_ids):
        alarm.entry_revoked_at = at
        audit.record("alarms:alarm:entry_revoked", f"alarma:{alarm.id}", entrada=str(alarm.hotlist_entry_id))
        notices.handled(actor, alarm)


def escalate(actor: Actor, *, alarm_id: UUID, step: str) -> None:
    """Insist or tell the shift supervisor about an alarm that nobody took. Only taking it stops this, not looking at it."""
    alarm = queries.find(alarm_id, lock=True)
    if alarm is None or alarm.state != "new":
        return
    if step == "supervisor":
        if alarm.escalated_at is not None:
            return
        alarm.escalated_at = clock.now()
        audit.record("alarms:alarm:escalate", f"alarma:{alarm.id}", a="supervisor")
    notices.escalated(actor, alarm, step)


def watch_flood(actor: Actor) -> None:
    """End the open flood once few alarms keep coming; otherwise look again in a minute."""
    flood = queries.open_flood(lock=True)
    if flood is None:
        return
    recent = queries.raised_since(clock.now() - FLOOD_WINDOW)
    flood.peak = max(flood.peak, recent)
    if recent < FLOOD_ENDS_BELOW:
        flood.ended_at = clock.now()
        stream.append("console.notice", str(flood.id), {"notice": "flood_ended", "at": clock.now()})
    else:
        jobs.after_commit("alarms.watch_flood", run_at=clock.now() + FLOOD_CHECK)


def _is_old(candidate: Candidate) -> bool:
    return (candidate.received_at or clock.now()) - candidate.occurred_at > OLDEST


def _is_maintained(candidate: Candidate, camera: CameraName) -> bool:
    """Somebody was working on the camera: what it saw then is kept and never alarmed."""
    return candidate.rule not in CAUSE_RULES and camera.is_in_maintenance(candidate.occurred_at)


def _join(alarm: Alarm, candidate: Candidate, camera: CameraName) -> None:
    """One more occurrence. A repeat of higher priority raises the whole group and sounds again."""
    priority = _priority(candidate)
    louder = priority < alarm.priority
    alarm.count += 1
    alarm.last_at = max(alarm.last_at, candidate.occurred_at)
    alarm.priority = min(alarm.priority, priority)
    alarm.active = alarm.active or _is_active(candidate)
    _add_occurrence(alarm.id, candidate)
    if louder:
        _arm_escalations(alarm, since=clock.now())
    notices.grouped(alarm, camera, louder=louder)


def _raise(candidate: Candidate, camera: CameraName) -> Alarm:
    now = clock.now()
    alarm = _new_alarm(candidate, camera, now)
    session().add(alarm)
    session().flush()  # the occurrence refers to the row, and the flood is counted with it
    _add_occurrence(alarm.id, candidate)
    alarm.in_flood = _note_flood(now)
    _arm_escalations(alarm, since=now)
    audit.record(
        "alarms:alarm:raise",
        f"alarma:{alarm.id}",
        regla=alarm.rule,
        tipo=alarm.title_code,
        prioridad=alarm.priority,
        camara=str(alarm.camera_id),
        evento=candidate.key,
    )
    notices.raised(alarm, camera)
    events.publish(
        AlarmRaised(
            alarm_id=alarm.id,
            camera_id=alarm.camera_id,
            rule=alarm.rule,
            priority=alarm.priority,
            detected_at=alarm.detected_at,
            raised_at=alarm.raised_at,
            crop_sha=alarm.crop_sha,
            snapshot_sha=alarm.snapshot_sha,
            is_demo=alarm.is_demo,
        )
    )
    return alarm


def _new_alarm(candidate: Candidate, camera: CameraName, now: datetime) -> Alarm:
    plate = candidate.plate
    return Alarm(
        id=new_id(),
        rule=candidate.rule,
        rule_id=candidate.rule_id,
        title_code=candidate.code,
        priority=_priority(candidate),
        state="new",
        active=_is_active(candidate),
        camera_id=candidate.camera_id,
        group_key=candidate.group_key,
        count=1,
        first_at=candidate.occurred_at,
        last_at=candidate.occurred_at,
        detected_at=candidate.occurred_at,
        raised_at=now,
        in_flood=False,
        plate=plate.plate if plate else None,
        plate_read_id=plate.read_id if plate else None,
        hotlist_entry_id=plate.entry_id if plate else None,
        match=plate.match if plate else None,
        note="",
        crop_sha=candidate.crop_sha,
        snapshot_sha=candidate.snapshot_sha,
        steps_done=[],
        detail=candidate.detail | ({"entry": plate.entry} if plate else {}),
        version=1,
        is_demo=camera.is_demo,
    )


def _priority(candidate: Candidate) -> int:
    return candidate.priority or TITLES[candidate.code].priority


def _is_active(candidate: Candidate) -> bool:
    return candidate.rule in LASTING_RULES and candidate.ended_at is None


def _add_occurrence(alarm_id: UUID, candidate: Candidate) -> None:
    instant = None if _is_active(candidate) else candidate.ended_at or candidate.occurred_at
    session().add(
        AlarmOccurrence(
            id=new_id(),
            alarm_id=alarm_id,
            event_key=candidate.key,
            occurred_at=candidate.occurred_at,
            ended_at=instant,
            payload=candidate.detail | {"crop_sha": candidate.crop_sha, "snapshot_sha": candidate.snapshot_sha},
        )
    )


def _arm_escalations(alarm: Alarm, *, since: datetime) -> None:
    for delay, step in ESCALATIONS.get(alarm.priority, ()):
        jobs.after_commit(
            "alarms.escalate",
            dedupe=f"{alarm.id}:{alarm.priority}:{step}",
            run_at=since + delay,
            alarm_id=alarm.id,
            step=step,
        )


def _note_flood(now: datetime) -> bool:
    """Whether the room is in a flood, opening one when this alarm is the one too many."""
    flood = queries.open_flood()
    recent = queries.raised_since(now - FLOOD_WINDOW)
    if flood is not None or recent <= FLOOD_BEGINS_ABOVE:
        return flood is not None
    queries.lock_group("flood")
    if queries.open_flood() is None:
        flood = AlarmFlood(id=new_id(), started_at=now, ended_at=None, peak=recent)
        session().add(flood)
        stream.append("console.notice", str(flood.id), {"notice": "flood_began", "alarms": recent, "at": now})
        jobs.after_commit("alarms.watch_flood", run_at=now + FLOOD_CHECK)
    return True


def supervisor_due(alarm: Alarm) -> datetime | None:
    """When the supervisor is told about an alarm nobody takes."""
    delay: timedelta | None = next((d for d, step in ESCALATIONS.get(alarm.priority, ()) if step == "supervisor"), None)
    return alarm.raised_at + delay if delay is not None and alarm.state == "new" else None
