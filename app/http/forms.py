"""Forms of pages: WTForms with Spanish messages; the CSRF token is checked by the guards, before any form is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from flask import request
from wtforms import Form as _Form
from wtforms import SelectChoice

from app.kernel.errors import Invalid

F = TypeVar("F", bound="Form")


class Form(_Form):
    """Base of every form. Fields not declared are ignored by WTForms, so templates and views agree on `declared`."""

    class Meta:
        locales = ("es", "es_AR")

        @staticmethod
        def render_field(field: Any, render_kw: dict[str, Any]) -> Any:
            raise TypeError(f"usar la macro field() para «{field.name}»: los campos no se dibujan solos")

    @classmethod
    def from_request(cls: type[F], **defaults: Any) -> F:
        """The form as the person sent it (POST) or with its defaults (GET)."""
        return cls(request.form if request.method == "POST" else None, data=defaults)


def sent_version() -> int:
    """The version of the row that the form was made from. Raises `Invalid` when the page did not send one."""
    text = request.form.get("version", "")
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(errors={"version": ["Volver a abrir la página: falta la versión de lo que se modifica."]})
    return int(text)


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Choices of a `SelectField` or `RadioField` from (code, text) pairs."""
    return [SelectChoice(code, text) for code, text in pairs]
