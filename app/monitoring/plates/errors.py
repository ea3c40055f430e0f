"""Refusals of the plates area."""

from __future__ import annotations

from app.kernel.errors import Conflict, NotFound


class HotlistNotFound(NotFound):
    """There is no such list in this municipality."""

    code = "hotlist-not-found"
    title = "No encontramos esa lista"


class EntryNotFound(NotFound):
    """The list has no such entry."""

    code = "hotlist-entry-not-found"
    title = "No encontramos esa patente en la lista"


class SearchNotFound(NotFound):
    """The search does not exist, is somebody else's or has expired: a new one needs a new reason."""

    code = "plate-search-not-found"
    title = "La búsqueda venció o no existe"


class HotlistNameTaken(Conflict):
    """Another list of the municipality has that name."""

    code = "hotlist-name-taken"
    title = "Ya hay una lista con ese nombre"


class HotlistTooLargeForTolerance(Conflict):
    """Tolerant matching multiplies false hits, so only small lists may have it."""

    code = "hotlist-too-large-for-tolerance"
    title = "Sólo las listas de hasta 10.000 patentes admiten coincidencias aproximadas"


class DraftNotFound(NotFound):
    """The uploaded file was already imported, was replaced, or is somebody else's."""

    code = "hotlist-draft-not-found"
    title = "El archivo ya no está: volver a subirlo"
