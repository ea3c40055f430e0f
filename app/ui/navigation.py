"""The top bar: which sections exist, and which of their pages this person may open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request
from werkzeug.routing import Rule

from app.http.access import Access, access_of
from app.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a section's menu."""

    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as drawn on one page."""

    label: str
    path: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the product with its own menu."""

    prefix: str
    name: str
    items: tuple[Item, ...]


# Pages that no blueprint serves, or that the person may not open, are left out by themselves.
SECTIONS = (
    Section(
        "/sala",
        "Centro de monitoreo",
        (
            Item("Consola", "/sala/"),
            Item("Cámaras", "/sala/camaras/"),
            Item("Patentes", "/sala/patentes/"),
            Item("Listas", "/sala/listas/"),
            Item("Alarmas", "/sala/alarmas/"),
            Item("Auditoría", "/sala/auditoria/"),
        ),
    ),
    Section(
        "/direccion",
        "Dirección",
        (
            Item("Tablero", "/direccion/"),
            Item("Municipios", "/direccion/municipios/"),
            Item("Funciones", "/direccion/roles/"),
            Item("Auditoría", "/direccion/auditoria/"),
        ),
    ),
    Section("/capacitacion", "Capacitación", (Item("Mis cursos", "/capacitacion/"),)),
    Section("/soporte", "Soporte técnico", (Item("Bandeja", "/soporte/"),)),
)


def section_of(path: str) -> Section | None:
    """The section a path belongs to."""
    return next((each for each in SECTIONS if path == each.prefix or path.startswith(f"{each.prefix}/")), None)


def links(section: Section | None, actor: Actor) -> list[Link]:
    """The menu of `section` for `actor`."""
    if section is None:
        return []
    allowed = [item for item in section.items if may_open(item.path, actor)]
    current = max((item.path for item in allowed if request.path.startswith(item.path)), key=len, default="")
    return [Link(item.label, item.path, item.path == current) for item in allowed]


def sections_for(actor: Actor) -> list[Link]:
    """The sections with a page this person may open, for /inicio and the person's menu."""
    found = []
    for section in SECTIONS:
        first = next((item.path for item in section.items if may_open(item.path, actor)), None)
        if first:
            found.append(Link(section.name, first, request.path.startswith(f"{section.prefix}/")))
    return found


def may_open(path: str, actor: Actor) -> bool:
    """Whether a page is served at exactly `path` and its declared access lets `actor` in."""
    access = _static_pages(current_app).get(path)
    return access is not None and (access.permission is None or actor.can(access.permission))


def _static_pages(app: Flask) -> dict[str, Access]:
    """Access of every GET page without parameters, by path; made once per application."""
    if "pipc_pages" not in app.extensions:
        rules: list[Rule] = [
            rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())
        ]
        declared = {rule.rule: access_of(app.view_functions[rule.endpoint]) for rule in rules}
        app.extensions["pipc_pages"] = {path: access for path, access in declared.items() if access is not None}
    pages: dict[str, Access] = app.extensions["pipc_pages"]
    return pages
