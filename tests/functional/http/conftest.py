"""The application with routes of its own for what no real page shows: each access, each refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import marshmallow as ma
import psycopg
import pytest
from flask import Blueprint, Flask, jsonify, request
from flask_smorest import Blueprint as ApiBlueprint

from app.http.etag import expected_version, tagged
from app.http.guards import audited_read, elevated, public, requires
from app.http.paging import PageArgs, envelope
from app.kernel import unit_of_work
from app.kernel.actor import Actor
from app.kernel.errors import StaleVersion
from app.kernel.pagination import Page
from app.kernel.permissions import Permission
from tests.support.client import Client, make_app, make_settings
from tests.support.world import actor, configured


class _PlateSchema(ma.Schema):
    plate = ma.fields.String(required=True, validate=ma.validate.Length(max=12))
    seen = ma.fields.Integer(validate=ma.validate.Range(0, 9))


def _pages() -> Blueprint:
    pages = Blueprint("probe", __name__, url_prefix="/prueba")

    @pages.post("/guardar")
    @requires(Permission.PROFILE_USE, unit=False)
    def save() -> str:
        return request.form.get("nota", "")

    @pages.post("/sensible")
    @requires(Permission.PROFILE_USE, unit=False)
    @elevated
    def sensitive() -> str:
        return "hecho"

    @pages.get("/roto")
    @public("a page that fails, to see what people read then")
    def broken() -> str:
        raise ZeroDivisionError

    return pages


def _api() -> ApiBlueprint:
    api = ApiBlueprint("Prueba", __name__, url_prefix="/api/v1/prueba")

    @api.route("/lecturas", methods=["POST"])
    @requires(Permission.PLATE_READ_SUBMIT, unit=False)
    @api.arguments(_PlateSchema)
    @api.response(200, _PlateSchema)
    def submit(body: dict[str, object]) -> dict[str, object]:
        return body

    @api.route("/lecturas", methods=["GET"])
    @requires(Permission.PLATE_READ_SEARCH, unit=False)
    @audited_read("plates:reads:search")
    @api.arguments(PageArgs, location="query")
    def search(args: dict[str, object]) -> object:
        return jsonify(envelope(Page(["ZA482QK"], "sigue" if args["cursor"] is None else None), str))

    @api.route("/lecturas/<uuid:read_id>", methods=["PUT"])
    @requires(Permission.PLATE_READ_SUBMIT, unit=False)
    @api.response(204)
    def replace(read_id: UUID) -> None:
        if expected_version() != 3:
            raise StaleVersion("La modificó R. Medina.", version=3)

    @api.route("/lecturas/<uuid:read_id>", methods=["GET"])
    @requires(Permission.PLATE_READ_SEARCH, unit=False)
    def one(read_id: UUID) -> object:
        return tagged(jsonify(id=str(read_id)), 3)

    return api


@pytest.fixture(scope="session")
def app(worker_database_urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application of the factory plus the probe routes, on a database with the directory in it."""
    folder: Path = tmp_path_factory.mktemp("http")
    with configured(worker_database_urls):
        app = make_app(make_settings(folder, worker_database_urls, demonstration=True))
        app.register_blueprint(_pages())
        app.extensions["pipc_api"].register_blueprint(_api())
        yield app
        app.extensions["pipc_runtime"].databases.dispose()


@pytest.fixture
def other_app(app: Flask, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Makes an application with other settings and no database; the process goes back to `app` afterwards."""
    yield lambda **changes: make_app(make_settings(tmp_path, **changes))
    runtime = app.extensions["pipc_runtime"]
    unit_of_work.configure(runtime.databases, runtime.nudge)


@pytest.fixture
def audits(worker_database_urls: dict[str, str]) -> Callable[[], list[tuple[str, str]]]:
    """The audit entries of Tigre as (action, target), oldest first."""

    def read() -> list[tuple[str, str]]:
        with psycopg.connect(worker_database_urls["admin"]) as connection:
            rows = connection.execute("select action, target from app.audit_entries where tenant_id = 805 order by seq")
            return [(action, target) for action, target in rows]

    return read


@pytest.fixture
def anonymous(app: Flask) -> Client:
    return Client(app)


@pytest.fixture
def operator(app: Flask) -> Client:
    return Client(app, actor(805, "operador-municipal", user="operador", tenant_name="Tigre", is_demo=True))


@pytest.fixture
def administrator(app: Flask) -> Client:
    """Who may send plate reads through the API."""
    return Client(app, actor(805, "admin-municipal", user="admin", tenant_name="Tigre"))


@pytest.fixture
def director(app: Flask) -> Client:
    return Client(app, _director())


def _director() -> Actor:
    return actor(0, "direccion-admin", user="direccion")
