"""What consoles are told of an alarm: enough to sound and to place the card, which each page then asks for.

Only what people decide moves the version: a repeat or an escalation must not make the operator's click fail as stale.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.kernel import clock, stream
from app.kernel.actor import Actor
from app.monitoring.alarms.models import Alarm
from app.monitoring.alarms.types import TITLES
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraName


def raised(alarm: Alarm, camera: CameraName) -> None:
    stream.append("alarm.raised", str(alarm.id), _payload(alarm, camera))


def grouped(alarm: Alarm, camera: CameraName, *, louder: bool) -> None:
    """A repeat joined the alarm; `louder` sounds again because its priority rose."""
    stream.append("alarm.updated", str(alarm.id), _payload(alarm, camera) | {"count": alarm.count, "insist": louder})


def updated(actor: Actor, alarm: Alarm) -> None:
    """The alarm changed."""
    stream.append("alarm.updated", str(alarm.id), _payload(alarm, _camera(actor, alarm)))


def escalated(actor: Actor, alarm: Alarm, step: str) -> None:
    """Nobody took the alarm in time."""
    payload = _payload(alarm, _camera(actor, alarm))
    stream.append("alarm.updated", str(alarm.id), payload | {"insist": True})
    if step == "supervisor":
        stream.append("console.notice", str(alarm.id), payload | {"notice": "supervisor"})


def clip_ready(actor: Actor, alarm: Alarm, clip_id: UUID) -> None:
    stream.append("alarm.clip", str(alarm.id), _payload(alarm, _camera(actor, alarm)) | {"clip": str(clip_id)})


def handled(actor: Actor, alarm: Alarm) -> None:
    """Somebody decided something: the version moves so that an older page cannot write over it."""
    alarm.version += 1
    updated(actor, alarm)


def _camera(actor: Actor, alarm: Alarm) -> CameraName | None:
    return cameras.names_by_id(actor, {alarm.camera_id}).get(alarm.camera_id)


def _payload(alarm: Alarm, camera: CameraName | None) -> dict[str, Any]:
    return {
        "id": str(alarm.id),
        "version": alarm.version,
        "priority": alarm.priority,
        "title": TITLES[alarm.title_code].text,
        "camera": str(alarm.camera_id),
        "camera_name": camera.name if camera else "",
        "at": alarm.detected_at,
        "state": alarm.state,
        "quiet": alarm.in_flood and alarm.priority >= 3,
        "sent_at": clock.now(),
    }
