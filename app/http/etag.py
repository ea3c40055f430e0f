"""Optimistic concurrency of the API: the version travels as an ETag and comes back in `If-Match`."""

from __future__ import annotations

import re

from flask import Response, request

from app.kernel.errors import PreconditionFailed, PreconditionRequired

_TAG = re.compile(r'(?:W/)?"v(\d{1,9})"')


def etag_of(version: int) -> str:
    """The strong ETag of a row's version."""
    return f'"v{version}"'


def tagged(response: Response, version: int) -> Response:
    """`response` carrying the ETag of `version`."""
    response.headers["ETag"] = etag_of(version)
    return response


def expected_version() -> int:
    """The version named in `If-Match`, for the service to compare. Raises 428 when absent and 412 when it is no tag of ours."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired("Enviar If-Match con el ETag de la última lectura.")
    match = _TAG.fullmatch(header)
    if match is None:
        raise PreconditionFailed("El ETag de If-Match no corresponde a este recurso.")
    return int(match[1])


def is_fresh(version: int) -> bool:
    """Whether `If-None-Match` already names this version, so that 304 is enough."""
    return etag_of(version) in {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}
