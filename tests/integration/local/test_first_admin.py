"""The first administrator of an embedded Keycloak of our own, on a copy of this run's database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import requests

from app.cli.local import first_admin, keycloak_template, roles
from app.cli.local.cache import cache_folder
from app.cli.local.environment import ROOT
from app.cli.local.home import Home
from app.cli.local.installation import KEYCLOAK_DATABASE, with_login
from app.cli.local.keycloak import BOOTSTRAP_CLIENT, Keycloak, built_tree
from app.cli.local.process import wait_until
from tests.support.engines import TestEngines

pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

EARLIER_POLICY = "length(12) and maxLength(128) and notUsername and notEmail"


@dataclass
class OwnServer:
    """A Keycloak that only one test uses, as an earlier release left it."""

    home: Home
    url: str  # of its database
    realm: str
    server: Keycloak
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """As `pipc run` does it."""
        self.server.prepare({"realm": self.realm})
        first_admin.let_in(self.url, self.realm)
        log = self.home.log("keycloak")
        self.process = self.server.start(log)
        assert wait_until(self.server.ready, 180), log.read_text()[-2000:]

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def settle(self) -> None:
        env = {
            "PATH": os.environ["PATH"], "PIPC_HOME": str(self.home.root), "REDIS_URL": "redis://127.0.0.1:1/0",
            "KEYCLOAK_URL": self.server.url, "PIPC_REALM": self.realm,
        }  # fmt: skip
        subprocess.run([sys.executable, "-m", "app.cli.local.first_admin"], cwd=ROOT, env=env, check=True)

    def lets_the_administrator_in(self) -> bool:
        form = {"grant_type": "client_credentials", "client_id": BOOTSTRAP_CLIENT}
        form["client_secret"] = self.server.bootstrap_secret
        address = f"{self.server.url}/realms/master/protocol/openid-connect/token"
        return requests.post(address, data=form, timeout=30).ok

    def offers_to_make_one(self) -> bool:
        return 'name="passwordConfirmation"' in requests.get(f"{self.server.url}/", timeout=30).text

    def query(self, text: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            return conn.execute(text.encode()).fetchall()

    def policy(self) -> object:
        return self.query(f"select password_policy from realm where name = '{self.realm}'")[0][0]

    def is_enabled(self) -> object:
        return self.query(f"select enabled from client where client_id = '{BOOTSTRAP_CLIENT}'")[0][0]

    def last_write(self) -> list[tuple[object, ...]]:
        return self.query(
            "select max(xmin::text::bigint) from client union all select max(xmin::text::bigint) from realm"
        )


@pytest.fixture
def empty_database(engines: TestEngines) -> Iterator[str]:
    """The URL of an empty database of Keycloak's role."""
    name = f"keycloak_{engines.worker}"
    with psycopg.connect(engines.postgres.url(), autocommit=True) as conn:
        roles.create_database(conn, name, owner=roles.KEYCLOAK)
        yield with_login(engines.installation.keycloak_database_url(), database=name)
        conn.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def own_server(
    keycloak: dict[str, str], engines: TestEngines, empty_database: str, tmp_path: Path
) -> Iterator[OwnServer]:
    dump = tmp_path / "keycloak.dump"
    keycloak_template.keep(dump, with_login(empty_database, database=KEYCLOAK_DATABASE))
    keycloak_template.restore(dump, empty_database)
    home = Home.at(tmp_path / "home")
    home.secret("db-keycloak", lambda: engines.installation.passwords[roles.KEYCLOAK])
    home.secret("keycloak-bootstrap", lambda: keycloak["bootstrap_client_secret"])
    tree = built_tree(cache_folder(os.environ), os.environ)
    server = Keycloak.of(home, tree, database=empty_database.rpartition("@")[2])
    made = OwnServer(home, empty_database, keycloak["realm"], server)
    made.query(f"update realm set password_policy = '{EARLIER_POLICY}' where name = '{made.realm}' returning 1")
    yield made
    made.stop()


@pytest.mark.slow("starts a Keycloak of its own, twice")
def test_the_administrator_puts_an_older_realm_right_and_never_enters_again(own_server: OwnServer) -> None:
    own_server.start()
    assert own_server.lets_the_administrator_in()

    own_server.settle()

    assert own_server.policy() == first_admin.POLICY
    assert first_admin.is_settled(own_server.url, own_server.realm)
    assert not own_server.lets_the_administrator_in()
    own_server.stop()
    own_server.start()
    assert not own_server.lets_the_administrator_in()
    assert not own_server.offers_to_make_one()


@pytest.mark.slow("copies the database of Keycloak")
def test_the_administrator_is_let_in_again_only_for_a_realm_that_differs(own_server: OwnServer) -> None:
    own_server.query(f"update client set enabled = false where client_id = '{BOOTSTRAP_CLIENT}' returning 1")

    first_admin.let_in(own_server.url, own_server.realm)
    assert own_server.is_enabled()
    assert not first_admin.is_settled(own_server.url, own_server.realm)

    own_server.query(f"update client set enabled = false where client_id = '{BOOTSTRAP_CLIENT}' returning 1")
    own_server.query(
        f"update realm set password_policy = '{first_admin.POLICY}' where name = '{own_server.realm}' returning 1"
    )
    before = own_server.last_write()
    first_admin.let_in(own_server.url, own_server.realm)
    assert first_admin.is_settled(own_server.url, own_server.realm)
    assert own_server.last_write() == before


def test_a_database_that_keycloak_has_not_filled_is_left_alone(empty_database: str) -> None:
    first_admin.let_in(empty_database, "seguridad-pba")

    assert not first_admin.is_settled(empty_database, "seguridad-pba")


def test_a_database_that_is_down_stops_nobody() -> None:
    nowhere = "postgresql://keycloak:x@127.0.0.1:1/keycloak"

    first_admin.let_in(nowhere, "seguridad-pba")

    assert not first_admin.is_settled(nowhere, "seguridad-pba")
