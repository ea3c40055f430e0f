"""One home folder and the servers it uses: ours, or the ones the environment names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from app.cli.errors import CliError
from app.cli.local import environment, ports, roles
from app.cli.local.home import Home
from app.cli.local.postgres import Postgres
from app.cli.local.valkey import Valkey

DATABASE = "pipc"
KEYCLOAK_DATABASE = "keycloak"


@dataclass(frozen=True)
class Installation:
    """What `pipc` acts on. `env` decides: `PIPC_HOME`, `PIPC_PORT`, `DATABASE_URL`, `REDIS_URL`, `KEYCLOAK_URL`."""

    home: Home
    ports: Mapping[str, int]
    passwords: Mapping[str, str] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    postgres: Postgres | None = None
    valkey: Valkey | None = None

    @classmethod
    def of(cls, env: Mapping[str, str] = os.environ, *, settings: Mapping[str, str] | None = None) -> Installation:
        """The installation of this environment, its secrets and ports made when they are missing.

        `settings` go to an embedded PostgreSQL besides its own.
        """
        try:
            home = Home.at(Path(env.get("PIPC_HOME") or environment.ROOT / ".pipc"))
            numbers = ports.assigned(home, env)
            passwords = {role: home.secret(f"db-{role}") for role in (*roles.LOGINS, roles.KEYCLOAK)}
            admin, redis = home.secret("db-admin"), home.secret("redis")
        except PermissionError as error:
            raise CliError(f"No se puede escribir en {error.filename}.", "PIPC_HOME=/otra/carpeta make run") from None
        return cls(
            home=home,
            ports=numbers,
            passwords=passwords,
            env=env,
            postgres=None
            if env.get("DATABASE_URL")
            else Postgres(home.postgres, numbers["postgres"], admin, dict(settings or {})),
            valkey=None if env.get("REDIS_URL") else Valkey(home.redis, numbers["redis"], redis),
        )

    @property
    def embeds_keycloak(self) -> bool:
        return not self.env.get("KEYCLOAK_URL")

    @property
    def base_url(self) -> str:
        return self.env.get("PIPC_BASE_URL", f"http://127.0.0.1:{self.ports['web']}").rstrip("/")

    @property
    def keycloak_url(self) -> str:
        return (self.env.get("KEYCLOAK_URL") or f"http://127.0.0.1:{self.ports['keycloak']}").rstrip("/")

    @property
    def admin_url(self) -> str:
        """The bootstrap login on the product's database."""
        if self.postgres is not None:
            return self.postgres.url(DATABASE)
        given = self.env["DATABASE_URL"].replace("postgres://", "postgresql://", 1)
        return given if urlsplit(given).path.strip("/") else with_login(given, database=DATABASE)

    @property
    def redis_url(self) -> str:
        return self.valkey.url() if self.valkey is not None else self.env["REDIS_URL"]

    @property
    def node_redis_url(self) -> str:
        """The node's queues live apart from the province's: another server, or at least another database."""
        if given := self.env.get("NODE_REDIS_URL"):
            return given
        return urlunsplit(urlsplit(self.redis_url)._replace(path="/1"))

    def database_urls(self, database: str | None = None) -> dict[str, str]:
        """One URL per login role, by its short name, for the product's database or another of the same server."""
        return {
            short: with_login(self.admin_url, user=role, password=self.passwords[role], database=database)
            for short, role in roles.SHORT.items()
        }

    def keycloak_database_url(self) -> str:
        return with_login(
            self.admin_url, user=roles.KEYCLOAK, password=self.passwords[roles.KEYCLOAK], database=KEYCLOAK_DATABASE
        )

    def environment(self, process: str) -> dict[str, str]:
        """The environment of one of our processes (see `environment.NEEDS`)."""
        servers = environment.Servers(self.base_url, self.keycloak_url, self.ports["metrics"])
        return environment.environment(self.home, process, servers, self.env)

    def realm_environment(self) -> dict[str, str] | None:
        """What makes the realm on a Keycloak of somebody else; None when it is ours or its administrator was not given."""
        given = {
            name: self.env[name] for name in (environment.ADMIN_ID, environment.ADMIN_SECRET) if self.env.get(name)
        }
        return None if self.embeds_keycloak or len(given) < 2 else {**self.environment("realm"), **given}

    def keep_secrets(self) -> None:
        """Make every secret that is missing and write the URLs that the processes will read."""
        urls = {f"PIPC_DB_{short.upper()}_URL": url for short, url in self.database_urls().items()}
        urls |= {"REDIS_URL": self.redis_url, "NODE_REDIS_URL": self.node_redis_url}
        environment.keep_secrets(self.home, urls)

    def create_databases(self) -> None:
        """Roles, the product's database with its schema, and Keycloak's when it is ours. Harmless when repeated."""
        name = urlsplit(self.admin_url).path.strip("/")
        try:
            with psycopg.connect(self._maintenance_url(name), autocommit=True, connect_timeout=10) as conn:
                roles.create_roles(conn, self.passwords)
                roles.create_database(conn, name)
                if self.embeds_keycloak:
                    roles.create_database(conn, KEYCLOAK_DATABASE, owner=roles.KEYCLOAK)
            with psycopg.connect(self.admin_url, autocommit=True) as conn:
                roles.create_schema(conn)
        except psycopg.errors.InsufficientPrivilege as error:
            raise CliError(
                f"El usuario de DATABASE_URL necesita CREATEDB, CREATEROLE y BYPASSRLS: {error.diag.message_primary}.",
                "DATABASE_URL=postgresql://administrador:clave@servidor/pipc pipc init",
            ) from None
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            raise CliError(f"No se puede entrar a PostgreSQL: {reason}.", "pipc doctor") from None

    def initialise(self) -> None:
        """Everything that `pipc init` promises. Harmless when repeated."""
        self.create_databases()
        self.keep_secrets()

    def _maintenance_url(self, name: str) -> str:
        """A database of the server that exists: the product's, or `postgres` before the first time."""
        try:
            psycopg.connect(self.admin_url, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            if f'database "{name}" does not exist' in str(error):
                return with_login(self.admin_url, database="postgres")
            raise
        return self.admin_url


def with_login(url: str, *, user: str | None = None, password: str | None = None, database: str | None = None) -> str:
    """The same server and options with another login or database."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    login = (
        parts.netloc.rpartition("@")[0] if user is None else f"{quote(user, safe='')}:{quote(password or '', safe='')}"
    )
    path = parts.path if database is None else f"/{quote(database, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}" if login else place, path=path))
