"""What each process is given: the settings and secrets it uses, and no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli.local.cache import cache_folder
from app.cli.local.home import Home, write_whole

# What the person at the keyboard may decide; passed on to every process when it is set.
PASSED_ON = (
    "PIPC_RT", "PIPC_REALM", "PIPC_DEMONSTRATION", "PIPC_REQUIRE_SECOND_FACTOR", "PIPC_ALLOW_FILE_SOURCES",
    "PIPC_CAMERA_NETWORKS", "PIPC_PROXY_HOPS", "PIPC_CLOCK_INTERVAL", "PIPC_RECONCILE_INTERVAL", "PIPC_RECONCILE_AFTER",
    "PIPC_RATE_LIMITS", "PIPC_OBJECTS", "PIPC_SCENES", "THEME_NAME",
)  # fmt: skip
# Given only at the start that makes the realm on a Keycloak of somebody else.
ADMIN_ID, ADMIN_SECRET = "KEYCLOAK_ADMIN_CLIENT_ID", "KEYCLOAK_ADMIN_CLIENT_SECRET"
_MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE")
ROOT = Path(__file__).resolve().parents[3]
# One machine without a word to the contrary shows itself: drawn cameras, one factor to sign in.
_DEMONSTRATION = {
    "PIPC_DEMONSTRATION": "1",
    "PIPC_REQUIRE_SECOND_FACTOR": "0",
    "PIPC_ALLOW_FILE_SOURCES": "1",
    "PIPC_CAMERA_NETWORKS": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8",
}


def is_demonstration(env: Mapping[str, str]) -> bool:
    """True unless `PIPC_DEMONSTRATION=0`."""
    return env.get("PIPC_DEMONSTRATION", "1") == "1"


def view_key() -> str:
    """A fresh P-256 key (PEM) with which the province signs view tickets."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


# name of the setting -> file under secrets/ and how it is made when it is missing
GENERATED: dict[str, tuple[str, Callable[[], str] | None]] = {
    "PIPC_OIDC_CLIENT_SECRET": ("oidc-client", None),
    "PIPC_PROVISION_CLIENT_SECRET": ("provision-client", None),
    "PIPC_ENROL_CLIENT_SECRET": ("enrol-client", None),
    "PIPC_SECRET_KEY": ("secret-key", None),
    "PIPC_VIEW_KEY": ("view-key.pem", view_key),
}
# name of the setting -> file under secrets/ with a URL that `pipc init` derives
DERIVED = {
    "PIPC_DB_RW_URL": "url-rw",
    "PIPC_DB_WORKER_URL": "url-worker",
    "PIPC_DB_DIR_URL": "url-dir",
    "PIPC_DB_AUTH_URL": "url-auth",
    "PIPC_DB_RT_URL": "url-rt",
    "PIPC_DB_CLOCK_URL": "url-clock",
    "PIPC_DB_MIGRATE_URL": "url-migrate",
    "REDIS_URL": "url-redis",
    "NODE_REDIS_URL": "url-node-redis",
}
_OIDC = frozenset({"PIPC_OIDC_CLIENT_SECRET", "PIPC_SECRET_KEY"})
NEEDS: dict[str, frozenset[str]] = {
    "web": _OIDC | {"PIPC_DB_RW_URL", "PIPC_DB_DIR_URL", "PIPC_DB_AUTH_URL", "PIPC_DB_RT_URL", "REDIS_URL",
                    "PIPC_VIEW_KEY", "PIPC_PROVISION_CLIENT_SECRET"},
    "workers": frozenset({"PIPC_DB_WORKER_URL", "REDIS_URL", "PIPC_SECRET_KEY", "PIPC_VIEW_KEY",
                          "PIPC_PROVISION_CLIENT_SECRET", "PIPC_ENROL_CLIENT_SECRET"}),
    "clock": frozenset({"PIPC_DB_CLOCK_URL", "REDIS_URL"}),
    "node": frozenset({"NODE_REDIS_URL"}),
    "node-workers": frozenset({"NODE_REDIS_URL"}),
    "migrate": frozenset({"PIPC_DB_MIGRATE_URL"}),
    "realm": frozenset({"PIPC_OIDC_CLIENT_SECRET", "PIPC_PROVISION_CLIENT_SECRET", "PIPC_ENROL_CLIENT_SECRET", "REDIS_URL"}),
    "scenes": frozenset(),
    "cli": frozenset({*GENERATED, *DERIVED}),
}  # fmt: skip


@dataclass(frozen=True)
class Servers:
    """Where the servers are, ours or the ones that were given."""

    base_url: str
    keycloak_url: str
    metrics_port: int = 0


def keep_secrets(home: Home, urls: Mapping[str, str]) -> None:
    """Make the secrets that are missing, and write the URLs of this start."""
    for name, make in GENERATED.values():
        home.secret(name, make) if make else home.secret(name)
    for setting, name in DERIVED.items():
        path = home.secrets / name
        if not path.exists() or path.read_text(encoding="utf-8") != urls[setting]:
            write_whole(path, urls[setting])


def environment(home: Home, process: str, servers: Servers, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of one process. Secrets travel as names of files, never as values."""
    plain = {name: env[name] for name in (*_MACHINE, *PASSED_ON) if name in env}
    files = {**{name: file for name, (file, _) in GENERATED.items()}, **DERIVED}
    secrets = {f"{name}_FILE": str(home.secrets / files[name]) for name in sorted(NEEDS[process])}
    return {
        **(_DEMONSTRATION if is_demonstration(env) else {}),
        **plain,
        "PIPC_HOME": str(home.root),
        "PIPC_CACHE": str(cache_folder(env)),
        "PIPC_BASE_URL": servers.base_url,
        "KEYCLOAK_URL": servers.keycloak_url,
        "PIPC_METRICS_PORT": str(servers.metrics_port if process == "web" else 0),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
        **secrets,
    }
