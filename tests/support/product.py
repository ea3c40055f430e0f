"""The whole product as a newcomer starts it, for journeys in a real browser and through the API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.cli.local.process import spawn
from tests.support.engines import ROOT, session_folder

START_LIMIT_S = 420
STOP_LIMIT_S = 90


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Product:
    """A running installation: its address, its people and its command line."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self.env = {**os.environ, "PIPC_HOME": str(home), "PIPC_PORT": str(port)}

    def pipc(self, *words: str, check: bool = True) -> str:
        """The output of a `pipc` verb on this installation."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.main", *words],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, f"pipc {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    @cached_property
    def people(self) -> dict[str, dict[str, str]]:
        """The demonstration's users by name, with what is needed to sign in."""
        return {row["username"]: row for row in json.loads(self.pipc("demo", "users", "--json"))}

    def token(self, user: str) -> str:
        return self.pipc("demo", "token", "--user", user).strip()

    def api(self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str) -> Answer:
        """One request to the API; `headers` use underscores for dashes."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), _decoded(answer.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), _decoded(error.read()))

    def sign_in(self, page: Page, user: str) -> None:
        """Enter as a person does: the municipality's door, then the identity page."""
        person = self.people[user]
        tenant = person["tenant"]
        page.goto(f"{self.url}/provincia/entrar" if tenant in ("", "provincia") else f"{self.url}/m/{tenant}/entrar")
        page.locator("#username").fill(user)
        page.locator("#password").fill(person["password"])
        page.locator("#kc-login").click()
        page.wait_for_url(f"{self.url}/**")
        expect(page.locator("h1").first).to_be_attached()


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """`pipc run` on a home of its own, ready; ended as Ctrl-C ends it."""
    running = Product(session_folder() / "product", _free_port())
    running.home.mkdir(exist_ok=True)
    process = spawn(
        [sys.executable, "-m", "app.cli.main", "run"],
        log=running.home / "run.txt",
        env=running.env,
        cwd=ROOT,
        death_signal=signal.SIGTERM,
    )
    try:
        _wait_until_ready(running, process)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(running: Product, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        if json.loads(running.pipc("status", "--json", check=False) or "{}").get("state") == "ready":
            return
        time.sleep(1)
    raise AssertionError(f"the product did not start:\n{(running.home / 'run.txt').read_text()[-3000:]}")
