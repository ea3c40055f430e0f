"""The real application as a browser or a program meets it, without Keycloak: whoever the test says is signed in.

Every HTML page that any test fetches is checked here, so a page cannot be wrong only because nobody looked at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
from flask import Flask, Request
from werkzeug.test import TestResponse

from app.factory import build_runtime, create_app
from app.http.context import SignedIn
from app.kernel.actor import Actor
from app.kernel.errors import Unauthenticated
from app.settings import DatabaseUrls, Settings
from tests.support.world import database_urls_of

BASE_URL = "http://127.0.0.1:8000"
# Nothing listens there: nudges are lost and limits are counted in memory, which both must survive.
NO_REDIS = "redis://127.0.0.1:1/0"
COOKIE = "prueba"
CSRF = "csrf-de-prueba"
LABELLED = {"input", "select", "textarea"}
UNLABELLED_TYPES = {"hidden", "submit", "button"}
ENGLISH = re.compile(
    r"\b(the|and|with|your|please|error occurred|unexpected|submit|cancel|password|username|loading|search|camera|alarm)\b",
    re.IGNORECASE,
)
# Trade names and addresses may contain those words.
QUOTED = re.compile(r"<(pre|code|samp|kbd|script|style)\b.*?</\1>", re.DOTALL)


@dataclass
class People:
    """The `ActorLoader` of tests: cookies and tokens are names of actors."""

    by_name: dict[str, Actor] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=dict)

    def session(self, request: Request) -> SignedIn | None:
        actor = self.by_name.get(request.cookies.get(COOKIE, ""))
        return SignedIn(actor, CSRF) if actor else None

    def bearer(self, request: Request, token: str) -> Actor:
        if token not in self.by_name:
            raise Unauthenticated("El token no es válido.")
        return self.by_name[token]

    def remember(self, request: Request, preferences: dict[str, str]) -> None:
        self.remembered |= preferences


def make_settings(tmp_path: Path, urls: dict[str, str] | None = None, **changes: Any) -> Settings:
    """Settings of a web process on this database (none: pages that read nothing)."""
    return Settings(
        base_url=changes.pop("base_url", BASE_URL),
        home=tmp_path,
        databases=database_urls_of(urls) if urls else DatabaseUrls(),
        redis_url=changes.pop("redis_url", NO_REDIS),
        objects_dir=tmp_path / "objects",
        rate_limits=changes.pop("rate_limits", False),
        **changes,
    )


def make_app(settings: Settings, people: People | None = None) -> Flask:
    """The application of the factory with test people instead of Keycloak."""
    app = create_app(replace(build_runtime(settings), actor_loader=people or People()))
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


class Client:
    """One caller. `actor` None is an anonymous visitor."""

    def __init__(self, app: Flask, actor: Actor | None = None) -> None:
        self.app = app
        self._people: People = app.extensions["pipc_actor_loader"]
        self._http = app.test_client()
        self._name = ""
        if actor is not None:
            self._name = f"{actor.tenant_id}:{actor.user_id}"
            self._people.by_name[self._name] = actor
            self._http.set_cookie(COOKIE, self._name, domain="127.0.0.1")

    @property
    def bearer(self) -> dict[str, str]:
        """The header a program of this actor sends."""
        return {"Authorization": f"Bearer {self._name}"}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._checked(self._http.get(path, base_url=BASE_URL, buffered=True, **self._as_program(path, options)))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """A form as a page of ours sends it (or JSON under /api); pass `csrf=False` to forget the token."""
        if not path.startswith("/api/") and options.pop("csrf", True):
            options["headers"] = {"X-CSRF-Token": CSRF, "Sec-Fetch-Site": "same-origin", **options.get("headers", {})}
        return self._checked(
            self._http.post(path, data=data, base_url=BASE_URL, buffered=True, **self._as_program(path, options))
        )

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        return self._checked(
            self._http.open(path, method=method, base_url=BASE_URL, buffered=True, **self._as_program(path, options))
        )

    def _as_program(self, path: str, options: dict[str, Any]) -> dict[str, Any]:
        if path.startswith("/api/") and self._name:
            options["headers"] = {**self.bearer, **options.get("headers", {})}
        return options

    def _checked(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html" and response.data and response.location is None:
            text = response.get_data(as_text=True)
            if text.lstrip().lower().startswith("<!doctype"):
                check_page(text, response.headers["Content-Security-Policy"])
        return response


class _Outline(HTMLParser):
    """The facts of a page that the checks below look at."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: dict[str, str] = {"title": "", "h1": ""}
        self.labels: set[str] = set()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        self.tags.append((tag, facts))
        self._open.append(tag)
        if tag == "label" and "for" in facts:
            self.labels.add(facts["for"])

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in self.text:
            if tag in self._open and "svg" not in self._open:
                self.text[tag] += data


def check_page(text: str, policy: str) -> None:
    """Fail on a malformed, inaccessible or unsafe page."""
    html5lib.HTMLParser(strict=True).parse(text)
    outline = _Outline()
    outline.feed(text)
    tags = outline.tags
    assert ("html", "es-AR") in {(tag, facts.get("lang")) for tag, facts in tags}, "falta lang=es-AR"
    headings = [tag for tag, _ in tags if tag == "h1"]
    assert len(headings) == 1, f"la página tiene {len(headings)} <h1>"
    title, h1 = (" ".join(outline.text[name].split()) for name in ("title", "h1"))
    assert h1, "el <h1> está vacío"
    assert title.startswith(h1), f"el título «{title}» no empieza con «{h1}»"
    ids = [facts["id"] for _, facts in tags if "id" in facts]
    assert len(ids) == len(set(ids)), f"ids repetidos: {sorted({each for each in ids if ids.count(each) > 1})}"
    _check_forms(outline)
    _check_safety(outline, policy)
    _check_language(text)


def _check_forms(outline: _Outline) -> None:
    for tag, facts in outline.tags:
        if tag in LABELLED and facts.get("type") not in UNLABELLED_TYPES:
            named = facts.get("id") in outline.labels or "aria-label" in facts or "aria-labelledby" in facts
            assert named, f"un campo sin etiqueta: {facts}"
        if tag == "form":
            assert facts.get("action"), f"un formulario sin action: {facts}"
    posts = [facts for tag, facts in outline.tags if tag == "form" and facts.get("method", "get").lower() == "post"]
    tokens = [facts for tag, facts in outline.tags if tag == "input" and facts.get("name") == "csrf_token"]
    assert len(tokens) >= len(posts), "un formulario que escribe no lleva csrf_token"


def _check_safety(outline: _Outline, policy: str) -> None:
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce, "la política no tiene nonce"
    for tag, facts in outline.tags:
        if tag == "script":
            assert facts.get("nonce") == nonce[1], f"un script sin el nonce de la respuesta: {facts}"
        assert tag != "style", "un <style> dentro de la página"
        unsafe = [name for name in facts if name == "style" or name.startswith(("on", "hx-on"))]
        assert not unsafe, f"código o estilo dentro de <{tag}>: {unsafe}"


def _check_language(text: str) -> None:
    visible = re.sub(r"<[^>]+>", " ", QUOTED.sub(" ", text))
    found = ENGLISH.search(visible)
    assert found is None, f"quedó inglés en la página: …{visible[max(0, found.start() - 40) : found.end() + 40]}…"
