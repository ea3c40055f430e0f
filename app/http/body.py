"""Text that no table can store is refused at the edge: NUL characters and lone surrogates."""

from __future__ import annotations

import re

from flask import Request

from app.kernel.errors import Invalid

_NUL = re.compile(rb"\\u0000|\x00")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def refuse_unstorable_text(request: Request) -> None:
    """Raise `Invalid` when the query, the form or the JSON body carries text PostgreSQL cannot hold."""
    values = [*request.args.values(), *(request.view_args or {}).values()]
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        values += request.form.values()
    if any("\x00" in value for value in values if isinstance(value, str)):
        _refuse()
    if request.is_json:
        data = request.get_data(cache=True)
        if _NUL.search(data) or (_SURROGATE.search(data) and _has_lone_surrogate(request.get_json(silent=True))):
            _refuse()


def _has_lone_surrogate(value: object) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return any(_has_lone_surrogate(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_has_lone_surrogate(part) for part in value)
    return False


def _refuse() -> None:
    raise Invalid("El texto tiene caracteres que no se pueden guardar (NUL o mitades de un carácter Unicode).")
