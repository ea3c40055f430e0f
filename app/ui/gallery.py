"""/_galeria: every component in every state and both themes, and the big screens with invented data."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.http.guards import requires
from app.kernel.permissions import Permission
from app.settings import Settings
from app.ui import gallery_samples, navigation, shell

bp = Blueprint("gallery", __name__, url_prefix="/_galeria")

TEMPLATES = Path(__file__).parent / "templates"
SCREENS = {
    "consola": "screens/console/page.html",
    "ficha": "screens/console/card.html",
    "tablero": "screens/board/page.html",
}
_MACRO = re.compile(r"{% macro ([a-z]\w*)")
_SAMPLE = re.compile(r"^{# (\w+) · (.+) #}\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One macro in one state: its call, as a page would write it."""

    macro: str
    state: str
    source: str


@cache
def macros() -> dict[str, list[str]]:
    """The macros of each component file."""
    return {
        path.stem: _MACRO.findall(path.read_text("utf-8")) for path in sorted((TEMPLATES / "components").glob("*.html"))
    }


@cache
def samples() -> dict[str, list[Sample]]:
    """The samples of each component file: blocks headed by a comment with the macro and the state."""
    found = {}
    for path in sorted((TEMPLATES / "gallery" / "samples").glob("*.html")):
        _, *parts = _SAMPLE.split(path.read_text("utf-8"))
        found[path.stem] = [Sample(*parts[at : at + 3]) for at in range(0, len(parts), 3)]
    return found


@bp.get("/")
@requires(Permission.PROVINCE_ROLES_READ, unit=False)
def index() -> str:
    groups = {file: [(sample, _draw(sample.source)) for sample in each] for file, each in samples().items()}
    return render_template("gallery/index.html", title="Galería de componentes", groups=groups, shell=_frame("/"))


@bp.get("/<name>")
@requires(Permission.PROVINCE_ROLES_READ, unit=False)
def screen(name: str) -> ResponseReturnValue:
    template = SCREENS.get(name) or abort(404)
    samples = {"console": gallery_samples.console(empty="vacia" in request.args), "board": gallery_samples.board()}
    where = "/sala/" if name == "consola" else "/direccion/"
    return render_template(template, **samples, shell=_frame(where))


def _draw(source: str) -> Markup:
    """The component as a page would draw it; the page's only <h1> is the gallery's own."""
    imports = "".join(
        f'{{% from "components/{file}.html" import {", ".join(names)} %}}' for file, names in macros().items()
    )
    drawn = current_app.jinja_env.from_string(imports + source).render(sample=gallery_samples.samples())
    return Markup(re.sub(r"(</?)h1\b", r"\1h3", drawn))  # noqa: S704 - samples are templates of this package


def _frame(path: str) -> shell.Shell:
    """The frame those screens have in their own section, in the theme of the address."""
    settings: Settings = current_app.extensions["pipc_settings"]
    frame = shell.frame(settings)
    section = navigation.section_of(path)
    links = [navigation.Link(item.label, item.path, item.path == path) for item in section.items] if section else []
    theme = request.args.get("tema", "dark" if path == "/sala/" else "light")
    brand = "Tres Arroyos" if path == "/sala/" else frame.product
    return replace(
        frame, theme=theme if theme in shell.THEMES else "light", section=section.name if section else "Galería", links=links, brand=brand,
        is_demo=True, scale=request.args.get("escala", "100"),
    )  # fmt: skip
