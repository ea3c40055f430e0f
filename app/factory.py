"""The only place that knows everyone: plugs ports, lists areas, builds the web application and the real-time one."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader

import app.ui
from app.adapters import probes
from app.adapters.keycloak import administration, oidc
from app.adapters.redis.listener import RedisListener
from app.adapters.redis.nudge import RedisNudge
from app.adapters.storage.directory import DirectoryStorage
from app.adapters.video.embedded import EmbeddedLiveView
from app.adapters.video.tickets import TicketOffice
from app.audit import service as audit
from app.audit import web as audit_web
from app.evidence.custody import service as custody
from app.evidence.recordings import service as recordings
from app.evidence.recordings import web as recordings_web
from app.http import headers, health, limits, logs, metrics, openapi, origin, problems, request_id, sse
from app.http.api import Api
from app.http.context import ActorLoader, NobodySignsIn
from app.http.hub import Hub
from app.identity import service as identity
from app.identity import web as identity_web
from app.identity.events import SessionsEnded
from app.identity.loader import IdentityLoader
from app.kernel import events, ports, unit_of_work
from app.kernel.db import Databases
from app.monitoring.alarms import api as alarms_api
from app.monitoring.alarms import web as alarms_web
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.cameras import api as cameras_api
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras import video as cameras_video
from app.monitoring.cameras import web as cameras_web
from app.monitoring.cameras.events import CameraChanged
from app.monitoring.live import web as live_web
from app.monitoring.nodes import api as nodes_api
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes import web as nodes_web
from app.monitoring.nodes.events import FootageReported, OrderFinished
from app.monitoring.plates import api as plates_api
from app.monitoring.plates import web as plates_web
from app.settings import Settings
from app.support import web as support_web
from app.ui import assets, gallery, pages, shell
from lms.catalog import web as training_web
from tenants.admin import web as direction_web
from tenants.core import discovery

# Areas with pages, then areas with API, in reading order. Each module exports one blueprint, `bp`.
PAGES: tuple[ModuleType, ...] = (
    health,
    openapi,
    assets,
    pages,
    gallery,
    identity_web,
    live_web,
    cameras_web,
    cameras_video,
    nodes_web,
    alarms_web,
    plates_web,
    recordings_web,
    audit_web,
    direction_web,
    training_web,
    support_web,
)
API: tuple[ModuleType, ...] = (nodes_api, cameras_api, plates_api, alarms_api, sse)

# Who hears what, in the transaction that says it (the end of a session, just after it).
SUBSCRIBERS: tuple[tuple[type, Callable[[Any], None]], ...] = (
    (SessionsEnded, cameras.on_sessions_ended),
    (CameraChanged, nodes.on_camera_changed),
    (AlarmRaised, recordings.on_alarm_raised),
    (AlarmRaised, custody.on_alarm_raised),
    (OrderFinished, recordings.on_order_finished),
    (FootageReported, recordings.on_footage_reported),
    (FootageReported, custody.on_footage_reported),
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process of the province holds: its settings, its engines and its way to wake others."""

    settings: Settings
    databases: Databases
    nudge: RedisNudge
    actor_loader: ActorLoader


def build_runtime(settings: Settings, *, default_role: str = "rw") -> Runtime:
    """Plug engines and ports for this process. Connects to nothing yet."""
    databases = Databases(settings.databases, default_role=default_role)
    nudge = RedisNudge(settings.redis_url)
    unit_of_work.configure(databases, nudge)
    _plug(settings)
    discovery.load("tasks")
    for heard, hear in SUBSCRIBERS:
        events.subscribe(heard, hear)
    return Runtime(settings, databases, nudge, _sign_in(settings))


def _plug(settings: Settings) -> None:
    """Fill the ports this process has the secrets for."""
    ports.plug(
        storage=DirectoryStorage(settings.objects_dir),
        nodes=nodes.Directory(),
        holds=custody.Directory(),
        identity_admin=administration.KeycloakAdmin(settings),
    )
    if settings.view_key_pem:
        office = TicketOffice(settings.view_key_pem)
        ports.plug(live=EmbeddedLiveView(office, settings.home / "run" / "recorders.json"))
    audit.keep_checkpoints_in(settings.home / "audit")
    cameras.configure(settings)
    nodes.configure(settings)


def _sign_in(settings: Settings) -> ActorLoader:
    """How this process knows who asks; only the web holds the key of the sessions."""
    if not (settings.secret_key and settings.keycloak_url):
        return NobodySignsIn()
    identity.plug(settings, *oidc.connect(settings))
    return IdentityLoader()


def create_app(runtime: Runtime) -> Flask:
    """The web application."""
    application = _bare(runtime)
    for module in PAGES:
        application.register_blueprint(module.bp)
    sse.init_app(application, _hub(runtime, sse.LIMIT_IN_WEB if runtime.settings.realtime == "web" else 0))
    api = Api(application)
    application.extensions["pipc_api"] = api
    for module in API:
        api.register_blueprint(module.bp)
    return application


def serve(settings: Settings) -> Flask:
    """The web application of a process that does nothing else: with its logs and its metrics."""
    logs.configure()
    if settings.metrics_port:
        metrics.serve(settings.metrics_port)
    application = create_app(build_runtime(settings))
    gc.collect()
    gc.freeze()  # what lives as long as the process is not looked at again at each collection
    return application


def create_rt_app(runtime: Runtime | None = None) -> Flask:
    """The real-time application alone, for its own process (gunicorn calls it without arguments)."""
    logs.configure()
    runtime = runtime or build_runtime(Settings.from_env(os.environ), default_role="rt")
    application = _bare(runtime)
    application.register_blueprint(health.bp)
    application.register_blueprint(assets.bp)
    sse.init_app(application, _hub(runtime, sse.LIMIT_ALONE))
    application.register_blueprint(sse.bp)
    return application


def _hub(runtime: Runtime, streams: int) -> Hub:
    """The event streams of this process; with room for none, browsers ask again every few seconds."""
    return Hub(lambda: runtime.databases.engine("rt"), RedisListener(runtime.settings.redis_url), limit=streams)


def _bare(runtime: Runtime) -> Flask:
    """What both applications share: errors, headers, identifiers, limits, looks."""
    settings = runtime.settings
    application = Flask("app", static_folder=None, template_folder=None)
    application.config.update(Api.OPTIONS, PIPC_BASE_URL=settings.base_url, MAX_FORM_MEMORY_SIZE=2 * 2**20)
    application.json.sort_keys = False  # type: ignore[attr-defined]
    application.jinja_loader = ChoiceLoader([PackageLoader(name) for name in _packages_with_templates()])
    application.extensions["pipc_runtime"] = runtime
    application.extensions["pipc_actor_loader"] = runtime.actor_loader
    application.extensions["pipc_settings"] = settings
    application.extensions["pipc_readiness"] = health.Readiness(_checks(runtime))
    if settings.rate_limits:
        application.extensions["pipc_limits"] = limits.RateLimits(settings.redis_url)
    request_id.init_app(application, trust_incoming=settings.proxy_hops > 0)
    metrics.init_app(application)
    origin.init_app(application, settings.base_url)
    headers.init_app(application, settings)
    problems.init_app(application)
    shell.init_app(application, settings)
    return application


def _packages_with_templates() -> list[str]:
    """The packages whose folder has `templates`; names inside are prefixed by context, so they cannot collide."""
    packages = {module.__package__ or "" for module in (app.ui, *PAGES)} | {app.ui.__name__}
    return sorted(name for name in packages if _has_templates(name))


def _has_templates(package: str) -> bool:
    try:
        PackageLoader(package)
    except ValueError:
        return False
    return True


def _checks(runtime: Runtime) -> dict[str, health.Check]:
    checks = {
        health.ESSENTIAL: probes.postgres(runtime.databases),
        "redis": probes.redis(runtime.nudge),
    }
    if runtime.settings.keycloak_url:
        checks["keycloak"] = probes.keycloak(runtime.settings.issuer)
    return checks
