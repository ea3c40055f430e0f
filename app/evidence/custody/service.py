"""Holds: placed in the transaction of what asks for them, told to the nodes that keep the footage, ended by their date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from app.audit import service as audit
from app.evidence.custody import queries
from app.evidence.custody.models import Hold, HoldCamera
from app.evidence.custody.types import DEMONSTRATION_HOLD, HELD_AFTER, HELD_BEFORE
from app.kernel import clock
from app.kernel.actor import current
from app.kernel.db import session
from app.kernel.ids import new_id
from app.kernel.ports import ActiveHold
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.cameras import service as cameras
from app.monitoring.nodes import service as nodes
from tenants.core import service as municipalities


class Directory:
    """Answers the nodes' question about holds (`kernel.ports.HoldDirectory`)."""

    def active(self, camera_ids: Collection[UUID]) -> Sequence[ActiveHold]:
        return queries.active(camera_ids, now=clock.now()) if camera_ids else ()


def on_alarm_raised(event: AlarmRaised) -> None:
    """Keep what a demonstration's alarm shows for an hour, though the quota presses. Being told twice changes nothing."""
    if not municipalities.own().is_demo or queries.of_alarm(event.alarm_id) is not None:
        return
    camera = cameras.get_camera(current(), camera_id=event.camera_id)
    if camera.node_id is None or camera.source_kind == "none" or not camera.record:
        return
    from_at, to_at = event.detected_at - HELD_BEFORE, event.detected_at + HELD_AFTER
    now = clock.now()
    hold = Hold(
        id=new_id(), kind="alarma", reason="Alarma de la demostración", alarm_id=event.alarm_id,
        placed_by=current().user_id, placed_at=now, expires_at=now + DEMONSTRATION_HOLD,
    )  # fmt: skip
    session().add(hold)
    session().flush()  # its stretches name this row by foreign key
    session().add(HoldCamera(hold_id=hold.id, camera_id=camera.id, from_at=from_at, to_at=to_at))
    audit.record(
        "evidence:hold:place", str(hold.id), clase=hold.kind, alarma=str(event.alarm_id), camara=str(camera.id),
        desde=from_at.isoformat(), hasta=to_at.isoformat(), vence=(now + DEMONSTRATION_HOLD).isoformat(),
    )  # fmt: skip
    nodes.tell_again(camera.node_id)
