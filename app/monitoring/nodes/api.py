"""The node protocol: desired state, heartbeat, leases, batches and blobs. Tenant and node come from the token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from app.http.context import current_actor
from app.http.guards import requires
from app.kernel.errors import DomainError, Invalid
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras.types import StateReport
from app.monitoring.nodes import service
from app.monitoring.nodes.desired import order_document
from app.monitoring.nodes.schemas import (
    BatchAnswerSchema,
    BatchSchema,
    DesiredArgs,
    DesiredSchema,
    HeartbeatAnswerSchema,
    HeartbeatSchema,
    LeaseArgs,
    LeaseSchema,
)
from app.monitoring.nodes.types import Batch, Fence, Heartbeat, SessionReport

bp = Blueprint(
    "nodes_api", __name__, url_prefix="/api/v1/nodes/self", description="Lo que un nodo municipal dice y pide"
)

MAX_BATCH = 8 * 2**20
MAX_BLOB = 64 * 2**20
CHUNK = 2**20
BLOB_TYPES = ("image/jpeg", "video/mp4")


class UnsupportedBlob(DomainError):
    """Only pictures and clips are kept."""

    code = "unsupported-blob"
    status = 415
    title = "Sólo se guardan imágenes JPEG y videos MP4"


@bp.get("/desired")
@requires(Permission.NODE_REPORT)
@bp.arguments(DesiredArgs, location="query")
@bp.response(200, DesiredSchema)
@bp.alt_response(304, description="La versión que el nodo ya conoce")
@bp.doc(summary="Estado deseado del nodo")
def desired(args: dict[str, Any]) -> Any:
    """What this node must record, analyse and do."""
    document = service.desired_state(current_actor(), since=args["since"])
    return Response(status=304) if document is None else document


@bp.post("/heartbeat")
@requires(Permission.NODE_REPORT, idempotent=True)
@bp.arguments(HeartbeatSchema)
@bp.response(200, HeartbeatAnswerSchema)
@bp.doc(summary="Latido del nodo")
def heartbeat(body: dict[str, Any]) -> Any:
    """How this node and its cameras are."""
    beat = Heartbeat(
        version=body["version"] or "", recorded_until=body["recorded_until"],
        cameras=tuple(StateReport(**row) for row in body["cameras"]),
        sessions=tuple(
            SessionReport(row["session_id"], row["state"], row["detail"] or "", row["config_version"] or 0)
            for row in body["sessions"]
        ),
    )  # fmt: skip
    answer = service.heartbeat(current_actor(), beat=beat)
    return {
        "desired_version": answer.desired_version,
        "orders": [order_document(order) for order in answer.orders],
        "server_time": answer.server_time.isoformat(),
    }


@bp.post("/batches")
@requires(Permission.NODE_REPORT, unit=False, max_body=MAX_BATCH)
@bp.arguments(BatchSchema)
@bp.response(200, BatchAnswerSchema)
@bp.alt_response(409, description="`stale_epoch`: otro proceso tomó la sesión")
@bp.doc(summary="Lote de lecturas, eventos y resultados")
def batches(body: dict[str, Any]) -> Any:
    """Up to 500 reads, events, gaps, hours, states and results, each answered apart; sending it again changes nothing."""
    fence = body["session"]
    batch = Batch(body["batch_id"], Fence(fence["session_id"], fence["epoch"]) if fence else None, body["items"])
    answer = service.accept_batch(current_actor(), batch=batch)
    return {
        "accepted": answer.accepted,
        "rejected": answer.rejected,
        "orders": [order_document(order) for order in answer.orders],
    }


@bp.post("/leases/<uuid:session_id>")
@requires(Permission.NODE_REPORT, idempotent=True)
@bp.arguments(LeaseArgs)
@bp.response(200, LeaseSchema)
@bp.alt_response(409, description="`lease_held`: otro proceso la tiene")
@bp.doc(summary="Tomar o renovar una sesión de análisis")
def lease(body: dict[str, Any], session_id: UUID) -> Any:
    """Take (without `epoch`) or renew (with it) the lease of an analysis session, for 15 s."""
    if body["epoch"] is None:
        return service.acquire_lease(current_actor(), session_id=session_id, holder=body["holder"])
    return service.renew_lease(current_actor(), session_id=session_id, holder=body["holder"], epoch=body["epoch"])


@bp.route("/blobs/<string(length=64):sha256>")
class Blob(MethodView):
    @requires(Permission.NODE_REPORT)
    @bp.response(200)
    @bp.alt_response(404, description="No está guardado")
    @bp.doc(summary="Saber si una imagen o un clip ya está guardado")
    def head(self, sha256: str) -> Any:
        """Whether a picture or clip is already kept."""
        _check_digest(sha256)
        return Response(status=200 if service.has_blob(current_actor(), sha256=sha256) else 404)

    @requires(Permission.NODE_REPORT, unit=False, max_body=MAX_BLOB)
    @bp.response(201)
    @bp.alt_response(200, description="Ya estaba guardado")
    @bp.doc(summary="Guardar una imagen o un clip")
    def put(self, sha256: str) -> Any:
        """Keep a JPEG picture or an MP4 clip under its own digest."""
        if request.mimetype not in BLOB_TYPES:
            raise UnsupportedBlob()
        _check_digest(sha256)
        actor = current_actor()
        with unit_of_work(actor, read_only=True):
            home = service.blob_home(actor)
        is_new = service.store_blob(actor, home=home, sha256=sha256, chunks=_body())
        return Response(status=201 if is_new else 200)


def _check_digest(sha256: str) -> None:
    if not all(char in "0123456789abcdef" for char in sha256):
        raise Invalid("La dirección lleva un SHA-256 en hexadecimal.")


def _body() -> Iterator[bytes]:
    while chunk := request.stream.read(CHUNK):
        yield chunk
