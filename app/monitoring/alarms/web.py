"""The page of all alarms; the console is where they are handled."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.guards import requires
from app.http.paging import next_path
from app.kernel.permissions import Permission
from app.monitoring.alarms import service
from app.monitoring.alarms.types import OPEN_STATES, PRIORITY_LABELS, STATE_LABELS, AlarmFilter
from app.monitoring.cameras import service as cameras

bp = Blueprint("alarms", __name__, url_prefix="/sala/alarmas")

PAGE = 50
_STATES = [("open", "Sin terminar"), *STATE_LABELS.items()]


@bp.get("/")
@requires(Permission.ALARM_READ)
def list_alarms() -> ResponseReturnValue:
    """Alarms newest first, narrowed by the address."""
    actor = current_actor()
    asked = {name: request.args.get(name, "") for name in ("estado", "prioridad", "camara")}
    page = service.list_alarms(actor, wanted=_filter(asked), cursor=request.args.get("cursor"), limit=PAGE)
    known = cameras.live_cameras(actor) if actor.can(Permission.CAMERA_READ) else []
    return render_template(
        "monitoring/alarms/list.html",
        title="Alarmas",
        alarms=page.items,
        next=next_path(page.cursor),
        wanted={"state": asked["estado"], "priority": asked["prioridad"], "camera": asked["camara"]},
        states=_STATES,
        priorities=[(str(number), label) for number, label in PRIORITY_LABELS.items()],
        cameras=[(str(camera.id), camera.name) for camera in known],
    )


def _filter(asked: dict[str, str]) -> AlarmFilter:
    """What the address asks; values that are none of ours ask for nothing."""
    state, priority = asked["estado"], asked["prioridad"]
    states = OPEN_STATES if state == "open" else (state,) if state in STATE_LABELS else ()
    return AlarmFilter(
        states=states,
        priority=int(priority) if priority in {"1", "2", "3", "4"} else None,
        camera_id=_uuid(asked["camara"]),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
