"""Signing in: away to the identity server, and back with a proof that is checked before anybody is let in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.audit import service as audit
from app.identity import actors, doors, people
from app.identity.deadlines import CLOCK_SKEW, ELEVATION
from app.identity.errors import (
    AnotherPerson,
    NotAMember,
    SignInCancelled,
    SignInExpired,
    SignInRefused,
    SignInRejected,
    WithoutRole,
    WithoutSecondFactor,
)
from app.identity.store import SessionStore
from app.identity.types import Entrance, Identity, Prelogin, Session
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.ports import IdentityProvider, TokenRefused, TokenSet
from app.kernel.unit_of_work import unit_of_work
from tenants.core import service as tenants
from tenants.core.service import Tenant

SECOND_FACTOR = "2"
HOME = "/"  # leads on to the section of who enters


@dataclass(frozen=True, slots=True)
class SignIn:
    """The flow of one installation. With `second_factor` nobody enters with a password alone."""

    provider: IdentityProvider
    store: SessionStore
    second_factor: bool

    def begin(self, tenant: Tenant, *, target: str, browser: str) -> str:
        """Start at a municipality's door. Returns where to send the browser."""
        return self._send(doors.ready(tenant), target=target, browser=browser, second_factor=self.second_factor)

    def begin_elevation(self, session: Session, *, target: str, browser: str) -> str:
        """Ask somebody who is in for their second factor."""
        tenant = doors.ready(tenants.by_id(session.tenant_id))
        return self._send(tenant, target=target, browser=browser, second_factor=True, subject=session.subject)

    def _send(self, tenant: Tenant, *, target: str, browser: str, second_factor: bool, subject: str = "") -> str:
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        prelogin = Prelogin(
            tenant_id=tenant.id,
            nonce=nonce,
            verifier=verifier,
            target=target or HOME,
            started_at=clock.now(),
            subject=subject,
        )
        self.store.begin(prelogin, state=state, browser=browser)
        return self.provider.authorization_url(
            scope=doors.scope_of(tenant), state=state, nonce=nonce, verifier=verifier, second_factor=second_factor
        )

    def complete(
        self, answer: Mapping[str, str], *, browser: str, current: Session | None, visit: Mapping[str, str]
    ) -> Entrance:
        """Let in whoever comes back with a good answer. `visit` is what the session remembers of the browser.

        Raises `SignInExpired`, `SignInCancelled`, a `SignInRefused` (recorded), or `Unavailable`.
        """
        prelogin = self.store.take(state=answer.get("state", ""), browser=browser)
        if prelogin is None:
            raise SignInExpired("Pasaron más de 10 minutos, ya se usó o empezó en otro navegador. Volver a ingresar.")
        tenant = tenants.by_id(prelogin.tenant_id)
        try:
            tokens = self._tokens(prelogin, answer)
        except SignInRefused as refusal:
            _record_refusal(tenant, None, refusal)
            raise
        identity = Identity.of(tokens.claims)
        try:
            roles = _roles(tenant, tokens)
            if prelogin.subject:
                return self._elevate(prelogin, tenant, identity, tokens, current)
            if self.second_factor and identity.acr != SECOND_FACTOR:
                raise WithoutSecondFactor("Esta instalación pide un segundo factor al ingresar.")
        except SignInRefused as refusal:
            if identity.subject != prelogin.subject:  # who only failed to confirm keeps the sign-in they had
                self.provider.end(tokens.refresh_token)
            _record_refusal(tenant, identity, refusal)
            raise
        return self._enter(prelogin, tenant, identity, tokens, roles, current=current, visit=visit)

    def _tokens(self, prelogin: Prelogin, answer: Mapping[str, str]) -> TokenSet:
        error = answer.get("error", "")
        if error == "invalid_scope":  # the organization does not exist there, or was disabled
            raise NotAMember("El municipio no está habilitado en el servicio de identidad.")
        if error or "code" not in answer:
            raise SignInCancelled("El servicio de identidad no confirmó el ingreso. Volver a intentar.")
        try:
            return self.provider.exchange(code=answer["code"], verifier=prelogin.verifier, nonce=prelogin.nonce)
        except TokenRefused as refusal:
            raise SignInRejected("La respuesta del servicio de identidad no es válida. Volver a ingresar.",
                                 reason=refusal.reason) from refusal  # fmt: skip

    def _enter(
        self, prelogin: Prelogin, tenant: Tenant, identity: Identity, tokens: TokenSet, roles: tuple[str, ...], *,
        current: Session | None, visit: Mapping[str, str],
    ) -> Entrance:  # fmt: skip
        actor = actors.entering(identity, tenant, roles)
        with unit_of_work(actor):
            preferences = people.note_sign_in(actor, identity, roles)
            audit.record("auth:session:start", identity.username, acr=identity.acr, funciones=list(roles), **visit)
        token, _ = self.store.start(
            identity,
            tokens,
            tenant_id=tenant.id,
            kind=doors.kind_of(tenant),
            roles=roles,
            data={"preferences": dict(preferences), **visit},
            elevated_until=_elevation(identity, prelogin.started_at),
        )
        if current is not None:  # one browser holds one session
            self.store.end(current.key)
        return Entrance(token, prelogin.target)

    def _elevate(
        self, prelogin: Prelogin, tenant: Tenant, identity: Identity, tokens: TokenSet, current: Session | None
    ) -> Entrance:
        if current is None or current.subject != prelogin.subject or current.tenant_id != tenant.id:
            raise SignInExpired("La sesión terminó mientras se confirmaba la identidad. Volver a ingresar.")
        if identity.subject != current.subject:
            raise AnotherPerson("Confirmar con la misma cuenta con la que se ingresó.")
        until = _elevation(identity, prelogin.started_at)
        if until is None:
            raise WithoutSecondFactor("La confirmación llegó sin el segundo factor. Volver a intentar.")
        with unit_of_work(actors.of_session(current, tenant)):
            audit.record("auth:session:elevate", identity.username, hasta=until.isoformat())
        # A gain of privilege gets a new cookie; the end of the shift stays where it was.
        token, _ = self.store.start(
            replace(identity, acr=SECOND_FACTOR),
            tokens,
            tenant_id=tenant.id,
            kind=current.kind,
            roles=_roles(tenant, tokens),
            data=current.data,
            elevated_until=until,
            expires_at=current.expires_at,
        )
        self.store.end(current.key)
        return Entrance(token, prelogin.target, elevated=True)


def _roles(tenant: Tenant, tokens: TokenSet) -> tuple[str, ...]:
    """Raises `NotAMember` or `WithoutRole`."""
    if not tenant.is_active:
        raise NotAMember(f"{tenant.name} no está activo en este momento.")
    try:
        roles = doors.roles_of(doors.ready(tenant), tokens.claims)
    except TokenRefused as refusal:
        raise NotAMember(f"Ingresar por el municipio en el que trabajás, o pedir el alta en {tenant.name}.",
                         reason=refusal.reason) from refusal  # fmt: skip
    if not roles:
        raise WithoutRole("Quien administra las personas del municipio asigna las funciones.")
    return roles


def _elevation(identity: Identity, asked_at: datetime) -> datetime | None:
    """Until when the second factor of this very sign-in counts; None when none was used after it was asked."""
    if identity.acr != SECOND_FACTOR or identity.auth_time is None or identity.auth_time < asked_at - CLOCK_SKEW:
        return None
    return identity.auth_time + ELEVATION


def _record_refusal(tenant: Tenant, identity: Identity | None, refusal: SignInRefused) -> None:
    who = identity.username if identity else "desconocido"
    stranger = Actor(
        kind="anonymous", tenant_id=tenant.id, user_id=who, display_name=identity.display_name if identity else who
    )
    audit.record_refusal(
        stranger, "auth:session:refuse", who, motivo=refusal.code, causa=str(refusal.extra.get("reason", ""))
    )
