"""The list of problems the product may answer, for the pages /problemas/<code> and for answers to HTTP errors."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.errors import DomainError

HTTP_TITLES: dict[int, tuple[str, str]] = {
    400: ("malformed", "El pedido no se puede leer"),
    401: ("unauthenticated", "Hay que ingresar para continuar"),
    403: ("forbidden", "Tu función no permite esta acción"),
    404: ("not-found", "No encontramos lo que buscás"),
    405: ("method-not-allowed", "Esta dirección no admite esa acción"),
    406: ("not-acceptable", "No hay una respuesta en el formato pedido"),
    408: ("request-timeout", "El pedido tardó demasiado en llegar"),
    409: ("conflict", "El estado actual no permite la acción"),
    411: ("length-required", "Falta decir cuánto mide el pedido"),
    412: ("precondition-failed", "El recurso cambió desde la última lectura"),
    413: ("too-large", "El pedido es demasiado grande"),
    414: ("uri-too-long", "La dirección es demasiado larga"),
    415: ("unsupported-media-type", "El formato del pedido no se admite"),
    416: ("range-not-satisfiable", "El archivo no tiene el tramo pedido"),
    422: ("invalid", "Hay datos para corregir"),
    429: ("too-many-requests", "Demasiados pedidos en poco tiempo"),
    431: ("headers-too-large", "Los encabezados del pedido son demasiado grandes"),
    500: ("internal", "El sistema no pudo completar el pedido"),
    502: ("bad-gateway", "Un servicio interno no respondió bien"),
    503: ("unavailable", "El servicio no responde en este momento"),
    504: ("gateway-timeout", "Un servicio interno tardó demasiado"),
}

_GUIDANCE: dict[int, str] = {
    400: "Revisar el formato del pedido y volver a enviarlo.",
    401: "Volver a ingresar desde la página de inicio.",
    403: "Si la tarea corresponde a tu función, pedirle el permiso a quien administra las personas del municipio.",
    404: "Puede que la dirección tenga un error o que lo que buscás sea de otro municipio.",
    405: "Volver atrás y usar los botones de la página.",
    408: "Revisar la conexión y volver a intentar.",
    409: "Actualizar la página para ver el estado de ahora y volver a intentar.",
    412: "Volver a leer el recurso, comparar los cambios y repetir con la versión de ahora.",
    413: "Dividir los datos en partes más chicas y volver a enviarlos.",
    415: "Enviar los datos en el formato que indica la documentación de la API.",
    422: "Corregir los datos señalados y volver a enviarlos.",
    428: "Leer primero el recurso y enviar su ETag en If-Match.",
    429: "Esperar el tiempo indicado y volver a intentar.",
    500: "Quedó registrado. Volver a intentar y, si sigue, pasarle a soporte el código de este pedido.",
    503: "No se perdió nada. Volver a intentar en unos segundos.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One page of the catalogue."""

    code: str
    status: int
    title: str
    guidance: str


def guidance(status: int) -> str:
    """What to do next about an answer of this status."""
    return _GUIDANCE.get(status, _GUIDANCE[400] if status < 500 else _GUIDANCE[500])


def problems() -> dict[str, Problem]:
    """Every problem by code: the HTTP ones and each `DomainError` of the contexts that were loaded."""
    found = {code: Problem(code, status, title, guidance(status)) for status, (code, title) in HTTP_TITLES.items()}
    pending: list[type[DomainError]] = [DomainError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        found.setdefault(kind.code, Problem(kind.code, kind.status, kind.title, guidance(kind.status)))
    return found
