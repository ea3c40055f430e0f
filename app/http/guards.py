"""Access of each view: who may call it, and the transaction that surrounds it.

`@requires(Permission.X)` and `@public("reason")` go right under the route decorator; `@elevated` and `@audited_read` go under
`@requires`:

    @bp.post("/<uuid:alarm_id>/reconocer")
    @requires(Permission.ALARM_ACKNOWLEDGE)
    def acknowledge(alarm_id: UUID) -> ResponseReturnValue: ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import unquote

from flask import g, request

from app.http import csrf, limits, metrics, retries
from app.http.access import DEFAULT_MAX_BODY, Access, Credential
from app.http.body import refuse_unstorable_text
from app.http.context import ANONYMOUS, bearer_actor, is_api, signed_in
from app.kernel import clock
from app.kernel.actor import Actor, acting_as
from app.kernel.errors import ElevationRequired, Forbidden, Invalid, Unauthenticated
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import AuditRow, autonomous_unit, unit_of_work

View = TypeVar("View", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MIN_REASON = 10
MAX_REASON = 500
ELEVATION = timedelta(minutes=10)


def requires(
    permission: Permission,
    *,
    credential: Credential | None = None,
    unit: bool = True,
    idempotent: bool = False,
    max_body: int = DEFAULT_MAX_BODY,
    limit: str = "",
) -> Callable[[View], View]:
    """Only actors holding `permission`; the view runs inside one unit of work, READ ONLY for GET and HEAD.

    `credential` is by default bearer under /api and session elsewhere. `unit=False` is for views that stream and must not hold a
    connection. `idempotent=True` lets a write be run again after a deadlock. `limit` names a class of `app.http.limits`.
    """

    def declare(view: View) -> View:
        access = Access(
            permission=permission,
            credential=credential or "session",
            elevated=getattr(view, "__elevated__", False),
            audited=getattr(view, "__audited__", ""),
            unit=unit,
            idempotent=idempotent,
            max_body=max_body,
            limit=limit,
        )

        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            request.max_content_length = access.max_body
            actor = _sign_in(access)
            _authorize(actor, access)
            refuse_unstorable_text(request)
            with limits.counted(actor, access), acting_as(actor):
                return _run(actor, access, view, args, kwargs)

        return _declared(guarded, access)

    return declare


def public(
    reason: str, *, csrf_token: bool = True, max_body: int = DEFAULT_MAX_BODY, limit: str = ""
) -> Callable[[View], View]:
    """Anybody may call the view, because of `reason`. No unit of work is opened.

    `csrf_token=False` is for calls between servers, which carry their own proof.
    """
    if not reason.strip():
        raise ValueError("una ruta pública dice por qué lo es")

    def declare(view: View) -> View:
        access = Access(public=reason, credential="none", unit=False, csrf=csrf_token, max_body=max_body, limit=limit)

        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            request.max_content_length = access.max_body
            session = signed_in()
            if request.method not in SAFE_METHODS and access.csrf:
                csrf.check(session)
            refuse_unstorable_text(request)
            with limits.counted(ANONYMOUS, access), acting_as(session.actor if session else ANONYMOUS):
                return view(*args, **kwargs)

        return _declared(guarded, access)

    return declare


def elevated(view: View) -> View:
    """The view asks for a second factor used at most 10 minutes ago. Goes under `@requires`."""
    return _mark(view, "__elevated__", True)


def audited_read(action: str) -> Callable[[View], View]:
    """A read a judge may ask about: its reason is recorded and committed before the body is produced. Goes under `@requires`."""

    def declare(view: View) -> View:
        @functools.wraps(view)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            from_query = {key: request.args.getlist(key) for key in sorted(request.args)}
            detail = {"motivo": read_reason(), "consulta": from_query}
            with autonomous_unit(g.actor) as own:
                own.audits.append(AuditRow(action, request.path, detail))
            return view(*args, **kwargs)

        return _mark(recorded, "__audited__", action)  # type: ignore[return-value]

    return declare


def read_reason() -> str:
    """Why this read is made: header `Pipc-Reason` (percent-encoded UTF-8) or form field `motivo`. Raises `Invalid`."""
    reason = unquote(request.headers.get("Pipc-Reason", "")) or request.form.get("motivo", "")
    reason = " ".join(reason.replace("\x00", "").split())
    if not MIN_REASON <= len(reason) <= MAX_REASON:
        message = f"Escribir el motivo de la consulta, entre {MIN_REASON} y {MAX_REASON} caracteres."
        field = "Pipc-Reason" if is_api(request.path) else "motivo"
        raise Invalid("Esta consulta queda registrada con su motivo.", errors={field: [message]})
    return reason


def is_elevated(actor: Actor) -> bool:
    """Whether the second factor is fresh, or the actor is a service, for which the explicit permission is enough."""
    if actor.kind == "service":
        return True
    return actor.elevated_until is not None and actor.elevated_until > clock.now()


def _mark(view: View, name: str, value: object) -> View:
    if hasattr(view, "__access__"):
        raise TypeError(f"{view.__qualname__}: este decorador va debajo de @requires")
    setattr(view, name, value)
    return view


def _declared(guarded: Callable[..., Any], access: Access) -> Any:
    guarded.__access__ = access  # type: ignore[attr-defined]
    return guarded


def _sign_in(access: Access) -> Actor:
    """The actor of this request, with the proof that the request was meant. Raises `Unauthenticated` or `Forbidden`."""
    if access.credential == "bearer" or is_api(request.path):
        g.actor = bearer_actor()
        return g.actor
    session = signed_in()
    if session is None:
        raise Unauthenticated("La sesión terminó o todavía no se inició.")
    if request.method not in SAFE_METHODS:
        csrf.check(session)
    g.actor = session.actor
    return session.actor


def _authorize(actor: Actor, access: Access) -> None:
    if access.permission is not None and not actor.can(access.permission):
        _record_refusal(actor, access.permission)
        raise Forbidden(code_permission=access.permission.value)
    if access.elevated and not is_elevated(actor):
        raise ElevationRequired(
            "Por ser una acción sensible, hace falta el segundo factor usado en los últimos 10 minutos.",
            step_up_url="/auth/elevar",
        )


def _record_refusal(actor: Actor, permission: Permission) -> None:
    metrics.REFUSALS.labels(permission.value).inc()
    if actor.tenant_id is None:
        return
    with autonomous_unit(actor) as own:
        own.audits.append(
            AuditRow("http:route:refuse", request.path, {"permiso": permission.value, "metodo": request.method})
        )


def _run(actor: Actor, access: Access, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not access.unit:
        return view(*args, **kwargs)
    read_only = request.method in SAFE_METHODS

    def attempt() -> Any:
        with unit_of_work(actor, read_only=read_only):
            return view(*args, **kwargs)

    return retries.run(attempt, again=read_only or access.idempotent)
