"""The first page of training: what is missing, and what a trainee can do meanwhile."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.http.context import current_actor
from app.http.guards import requires
from app.kernel.permissions import Permission
from app.ui.help import help_pages

bp = Blueprint("lms_catalog", __name__, url_prefix="/capacitacion")

READING = ("primeros-pasos", "consola", "patentes", "problemas")


@bp.get("/")
@requires(Permission.TRAINING_USE, unit=False)
def home() -> str:
    actor = current_actor()
    return render_template(
        "lms/catalog/home.html",
        title="Mis cursos",
        reading=[page for slug, page in help_pages().items() if slug in READING],
        teaches=actor.can(Permission.TRAINING_TEACH),
    )
