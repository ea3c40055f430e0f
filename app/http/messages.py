"""Validation messages of the libraries in Spanish: the API never answers in English."""

from __future__ import annotations

import re
from typing import Any

# Full sentences of marshmallow and webargs. {n} groups of the expression are put where the Spanish says \n.
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), spanish)
    for pattern, spanish in (
        (r"Missing data for required field\.", "Falta este dato."),
        (r"Field may not be null\.", "No puede ser nulo."),
        (r"Unknown field\.", "Este campo no existe."),
        (r"Invalid (?:value|type|input type)\.", "El valor no es válido."),
        (r"Not a valid string\.", "Tiene que ser un texto."),
        (r"Not a valid utf-8 string\.", "El texto no está en UTF-8."),
        (r"Not a valid integer\.", "Tiene que ser un número entero."),
        (r"Not a valid number\.", "Tiene que ser un número."),
        (r"Number too large\.", "El número es demasiado grande."),
        (r"Special numeric values \(nan or infinity\) are not permitted\.", "Tiene que ser un número finito."),
        (r"Not a valid boolean\.", "Tiene que ser verdadero o falso."),
        (r"Not a valid UUID\.", "Tiene que ser un identificador UUID."),
        (r"Not a valid list\.", "Tiene que ser una lista."),
        (r"Not a valid tuple\.", "Tiene que ser una lista."),
        (r"Not a valid mapping type\.", "Tiene que ser un objeto."),
        (r"Not a valid date\.", "Tiene que ser una fecha (AAAA-MM-DD)."),
        (r"Not a valid (?:aware |naive )?(?:datetime|time)\.", "Tiene que ser una fecha y hora ISO 8601 con zona."),
        (r"Not a valid period of time\.", "Tiene que ser una duración."),
        (r"\"?.*\"? cannot be formatted as a (?:date|datetime|time|timedelta)\.", "La fecha no es válida."),
        (r"Not a valid URL\.", "Tiene que ser una dirección web."),
        (r"Not a valid email address\.", "Tiene que ser un correo electrónico."),
        (r"Not a valid IP(?:v[46])? (?:address|interface)\.", "Tiene que ser una dirección IP."),
        (r"Must be one of: (.*)\.", r"Tiene que ser uno de estos valores: \1."),
        (r"Not one of: (.*)\.", r"No puede ser ninguno de estos valores: \1."),
        (r"One or more of the choices you made was not in: (.*)\.", r"Sólo se admite: \1."),
        (r"One or more of the choices you made was in: (.*)\.", r"No se admite: \1."),
        (r"Must be greater than or equal to (.*) and less than or equal to (.*)\.", r"Tiene que estar entre \1 y \2."),
        (r"Must be greater than (.*) and less than (.*)\.", r"Tiene que estar entre \1 y \2, sin incluirlos."),
        (r"Must be greater than or equal to (.*)\.", r"Tiene que ser \1 o más."),
        (r"Must be less than or equal to (.*)\.", r"Tiene que ser \1 o menos."),
        (r"Must be greater than (.*)\.", r"Tiene que ser más de \1."),
        (r"Must be less than (.*)\.", r"Tiene que ser menos de \1."),
        (r"Must be equal to (.*)\.", r"Tiene que ser \1."),
        (r"Shorter than minimum length (\d+)\.", r"Tiene que tener \1 o más."),
        (r"Longer than maximum length (\d+)\.", r"No puede pasar de \1."),
        (r"Length must be between (\d+) and (\d+)\.", r"El largo tiene que estar entre \1 y \2."),
        (r"Length must be (\d+)\.", r"El largo tiene que ser \1."),
        (r"String does not match expected pattern\.", "El formato no es válido."),
        (r"Invalid input\.", "El valor no es válido."),
        (r"Could not deserialize .*", "El valor no se puede leer."),
        (r"Invalid JSON body\.", "El cuerpo no es JSON válido."),
    )
)
# Names webargs gives to the places an argument may come from; people only need the field.
_PLACES = frozenset({"json", "query", "querystring", "form", "headers", "cookies", "files", "path", "view_args"})
BODY = "cuerpo"


def spanish(message: str) -> str:
    """A library's sentence in Spanish; what is already ours stays."""
    for pattern, text in _SENTENCES:
        if match := pattern.fullmatch(message):
            return match.expand(text)
    return message


def by_field(messages: Any) -> dict[str, list[str]]:
    """Nested messages of marshmallow as `{"reads.3.plate": ["…"]}`, without the place they came from."""
    flat: dict[str, list[str]] = {}
    _flatten(messages, (), flat)
    return flat


def _flatten(value: Any, path: tuple[str, ...], into: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, (*path, str(key)), into)
        return
    trimmed = path[1:] if path and path[0] in _PLACES else path
    field = ".".join(part for part in trimmed if part != "_schema") or BODY
    for message in value if isinstance(value, list) else [value]:
        into.setdefault(field, []).append(spanish(str(message)))
