"""Pages of the Dirección: the board, the municipalities, bringing one in, and who may do what."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.guards import requires
from app.kernel.errors import Invalid
from app.kernel.permissions import DESCRIPTIONS, ROLES, Permission
from tenants.admin import board, service
from tenants.admin.types import STATES, Summary

bp = Blueprint("direction", __name__, url_prefix="/direccion")

_ROLE_KINDS = (("municipal", "Funciones de los municipios"), ("provincial", "Funciones de la Provincia"))


def reads_across_municipalities(view: Any) -> Any:
    """Declares that the view's reading is recorded, with its motive, before its first row. Goes under `@requires`."""
    view.__audited__ = "province:tenants:read"
    return view


@bp.get("/")
@requires(Permission.PROVINCE_BOARD_READ)
@reads_across_municipalities
def home() -> ResponseReturnValue:
    """The board."""
    actor = current_actor()
    context = board.board(
        service.overview(actor),
        sort=request.args.get("sort", ""),
        may_add=actor.can(Permission.PROVINCE_MUNICIPALITY_ADMIN),
    )
    return render_template("screens/board/page.html", board=context)


@bp.get("/municipios/")
@requires(Permission.PROVINCE_BOARD_READ)
@reads_across_municipalities
def list_municipalities() -> ResponseReturnValue:
    """The 135, narrowed by state or by a piece of the name."""
    actor = current_actor()
    asked = {name: request.args.get(name, "") for name in ("estado", "nombre")}
    rows = [each for each in service.overview(actor).municipalities if _is_asked(each, asked)]
    return render_template(
        "tenants/admin/municipalities.html",
        title="Municipios",
        rows=rows,
        asked=asked,
        states=list(STATES.items()),
        may_add=actor.can(Permission.PROVINCE_MUNICIPALITY_ADMIN),
    )


@bp.get("/municipios/<slug>")
@requires(Permission.PROVINCE_BOARD_READ)
@reads_across_municipalities
def show_municipality(slug: str) -> ResponseReturnValue:
    """One municipality: what it is, how it does, and its state in the identity service."""
    summary = service.get_municipality(current_actor(), slug=slug)
    return render_template("tenants/admin/municipality.html", title=summary.tenant.name, municipality=summary)


@bp.get("/municipios/alta")
@requires(Permission.PROVINCE_MUNICIPALITY_ADMIN)
def new_municipality() -> ResponseReturnValue:
    return _add_page(request.args.get("municipio", ""))


@bp.post("/municipios/alta")
@requires(Permission.PROVINCE_MUNICIPALITY_ADMIN, unit=False)
def add_municipality() -> ResponseReturnValue:
    """Bring a municipality in."""
    slug, reason = request.form.get("municipio", ""), request.form.get("motivo", "")
    try:
        tenant = service.activate(current_actor(), slug=slug, reason=reason)
    except Invalid as refusal:
        return _add_page(slug, reason, refusal.errors), 422
    return redirect(url_for("direction.show_municipality", slug=tenant.slug), 303)


@bp.get("/roles/")
@requires(Permission.PROVINCE_ROLES_READ)
def roles() -> ResponseReturnValue:
    """Who may do what, from the table that decides it."""
    tables = [
        {
            "title": title,
            "roles": held,
            "permissions": [p for p in Permission if any(p in role.permissions for role in held)],
        }
        for kind, title in _ROLE_KINDS
        for held in [[role for role in ROLES.values() if role.kind == kind]]
    ]
    return render_template(
        "tenants/admin/roles.html", title="Funciones y permisos", tables=tables, descriptions=DESCRIPTIONS
    )


def _is_asked(each: Summary, asked: dict[str, str]) -> bool:
    name = asked["nombre"].strip().lower()
    return (not asked["estado"] or each.tenant.state == asked["estado"]) and name in each.tenant.name.lower()


def _add_page(slug: str, reason: str = "", errors: Any = None) -> str:
    return render_template(
        "tenants/admin/add.html",
        title="Sumar municipio",
        choices=[(tenant.slug, tenant.name) for tenant in service.inactive(current_actor())],
        slug=slug,
        reason=reason,
        errors=errors,
    )
