"""Engines alone, for development and tests: `python -m app.cli.local.dev up --home FOLDER`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from app.cli.local.cache import cache_folder
from app.cli.local.engines import start_engines
from app.cli.local.home import Home
from app.cli.local.identity_server import realm_of
from app.cli.local.installation import Installation
from app.cli.local.keycloak import BOOTSTRAP_CLIENT, Keycloak, built_tree
from app.cli.local.keycloak_template import keep, restore, template_path
from app.cli.local.postgres import THROWAWAY
from app.cli.local.process import ProcessRef, wait_until
from app.settings import DatabaseUrls, Settings

_ROOT = Path(__file__).resolve().parents[3]
_folder = click.option("--home", "folder", type=click.Path(path_type=Path), required=True)
_until = click.option("--until", "owner", type=int, help="Stop when the process with this pid ends.")
# Parallel sign-ins of one person are ordinary in tests and refused by the brute-force protection's default.
_TEST_OPTIONS = (
    "--spi-brute-force-protector--default-brute-force-detector--allow-concurrent-requests=true",
)  # fmt: skip


@click.group()
def main() -> None:
    """Start or stop the engines of a folder, without the rest of the product."""


@main.command()
@_folder
@_until
@click.option("--durable", is_flag=True, help="Keep fsync on.")
def up(folder: Path, owner: int | None, *, durable: bool) -> None:
    """Start PostgreSQL and Valkey (once) and print their URLs as JSON."""
    _ensure(Home.at(folder), "engines", owner, *(["--durable"] if durable else []))


@main.command()
@_folder
@_until
@click.option("--base-url", default="http://127.0.0.1:8000", help="The origin to which sign-ins return.")
def keycloak(folder: Path, owner: int | None, base_url: str) -> None:
    """Start Keycloak (once, after `up`) and print where it is and its secrets as JSON."""
    _ensure(Home.at(folder), "keycloak", owner, "--base-url", base_url)


@main.command()
@_folder
def down(folder: Path) -> None:
    """Stop the engines of a folder."""
    for what in ("keycloak", "engines"):
        keeper = _keeper(Home.at(folder), what)
        if keeper is not None:
            keeper.end(signal.SIGTERM, 30)


@main.command(hidden=True)
@click.argument("what", type=click.Choice(["engines", "keycloak"]))
@_folder
@_until
@click.option("--durable", is_flag=True)
@click.option("--base-url", default="")
def hold(what: str, folder: Path, owner: int | None, base_url: str, *, durable: bool) -> None:
    """Own the engines until told to stop or until the owner is gone."""
    home = Home.at(folder)
    guard = ProcessRef.of(owner) if owner else None
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: stopping.append(signum))
    installation = Installation.of({"PIPC_HOME": str(home.root)}, settings={} if durable else THROWAWAY)
    refs, told = _start_engines(installation) if what == "engines" else _start_keycloak(installation, base_url)
    me = ProcessRef.of(os.getpid())
    home.write_json(f"dev-{what}.json", {"pid": me.pid, "started": me.started, "told": told})  # type: ignore[union-attr]  # ourselves
    while not stopping and (owner is None or (guard is not None and guard.alive())):
        time.sleep(0.2)
    for ref, signum in refs:
        ref.end(signum, 20)
    if not stopping and what == "engines":
        shutil.rmtree(home.root, ignore_errors=True)  # nobody is left to want it


def _start_engines(installation: Installation) -> tuple[list[tuple[ProcessRef, int]], dict[str, str]]:
    refs = start_engines(installation)
    installation.create_databases()
    urls = {**installation.database_urls(), "admin": installation.admin_url}
    return refs, {"redis": installation.redis_url, **urls}


def _start_keycloak(installation: Installation, base_url: str) -> tuple[list[tuple[ProcessRef, int]], dict[str, str]]:
    home, cache = installation.home, cache_folder(os.environ)
    secrets = Home.at(cache / "keycloak-dev")  # the same on every start, or no template would fit twice
    settings = _settings(installation, secrets, base_url)
    realm = realm_of(settings)
    url = installation.keycloak_database_url()
    template = template_path(cache, realm)
    restored = restore(template, url)
    server = Keycloak.of(
        home, built_tree(cache, os.environ), database=url.rsplit("@", 1)[1], options=_TEST_OPTIONS,
        bootstrap_secret=secrets.secret("keycloak-bootstrap"),
    )  # fmt: skip
    server.prepare(realm)
    child = server.start(home.log("keycloak"))
    if not wait_until(lambda: child.poll() is not None or server.ready(), 180) or child.poll() is not None:
        raise click.ClickException(home.log("keycloak").read_text()[-3000:])
    if not restored:
        keep(template, url)
    ref = ProcessRef.of(child.pid)
    assert ref is not None, "ready a moment ago"
    told = {
        "url": server.url,
        "realm": settings.realm,
        "base_url": base_url,
        "bootstrap_client_id": BOOTSTRAP_CLIENT,
        "bootstrap_client_secret": server.bootstrap_secret,
        "oidc_client_secret": settings.oidc_client_secret,
        "provision_client_secret": settings.provision_client_secret,
        "enrol_client_secret": settings.enrol_client_secret,
    }
    return [(ref, signal.SIGTERM)], told


def _settings(installation: Installation, secrets: Home, base_url: str) -> Settings:
    return Settings(
        base_url=base_url,
        home=installation.home.root,
        databases=DatabaseUrls(),
        redis_url="",
        objects_dir=installation.home.objects,
        keycloak_url=installation.keycloak_url,
        oidc_client_secret=secrets.secret("oidc-client"),
        provision_client_secret=secrets.secret("provision-client"),
        enrol_client_secret=secrets.secret("enrol-client"),
        demonstration=True,
        require_second_factor=False,
    )


def _ensure(home: Home, what: str, owner: int | None, *options: str) -> None:
    """Start the keeper of these engines unless one is alive, and print what it tells."""
    if _keeper(home, what) is None:
        command = [sys.executable, "-m", "app.cli.local.dev", "hold", what, "--home", str(home.root), *options]
        command += ["--until", str(owner)] if owner else []
        log = home.log(f"dev-{what}")
        with log.open("ab") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=_ROOT
            )
        wait_until(lambda: child.poll() is not None or _keeper(home, what) is not None, 300)
        if _keeper(home, what) is None:
            raise click.ClickException(log.read_text()[-3000:])
    click.echo(json.dumps(home.read_json(f"dev-{what}.json")["told"], indent=1))


def _keeper(home: Home, what: str) -> ProcessRef | None:
    """The process that holds these engines of the folder, when it is alive."""
    state = home.read_json(f"dev-{what}.json")
    if not state:
        return None
    ref = ProcessRef(state["pid"], state["started"])
    return ref if ref.alive() else None


if __name__ == "__main__":
    main()
