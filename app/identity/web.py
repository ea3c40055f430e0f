"""The doors of each municipality and of the Province, the way back from the identity server, and the ways out."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.guards import public, requires
from app.http.redirects import local_path
from app.identity import doors, service
from app.identity.errors import SignInCancelled, SignInExpired, SignInRefused
from app.identity.types import Session
from app.kernel.errors import NotFound, Unauthenticated
from app.kernel.permissions import Permission
from tenants.core import service as tenants
from tenants.core.service import Tenant

bp = Blueprint("identity", __name__)

MAX_NOTICE = 32 * 2**10
MAX_AGENT = 200


@bp.get("/m/<slug>/entrar")
@public("the door of a municipality is before signing in", limit="sign-in")
def enter_municipality(slug: str) -> ResponseReturnValue:
    tenant = tenants.by_slug(slug)
    if tenant.is_province:
        raise NotFound("La Provincia ingresa por su propia puerta.")
    return _door(tenant)


@bp.get("/provincia/entrar")
@public("the door of the Province is before signing in", limit="sign-in")
def enter_province() -> ResponseReturnValue:
    return _door(doors.province())


@bp.get("/auth/callback")
@public("the identity server sends people back here with a proof that is checked", limit="callback")
def callback() -> ResponseReturnValue:
    identity = service.plugged()
    mark = identity.cookies.browser(request)
    try:
        entrance = identity.sign_in.complete(request.args, browser=mark, current=_current(), visit=_visit())
    except (SignInRefused, SignInCancelled, SignInExpired) as refusal:
        page = render_template("identity/refused.html", title=refusal.title, detail=refusal.detail, code=refusal.code)
        return page, refusal.status
    response = make_response(redirect(local_path(entrance.target) or "/", 303))
    identity.cookies.keep_session(response, entrance.token)
    return response


@bp.get("/auth/elevar")
@requires(Permission.PROFILE_USE, unit=False, limit="sign-in")
def elevate() -> ResponseReturnValue:
    identity = service.plugged()
    mark = identity.cookies.browser(request)
    url = identity.sign_in.begin_elevation(_own(), target=_target(), browser=mark)
    return _away(url, mark)


@bp.post("/salir")
@public("going out must work also when the session has just ended")
def leave() -> ResponseReturnValue:
    identity = service.plugged()
    session = _current()
    target = identity.sign_out.sign_out(session) if session else url_for("pages.choose")
    response = make_response(redirect(target, 303))
    identity.cookies.forget_session(response)
    return response


@bp.post("/auth/backchannel-logout")
@public("the identity server signs its notices", csrf_token=False, max_body=MAX_NOTICE, limit="back-channel")
def backchannel() -> ResponseReturnValue:
    service.plugged().sign_out.notice(request.form.get("logout_token", ""))
    return "", 200, {"Cache-Control": "no-store"}


@bp.post("/sesion/latido")
@requires(Permission.PROFILE_USE, unit=False)
def heartbeat() -> ResponseReturnValue:
    """An open console says so every few minutes: finding the session has already refreshed it."""
    return "", 204


@bp.get("/perfil/sesiones")
@requires(Permission.PROFILE_USE, unit=False)
def sessions() -> str:
    identity = service.plugged()
    here = _own()
    rows = [_row(session, here) for session in identity.sign_out.own_sessions(here)]
    return render_template(
        "identity/sessions.html", title="Sesiones abiertas", sessions=rows, ended="cerrada" in request.args
    )


@bp.post("/perfil/sesiones/<key>/cerrar")
@requires(Permission.PROFILE_USE, unit=False)
def end_session(key: str) -> ResponseReturnValue:
    try:
        wanted = bytes.fromhex(key)
    except ValueError:
        raise NotFound("Esa sesión ya terminó.") from None
    service.plugged().sign_out.end_own(_own(), key=wanted)
    return redirect(url_for("identity.sessions", cerrada="si"), 303)


@dataclass(frozen=True, slots=True)
class Row:
    """A session as its owner sees it."""

    key: str
    session: Session
    browser: str
    address: str
    is_this: bool


def _row(session: Session, here: Session) -> Row:
    data = session.data
    return Row(
        session.key.hex(), session, str(data.get("navegador", "")), str(data.get("desde", "")), session.key == here.key
    )


def _door(tenant: Tenant) -> ResponseReturnValue:
    if not tenant.is_active:
        return render_template("identity/closed_door.html", title=tenant.name, tenant=tenant), 200
    identity = service.plugged()
    mark = identity.cookies.browser(request)
    return _away(identity.sign_in.begin(tenant, target=_target(), browser=mark), mark)


def _away(url: str, mark: str) -> ResponseReturnValue:
    response = make_response(redirect(url, 303))
    service.plugged().cookies.keep_browser(response, mark)
    return response


def _current() -> Session | None:
    identity = service.plugged()
    token = identity.cookies.session(request)
    return identity.store.find(token) if token else None


def _own() -> Session:
    session = _current()
    if session is None or session.username != current_actor().user_id:
        raise Unauthenticated("La sesión terminó.")
    return session


def _target() -> str:
    return local_path(request.args.get("volver", ""))


def _visit() -> dict[str, str]:
    return {"desde": request.remote_addr or "", "navegador": request.headers.get("User-Agent", "")[:MAX_AGENT]}
