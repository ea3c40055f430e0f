"""What was recorded: hours and gaps as nodes report them, and the clip of each alarm from its order to its watching."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.evidence.recordings import queries
from app.evidence.recordings.errors import ClipNotFound, ClipWaiting, ImageNotFound
from app.evidence.recordings.models import Clip
from app.evidence.recordings.types import CLIP_AFTER, CLIP_BEFORE, ClipView, GapView, Media
from app.kernel import clock
from app.kernel.actor import Actor, current
from app.kernel.db import session
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import object_storage
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.alarms.types import WITHOUT_FOOTAGE, Candidate
from app.monitoring.cameras import service as cameras
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes.events import FootageReported, Gap, OrderFinished
from tenants.core import service as municipalities

GAPS_SHOWN = 50
STORAGE = "storage_exhausted"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def on_alarm_raised(event: AlarmRaised) -> None:
    """Ask the camera's node for the seconds around the alarm, in the alarm's own transaction."""
    if event.rule in WITHOUT_FOOTAGE:
        return
    actor = current()
    camera = cameras.get_camera(actor, camera_id=event.camera_id)
    if camera.node_id is None or camera.source_kind == "none" or not camera.record:
        return
    if queries.clip_of_alarm(event.alarm_id) is not None:
        return
    from_at, to_at = event.detected_at - CLIP_BEFORE, event.detected_at + CLIP_AFTER
    order_id = nodes.place_order(
        actor, kind="cut_clip", camera_id=camera.id, node_id=camera.node_id, alarm_id=event.alarm_id,
        from_at=from_at, to_at=to_at,
    )  # fmt: skip
    session().add(
        Clip(
            id=new_id(), alarm_id=event.alarm_id, camera_id=camera.id, order_id=order_id, from_at=from_at, to_at=to_at,
            state="waiting", is_demo=event.is_demo, created_at=clock.now(),
        )
    )  # fmt: skip


def on_order_finished(event: OrderFinished) -> None:
    """Bind the clip a node cut to its alarm, or note why there is none. Being told twice changes nothing."""
    if event.kind != "cut_clip":
        return
    clip = queries.clip_of_order(event.order_id)
    if clip is None or clip.state == "ready":
        return
    result = event.result
    if event.state == "failed" or object_storage().stat(municipalities.own().uuid, result["sha256"]) is None:
        clip.state, clip.error = "failed", result.get("error") or "missing_content"
        return
    clip.state, clip.ready_at = "ready", clock.now()
    clip.sha256, clip.bytes = result["sha256"], result["bytes"]
    clip.codec, clip.duration_ms = result["codec"], result["duration_ms"]
    clip.from_at = datetime.fromisoformat(result["from_at"])
    clip.to_at = max(datetime.fromisoformat(result["to_at"]), clip.from_at + timedelta(milliseconds=1))
    audit.record("evidence:clip:keep", str(clip.id), alarma=str(clip.alarm_id), sha256=clip.sha256, bytes=clip.bytes)
    alarms.attach_clip(current(), alarm_id=clip.alarm_id, clip_id=clip.id)


def on_footage_reported(event: FootageReported) -> None:
    """Keep hours and gaps, once however often they are reported."""
    at = clock.now()
    hours = {(hour.camera_id, hour.hour_at, hour.part): hour for hour in event.hours}
    if hours:
        queries.add_hours(
            [
                {
                    "camera_id": hour.camera_id, "hour_at": hour.hour_at, "part": hour.part,
                    "segments": hour.segments, "bytes": hour.bytes, "recorded_ms": hour.recorded_ms,
                    "chain_hash": bytes.fromhex(hour.chain_sha), "received_at": at,
                }
                for _, hour in sorted(hours.items())
            ]
        )  # fmt: skip
    gaps = {gap.gap_id: gap for gap in event.gaps}
    if gaps:
        queries.add_gaps(
            [
                {
                    "id": gap.gap_id, "camera_id": gap.camera_id, "from_at": gap.from_at,
                    "to_at": None if gap.to_at is None else max(gap.from_at, gap.to_at), "cause": gap.cause,
                    "code": gap.code, "reported_at": at,
                }
                for _, gap in sorted(gaps.items())
            ]
        )  # fmt: skip
        _tell_storage([gap for _, gap in sorted(gaps.items()) if gap.code == "hold_only"])


def _tell_storage(gaps: Sequence[Gap]) -> None:
    """Nothing on a volume may be deleted any more: one alarm of the room while any camera goes unrecorded for that.

    An open gap alarms however late the link lets it arrive: it is still going on.
    """
    actor = current()
    for gap in gaps:
        key = f"gap:{gap.gap_id}"
        if gap.to_at is not None:
            alarms.end_event(actor, key=key, ended_at=gap.to_at)
            continue
        alarms.raise_from_event(
            actor,
            Candidate(
                key=key, rule=STORAGE, camera_id=gap.camera_id, occurred_at=gap.from_at, received_at=gap.from_at,
                group=STORAGE, detail={"code": gap.code},
            ),
        )  # fmt: skip


def clips_of(actor: Actor, alarm_ids: Collection[UUID]) -> dict[UUID, ClipView]:
    """The clips of those alarms, by alarm."""
    actor.require(Permission.ALARM_READ)
    return queries.clip_views(alarm_ids) if alarm_ids else {}


def clip_media(actor: Actor, *, clip_id: UUID) -> Media:
    """What to send to somebody who watches a clip. Raises `ClipNotFound` or `ClipWaiting`."""
    actor.require(Permission.ALARM_READ)
    clip = queries.clip(clip_id)
    if clip is None or clip.state == "failed":
        raise ClipNotFound()
    if clip.state == "waiting" or clip.sha256 is None:
        raise ClipWaiting("Suele estar listo unos segundos después de la alarma.")
    media = _media(clip.sha256)
    if media is None:
        raise ClipNotFound()
    return media


def note_watching(actor: Actor, *, clip_id: UUID) -> None:
    """Record, committed before the first byte is sent, that somebody watched a clip."""
    audit.record_apart(actor, "evidence:clip:watch", str(clip_id))


def image_media(actor: Actor, *, sha256: str) -> Media:
    """What to send of a picture of the acting municipality. Raises `ImageNotFound`."""
    actor.require(Permission.ALARM_READ)
    media = _media(sha256)
    if media is None:
        raise ImageNotFound()
    return media


def frame_media(actor: Actor, *, camera_id: UUID) -> Media:
    """The newest snapshot of a camera. Raises `CameraNotFound` or `ImageNotFound`."""
    sha256 = cameras.last_frame(actor, camera_id=camera_id)
    media = _media(sha256) if sha256 else None
    if media is None:
        raise ImageNotFound("La cámara todavía no envió ninguna imagen.")
    return media


def content(media: Media, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of what `clip_media` or `image_media` allowed."""
    return object_storage().open(media.tenant, media.sha256, start, length)


def gaps_of(actor: Actor, *, camera_id: UUID, since: datetime) -> list[GapView]:
    """The gaps of a camera since then, the newest first."""
    actor.require(Permission.CAMERA_READ)
    return queries.gaps(camera_id, since=since, limit=GAPS_SHOWN)


def _media(sha256: str) -> Media | None:
    if not _SHA256.fullmatch(sha256):
        return None
    home = municipalities.own().uuid
    stored = object_storage().stat(home, sha256)
    return None if stored is None else Media(home, sha256, stored.size)
