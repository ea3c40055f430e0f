"""The API of the alarm desk. Actions carry `If-Match` with the version that was read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask_smorest import Blueprint

from app.http.context import current_actor
from app.http.etag import expected_version, tagged
from app.http.guards import requires
from app.http.paging import envelope
from app.kernel.permissions import Permission
from app.monitoring.alarms import service
from app.monitoring.alarms.schemas import (
    AlarmArgs,
    AlarmPageSchema,
    AlarmSchema,
    CloseSchema,
    DiscardSchema,
    VerifySchema,
    dump,
)
from app.monitoring.alarms.types import OPEN_STATES, AlarmFilter

bp = Blueprint("alarms_api", __name__, url_prefix="/api/v1/alarms", description="Alarmas de la sala de monitoreo")


@bp.route("", methods=["GET"])
@requires(Permission.ALARM_READ)
@bp.arguments(AlarmArgs, location="query")
@bp.response(200, AlarmPageSchema)
@bp.doc(summary="Alarmas, de la más nueva a la más vieja")
def list_alarms(args: dict[str, Any]) -> dict[str, Any]:
    states = {each for state in args["state"] for each in (OPEN_STATES if state == "open" else (state,))}
    wanted = AlarmFilter(
        states=tuple(sorted(states)),
        priority=args["priority"],
        camera_id=args["camera_id"],
        rule=args["rule"],
        plate=args["plate"],
        raised_from=args["since"],
        raised_until=args["until"],
    )
    page = service.list_alarms(current_actor(), wanted=wanted, cursor=args["cursor"], limit=args["limit"])
    return envelope(page, lambda alarm: alarm)


@bp.route("/<uuid:alarm_id>", methods=["GET"])
@requires(Permission.ALARM_READ)
@bp.response(200, AlarmSchema)
@bp.doc(summary="Una alarma, con el ETag de su versión")
def get_alarm(alarm_id: UUID) -> Response:
    return _answer(alarm_id)


@bp.route("/<uuid:alarm_id>/acknowledge", methods=["POST"])
@requires(Permission.ALARM_ACKNOWLEDGE)
@bp.response(200, AlarmSchema)
@bp.doc(summary="Tomar una alarma")
def acknowledge(alarm_id: UUID) -> Response:
    service.acknowledge(current_actor(), alarm_id=alarm_id, version=expected_version())
    return _answer(alarm_id)


@bp.route("/<uuid:alarm_id>/verify", methods=["POST"])
@requires(Permission.ALARM_VERIFY)
@bp.arguments(VerifySchema)
@bp.response(200, AlarmSchema)
@bp.doc(summary="Verificar la lectura, y después la fuente")
def verify(body: dict[str, Any], alarm_id: UUID) -> Response:
    step = service.Verification(**body)
    service.verify(current_actor(), alarm_id=alarm_id, version=expected_version(), step=step)
    return _answer(alarm_id)


@bp.route("/<uuid:alarm_id>/discard", methods=["POST"])
@requires(Permission.ALARM_DISCARD)
@bp.arguments(DiscardSchema)
@bp.response(200, AlarmSchema)
@bp.doc(summary="Descartar una alarma con un código")
def discard(body: dict[str, Any], alarm_id: UUID) -> Response:
    service.discard(current_actor(), alarm_id=alarm_id, version=expected_version(), **body)
    return _answer(alarm_id)


@bp.route("/<uuid:alarm_id>/close", methods=["POST"])
@requires(Permission.ALARM_CLOSE)
@bp.arguments(CloseSchema)
@bp.response(200, AlarmSchema)
@bp.doc(summary="Cerrar una alarma con su resultado")
def close(body: dict[str, Any], alarm_id: UUID) -> Response:
    service.close(current_actor(), alarm_id=alarm_id, version=expected_version(), **body)
    return _answer(alarm_id)


def _answer(alarm_id: UUID) -> Response:
    alarm = service.get_alarm(current_actor(), alarm_id=alarm_id)
    return tagged(jsonify(dump(alarm)), alarm.version)
