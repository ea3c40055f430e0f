"""Holds, placed with what asks for them and told to the nodes; tombstones, kept as the nodes report them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from app.audit import service as audit
from app.evidence.custody import queries
from app.evidence.custody.models import Hold, HoldCamera
from app.evidence.custody.types import DEMONSTRATION_HOLD, HELD_AFTER, HELD_BEFORE, PurgedSpan, joined
from app.kernel import clock
from app.kernel.actor import Actor, current
from app.kernel.db import session
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import ActiveHold
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.alarms.types import WITHOUT_FOOTAGE
from app.monitoring.cameras import service as cameras
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes.events import FootageReported
from tenants.core import service as municipalities

TOMBSTONES_READ = 2000
SPANS_SHOWN = 50


class Directory:
    """Answers the nodes' question about holds (`kernel.ports.HoldDirectory`)."""

    def active(self, camera_ids: Collection[UUID]) -> Sequence[ActiveHold]:
        return queries.active(camera_ids, now=clock.now()) if camera_ids else ()


def on_alarm_raised(event: AlarmRaised) -> None:
    """Keep what a demonstration's alarm shows for an hour, though the quota presses. Being told twice changes nothing."""
    if event.rule in WITHOUT_FOOTAGE or not municipalities.own().is_demo or queries.of_alarm(event.alarm_id) is not None:
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


def on_footage_reported(event: FootageReported) -> None:
    """Keep tombstones, once however often they are reported; one audit entry for those of a batch that are new."""
    purges = {purge.purge_id: purge for purge in event.purges}
    if not purges:
        return
    at = clock.now()
    new = queries.add_tombstones(
        [
            {
                "id": purge.purge_id, "camera_id": purge.camera_id, "from_at": purge.from_at, "to_at": purge.to_at,
                "segments": purge.segments, "bytes": purge.bytes, "cause": purge.cause,
                "ordered_at": purge.ordered_at, "deleted_at": purge.deleted_at, "received_at": at,
            }
            for _, purge in sorted(purges.items())
        ]
    )  # fmt: skip
    if not new:
        return
    kept = [purges[purge_id] for purge_id in sorted(new)]
    audit.record(
        "evidence:footage:purge", str(kept[0].purge_id), tramos=len(kept),
        archivos=sum(purge.segments for purge in kept), bytes=sum(purge.bytes for purge in kept),
        camaras=sorted({str(purge.camera_id) for purge in kept}), causas=sorted({purge.cause for purge in kept}),
        desde=min(purge.from_at for purge in kept).isoformat(), hasta=max(purge.to_at for purge in kept).isoformat(),
    )  # fmt: skip


def purged_of(actor: Actor, *, camera_id: UUID, since: datetime) -> list[PurgedSpan]:
    """What was deleted of a camera since then, in unbroken spans, the latest footage first."""
    actor.require(Permission.CAMERA_READ)
    return joined(queries.purged(camera_id, since=since, limit=TOMBSTONES_READ))[-SPANS_SHOWN:][::-1]
