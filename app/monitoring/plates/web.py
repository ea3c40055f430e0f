"""Pages of plates: searches with their reason and export, and search lists with the import of a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.forms import options, sent_version
from app.http.guards import requires
from app.http.paging import next_path
from app.kernel.errors import Invalid
from app.kernel.permissions import Permission
from app.monitoring.cameras import service as cameras
from app.monitoring.plates import service
from app.monitoring.plates.forms import EntryForm, HotlistForm, ImportForm, SearchForm
from app.monitoring.plates.types import LIST_KINDS, LIST_ORIGINS

bp = Blueprint("plates", __name__, url_prefix="/sala")

PAGE = 50
UPLOAD = 12 * 2**20
# Where the refusals of a search belong in its form.
_FIELDS = {"plate": "plate", "from": "since"}


@bp.get("/patentes/")
@requires(Permission.PLATE_READ_SEARCH)
def ask() -> ResponseReturnValue:
    """The empty form."""
    return _search_page(SearchForm())


@bp.post("/patentes/")
@requires(Permission.PLATE_READ_SEARCH, limit="plate-search")
def search() -> ResponseReturnValue:
    """Open a search and go to its results, whose address can be reloaded without searching again."""
    form = SearchForm.from_request()
    if not form.validate():
        return _search_page(form, form.errors), 422
    try:
        query = service.make_query(form.plate.data or "", *form.interval, form.camera_id)
    except Invalid as refusal:
        return _search_page(form, {_FIELDS.get(name, name): said for name, said in refusal.errors.items()}), 422
    reason = " ".join((form.motivo.data or "").split())
    page = service.open_search(current_actor(), query=query, reason=reason, limit=PAGE)
    return redirect(url_for("plates.results", search_id=page.search_id), 303)


@bp.get("/patentes/<uuid:search_id>")
@requires(Permission.PLATE_READ_SEARCH)
def results(search_id: UUID) -> ResponseReturnValue:
    """A page of an open search."""
    actor = current_actor()
    cursor = request.args.get("cursor")
    if cursor:
        page = service.continue_search(actor, cursor=cursor, query=None, limit=PAGE)
    else:
        page = service.results(actor, search_id=search_id, after=None, limit=PAGE)
    camera = cameras.names_by_id(actor, {page.query.camera_id}) if page.query.camera_id else {}
    return render_template(
        "monitoring/plates/results.html",
        title="Lecturas encontradas",
        page=page,
        next=next_path(page.cursor),
        camera=next(iter(camera.values()), None),
    )


@bp.post("/patentes/<uuid:search_id>/exportar")
@requires(Permission.PLATE_READ_SEARCH, limit="export")
def export(search_id: UUID) -> Response:
    """The results as CSV."""
    lines = "".join(service.export(current_actor(), search_id=search_id))
    name = f"lecturas-{str(search_id)[:8]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(lines, mimetype="text/csv", headers=headers)


@bp.get("/listas/")
@requires(Permission.HOTLIST_READ)
def list_hotlists() -> ResponseReturnValue:
    """Every list of the municipality."""
    page = service.list_hotlists(current_actor(), cursor=request.args.get("cursor"), limit=PAGE)
    return render_template(
        "monitoring/plates/hotlists.html",
        title="Listas de búsqueda",
        lists=page.items,
        next=next_path(page.cursor),
        **_words(),
    )


@bp.get("/listas/nueva")
@requires(Permission.HOTLIST_EDIT)
def new_hotlist() -> ResponseReturnValue:
    return _hotlist_form(HotlistForm())


@bp.post("/listas/nueva")
@requires(Permission.HOTLIST_EDIT)
def create_hotlist() -> ResponseReturnValue:
    form = HotlistForm.from_request()
    if not form.validate():
        return _hotlist_form(form, errors=form.errors), 422
    try:
        hotlist = service.create_hotlist(current_actor(), data=_data(form))
    except Invalid as refusal:
        return _hotlist_form(form, errors=refusal.errors), 422
    return redirect(url_for("plates.show_hotlist", hotlist_id=hotlist.id), 303)


@bp.get("/listas/<uuid:hotlist_id>")
@requires(Permission.HOTLIST_READ)
def show_hotlist(hotlist_id: UUID) -> ResponseReturnValue:
    """A list and its plates."""
    return _hotlist_page(hotlist_id, EntryForm())


@bp.post("/listas/<uuid:hotlist_id>/patentes")
@requires(Permission.HOTLIST_EDIT)
def add_entry(hotlist_id: UUID) -> ResponseReturnValue:
    """Add one plate, or change the one of the same case."""
    form = EntryForm.from_request()
    if not form.validate():
        return _hotlist_page(hotlist_id, form, form.errors), 422
    item = {name: value for name, value in form.data.items() if value}
    plan = service.put_entries(current_actor(), hotlist_id=hotlist_id, items=[item])
    if plan.errors:
        return _hotlist_page(hotlist_id, form, {error.field: [error.message] for error in plan.errors}), 422
    return redirect(url_for("plates.show_hotlist", hotlist_id=hotlist_id), 303)


@bp.post("/listas/<uuid:hotlist_id>/sin-efecto")
@requires(Permission.HOTLIST_EDIT)
def revoke_entry(hotlist_id: UUID) -> ResponseReturnValue:
    """The order on a plate is no longer in force: it stops matching at once."""
    item = {"plate": request.form.get("plate", ""), "case_no": request.form.get("case_no", ""), "revoked_at": True}
    plan = service.put_entries(current_actor(), hotlist_id=hotlist_id, items=[item])
    if plan.errors:
        raise Invalid(errors={"plate": [error.message for error in plan.errors]})
    return redirect(url_for("plates.show_hotlist", hotlist_id=hotlist_id), 303)


@bp.get("/listas/<uuid:hotlist_id>/editar")
@requires(Permission.HOTLIST_EDIT)
def edit_hotlist(hotlist_id: UUID) -> ResponseReturnValue:
    hotlist = service.get_hotlist(current_actor(), hotlist_id=hotlist_id)
    fields = ("name", "kind", "origin", "refresh_hours", "tolerant", "source_version", "version")
    form = HotlistForm(
        data={name: getattr(hotlist, name) for name in fields} | {"severity": str(hotlist.severity or "")}
    )
    return _hotlist_form(form, hotlist)


@bp.post("/listas/<uuid:hotlist_id>/editar")
@requires(Permission.HOTLIST_EDIT)
def update_hotlist(hotlist_id: UUID) -> ResponseReturnValue:
    hotlist = service.get_hotlist(current_actor(), hotlist_id=hotlist_id)
    form = HotlistForm.from_request()
    if not form.validate():
        return _hotlist_form(form, hotlist, form.errors), 422
    service.update_hotlist(current_actor(), hotlist_id=hotlist_id, version=sent_version(), data=_data(form))
    return redirect(url_for("plates.show_hotlist", hotlist_id=hotlist_id), 303)


@bp.get("/listas/<uuid:hotlist_id>/importar")
@requires(Permission.HOTLIST_EDIT)
def choose_file(hotlist_id: UUID) -> ResponseReturnValue:
    hotlist = service.get_hotlist(current_actor(), hotlist_id=hotlist_id)
    return _import_page(hotlist, None)


@bp.post("/listas/<uuid:hotlist_id>/importar")
@requires(Permission.HOTLIST_EDIT, limit="upload", max_body=UPLOAD)
def upload_file(hotlist_id: UUID) -> ResponseReturnValue:
    """Keep the file and show what it would change."""
    actor = current_actor()
    sent = request.files.get("file")
    try:
        draft_id = service.upload_draft(
            actor,
            hotlist_id=hotlist_id,
            filename=(sent.filename or "") if sent else "",
            data=sent.read() if sent else b"",
        )
    except Invalid as refusal:
        return _import_page(service.get_hotlist(actor, hotlist_id=hotlist_id), refusal.errors), 422
    return redirect(url_for("plates.preview_import", hotlist_id=hotlist_id, draft_id=draft_id), 303)


@bp.get("/listas/<uuid:hotlist_id>/importar/<uuid:draft_id>")
@requires(Permission.HOTLIST_EDIT)
def preview_import(hotlist_id: UUID, draft_id: UUID) -> ResponseReturnValue:
    """What the file would change, row by row where it cannot."""
    actor = current_actor()
    return render_template(
        "monitoring/plates/import_preview.html",
        title="Revisar la importación",
        hotlist=service.get_hotlist(actor, hotlist_id=hotlist_id),
        draft=service.get_draft(actor, hotlist_id=hotlist_id, draft_id=draft_id),
    )


@bp.post("/listas/<uuid:hotlist_id>/importar/<uuid:draft_id>")
@requires(Permission.HOTLIST_EDIT)
def apply_import(hotlist_id: UUID, draft_id: UUID) -> ResponseReturnValue:
    """Import the file as it was shown."""
    plan = service.apply_draft(current_actor(), hotlist_id=hotlist_id, draft_id=draft_id, version=sent_version())
    return render_template(
        "monitoring/plates/import_done.html",
        title="Importación terminada",
        hotlist=service.get_hotlist(current_actor(), hotlist_id=hotlist_id),
        plan=plan,
    )


def _hotlist_page(hotlist_id: UUID, form: EntryForm, errors: Any = None) -> str:
    actor = current_actor()
    prefix = request.args.get("patente", "")
    entries = service.list_entries(
        actor, hotlist_id=hotlist_id, prefix=prefix, cursor=request.args.get("cursor"), limit=PAGE
    )
    hotlist = service.get_hotlist(actor, hotlist_id=hotlist_id)
    return render_template(
        "monitoring/plates/hotlist.html",
        title=hotlist.name,
        hotlist=hotlist,
        entries=entries.items,
        next=next_path(entries.cursor),
        prefix=prefix,
        form=form,
        errors=errors,
        may_edit=actor.can(Permission.HOTLIST_EDIT),
        **_words(),
    )


def _hotlist_form(form: HotlistForm, hotlist: service.HotlistView | None = None, errors: Any = None) -> str:
    title = f"Modificar «{hotlist.name}»" if hotlist else "Nueva lista"
    return render_template(
        "monitoring/plates/hotlist_form.html", title=title, form=form, hotlist=hotlist, errors=errors
    )


def _import_page(hotlist: service.HotlistView, errors: Any) -> str:
    return render_template(
        "monitoring/plates/import.html", title="Importar patentes", hotlist=hotlist, form=ImportForm(), errors=errors
    )


def _data(form: HotlistForm) -> service.HotlistData:
    return service.HotlistData(
        name=" ".join((form.name.data or "").split()),
        kind=form.kind.data,
        origin=form.origin.data,
        severity=int(form.severity.data) if form.severity.data else None,
        tolerant=form.tolerant.data,
        refresh_hours=form.refresh_hours.data,
        source_version=(form.source_version.data or "").strip(),
    )


def _words() -> dict[str, Any]:
    return {"kinds": LIST_KINDS, "origins": LIST_ORIGINS}


def _search_page(form: SearchForm, errors: object = None) -> str:
    actor = current_actor()
    known = cameras.live_cameras(actor)
    form.camera.choices = options([("", "Todas"), *((str(one.id), f"{one.code} · {one.name}") for one in known)])
    return render_template(
        "monitoring/plates/search.html", title="Patentes", form=form, errors=errors, hits=service.recent_hits(actor)
    )
