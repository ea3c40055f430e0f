"""The API extension: flask-smorest whose errors are problem+json, in answers and in the OpenAPI document."""

from __future__ import annotations

import http
from typing import Any

import flask_smorest
import marshmallow as ma
from flask_smorest.utils import prepare_response
from werkzeug.exceptions import HTTPException

from app.http import problems


class ProblemSchema(ma.Schema):
    """RFC 9457."""

    type = ma.fields.String(required=True, metadata={"description": "Página que explica el problema"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    instance = ma.fields.String(required=True)
    code = ma.fields.String(required=True, metadata={"description": "Código estable, para programas"})
    request_id = ma.fields.String(
        required=True, metadata={"description": "Para encontrar este pedido en los registros"}
    )
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={"description": "Mensajes por campo, cuando hay datos para corregir"},
    )


class Api(flask_smorest.Api):
    """flask-smorest takes over every HTTP exception of the application: all of them go to the one renderer."""

    ERROR_SCHEMA = ProblemSchema
    OPTIONS = {  # noqa: RUF012 - read as configuration
        "API_TITLE": "Protección Ciudadana",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
    }

    def handle_http_exception(self, error: HTTPException) -> Any:
        return problems.answer_http(error)

    def _register_responses(self) -> None:
        """Same as the library's, with the media type of problems."""
        schema = {"schema": self.ERROR_SCHEMA}
        for status in http.HTTPStatus:
            is_error = status >= 400
            response: dict[str, Any] = {"description": status.phrase, **(schema if is_error else {})}
            prepare_response(response, self.spec, problems.CONTENT_TYPE)
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Cualquier otro problema", **schema}
        prepare_response(default, self.spec, problems.CONTENT_TYPE)
        self.spec.components.response("DEFAULT_ERROR", default, lazy=True)
