"""What every page needs around its content: who is in, where, in which theme, and the words of the deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask_babel import Babel

from app.http.context import signed_in
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.permissions import ROLES
from app.settings import Settings
from app.ui import assets, drawing, formatters, navigation

THEMES = ("light", "dark")
SCALES = ("100", "125", "150", "200")


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page."""

    product: str
    brand: str
    section: str
    links: list[navigation.Link]
    sections: list[navigation.Link]
    actor: Actor | None
    role_names: str
    csrf: str
    theme: str
    scale: str
    shortcuts: bool
    is_demo: bool
    now: str


def init_app(app: Flask, settings: Settings) -> None:
    """Plug the design system into `app`: assets, formats, translations and the frame of its pages."""
    Babel(app, default_locale="es_AR", default_timezone=formatters.ZONE.key)
    assets.init_app(app)
    environment = app.jinja_env
    environment.filters.update(formatters.FILTERS)
    environment.globals.update(drawing.GLOBALS, address=formatters.address, coordinates=formatters.coordinates)
    environment.trim_blocks = environment.lstrip_blocks = True
    app.context_processor(lambda: {"shell": frame(settings)})


def frame(settings: Settings) -> Shell:
    """The frame of the page being answered; on pages of the API and on errors nobody is looked up."""
    session = signed_in()
    actor = session.actor if session else None
    section = navigation.section_of(request.path)
    preferences: dict[str, Any] = actor.preferences if actor else {}
    theme = preferences.get("theme", "")
    return Shell(
        product=settings.theme_name,
        brand=actor.tenant_name if actor and actor.kind == "municipal" and actor.tenant_name else settings.theme_name,
        section=section.name if section else "",
        links=navigation.links(section, actor) if actor else [],
        sections=navigation.sections_for(actor) if actor else [],
        actor=actor,
        role_names=role_names(actor),
        csrf=session.csrf if session else "",
        theme=theme if theme in THEMES else "dark" if request.path.startswith("/sala/") else "light",
        scale=preferences.get("scale", "") if preferences.get("scale", "") in SCALES else "100",
        shortcuts=preferences.get("shortcuts", "on") != "off",
        is_demo=settings.demonstration or bool(actor and actor.is_demo),
        now=clock.now().isoformat(),
    )


def role_names(actor: Actor | None) -> str:
    """`Operador municipal · Supervisor de turno`."""
    return " · ".join(ROLES[code].name for code in actor.roles if code in ROLES) if actor else ""
