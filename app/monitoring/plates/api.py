"""The API of plates: readings in bulk, searches with their reason, and search lists."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.http.context import current_actor
from app.http.etag import expected_version, tagged
from app.http.guards import read_reason, requires
from app.http.paging import PageArgs, absolute, envelope, next_path
from app.kernel.errors import Invalid
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.plates import service
from app.monitoring.plates.schemas import (
    EntryArgs,
    EntryPageSchema,
    FoundPageSchema,
    HotlistInSchema,
    HotlistPageSchema,
    HotlistSchema,
    ImportAnswerSchema,
    ImportArgs,
    PlateReadBatchSchema,
    ReadBatchAnswerSchema,
    SearchArgs,
    outcome_json,
    read_of,
)
from app.monitoring.plates.types import ImportPlan, Read

bp = Blueprint("plates_api", __name__, url_prefix="/api/v1", description="Lecturas de patentes y listas de búsqueda")

MAX_ENTRIES = 5_000
IMPORT_BODY = 10 * 2**20


def searches_with_reason(view: Any) -> Any:
    """Declares that the view records its own reading: once per search, before the answer. Goes under `@requires`."""
    view.__audited__ = "plates:read:search"
    return view


@bp.route("/plate-reads", methods=["POST"])
@requires(Permission.PLATE_READ_SUBMIT, unit=False)
@bp.arguments(PlateReadBatchSchema)
@bp.response(200, ReadBatchAnswerSchema)
@bp.doc(summary="Enviar lecturas de patentes")
def submit_reads(body: dict[str, Any]) -> Response:
    """Hasta 500 lecturas, con un resultado por cada una. La clave es (client_id, seen_at): repetir el envío no duplica."""
    actor = current_actor()
    parsed = [read_of(item) for item in body["reads"]]
    with unit_of_work(actor):
        batch = service.accept_reads(actor, [read for read in parsed if isinstance(read, Read)])
    service.raise_hits(actor, batch.hits)
    outcomes = iter(batch.outcomes)
    items = [outcome_json(next(outcomes)) if isinstance(read, Read) else read for read in parsed]
    counts = {
        status: sum(item["status"] == status for item in items) for status in ("accepted", "duplicate", "rejected")
    }
    return jsonify(
        items=items, accepted=counts["accepted"], duplicates=counts["duplicate"], rejected=counts["rejected"]
    )


@bp.route("/plate-reads", methods=["GET"])
@requires(Permission.PLATE_READ_SEARCH, limit="plate-search")
@searches_with_reason
@bp.arguments(SearchArgs, location="query")
@bp.response(200, FoundPageSchema)
@bp.doc(
    summary="Buscar lecturas de patentes",
    parameters=[
        {
            "in": "header",
            "name": "Pipc-Reason",
            "required": True,
            "schema": {"type": "string"},
            "description": "Motivo de la búsqueda, en UTF-8 con codificación por ciento; queda en la auditoría",
        }
    ],
)
def search_reads(args: dict[str, Any]) -> dict[str, Any]:
    """Por patente exacta, prefijo o comodines, intervalo y cámara. Cada búsqueda queda registrada con su motivo."""
    actor = current_actor()
    reason = read_reason()
    query = service.make_query(args["plate"], args["since"], args["until"], args["camera_id"])
    if args["cursor"]:
        page = service.continue_search(actor, cursor=args["cursor"], query=query, limit=args["limit"])
    else:
        page = service.open_search(actor, query=query, reason=reason, limit=args["limit"])
    return {
        "items": page.items,
        "next": absolute(next_path(page.cursor)),
        "broad": page.is_broad,
    }


@bp.route("/hotlists", methods=["GET"])
@requires(Permission.HOTLIST_READ)
@bp.arguments(PageArgs, location="query")
@bp.response(200, HotlistPageSchema)
@bp.doc(summary="Listas de búsqueda")
def list_hotlists(args: dict[str, Any]) -> dict[str, Any]:
    page = service.list_hotlists(current_actor(), cursor=args["cursor"], limit=args["limit"])
    return envelope(page, _as_is)


@bp.route("/hotlists", methods=["POST"])
@requires(Permission.HOTLIST_EDIT)
@bp.arguments(HotlistInSchema)
@bp.response(201, HotlistSchema)
@bp.doc(summary="Crear una lista de búsqueda")
def create_hotlist(body: dict[str, Any]) -> Response:
    hotlist = service.create_hotlist(current_actor(), data=service.HotlistData(**body))
    return _answer(hotlist, 201)


@bp.route("/hotlists/<uuid:hotlist_id>", methods=["GET"])
@requires(Permission.HOTLIST_READ)
@bp.response(200, HotlistSchema)
@bp.doc(summary="Una lista de búsqueda")
def get_hotlist(hotlist_id: UUID) -> Response:
    return _answer(service.get_hotlist(current_actor(), hotlist_id=hotlist_id))


@bp.route("/hotlists/<uuid:hotlist_id>", methods=["PUT"])
@requires(Permission.HOTLIST_EDIT)
@bp.arguments(HotlistInSchema)
@bp.response(200, HotlistSchema)
@bp.doc(summary="Modificar una lista de búsqueda")
def update_hotlist(body: dict[str, Any], hotlist_id: UUID) -> Response:
    """Pide If-Match con el ETag de la última lectura."""
    data = service.HotlistData(**body)
    return _answer(
        service.update_hotlist(current_actor(), hotlist_id=hotlist_id, version=expected_version(), data=data)
    )


@bp.route("/hotlists/<uuid:hotlist_id>/entries", methods=["GET"])
@requires(Permission.HOTLIST_READ)
@bp.arguments(EntryArgs, location="query")
@bp.response(200, EntryPageSchema)
@bp.doc(summary="Patentes de una lista")
def list_entries(args: dict[str, Any], hotlist_id: UUID) -> dict[str, Any]:
    page = service.list_entries(
        current_actor(), hotlist_id=hotlist_id, prefix=args["prefix"], cursor=args["cursor"], limit=args["limit"]
    )
    return envelope(page, _as_is)


@bp.route("/hotlists/<uuid:hotlist_id>/entries", methods=["POST"])
@requires(Permission.HOTLIST_EDIT, max_body=IMPORT_BODY)
@bp.arguments(ImportArgs, location="query")
@bp.response(200, ImportAnswerSchema)
@bp.doc(
    summary="Agregar, modificar o dejar sin efecto patentes de una lista",
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["entries"],
                    "properties": {"entries": {"type": "array", "maxItems": MAX_ENTRIES, "items": {"type": "object"}}},
                }
            },
            "text/csv": {"schema": {"type": "string"}},
        },
    },
)
def add_entries(args: dict[str, Any], hotlist_id: UUID) -> dict[str, Any]:
    """Objetos JSON, o un CSV en UTF-8 o Latin-1 separado por «;» o «,». Las filas con errores se informan y el resto se guarda."""
    actor = current_actor()
    if request.is_json:
        plan = service.put_entries(actor, hotlist_id=hotlist_id, items=_json_entries(), dry_run=args["dry_run"])
    elif args["dry_run"]:
        plan = service.preview_csv(actor, hotlist_id=hotlist_id, data=request.get_data())
    else:
        plan = service.import_csv(actor, hotlist_id=hotlist_id, data=request.get_data())
    return _plan_json(plan, dry_run=args["dry_run"])


def _as_is(item: Any) -> Any:
    """The response's schema writes each item."""
    return item


def _json_entries() -> list[Any]:
    body = request.get_json(silent=True)
    entries = body.get("entries") if isinstance(body, dict) else body
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ENTRIES:
        raise Invalid(errors={"entries": [f"Enviar entre 1 y {MAX_ENTRIES} patentes."]})
    return entries


def _plan_json(plan: ImportPlan, *, dry_run: bool) -> dict[str, Any]:
    return {
        "added": len(plan.added),
        "changed": len(plan.changed),
        "revoked": len(plan.revoked),
        "unchanged": plan.unchanged,
        "errors": plan.errors,
        "dry_run": dry_run,
    }


def _answer(hotlist: service.HotlistView, status: int = 200) -> Response:
    response = jsonify(HotlistSchema().dump(hotlist))
    response.status_code = status
    return tagged(response, hotlist.version)
