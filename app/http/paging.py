"""Keyset lists of the API and of tables: the envelope and the address of the page that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

import marshmallow as ma
from flask import current_app, request

from app.kernel.pagination import DEFAULT_LIMIT, MAX_LIMIT, Page

T = TypeVar("T")


class PageArgs(ma.Schema):
    """Query parameters of every list."""

    cursor = ma.fields.String(
        load_default=None, validate=ma.validate.Length(max=500), metadata={"description": "De «next»"}
    )
    limit = ma.fields.Integer(load_default=DEFAULT_LIMIT, validate=ma.validate.Range(1, MAX_LIMIT))


def envelope(page: Page[T], dump: Callable[[T], Any]) -> dict[str, Any]:
    """`{"items": […], "next": "<url or null>"}`."""
    return {"items": [dump(item) for item in page.items], "next": absolute(next_path(page.cursor))}


def next_path(cursor: str | None) -> str | None:
    """This same list after `cursor`, with its filters; None at the end."""
    if cursor is None:
        return None
    kept = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"


def absolute(path: str | None) -> str | None:
    """`path` at the product's one origin."""
    return None if path is None else f"{current_app.config['PIPC_BASE_URL']}{path}"
