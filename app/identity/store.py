"""The server-side sessions of browsers: rows of `web_sessions`, found by a digest of a cookie and nothing else."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session as Database

from app.identity.deadlines import (
    KEEP_DEAD,
    NOTICE_MEMORY,
    PRELOGIN,
    REFRESH_AHEAD,
    REFRESH_CLAIM,
    SHIFT,
    idle_deadline,
)
from app.identity.events import EndedSession, SessionsEnded
from app.identity.models import WebSession
from app.identity.sealing import Sealer
from app.identity.types import Identity, Prelogin, Session, SessionKind, person_id_of
from app.kernel import clock, events
from app.kernel.actor import system_actor
from app.kernel.permissions import permissions_of
from app.kernel.ports import TokenSet
from app.kernel.unit_of_work import autonomous_unit

REVOKED = "session:revoked"
SIGN_IN = system_actor("ingreso")


def digest(token: str) -> bytes:
    """The key of the row a random token stands for."""
    return hashlib.sha256(token.encode()).digest()


class SessionStore:
    """Sessions through the database role of signing in. Every call is one short transaction of its own."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # A sign-in on its way -------------------------------------------------------------------------------------------

    def begin(self, prelogin: Prelogin, *, state: str, browser: str) -> None:
        """Remember a sign-in that was just sent away, for the browser that started it."""
        with _writing() as db:
            _sweep(db)
            db.add(
                WebSession(
                    key=digest(state),
                    kind="prelogin",
                    tenant_id=prelogin.tenant_id,
                    csrf=digest(browser).hex(),
                    expires_at=prelogin.started_at + PRELOGIN,
                    created_at=prelogin.started_at,
                    seen_at=prelogin.started_at,
                    sub=prelogin.subject or None,
                    data={
                        "nonce": prelogin.nonce,
                        "verifier": prelogin.verifier,
                        "target": prelogin.target,
                    },
                )
            )

    def take(self, *, state: str, browser: str) -> Prelogin | None:
        """The sign-in of that state, once, in time and only for its own browser."""
        with _writing() as db:
            row = db.execute(
                delete(WebSession)
                .where(
                    WebSession.key == digest(state), WebSession.kind == "prelogin", WebSession.expires_at > clock.now()
                )
                .where(WebSession.csrf == digest(browser).hex())
                .returning(WebSession.tenant_id, WebSession.sub, WebSession.created_at, WebSession.data)
            ).one_or_none()
        if row is None:
            return None
        fields = {name: row.data[name] for name in ("nonce", "verifier", "target")}
        return Prelogin(tenant_id=row.tenant_id, subject=row.sub or "", started_at=row.created_at, **fields)

    def first_time(self, notice: str) -> bool:
        """Whether that identifier of a logout notice was never seen: each works once."""
        now = clock.now()
        row = {"key": digest(f"notice:{notice}"), "kind": "prelogin", "csrf": "", "created_at": now, "seen_at": now}
        noted = insert(WebSession).values(**row, expires_at=now + NOTICE_MEMORY).on_conflict_do_nothing()
        with _writing() as db:
            return db.scalar(noted.returning(WebSession.key)) is not None

    # Signed in ------------------------------------------------------------------------------------------------------

    def start(
        self, identity: Identity, tokens: TokenSet, *, tenant_id: int, kind: SessionKind, roles: tuple[str, ...],
        data: Mapping[str, Any], elevated_until: datetime | None = None, expires_at: datetime | None = None,
    ) -> tuple[str, Session]:  # fmt: skip
        """Open a session under a new token. Returns the token, which exists nowhere else, and the session."""
        token, now = secrets.token_urlsafe(32), clock.now()
        ends = expires_at or now + SHIFT
        row = WebSession(
            key=digest(token),
            kind=kind,
            tenant_id=tenant_id,
            sub=identity.subject,
            kc_sid=identity.kc_sid,
            username=identity.username,
            display_name=identity.display_name,
            person_id=person_id_of(identity.subject),
            roles=list(roles),
            acr=identity.acr,
            auth_time=identity.auth_time,
            elevated_until=elevated_until,
            idle_at=idle_deadline(permissions_of(roles, kind=kind), now, ends),
            expires_at=ends,
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
            data=dict(data),
            **self._sealed(tokens, digest(token)),
        )
        with _writing() as db:
            db.add(row)
            return token, _session(row)

    def find(self, token: str) -> Session | None:
        """The live session of a cookie."""
        return self.of_key(digest(token))

    def of_key(self, key: bytes) -> Session | None:
        """The live session of a key; None once it ended, by somebody or by time."""
        with _writing() as db:
            row = db.scalars(_live().where(WebSession.key == key)).one_or_none()
            return None if row is None else _session(row)

    def touch(self, session: Session) -> None:
        """Note that the person did something: the idle deadline moves."""
        now = clock.now()
        idle_at = idle_deadline(session.permissions, now, session.expires_at)
        self._update(session.key, seen_at=now, idle_at=idle_at)

    def claim_refresh(self, key: bytes) -> str | None:
        """The refresh token, to the only one who may use it now; None when somebody else is at it or it is not time."""
        now = clock.now()
        with _writing() as db:
            sealed = db.scalars(
                update(WebSession)
                .where(WebSession.key == key, WebSession.access_expires_at <= now + REFRESH_AHEAD)
                .where(func.coalesce(WebSession.refreshing_until, now) <= now)
                .values(refreshing_until=now + REFRESH_CLAIM)
                .returning(WebSession.refresh_token)
            ).one_or_none()
        return None if sealed is None else self._sealer.open(sealed, key)

    def refreshed(self, key: bytes, tokens: TokenSet, roles: tuple[str, ...]) -> None:
        """Keep what a refresh brought. The second factor is ours: what the token says of it is not read again."""
        self._update(key, roles=list(roles), **self._sealed(tokens, key))

    def postpone_refresh(self, key: bytes, *, by: timedelta) -> None:
        """The identity server did not answer: the session goes on as it is, and somebody tries again after `by`."""
        self._update(key, access_expires_at=clock.now() + REFRESH_AHEAD + by, refreshing_until=None)

    def remember(self, subject: str, preferences: Mapping[str, str]) -> None:
        """Put somebody's preferences in all of their sessions."""
        merged = WebSession.data.op("||")(literal({"preferences": dict(preferences)}, JSONB))
        with _writing() as db:
            db.execute(update(WebSession).where(WebSession.sub == subject).values(data=merged))

    def of_subject(self, subject: str) -> list[Session]:
        """The live sessions of somebody, the last used first."""
        with _writing() as db:
            rows = db.scalars(_live().where(WebSession.sub == subject).order_by(WebSession.seen_at.desc()))
            return [_session(row) for row in rows]

    def id_token(self, key: bytes) -> str:
        """The ID token of a session, with which the identity server recognises its own session."""
        with _writing() as db:
            return self._sealer.open(db.scalar(select(WebSession.id_token).where(WebSession.key == key)), key)

    # The end --------------------------------------------------------------------------------------------------------

    def end(self, key: bytes) -> int:
        return self._end(WebSession.key == key)

    def end_of_subject(self, subject: str) -> int:
        return self._end(WebSession.sub == subject)

    def end_of_server_session(self, kc_sid: str) -> int:
        return self._end(WebSession.kc_sid == kc_sid)

    def _end(self, which: Any) -> int:
        """Delete sessions, tell the processes that stream to them, and then whoever keeps something open for them."""
        gone = delete(WebSession).where(which, WebSession.kind != "prelogin")
        with autonomous_unit(SIGN_IN, role="auth") as unit:
            rows = unit.session.execute(gone.returning(WebSession.tenant_id, WebSession.key)).all()
            if rows:
                unit.nudge(REVOKED, json.dumps({"keys": [row.key.hex() for row in rows]}).encode())
        if rows:
            events.publish(SessionsEnded(tuple(EndedSession(row.tenant_id, row.key.hex()) for row in rows)))
        return len(rows)

    def _update(self, key: bytes, **values: Any) -> None:
        with _writing() as db:
            db.execute(update(WebSession).where(WebSession.key == key).values(**values))

    def _sealed(self, tokens: TokenSet, key: bytes) -> dict[str, Any]:
        now = clock.now()
        return {
            "refresh_token": self._sealer.seal(tokens.refresh_token, key),
            "id_token": self._sealer.seal(tokens.id_token, key),
            "access_expires_at": now + timedelta(seconds=tokens.expires_in),
            "refreshed_at": now,
            "refreshing_until": None,
        }


@contextmanager
def _writing() -> Iterator[Database]:
    with autonomous_unit(SIGN_IN, role="auth") as unit:
        yield unit.session


def _live() -> Select[WebSession]:
    now = clock.now()
    return select(WebSession).where(
        WebSession.kind != "prelogin", WebSession.expires_at > now, WebSession.idle_at > now
    )


def _sweep(db: Database) -> None:
    """Forget what ended long ago, a little at each sign-in."""
    old = select(WebSession.key).where(WebSession.expires_at < clock.now() - KEEP_DEAD).limit(100)
    db.execute(delete(WebSession).where(WebSession.key.in_(old)))


def _session(row: WebSession) -> Session:
    fields = {name: getattr(row, name) for name in Session.__dataclass_fields__ if name not in {"subject", "roles"}}
    return Session(**fields, subject=row.sub or "", roles=tuple(row.roles))
