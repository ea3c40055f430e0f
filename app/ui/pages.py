"""Pages every context shares: choice of municipality, start, profile, help, licences, accessibility, problems."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.catalogue import problems
from app.http.context import current_actor, loader, signed_in
from app.http.guards import public, requires
from app.http.redirects import local_path
from app.kernel.actor import Actor
from app.kernel.permissions import Permission
from app.ui import assets, help, maps, navigation, shell
from tenants.data.municipalities import MunicipalityFacts, find, municipalities

bp = Blueprint("pages", __name__)

ORDINALS = ("", "Primera", "Segunda", "Tercera", "Cuarta", "Quinta", "Sexta", "Séptima", "Octava")
# What each section is for, on the start page.
ABOUT = {
    "/sala/": "Alarmas, video en vivo y verificación de patentes de la sala.",
    "/direccion/": "Los 135 municipios: cámaras, alarmas, funciones y auditoría.",
    "/capacitacion/": "Cursos y certificación para trabajar en la sala.",
    "/soporte/": "Pedidos de ayuda y estado del equipamiento.",
}


@bp.get("/")
@public("people choose their municipality before signing in")
def choose() -> ResponseReturnValue:
    session = signed_in()
    return _choice_page() if session is None else redirect(_first_page(session.actor), 303)


@bp.get("/entrar")
@public("the choice of municipality leads to its sign-in")
def enter() -> ResponseReturnValue:
    text = request.args.get("municipio", "").strip()
    found = find(text) if text else None
    candidates = [found] if found else matching(text)
    if len(candidates) != 1:
        message = "Escribir el nombre del municipio." if not text else f"Ningún municipio se llama «{text}»."
        if candidates:
            message = f"Hay {len(candidates)} municipios con «{text}»: elegir uno de la lista."
        return _choice_page(text=text, error=message), 422
    return redirect(_door(candidates[0].slug), 303)


@bp.get("/inicio")
@requires(Permission.PROFILE_USE, unit=False)
def start() -> str:
    actor = current_actor()
    sections = [(link, ABOUT.get(link.path, "")) for link in navigation.sections_for(actor)]
    return render_template(
        "pages/start.html", title="Inicio", sections=sections, actor=actor, roles=shell.role_names(actor)
    )


@bp.route("/perfil", methods=["GET", "POST"])
@requires(Permission.PROFILE_USE, unit=False)
def profile() -> ResponseReturnValue:
    if request.method == "POST":
        offered = {"theme": (*shell.THEMES, ""), "scale": shell.SCALES, "shortcuts": ("on", "off")}
        chosen = {
            name: request.form.get(name, "") for name, values in offered.items() if request.form.get(name, "") in values
        }
        loader().remember(request, chosen)
        return redirect(url_for("pages.profile", guardado="si"), 303)
    return render_template(
        "pages/profile.html", title="Perfil y pantalla", actor=current_actor(), saved="guardado" in request.args
    )


@bp.get("/ayuda")
@public("help is for everybody, also for who cannot sign in")
def help_index() -> str:
    return render_template("pages/help_index.html", title="Ayuda", pages=help.help_pages().values())


@bp.get("/ayuda/<slug>")
@public("help is for everybody, also for who cannot sign in")
def help_page(slug: str) -> str:
    page = help.help_pages().get(slug) or abort(404)
    return render_template("pages/help_page.html", title=page.title, page=page)


@bp.get("/licencias")
@public("licences of third-party software must be readable by everybody")
def licences() -> str:
    return render_template("pages/licences.html", title="Licencias", packages=assets.licences())


@bp.get("/accesibilidad")
@public("the accessibility statement is public")
def accessibility() -> str:
    return render_template("pages/accessibility.html", title="Accesibilidad")


@bp.get("/problemas/<code>")
@public("each problem of the API has a page that explains it")
def problem(code: str) -> str:
    found = problems().get(code) or abort(404)
    return render_template("pages/problem.html", title=found.title, problem=found)


def matching(text: str) -> list[MunicipalityFacts]:
    """Municipalities with a word that begins like `text`, accents aside; those whose name begins so, first."""
    wanted = plain(text)
    if not wanted:
        return []
    names = [(plain(row.name), row) for row in municipalities()]
    hits = [(not name.startswith(wanted), name, row) for name, row in names if f" {wanted}" in f" {name}"]
    return [row for _, _, row in sorted(hits, key=lambda hit: hit[:2])]


def plain(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _first_page(actor: Actor) -> str:
    """Where a person lands: in their section when they have one, at the start page when they must choose."""
    sections = navigation.sections_for(actor)
    return sections[0].path if len(sections) == 1 else url_for("pages.start")


def _choice_page(*, text: str = "", error: str = "") -> str:
    return render_template(
        "pages/choose.html",
        title="Ingresar",
        municipalities=[(row.slug, row.name, ORDINALS[row.section]) for row in municipalities()],
        map=maps.province({}),
        back=local_path(request.args.get("volver", "")),
        province_door=_door(None),
        text=text,
        error=error,
    )


def _door(slug: str | None) -> str:
    back = local_path(request.args.get("volver", ""))
    path = f"/m/{slug}/entrar" if slug else "/provincia/entrar"
    return f"{path}?{urlencode({'volver': back})}" if back else path
