"""The operator's console and its fragments: the queue, one alarm, and what is done with it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.forms import sent_version
from app.http.guards import requires
from app.kernel.permissions import Permission
from app.monitoring.alarms import service as alarms
from app.monitoring.live import service

bp = Blueprint("live", __name__, url_prefix="/sala")


@bp.get("/")
@requires(Permission.CONSOLE_USE)
def console() -> ResponseReturnValue:
    """The console, on the alarm that `alarma` names."""
    chosen = request.args.get("alarma", type=UUID)
    return render_template("screens/console/page.html", console=service.console(current_actor(), alarm_id=chosen))


@bp.get("/cola")
@requires(Permission.CONSOLE_USE)
def queue() -> ResponseReturnValue:
    """The queue; `alarma` says which one is on the spot."""
    console = service.queue(current_actor())
    selected = {"alarm_id": request.args.get("alarma", type=UUID)}
    shown = {"queue": console.queue, "counts": console.counts, "spot": selected}
    return render_template("screens/console/queue.html", console=shown, alone=True)


@bp.get("/turno")
@requires(Permission.CONSOLE_USE)
def shift() -> ResponseReturnValue:
    """The counts of the last hours."""
    return service.shift(current_actor())


@bp.get("/alarmas/<uuid:alarm_id>")
@requires(Permission.ALARM_READ)
def alarm(alarm_id: UUID) -> ResponseReturnValue:
    """One alarm: a fragment for the console, a page of its own for who does not use it."""
    actor = current_actor()
    if request.headers.get("HX-Request") == "true":
        return _card(alarm_id)
    if actor.can(Permission.CONSOLE_USE):
        return redirect(url_for("live.console", alarma=alarm_id), 303)
    console = service.card(actor, alarm_id=alarm_id)
    return render_template(
        "monitoring/live/alarm.html", title=console.spot.title if console.spot else "Alarma", spot=console.spot
    )


@bp.post("/alarmas/<uuid:alarm_id>/tomar")
@requires(Permission.ALARM_ACKNOWLEDGE)
def acknowledge(alarm_id: UUID) -> ResponseReturnValue:
    alarms.acknowledge(current_actor(), alarm_id=alarm_id, version=sent_version())
    return _after(alarm_id)


@bp.post("/alarmas/<uuid:alarm_id>/escribir")
@requires(Permission.ALARM_VERIFY)
def type_plate(alarm_id: UUID) -> ResponseReturnValue:
    """What the operator reads in the crop of a possible match."""
    typed = request.form.get("typed_plate", "")
    alarms.type_plate(current_actor(), alarm_id=alarm_id, version=sent_version(), typed_plate=typed)
    return _after(alarm_id)


@bp.post("/alarmas/<uuid:alarm_id>/confirmar")
@requires(Permission.ALARM_VERIFY)
def verify(alarm_id: UUID) -> ResponseReturnValue:
    """The reading's outcome, or the answer of the source."""
    form = request.form
    step = alarms.Verification(
        outcome=form.get("outcome"),
        source=form.get("source"),
        typed_plate=form.get("typed_plate", ""),
        note=form.get("note", ""),
    )
    alarms.verify(current_actor(), alarm_id=alarm_id, version=sent_version(), step=step)
    return _after(alarm_id)


@bp.post("/alarmas/<uuid:alarm_id>/descartar")
@requires(Permission.ALARM_DISCARD)
def discard(alarm_id: UUID) -> ResponseReturnValue:
    form = request.form
    alarms.discard(
        current_actor(), alarm_id=alarm_id, version=sent_version(), code=form.get("code", ""), note=form.get("note", "")
    )
    return _after(alarm_id)


@bp.post("/alarmas/<uuid:alarm_id>/cerrar")
@requires(Permission.ALARM_CLOSE)
def close(alarm_id: UUID) -> ResponseReturnValue:
    form = request.form
    alarms.close(
        current_actor(),
        alarm_id=alarm_id,
        version=sent_version(),
        outcome=form.get("outcome", ""),
        note=form.get("note", ""),
    )
    return _after(alarm_id)


@bp.post("/alarmas/<uuid:alarm_id>/pasos/<step>")
@requires(Permission.ALARM_ACKNOWLEDGE)
def tick(alarm_id: UUID, step: str) -> ResponseReturnValue:
    """Tick or untick a step of the procedure."""
    actor = current_actor()
    alarms.tick_step(actor, alarm_id=alarm_id, step=step, done=request.form.get("done") == "1")
    if request.headers.get("HX-Request") == "true":
        return render_template("screens/console/side.html", console=service.card(actor, alarm_id=alarm_id), alone=False)
    return redirect(url_for("live.console", alarma=alarm_id), 303)


def _after(alarm_id: UUID) -> ResponseReturnValue:
    """The alarm as it became."""
    if request.headers.get("HX-Request") == "true":
        return _card(alarm_id)
    return redirect(url_for("live.console", alarma=alarm_id), 303)


def _card(alarm_id: UUID) -> str:
    return render_template("screens/console/card.html", console=service.card(current_actor(), alarm_id=alarm_id))
