"""What each process is given."""

from __future__ import annotations

import pytest

from app.cli.local import environment
from app.cli.local.home import Home
from app.cli.local.installation import Installation, with_login
from app.settings import Settings

SERVERS = environment.Servers("http://127.0.0.1:8000", "http://127.0.0.1:8080", 9100)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path)


@pytest.mark.parametrize(
    ("process", "absent"),
    [
        ("web", {"PIPC_DB_WORKER_URL", "PIPC_DB_CLOCK_URL", "PIPC_DB_MIGRATE_URL", "PIPC_ENROL_CLIENT_SECRET"}),
        ("workers", {"PIPC_DB_RW_URL", "PIPC_DB_MIGRATE_URL", "PIPC_OIDC_CLIENT_SECRET"}),
        ("clock", {"PIPC_DB_RW_URL", "PIPC_DB_WORKER_URL", "PIPC_SECRET_KEY", "PIPC_OIDC_CLIENT_SECRET"}),
        ("node", {"REDIS_URL", "PIPC_DB_RW_URL", "PIPC_DB_WORKER_URL", "PIPC_SECRET_KEY"}),
        ("node-workers", {"REDIS_URL", "PIPC_DB_WORKER_URL"}),
        ("scenes", {"REDIS_URL", "NODE_REDIS_URL", "PIPC_SECRET_KEY"}),
    ],
)
def test_process_is_given_only_the_secrets_it_uses(home, process: str, absent: set[str]) -> None:
    env = environment.environment(home, process, SERVERS, {"HOME": str(home.root)})

    assert not {f"{name}_FILE" for name in absent} & set(env)
    assert {name for name in env if name.endswith("_FILE")} == {f"{name}_FILE" for name in environment.NEEDS[process]}


def test_no_secret_travels_as_a_value_and_nothing_else_of_the_shell_does(home) -> None:
    shell = {
        "HOME": str(home.root),
        "AWS_SECRET_ACCESS_KEY": "x",
        "PYTHONPATH": "/evil",
        "PIPC_DB_RW_URL": "postgresql://x",
    }

    env = environment.environment(home, "web", SERVERS, shell)

    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "PIPC_DB_RW_URL"} & set(env)
    assert not any("postgresql://" in value or "redis://" in value for value in env.values())


def test_settings_of_the_command_line_can_be_read_from_what_init_keeps(home) -> None:
    here = Installation.of({"PIPC_HOME": str(home.root), "HOME": str(home.root)})
    here.keep_secrets()

    settings = Settings.from_env(here.environment("cli"))

    assert settings.databases.rw == here.database_urls()["rw"]
    assert settings.redis_url == here.redis_url
    assert "BEGIN PRIVATE KEY" in settings.view_key_pem
    assert settings.demonstration
    assert settings.home == home.root


def test_servers_of_the_environment_are_used_and_none_is_embedded(home) -> None:
    here = Installation.of(
        {
            "PIPC_HOME": str(home.root), "HOME": str(home.root), "REDIS_URL": "redis://:r@10.0.0.2:6380/3",
            "DATABASE_URL": "postgres://boss:p%40ss@db.example:5433/muni?sslmode=require",
            "KEYCLOAK_URL": "https://id.example/",
        }
    )  # fmt: skip

    assert here.postgres is None
    assert here.valkey is None
    assert not here.embeds_keycloak
    assert here.keycloak_url == "https://id.example"
    assert here.node_redis_url == "redis://:r@10.0.0.2:6380/1"
    rw = here.database_urls()["rw"]
    assert rw == f"postgresql://app_rw:{here.passwords['app_rw']}@db.example:5433/muni?sslmode=require"


def test_login_is_replaced_and_server_and_options_stay() -> None:
    url = "postgresql://boss:x@[::1]:5433/muni?sslmode=require"

    assert with_login(url, user="app rw", password="a/b@c", database="otra base") == (
        "postgresql://app%20rw:a%2Fb%40c@[::1]:5433/otra%20base?sslmode=require"
    )
