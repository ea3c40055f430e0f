"""Forms of pages: WTForms with Spanish messages; the CSRF token is checked by the guards, before any form is read."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import request
from wtforms import Form as _Form

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
