"""The embedded engines as the tests and the product use them."""

from __future__ import annotations

import psycopg
import pytest
import redis

from app.cli.local import roles


def test_roles_match_the_platform_design(engines) -> None:
    with psycopg.connect(engines.postgres.url()) as conn:
        rows = conn.execute(
            "select rolname, rolcanlogin, rolbypassrls, rolsuper, rolcreatedb or rolcreaterole from pg_roles"
            " where rolname like 'app\\_%' or rolname = 'keycloak'"
        ).fetchall()
        members = conn.execute(
            "select m.rolname, g.rolname, a.inherit_option, a.set_option from pg_auth_members a"
            " join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member where g.rolname like 'app\\_%'"
            " order by 1, 2"
        ).fetchall()

    logins = {*roles.LOGINS, "keycloak"}
    assert {row[0] for row in rows} == {*roles.GROUPS, *logins}
    assert {row[0] for row in rows if row[1]} == logins
    assert [row[0] for row in rows if row[2]] == ["app_bypass"]
    assert not [row[0] for row in rows if row[3] or row[4]]
    assert members == [
        ("app_migrate", "app_audit", False, True),
        ("app_migrate", "app_bypass", False, True),
        ("app_migrate", "app_owner", False, True),
        ("app_rw", "app_tenant", True, False),
        ("app_worker", "app_tenant", True, False),
    ]


def test_roles_made_twice_change_nothing_but_repair_what_was_altered(engines) -> None:
    with psycopg.connect(engines.postgres.url(), autocommit=True) as conn:
        conn.execute("alter role app_rw bypassrls")

        engines.installation.create_databases()

        assert conn.execute("select rolbypassrls from pg_roles where rolname = 'app_rw'").fetchone() == (False,)


@pytest.mark.parametrize("role", ["rw", "worker", "dir", "clock", "rt", "auth", "migrate"])
def test_each_login_enters_the_product_database_and_not_keycloaks(engines, role: str) -> None:
    with psycopg.connect(engines.urls_of("pipc")[role]) as conn:
        assert conn.execute("show plan_cache_mode").fetchone() == ("force_custom_plan",)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(engines.urls_of("keycloak")[role])


def test_application_roles_cannot_create_anything(engines) -> None:
    with psycopg.connect(engines.urls_of("pipc")["rw"]) as conn:
        for schema in ("app", "public"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"create table {schema}.intruder(id int)")
            conn.rollback()


def test_cluster_uses_the_builtin_collation_scram_and_loopback_only(engines) -> None:
    with psycopg.connect(engines.postgres.url()) as conn:
        provider = conn.execute(
            "select datlocprovider, datlocale from pg_database where datname='template1'"
        ).fetchone()
        verifier = conn.execute("select left(rolpassword, 13) from pg_authid where rolname = 'app_rw'").fetchone()
        listening = conn.execute("show listen_addresses").fetchone()

    assert provider == ("b", "C.UTF-8")
    assert verifier == ("SCRAM-SHA-256",)
    assert listening == ("127.0.0.1",)


def test_valkey_asks_for_the_password_and_never_evicts(engines) -> None:
    valkey = engines.installation.valkey
    with redis.Redis(port=valkey.port) as anonymous, pytest.raises(redis.AuthenticationError):
        anonymous.ping()
    with redis.Redis.from_url(valkey.url()) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("appendfsync")["appendfsync"] == "everysec"
        assert client.config_get("appendonly")["appendonly"] == "yes"
