"""What click itself says, in Spanish: its texts go through a translation function of each of its modules."""

from __future__ import annotations

import sys

_TEXTS = {
    "Usage:": "Uso:",
    "Options": "Opciones",
    "Positional arguments": "Argumentos",
    "Commands": "Verbos",
    "Show this message and exit.": "Mostrar esta ayuda.",
    "Aborted!": "Cancelado.",
    "Missing command.": "Falta decir qué hacer.",
    "default: {default}": "por omisión: {default}",
    "required": "obligatorio",
    "Error: {message}": "{message}",
    "Try '{command} {option}' for help.": "La ayuda está en: {command} {option}",
    "Invalid value: {message}": "Valor inválido: {message}",
    "Invalid value for {param_hint}: {message}": "Valor inválido en {param_hint}: {message}",
    "Missing argument": "Falta el argumento",
    "Missing option": "Falta la opción",
    "Missing parameter": "Falta el parámetro",
    "No such option {name!r}.": "No existe la opción {name}.",
    "No such command {name!r}.": "No existe el verbo «{name}».",
    "Do you want to continue?": "¿Continuar?",
    "Confirm the action without prompting.": "Confirmar sin preguntar.",
    "Choose from:\n\t{choices}": "Elegir entre:\n\t{choices}",
    "{value!r} is not a valid {number_type}.": "«{value}» no es un número válido.",
    "{value} is not in the range {range}.": "{value} está fuera del rango {range}.",
    "{value!r} is not a valid UUID.": "«{value}» no es un identificador válido.",
    "{name} {filename!r} does not exist.": "No existe {filename}.",
    "{name} {filename!r} is not readable.": "No se puede leer {filename}.",
    "Could not open file {filename!r}: {message}": "No se puede abrir {filename}: {message}",
    "Option {name!r} does not take a value.": "La opción {name} no lleva valor.",
    "{value!r} is not {choice}.": "«{value}» no es {choice}.",
    "{value!r} is not one of {choices}.": "«{value}» no es uno de {choices}.",
    "Got unexpected extra argument ({args})": "Sobra el argumento {args}",
    "Got unexpected extra arguments ({args})": "Sobran los argumentos {args}",
    "Option {name!r} requires an argument.": "La opción {name} necesita un valor.",
    "Option {name!r} requires {nargs} arguments.": "La opción {name} necesita {nargs} valores.",
}


def install() -> None:
    """Make click speak Spanish in this process."""
    for name, module in list(sys.modules.items()):
        if name.startswith("click."):
            if hasattr(module, "_"):
                setattr(module, "_", _translate)  # noqa: B010  # mypy knows no such name
            if hasattr(module, "ngettext"):
                setattr(module, "ngettext", _translate_number)  # noqa: B010  # idem


def _translate(text: str) -> str:
    return _TEXTS.get(text, text)


def _translate_number(one: str, many: str, count: int) -> str:
    return _translate(one if count == 1 else many)
