"""The first page of technical support: what is missing, and how the parts of the service are right now."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.http import health
from app.http.guards import requires
from app.kernel.permissions import Permission

bp = Blueprint("support", __name__, url_prefix="/soporte")

PART_NAMES = {"postgres": "Base de datos", "redis": "Colas y avisos", "keycloak": "Identidad", "assets": "Pantallas"}


@bp.get("/")
@requires(Permission.SUPPORT_DESK_USE, unit=False)
def home() -> str:
    parts = [
        {"name": PART_NAMES.get(name, name), "ok": part.ok, "detail": part.detail, "ms": part.ms}
        for name, part in health.current().parts().items()
    ]
    return render_template("support/home.html", title="Bandeja", parts=parts)
