"""Refusals a use case may give; each carries the words an operator reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal: `code` for machines, `status` for HTTP, `title` and `detail` in Spanish for people."""

    code = "error"
    status = 400
    title = "No se pudo completar la acción"

    def __init__(self, detail: str = "", *, title: str | None = None, **extra: object) -> None:
        super().__init__(detail or title or self.title)
        self.detail = detail
        if title is not None:
            self.title = title
        self.extra = extra


class NotFound(DomainError):
    """The thing does not exist, or belongs to another municipality: the answer is the same."""

    code = "not-found"
    status = 404
    title = "No encontramos lo que buscás"


class Unauthenticated(DomainError):
    code = "unauthenticated"
    status = 401
    title = "Hay que ingresar para continuar"


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    title = "Tu función no permite esta acción"


class ElevationRequired(DomainError):
    """The action asks for a second factor less than ten minutes old; `step_up_url` says where."""

    code = "elevation-required"
    status = 401
    title = "Esta acción pide confirmar tu identidad"


class Conflict(DomainError):
    code = "conflict"
    status = 409
    title = "El estado actual no permite la acción"


class StaleVersion(Conflict):
    """Somebody changed the row meanwhile; `extra` carries the present version."""

    code = "stale-version"
    status = 409
    title = "Otra persona lo modificó mientras tanto"


class PreconditionFailed(DomainError):
    """The API's `If-Match` names an older version."""

    code = "precondition-failed"
    status = 412
    title = "El recurso cambió desde la última lectura"


class PreconditionRequired(DomainError):
    code = "precondition-required"
    status = 428
    title = "Falta el encabezado If-Match"


class Gone(DomainError):
    code = "gone"
    status = 410
    title = "El plazo de conservación ya venció"


class Invalid(DomainError):
    """Malformed input; `errors` maps each field to its messages."""

    code = "invalid"
    status = 422
    title = "Hay datos para corregir"

    def __init__(
        self, detail: str = "", *, errors: Mapping[str, Sequence[str]] | None = None, title: str | None = None
    ) -> None:
        super().__init__(detail, title=title)
        self.errors = {name: list(messages) for name, messages in (errors or {}).items()}


class Unavailable(DomainError):
    """Something outside did not answer; nothing was lost."""

    code = "unavailable"
    status = 503
    title = "El servicio no responde en este momento"
