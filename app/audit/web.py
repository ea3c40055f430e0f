"""Who did what, for the municipality in its room and for the Dirección in its own."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.audit import service
from app.audit.types import LABELS, Filter, Line
from app.http.context import current_actor
from app.http.guards import requires
from app.http.paging import next_path
from app.kernel.permissions import Permission

bp = Blueprint("audit", __name__)

# What each action was about, where the municipality can look at it.
PLACES = {"room:camera:": "/sala/camaras/", "alarms:alarm:": "/sala/alarmas/", "plates:hotlist:": "/sala/listas/"}
ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
PAGE = 50


@bp.get("/sala/auditoria/")
@requires(Permission.AUDIT_READ)
def room() -> ResponseReturnValue:
    """The municipality's own record."""
    return _page("Quién vio, buscó, tomó o cambió algo en este municipio. Cada asiento está encadenado al anterior.")


@bp.get("/direccion/auditoria/")
@requires(Permission.PROVINCE_AUDIT_READ)
def province() -> ResponseReturnValue:
    """The Province's own record; each municipality sees in its own what was read of it."""
    return _page(
        "Lo que hizo la Provincia, con su motivo. Cada municipio ve en su propio registro lo que se consultó de él."
    )


def _page(lead: str) -> ResponseReturnValue:
    asked = {name: request.args.get(name, "").strip() for name in ("desde", "hasta", "persona", "accion")}
    since, until = _day(asked["desde"]), _day(asked["hasta"])
    wanted = Filter(
        since=since, until=until + timedelta(days=1) if until else None, actor=asked["persona"], action=asked["accion"]
    )
    page = service.list_entries(current_actor(), wanted, cursor=request.args.get("cursor"), limit=PAGE)
    return render_template(
        "audit/list.html", title="Auditoría", lead=lead, lines=page.items, next=next_path(page.cursor), asked=asked,
        place_of=_place_of, actions=sorted(LABELS.items(), key=lambda item: item[1]),
    )  # fmt: skip


def _place_of(line: Line) -> str:
    """The page of what the line is about, or nothing: the Province has no pages of the rooms."""
    if current_actor().kind != "municipal":
        return ""
    try:
        thing = UUID(line.target.rpartition(":")[2])
    except ValueError:
        return ""
    return next((f"{place}{thing}" for action, place in PLACES.items() if line.action.startswith(action)), "")


def _day(text: str) -> datetime | None:
    """Midnight of that day in Buenos Aires; what is not a date asks for nothing."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), ZONE)
    except ValueError:
        return None
