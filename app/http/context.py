"""Who is behind this request: the hook identity plugs, and the actor everything else reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flask import Request, current_app, g, request

from app.kernel.actor import Actor, TenantContextMissing, current
from app.kernel.errors import Unauthenticated

ANONYMOUS = Actor(kind="anonymous", tenant_id=None, user_id="anónimo", display_name="")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live server-side session: the person and the token its forms must carry."""

    actor: Actor
    csrf: str


class ActorLoader(Protocol):
    """Turns credentials into an actor; implemented by `app.identity` and plugged by the factory."""

    def session(self, request: Request) -> SignedIn | None:
        """The person of the session cookie, or None when there is no live session."""

    def bearer(self, request: Request, token: str) -> Actor:
        """The holder of a bearer token. Raises `Unauthenticated` for anything but a valid token."""

    def remember(self, request: Request, preferences: dict[str, str]) -> None:
        """Keep how this person likes the screens (theme, scale, shortcuts), for this session and the next ones."""


class NobodySignsIn:
    """The loader of an application without identity: every request is anonymous."""

    def session(self, request: Request) -> SignedIn | None:
        return None

    def bearer(self, request: Request, token: str) -> Actor:
        raise Unauthenticated("El token no es válido.")

    def remember(self, request: Request, preferences: dict[str, str]) -> None:
        raise Unauthenticated("Hay que ingresar para guardar preferencias.")


def loader() -> ActorLoader:
    """The loader the factory plugged."""
    plugged: ActorLoader = current_app.extensions["pipc_actor_loader"]
    return plugged


def signed_in() -> SignedIn | None:
    """The session behind this request, looked up once; None for anonymous requests and on bearer routes."""
    if "signed_in" not in g:
        g.signed_in = None if is_api(request.path) else loader().session(request)
    found: SignedIn | None = g.signed_in
    return found


def current_actor() -> Actor:
    """The acting one: the person signed in, the holder of the token, or the anonymous visitor of a public page."""
    try:
        return current()
    except TenantContextMissing:
        session = signed_in()
        return session.actor if session else ANONYMOUS


def bearer_actor() -> Actor:
    """The holder of the `Authorization: Bearer` token. Raises `Unauthenticated`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Falta el encabezado Authorization con un token Bearer.")
    return loader().bearer(request, token.strip())


def is_api(path: str) -> bool:
    """Whether `path` belongs to the API, where only bearer tokens are accepted and errors are problem+json."""
    return path.startswith("/api/")


def wants_json() -> bool:
    """Whether the caller is a program: an API or stream path, or an `Accept` that prefers JSON to HTML."""
    if request.path.startswith(("/api/", "/rt/", "/video/", "/auth/backchannel", "/healthz", "/readyz")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best != "text/html" and bool(request.accept_mimetypes)
