"""What the child tells the node: batch items built from events and passes, with the pictures that prove them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from workers.analytics.blobs import Blob, BlobFolder
from workers.analytics.pictures import crop, jpeg, shrink
from workers.analytics.plates.desk import Shown
from workers.analytics.plates.passes import Told
from workers.analytics.producers.frames import Frame
from workers.analytics.rules.events import Event

CONTEXT_WIDTH = 640
CROP_MARGIN, CROP_WIDTH = 0.25, 320
ENDED_SUFFIX = ":end"

Emit = Callable[[Mapping[str, Any]], None]


def instant(wall_ns: int) -> str:
    """ISO 8601, UTC, microseconds."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_ns // 1000)
    return at.isoformat(timespec="microseconds")


class Teller:
    """Turns results into lines; safe to call from any thread because `emit` is."""

    def __init__(self, emit: Emit, blobs: BlobFolder, *, session: UUID, epoch: int, run: int,
                 context_images: bool) -> None:
        self._emit, self._blobs = emit, blobs
        self._prefix = f"{session}:{epoch}:{run}"
        self._run, self._context_images = run, context_images

    def event(self, event: Event, frame: Frame) -> None:
        """An event with the picture of its instant; an ended one refers to the key that fired."""
        key, ended = event.key(self._run), event.phase == "ended"
        seen_ns = frame.wall_ns
        began_ns = seen_ns - (event.pts_ns - event.began_pts_ns)
        pictures: list[Blob] = []
        if not ended:
            colour = frame.colour()
            pictures.append(self._blobs.put(jpeg(shrink(colour, CONTEXT_WIDTH))))
            if event.box is not None:
                pictures.append(self._blobs.put(jpeg(shrink(crop(colour, event.box.grown(CROP_MARGIN)), CROP_WIDTH))))
        detail = {
            **event.detail, "began_at": instant(began_ns), "region": event.region, "class": event.cls,
            "box": [round(value, 4) for value in (event.box.x1, event.box.y1, event.box.x2, event.box.y2)]
            if event.box else None,
        }
        self._tell({
            "type": "event", "key": key + ENDED_SUFFIX if ended else key,
            "kind": f"{event.kind}_end" if ended else event.kind, "camera_id": str(event.camera),
            "rule_id": event.rule_id, "seen_at": instant(seen_ns), "ended_at": instant(seen_ns) if ended else None,
            "track": event.track, "severity": event.severity, "detail": detail | ({"of": key} if ended else {}),
            "image_sha": pictures[0].sha256 if pictures else None,
            "crop_sha": pictures[1].sha256 if len(pictures) > 1 else None, "completed_wall_ns": seen_ns,
        }, pictures)

    def plate(self, camera: str, told: Told) -> None:
        """A provisional or final pass; both carry the same pass identity, whoever repeats them."""
        shown, agreed = told.shown.payload, told.consensus
        assert isinstance(shown, Shown)
        key = f"{self._prefix}:{camera}:plate:{told.track}:{told.n}"
        strip = self._blobs.put(jpeg(shown.strip))
        pictures = [strip]
        if self._context_images:
            pictures.append(self._blobs.put(jpeg(shown.context)))
        self._tell({
            "type": "plate_read" if told.phase == "final" else "plate_provisional",
            "pass_id": str(uuid5(NAMESPACE_URL, key)), "camera_id": camera, "seen_at": instant(shown.wall_ns),
            "plate": agreed.text, "raw": agreed.raw, "format": agreed.format, "consensus": agreed.strength,
            "confidence": agreed.posterior, "char_conf": [[char, p] for char, p in agreed.char_conf],
            "crop_sha": strip.sha256, "image_sha": pictures[1].sha256 if len(pictures) > 1 else None,
            "direction": told.direction, "key": key, "completed_wall_ns": _completed_ns(told),
        }, pictures)

    def _tell(self, item: Mapping[str, Any], pictures: list[Blob]) -> None:
        self._emit({"type": "item", "item": item, "blobs": [picture.as_json() for picture in pictures]})


def _completed_ns(told: Told) -> int:
    """When the reading that completed the result was seen, whichever reading is shown."""
    last = max(told.sightings, key=lambda sighting: sighting.at).payload
    assert isinstance(last, Shown)
    return last.wall_ns
