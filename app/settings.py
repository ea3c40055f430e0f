"""Typed settings read from the environment; the process refuses to start when one is missing or unsafe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(Exception):
    """A setting is missing or unsafe; the message is one sentence that names it."""


class _Reader:
    """Reads one environment: a value may stand in `NAME` or in the file that `NAME_FILE` points to."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def optional(self, name: str, default: str = "") -> str:
        if path := self._env.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"No se puede leer {name}_FILE ({path}): {error.strerror}.") from None
        return self._env.get(name, default)

    def required(self, name: str) -> str:
        value = self.optional(name)
        if not value:
            raise SettingsError(f"Falta {name}: ejecutar `pipc init` o definirla en el entorno.")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        text = self.optional(name, str(default))
        if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
            raise SettingsError(f"{name} debe ser un entero entre {low} y {high}, no «{text}».")
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self.optional(name, "1" if default else "0")
        if text not in {"0", "1"}:
            raise SettingsError(f"{name} debe ser 0 o 1, no «{text}».")
        return text == "1"


@dataclass(frozen=True)
class DatabaseUrls:
    """One URL per database role; a process receives only the ones it uses, the rest stay empty."""

    rw: str = field(default="", repr=False)
    worker: str = field(default="", repr=False)
    dir: str = field(default="", repr=False)
    auth: str = field(default="", repr=False)
    rt: str = field(default="", repr=False)
    clock: str = field(default="", repr=False)
    migrate: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything a provincial process may ask of its environment. Every field is documented in docs/reference/settings.md."""

    base_url: str
    home: Path
    databases: DatabaseUrls
    redis_url: str = field(repr=False)
    objects_dir: Path
    keycloak_url: str = ""
    realm: str = "seguridad-pba"
    oidc_client_id: str = "operacion-web"
    oidc_client_secret: str = field(default="", repr=False)
    provision_client_secret: str = field(default="", repr=False)
    enrol_client_secret: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    view_key_pem: str = field(default="", repr=False)
    demonstration: bool = False
    require_second_factor: bool = True
    realtime: str = "web"
    node_redis_url: str = field(default="", repr=False)
    camera_networks: tuple[str, ...] = ()
    allow_file_sources: bool = False
    proxy_hops: int = 0
    metrics_port: int = 0
    clock_interval_s: int = 1
    reconcile_interval_s: int = 30
    reconcile_after_s: int = 60
    theme_name: str = "Protección Ciudadana"
    rate_limits: bool = True

    @property
    def issuer(self) -> str:
        """The issuer every token must name, byte for byte."""
        return f"{self.keycloak_url}/realms/{self.realm}"

    @property
    def is_loopback(self) -> bool:
        return urlsplit(self.base_url).hostname in LOOPBACK

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings of this process. Raises `SettingsError` naming the first value that is missing or unsafe."""
        read = _Reader(env)
        home = Path(read.optional("PIPC_HOME", ".pipc")).absolute()
        settings = cls(
            base_url=read.optional("PIPC_BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
            home=home,
            databases=_databases(read),
            redis_url=read.required("REDIS_URL"),
            objects_dir=Path(read.optional("PIPC_OBJECTS", str(home / "objects"))),
            keycloak_url=read.optional("KEYCLOAK_URL").rstrip("/"),
            realm=read.optional("PIPC_REALM", "seguridad-pba"),
            oidc_client_id=read.optional("PIPC_OIDC_CLIENT_ID", "operacion-web"),
            oidc_client_secret=read.optional("PIPC_OIDC_CLIENT_SECRET"),
            provision_client_secret=read.optional("PIPC_PROVISION_CLIENT_SECRET"),
            enrol_client_secret=read.optional("PIPC_ENROL_CLIENT_SECRET"),
            secret_key=read.optional("PIPC_SECRET_KEY"),
            view_key_pem=read.optional("PIPC_VIEW_KEY"),
            demonstration=read.flag("PIPC_DEMONSTRATION", default=False),
            require_second_factor=read.flag("PIPC_REQUIRE_SECOND_FACTOR", default=True),
            realtime=read.optional("PIPC_RT", "web"),
            node_redis_url=read.optional("NODE_REDIS_URL"),
            camera_networks=tuple(read.optional("PIPC_CAMERA_NETWORKS").replace(",", " ").split()),
            allow_file_sources=read.flag("PIPC_ALLOW_FILE_SOURCES", default=False),
            proxy_hops=read.integer("PIPC_PROXY_HOPS", 0, low=0, high=5),
            metrics_port=read.integer("PIPC_METRICS_PORT", 0, low=0, high=65535),
            clock_interval_s=read.integer("PIPC_CLOCK_INTERVAL", 1, low=1, high=60),
            reconcile_interval_s=read.integer("PIPC_RECONCILE_INTERVAL", 30, low=1, high=600),
            reconcile_after_s=read.integer("PIPC_RECONCILE_AFTER", 60, low=1, high=3600),
            theme_name=read.optional("THEME_NAME", "Protección Ciudadana"),
            rate_limits=read.flag("PIPC_RATE_LIMITS", default=True),
        )
        settings._refuse_unsafe()
        return settings

    def _refuse_unsafe(self) -> None:
        if self.realtime not in {"web", "own"}:
            raise SettingsError(f"PIPC_RT debe ser «web» u «own», no «{self.realtime}».")
        parts = urlsplit(self.base_url)
        if parts.scheme == "http" and not self.is_loopback:
            raise SettingsError("PIPC_BASE_URL sin TLS sólo se admite en 127.0.0.1: usar https:// en una red.")
        if self.allow_file_sources and not self.is_loopback:
            raise SettingsError("PIPC_ALLOW_FILE_SOURCES=1 sólo se admite cuando el servicio escucha en 127.0.0.1.")
        if self.demonstration and not self.is_loopback:
            raise SettingsError("PIPC_DEMONSTRATION=1 sólo se admite cuando el servicio escucha en 127.0.0.1.")


def _databases(read: _Reader) -> DatabaseUrls:
    return DatabaseUrls(
        rw=read.optional("PIPC_DB_RW_URL"),
        worker=read.optional("PIPC_DB_WORKER_URL"),
        dir=read.optional("PIPC_DB_DIR_URL"),
        auth=read.optional("PIPC_DB_AUTH_URL"),
        rt=read.optional("PIPC_DB_RT_URL"),
        clock=read.optional("PIPC_DB_CLOCK_URL"),
        migrate=read.optional("PIPC_DB_MIGRATE_URL"),
    )
