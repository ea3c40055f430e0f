"""Small things templates call: icons, the CSRF field, addresses with another query, points of a sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import current_app, request
from markupsafe import Markup

from app.http.context import signed_in
from app.http.csrf import FIELD


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite: hidden from assistive technology, unless `label` says what it means."""
    href = f"{current_app.extensions['pipc_manifest'].url('icons.svg')}#tabler-{name}"
    if label:
        return Markup('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>').format(label, href)
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"/></svg>').format(href)


def csrf_field() -> Markup:
    """The hidden field every form that writes carries."""
    session = signed_in()
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, session.csrf if session else "")


def query_with(**changes: str | None) -> str:
    """This page's address with some query values changed; None removes one."""
    kept = [(key, value) for key, value in request.args.items(multi=True) if key not in changes]
    added = [(key, value) for key, value in changes.items() if value]
    query = urlencode([*kept, *added])
    return f"{request.path}?{query}" if query else request.path


def spark_points(values: Sequence[float]) -> str:
    """The values as points of a 100 × 32 box, with room for the stroke."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 100 / (len(values) - 1)
    return " ".join(f"{index * step:.1f},{29 - 26 * (value - low) / span:.1f}" for index, value in enumerate(values))


def choices_of(field: Any) -> list[tuple[str, str]]:
    """The options of a WTForms field as (code, text) pairs."""
    return [(choice.value, choice.label) for choice in field.iter_choices()]


GLOBALS = {
    "choices_of": choices_of,
    "icon": icon,
    "csrf_field": csrf_field,
    "query_with": query_with,
    "spark_points": spark_points,
}
