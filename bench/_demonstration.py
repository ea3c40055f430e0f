"""The running demonstration (`make run`) as the benchmarks use it: its command line, its API, and a console in a real Chromium."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Page, sync_playwright

from tests.support.chromium import find
from tests.support.product import Product


def pipc(*arguments: str) -> str:
    """What a verb of `pipc` prints; ends the benchmark when there is no demonstration to ask."""
    done = subprocess.run([sys.executable, "-m", "app.cli.main", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"Hace falta la demostración en marcha (make run): {done.stderr.strip()}")
    return done.stdout.strip()


def demonstration() -> Product:
    """The running installation of this environment."""
    status = json.loads(pipc("status", "--json"))
    return Product(Path(status["home"]), urlsplit(status["url"]).port or 80)


class Api:
    """One person of the demonstration."""

    def __init__(self, product: Product, user: str) -> None:
        self.url = product.url
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {pipc('demo', 'token', '--user', user)}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.http.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def console(product: Product, user: str) -> Iterator[Page]:
    """`/sala/` of this person, in a browser of its own, with the mouse away from the queue."""
    chromium = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.path, args=chromium.flags, env={**chromium.environment()}
        )
        try:
            page = browser.new_context(locale="es-AR", viewport={"width": 1366, "height": 768}).new_page()
            product.sign_in(page, user)
            page.goto(f"{product.url}/sala/")
            page.mouse.move(1365, 1)
            yield page
        finally:
            browser.close()
