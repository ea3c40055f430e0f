"""Refusals of the alarm desk."""

from __future__ import annotations

from app.kernel.errors import Conflict, NotFound


class AlarmNotFound(NotFound):
    """There is no such alarm in this municipality."""

    code = "alarm-not-found"
    title = "No encontramos esa alarma"


class AlarmStateConflict(Conflict):
    """The alarm's handling does not allow the action; `extra` carries the present state and what it does allow."""

    code = "alarm-state"
    title = "La alarma ya no admite esa acción"


class ReadingNotConfirmed(Conflict):
    """A plate hit needs its reading confirmed first."""

    code = "reading-not-confirmed"
    title = "Primero hay que confirmar la lectura de la patente"
