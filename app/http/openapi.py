"""The contract of the API: the OpenAPI document and a reference page made from it, without anything from outside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template

from app.http.access import access_of
from app.http.api import Api
from app.http.guards import public
from app.kernel.permissions import DESCRIPTIONS, Permission

bp = Blueprint("openapi", __name__)

_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_METHODS = ("get", "post", "put", "patch", "delete")
BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the reference page."""

    method: str
    path: str
    summary: str
    description: str
    permission: str
    parameters: list[dict[str, Any]]
    body: list[dict[str, Any]]
    answers: list[tuple[str, str]]

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", f"{self.method} {self.path}".lower()).strip("-")


@bp.get("/api/openapi.json")
@public("the contract of the API holds no data; integrators read it before having an account")
def document() -> Response:
    return jsonify(build(current_app))


@bp.get("/api/docs")
@public("the contract of the API holds no data; integrators read it before having an account")
def reference() -> str:
    return render_template("api/reference.html", groups=operations_by_tag(build(current_app)), limits=_limits())


def build(app: Flask) -> dict[str, Any]:
    """The OpenAPI document, each operation annotated with the access its view declares; made once per application."""
    if "pipc_openapi" not in app.extensions:
        api: Api = app.extensions["pipc_api"]
        spec: dict[str, Any] = api.spec.to_dict()
        spec.setdefault("components", {}).setdefault("securitySchemes", {})["bearer"] = BEARER
        for rule in app.url_map.iter_rules():
            operations = spec.get("paths", {}).get(_CONVERTER.sub(r"{\1}", rule.rule), {})
            for method in _METHODS:
                if method in operations and method.upper() in (rule.methods or ()):
                    _annotate(operations[method], app.view_functions[rule.endpoint], method)
        app.extensions["pipc_openapi"] = spec
    document: dict[str, Any] = app.extensions["pipc_openapi"]
    return document


def _annotate(operation: dict[str, Any], view: object, method: str) -> None:
    access = access_of(view, method)
    if access is None:
        return
    operation["security"] = [{"bearer": []}] if access.permission else []
    if access.permission:
        operation["x-permission"] = access.permission.value
    if access.elevated:
        operation["x-elevated"] = True
    if access.audited:
        operation["x-audited"] = access.audited


def operations_by_tag(spec: dict[str, Any]) -> dict[str, list[Operation]]:
    """What the reference page shows, in the order of the addresses."""
    groups: dict[str, list[Operation]] = {}
    for path, item in sorted(spec.get("paths", {}).items()):
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shared = item.get("parameters", [])
                tag = (operation.get("tags") or ["API"])[0]
                groups.setdefault(tag, []).append(_operation(spec, method, path, operation, shared))
    return groups


def _first(content: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return next(iter(content.values()), {})


def _operation(
    spec: dict[str, Any], method: str, path: str, raw: dict[str, Any], shared: list[dict[str, Any]]
) -> Operation:
    permission = raw.get("x-permission", "")
    parameters = [_resolve(spec, each) for each in (*shared, *raw.get("parameters", []))]
    content = _resolve(spec, raw.get("requestBody", {})).get("content", {})
    body = _resolve(spec, _first(content).get("schema", {}))
    answers = [
        (code, _resolve(spec, answer).get("description", ""))
        for code, answer in sorted(raw.get("responses", {}).items())
    ]
    return Operation(
        method=method.upper(),
        path=path,
        summary=raw.get("summary", ""),
        description=raw.get("description", ""),
        permission=DESCRIPTIONS[Permission(permission)] if permission else "",
        parameters=[_field(spec, each["name"], each.get("schema", {}), each) for each in parameters],
        body=[
            _field(spec, name, schema, {"required": name in body.get("required", ())})
            for name, schema in body.get("properties", {}).items()
        ],
        answers=answers,
    )


def _field(spec: dict[str, Any], name: str, schema: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    resolved = _resolve(spec, schema)
    kind = resolved.get("format") or resolved.get("type") or "object"
    return {
        "name": name,
        "place": facts.get("in", ""),
        "kind": " | ".join(kind) if isinstance(kind, list) else kind,
        "required": bool(facts.get("required")),
        "description": facts.get("description") or resolved.get("description", ""),
        "values": resolved.get("enum", []),
    }


def _resolve(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _limits() -> dict[str, str]:
    counters = current_app.extensions.get("pipc_limits")
    return {} if counters is None else {"api": "600 por minuto", "bulk": "6.000 por minuto"}
