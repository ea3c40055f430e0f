"""Sessions in use: each request finds its own, with membership and roles no older than a token."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from app.audit import service as audit
from app.identity import actors, doors
from app.identity.deadlines import GRACE_WITHOUT_SERVER, REFRESH_AGAIN, TOUCH_EVERY
from app.identity.store import SessionStore
from app.identity.types import Session
from app.kernel import clock
from app.kernel.errors import NotFound, Unavailable
from app.kernel.permissions import Permission
from app.kernel.ports import IdentityProvider, TokenRefused
from tenants.core import service as tenants
from tenants.core.service import Tenant

log = logging.getLogger(__name__)

WAIT_FOR_OTHER_S = 6.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class LiveSessions:
    """The sessions of one installation, kept true to the identity server."""

    provider: IdentityProvider
    store: SessionStore

    def resume(self, token: str, *, passive: bool) -> Session | None:
        """The session of a cookie, refreshed when its access token is about to end; None when there is none any more.

        `passive` requests are made by an open page by itself: they keep roles true and do not move the idle deadline.
        """
        session = self.store.find(token)
        if session is None or not self._is_open(session):
            return None
        refresh_token = self.store.claim_refresh(session.key)
        if refresh_token is not None:
            if not self._refresh(session, refresh_token):
                return None
            session = self.store.find(token)
        elif session.access_expires_at <= clock.now():
            session = self._wait_for_other(token)
        if session is not None and not passive and clock.now() - session.seen_at >= TOUCH_EVERY:
            self.store.touch(session)
        return session

    def goes_on(self, key: bytes, permission: Permission) -> bool:
        """Whether that session may still do so: it neither ended nor lost the role, and its municipality is not suspended."""
        session = self.store.of_key(key)
        return session is not None and permission in session.permissions and self._is_open(session)

    def _is_open(self, session: Session) -> bool:
        """Whether the municipality still is; a suspended one lets nobody go on."""
        try:
            tenant = tenants.by_id(session.tenant_id)
        except NotFound:
            return False
        return tenant.is_active

    def _refresh(self, session: Session, refresh_token: str) -> bool:
        """Ask for the present roles. False when the identity server says that this person may not go on."""
        tenant = tenants.by_id(session.tenant_id)
        try:
            tokens = self.provider.refresh(refresh_token=refresh_token, scope=doors.scope_of(tenant))
            if tokens.claims["sub"] != session.subject:
                raise TokenRefused("another-person")
            roles = doors.roles_of(tenant, tokens.claims)
            if not roles:
                raise TokenRefused("no-role")
        except TokenRefused as refusal:
            self._end(session, tenant, refusal.reason)
            return False
        except Unavailable as error:
            return self._carry_on(session, tenant, error)
        self.store.refreshed(session.key, tokens, roles)
        return True

    def _carry_on(self, session: Session, tenant: Tenant, error: Unavailable) -> bool:
        """Nobody is signed out because the identity server is away, for a few hours."""
        log.warning("session kept without asking the identity server: %s", error)
        if clock.now() - session.refreshed_at > GRACE_WITHOUT_SERVER:
            self._end(session, tenant, "identity-unavailable")
            return False
        self.store.postpone_refresh(session.key, by=REFRESH_AGAIN)
        return True

    def _end(self, session: Session, tenant: Tenant, reason: str) -> None:
        self.store.end(session.key)
        actor = actors.of_session(session, tenant)
        audit.record_apart(actor, "auth:session:end", session.username, motivo=reason)

    def _wait_for_other(self, token: str) -> Session | None:
        """Another request is asking: its answer holds for this one too, and stale roles hold for nobody."""
        until = time.monotonic() + WAIT_FOR_OTHER_S
        while time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
            session = self.store.find(token)
            if session is None or session.access_expires_at > clock.now():
                return session
        return None
