"""The first administrator of the embedded Keycloak: let in while the realm is not as this release wants it, shut out otherwise.

The account is disabled and not deleted: without any account Keycloak offers to make one to whoever opens its first page.
`let_in` goes before Keycloak starts, which would not notice that its database changed; `python -m app.cli.local.first_admin` after.
"""

from __future__ import annotations

import contextlib
import os
import sys

import psycopg

from app.adapters.keycloak.administration import settle_realm
from app.adapters.keycloak.realm import password_policy
from app.cli.local.home import Home
from app.cli.local.keycloak import BOOTSTRAP_CLIENT
from app.settings import Settings

_CONNECT_S = 2  # the supervisor looks after nothing else meanwhile
POLICY = password_policy(blocked_list=True)
_MASTER_CLIENT = "client_id = %(client)s and realm_id = (select id from realm where name = 'master')"
_STATE = f"""
    select password_policy, exists(select from client where enabled and {_MASTER_CLIENT})
    from realm where name = %(realm)s"""  # noqa: S608  # made of constants
_LET_IN = f"update client set enabled = true where {_MASTER_CLIENT}"  # noqa: S608  # made of constants


def is_settled(url: str, realm: str) -> bool:
    """True when the realm in Keycloak's database `url` is as it must be and its first administrator cannot enter."""
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_S) as conn:
            return _state(conn, realm) == (POLICY, False)
    except psycopg.OperationalError:
        return False


def let_in(url: str, realm: str) -> None:
    """Enable the account when there is something to put right. Nothing is written otherwise.

    While the database is down it leaves the word to Keycloak, which ends and is started again.
    """
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=_CONNECT_S) as conn:
        state = _state(conn, realm)
        if state is not None and state[0] != POLICY:
            conn.execute(_LET_IN, {"client": BOOTSTRAP_CLIENT})


def _state(conn: psycopg.Connection, realm: str) -> tuple[str | None, bool] | None:
    """The realm's password policy and whether the account is enabled; None while there is no such realm."""
    if conn.execute("select to_regclass('realm')").fetchone() == (None,):
        return None
    return conn.execute(_STATE, {"client": BOOTSTRAP_CLIENT, "realm": realm}).fetchone()


def main() -> int:
    """Exit status 0 when the realm is as it must be and the administrator is out."""
    settings = Settings.from_env(os.environ)
    secret = Home.at(settings.home).secret("keycloak-bootstrap")
    settle_realm(settings, POLICY, client_id=BOOTSTRAP_CLIENT, client_secret=secret)
    sys.stdout.write("El reino está al día y la cuenta inicial de Keycloak quedó deshabilitada.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
