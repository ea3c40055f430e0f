"""The hook of `app.http`: who is behind a cookie or a bearer token."""

from __future__ import annotations

import logging

from flask import Request

from app.http.context import SignedIn
from app.identity import actors, service
from app.kernel.actor import Actor
from app.kernel.errors import NotFound, Unauthenticated
from app.kernel.ports import TokenRefused
from tenants.core import service as tenants

log = logging.getLogger(__name__)

# What an open page asks by itself: it does not count as somebody being there.
# What a watching console asks by itself: it must not count as somebody being there.
PASSIVE = ("/sesion/latido", "/rt/", "/sala/cola", "/sala/turno", "/video/")


class IdentityLoader:
    """Implements `app.http.context.ActorLoader`."""

    def session(self, request: Request) -> SignedIn | None:
        identity = service.plugged()
        token = identity.cookies.session(request)
        if not token:
            return None
        session = identity.live.resume(token, passive=request.path.startswith(PASSIVE))
        if session is None:
            return None
        return SignedIn(actors.of_session(session, tenants.by_id(session.tenant_id)), session.csrf)

    def bearer(self, request: Request, token: str) -> Actor:
        try:
            return actors.of_token(service.plugged().verifier.access_token(token))
        except (TokenRefused, NotFound) as refusal:
            reason = getattr(refusal, "reason", "no-municipality")
            log.info("bearer token refused: %s", reason, extra={"path": request.path})
            raise Unauthenticated("El token no es válido para este servicio.") from refusal

    def remember(self, request: Request, preferences: dict[str, str]) -> None:
        signed_in = self.session(request)
        if signed_in is None:
            raise Unauthenticated("Hay que ingresar para guardar preferencias.")
        service.remember_preferences(signed_in.actor, preferences)
