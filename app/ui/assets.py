"""Addresses of the built browser files, and their delivery: hashed names, kept for ever by browsers, compressed once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory

from app.http.guards import public

STATIC = Path(__file__).parent / "static"
DIST = STATIC / "dist"
PREFIX = "/static/dist/"
FOREVER = "public, max-age=31536000, immutable"

# Modules outside our folder are imported by name; ours import each other by relative address.
BARE = {"maplibre-gl": "maplibre-gl.mjs", "maplibre-gl-worker": "maplibre-gl-worker.mjs"}

bp = Blueprint("assets", __name__)


class AssetsMissing(RuntimeError):
    """The browser files were not built, or one that a template names is not among them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The names of one build."""

    files: dict[str, str]
    import_map: str

    def url(self, name: str) -> str:
        """The address of a built file by its plain name. Raises `AssetsMissing`."""
        try:
            return PREFIX + self.files[name]
        except KeyError:
            raise AssetsMissing(f"No existe el archivo «{name}» en {DIST}: ejecutar `make assets`.") from None


def load(dist: Path = DIST) -> Manifest:
    """The manifest of the last build. Raises `AssetsMissing` with the command that makes one."""
    try:
        files: dict[str, str] = json.loads((dist / "manifest.json").read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        raise AssetsMissing(f"Faltan los archivos del navegador en {dist}: ejecutar `make assets`.") from None
    imports = {PREFIX + name: PREFIX + hashed for name, hashed in files.items() if name.endswith((".js", ".mjs"))}
    imports |= {bare: PREFIX + files[name] for bare, name in BARE.items()}
    return Manifest(files, json.dumps({"imports": imports}, separators=(",", ":"), sort_keys=True))


def licences(dist: Path = DIST) -> list[dict[str, str]]:
    """The third-party packages inside the build, with the text of their licences."""
    rows: list[dict[str, str]] = json.loads((dist / "licences.json").read_text("utf-8"))
    return rows


def init_app(app: Flask) -> None:
    """Give templates `asset_url()` and `import_map`; the start fails when nothing was built."""
    manifest = load()
    app.extensions["pipc_manifest"] = manifest
    app.jinja_env.globals["asset_url"] = manifest.url
    app.jinja_env.globals["import_map"] = manifest.import_map


@bp.get("/static/<path:name>")
@public("styles, fonts and scripts hold no data and the sign-in page needs them")
def static(name: str) -> Response:
    """One static file; the gzip twin when the browser takes it."""
    response = None
    if "gzip" in request.accept_encodings and (STATIC / f"{name}.gz").is_file() and "Range" not in request.headers:
        response = send_from_directory(STATIC, f"{name}.gz", mimetype=_mimetype(name))
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(STATIC, name, mimetype=_mimetype(name))
    response.headers["Vary"] = "Accept-Encoding"
    hashed = f"/static/{name}".startswith(PREFIX) and name.removeprefix("dist/") in _hashed_names()
    response.headers["Cache-Control"] = FOREVER if hashed else "no-cache"
    return response


def _hashed_names() -> set[str]:
    manifest: Manifest = current_app.extensions["pipc_manifest"]
    return set(manifest.files.values())


def _mimetype(name: str) -> str | None:
    """Types the system's table may lack; a module served as plain text does not run."""
    known = {".mjs": "text/javascript", ".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
    return known.get(Path(name).suffix)
