"""The two engines of a home folder together: their secrets, their start side by side, their databases and URLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg

from app.cli.errors import CliError
from app.cli.local import ports, roles
from app.cli.local.home import Home
from app.cli.local.postgres import Postgres
from app.cli.local.process import ProcessRef, wait_until
from app.cli.local.valkey import Valkey

DATABASE = "pipc"


@dataclass(frozen=True)
class Engines:
    """PostgreSQL and Valkey of one home."""

    home: Home
    postgres: Postgres
    valkey: Valkey
    passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, home: Home, *, settings: Mapping[str, str] | None = None) -> Engines:
        """The engines of this home, with its ports and secrets (made now when they are missing)."""
        numbers = ports.assigned(home, {})
        passwords = {role: home.secret(f"db-{role}") for role in (*roles.LOGINS, roles.KEYCLOAK)}
        admin = home.secret("db-admin")
        return cls(
            home=home,
            postgres=Postgres(home.postgres, numbers["postgres"], admin, dict(settings or {})),
            valkey=Valkey(home.redis, numbers["redis"], home.secret("redis")),
            passwords=passwords,
        )

    def start(self, *, tied: bool) -> dict[str, ProcessRef]:
        """Start both and wait until they answer. `tied`: they die with the calling thread."""
        options = {} if tied else {"death_signal": None}
        valkey = self.valkey.start(self.home.log("redis"), **options)
        self.postgres.prepare(self.home.log("postgres"))
        postgres = self.postgres.start(self.home.log("postgres"), **options)
        started = {"postgres": (postgres, self.postgres), "redis": (valkey, self.valkey)}
        refs = {}
        for name, (child, engine) in started.items():
            if (
                not wait_until(lambda c=child, e=engine: c.poll() is not None or e.ready(), 30)
                or child.poll() is not None
            ):
                raise CliError(f"{name} no arrancó; el detalle está en {self.home.log(name)}.")
            refs[name] = ProcessRef(child.pid, _started(child.pid))
        return refs

    def create_databases(self) -> None:
        """Roles, the product's database with its schema, and Keycloak's."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as conn:
            roles.create_roles(conn, self.passwords)
            roles.create_database(conn, DATABASE)
            roles.create_database(conn, roles.KEYCLOAK, owner=roles.KEYCLOAK)
        with psycopg.connect(self.postgres.url(DATABASE), autocommit=True) as conn:
            roles.create_schema(conn)

    def database_urls(self, database: str = DATABASE) -> dict[str, str]:
        """One URL per login role by its short name, and `admin`."""
        urls = {
            short: self.postgres.url(database, user=role, password=self.passwords[role])
            for short, role in roles.SHORT.items()
        }
        own = self.postgres.url(database, user=roles.KEYCLOAK, password=self.passwords[roles.KEYCLOAK])
        return {**urls, "keycloak": own, "admin": self.postgres.url(database)}


def _started(pid: int) -> int:
    ref = ProcessRef.of(pid)
    if ref is None:
        raise CliError("Un proceso terminó apenas arrancó.", "pipc logs")
    return ref.started
