"""Every route of the product declares who may call it, and nobody gets in without saying who they are."""

from __future__ import annotations

import re

from flask import Flask

from app.http.access import access_of
from app.kernel.permissions import ROLES, Permission
from tests.support.client import BASE_URL

# Each reason was weighed once; a new public route is added here by whoever opens it.
PUBLIC = {
    "/", "/entrar", "/healthz", "/readyz", "/api/docs", "/api/openapi.json", "/static/<path:name>", "/ayuda", "/ayuda/<slug>",
    "/licencias", "/accesibilidad", "/problemas/<code>", "/m/<slug>/entrar", "/provincia/entrar", "/auth/callback",
    "/auth/backchannel-logout", "/salir", "/prueba/roto",
}  # fmt: skip
_VALUES = {
    "uuid": "018f0000-0000-7000-8000-000000000001",
    "int": "1",
    "path": "x",
    "sha256": "0" * 64,
    "sid": "018f0000-0000-7000-8000-000000000001",
}


def _example(match: re.Match[str]) -> str:
    """A value that the converter of a route takes."""
    converter, name = match[1] or "", match[2]
    return _VALUES.get(converter) or _VALUES.get(name, "x")


def _methods(rule: object) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})  # type: ignore[attr-defined]


def test_every_route_declares_its_access(app: Flask) -> None:
    silent = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in _methods(rule)
        if access_of(app.view_functions[rule.endpoint], method) is None
    ]

    assert silent == []


def test_public_routes_are_the_ones_listed_and_say_why(app: Flask) -> None:
    found = {}
    for rule in app.url_map.iter_rules():
        for method in _methods(rule):
            access = access_of(app.view_functions[rule.endpoint], method)
            if access and access.permission is None:
                found[rule.rule] = access.public

    assert found.keys() <= PUBLIC
    assert all(len(reason) > 15 for reason in found.values())


def test_every_guarded_route_refuses_a_stranger(app: Flask) -> None:
    client = app.test_client()
    entered = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", _example, rule.rule)
        for method in _methods(rule):
            access = access_of(app.view_functions[rule.endpoint], method)
            if access and access.permission is not None:
                response = client.open(path, method=method, base_url=BASE_URL)
                refused = response.status_code == 401 or (
                    response.status_code == 303 and response.location.startswith("/")
                )
                if not refused:
                    entered.append(f"{method} {path} → {response.status_code}")

    assert entered == []


def test_every_permission_of_a_route_is_held_by_some_role(app: Flask) -> None:
    held = {permission for role in ROLES.values() for permission in role.permissions}
    asked: set[Permission] = set()
    for rule in app.url_map.iter_rules():
        for method in _methods(rule):
            access = access_of(app.view_functions[rule.endpoint], method)
            if access and access.permission:
                asked.add(access.permission)

    assert asked <= held
