"""Clips, crops and pictures as the pages of the room show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_range_header

from app.evidence.custody import service as custody
from app.evidence.recordings import service
from app.evidence.recordings.types import Media
from app.http.context import current_actor
from app.http.guards import requires
from app.kernel import clock
from app.kernel.errors import DomainError
from app.kernel.permissions import Permission
from app.monitoring.cameras import service as cameras

bp = Blueprint("evidence_recordings", __name__, url_prefix="/sala")

# The content never changes under its name, and a shared computer must not keep it for long.
FOREVER = "private, max-age=3600, immutable"
BRIEFLY = "private, no-cache"
GAP_DAYS = 7


class UnsatisfiableRange(DomainError):
    """The browser asked for bytes that are not there."""

    code = "unsatisfiable-range"
    status = 416
    title = "El tramo pedido no existe"


@bp.get("/clips/<uuid:clip_id>.mp4")
@requires(Permission.ALARM_READ)
def clip(clip_id: UUID) -> ResponseReturnValue:
    """A clip, whole or by ranges; each watching is recorded when its beginning is asked for."""
    actor = current_actor()
    media = service.clip_media(actor, clip_id=clip_id)
    start, length = _range(media.size)
    if start == 0 and request.method == "GET":
        service.note_watching(actor, clip_id=clip_id)
    return _send(media, "video/mp4", start, length, FOREVER)


@bp.get("/imagenes/<string(length=64):sha256>")
@requires(Permission.ALARM_READ)
def image(sha256: str) -> ResponseReturnValue:
    """A crop or a picture of the municipality."""
    return _send(service.image_media(current_actor(), sha256=sha256), "image/jpeg", 0, None, FOREVER)


@bp.get("/camaras/<uuid:camera_id>/ultima.jpg")
@requires(Permission.CAMERA_READ)
def last_frame(camera_id: UUID) -> ResponseReturnValue:
    """The newest snapshot of a camera."""
    return _send(service.frame_media(current_actor(), camera_id=camera_id), "image/jpeg", 0, None, BRIEFLY)


@bp.get("/camaras/<uuid:camera_id>/huecos")
@requires(Permission.CAMERA_READ)
def gaps(camera_id: UUID) -> ResponseReturnValue:
    """What a camera lacks of the last days, and why: a fragment of its page, or a page of its own."""
    actor, since = current_actor(), clock.now() - timedelta(days=GAP_DAYS)
    return render_template(
        "evidence/recordings/gaps.html",
        title="Huecos y borrados",
        camera=cameras.get_camera(actor, camera_id=camera_id),
        gaps=service.gaps_of(actor, camera_id=camera_id, since=since),
        purged=custody.purged_of(actor, camera_id=camera_id, since=since),
        days=GAP_DAYS,
        alone=request.headers.get("HX-Request") != "true",
    )


def _range(size: int) -> tuple[int, int | None]:
    """The part asked for, as start and length (None: to the end). Raises `UnsatisfiableRange`."""
    asked = parse_range_header(request.headers.get("Range"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, None
    bounds = asked.range_for_length(size)
    if bounds is None:
        raise UnsatisfiableRange(f"El archivo tiene {size} bytes.")
    return bounds[0], bounds[1] - bounds[0]


def _send(media: Media, content_type: str, start: int, length: int | None, cache: str) -> Response:
    sent = media.size - start if length is None else length
    partial = length is not None
    body: Iterator[bytes] = iter(()) if request.method == "HEAD" else service.content(media, start=start, length=length)
    response = Response(body, 206 if partial else 200, content_type=content_type)
    response.headers["Content-Length"] = str(sent)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.set_etag(media.sha256)
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{start + sent - 1}/{media.size}"
    else:
        response.make_conditional(request)
    return response
