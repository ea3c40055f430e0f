"""`pipc camera`: adds a camera to a municipality, and tries a source before or after."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from app.cli.context import settings
from app.cli.errors import CliError
from app.cli.node import enrol_node, is_enrolled, operator_of
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, Invalid, NotFound
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.source import SourcePolicy, check_source
from app.monitoring.cameras.types import ERROR_LABELS, KINDS, PLACES, CameraData, CameraFilter, CameraView
from app.monitoring.nodes import service as nodes
from app.settings import Settings
from tenants.core import service as municipalities
from tenants.core.service import Tenant

CHECK_S = 10
NODE_ANSWERS_IN_S = 45
FIRST_PICTURE_IN_S = 20
SETTLED = ("online", "offline", "frozen", "dark")
WARNINGS = {
    "long_gop": "Pasan más de 4 s entre cuadros completos: el video en vivo tarda en aparecer.",
    "low_fps": "Menos de 8 cuadros por segundo: alcanza para ver y no para patentes ni contramano.",
    "h265_main": "H.265: se graba, pero hay navegadores que no lo muestran. Conviene un video secundario en H.264.",
    "derived": "El archivo se convierte a H.264 para poder mostrarlo.",
}


@click.group()
def camera() -> None:
    """Cámaras: agregar y probar."""


@camera.command()
@click.option("--tenant", required=True, metavar="MUNICIPIO", help="Nombre corto del municipio: azul, tres-arroyos…")
@click.option("--name", required=True, metavar="NOMBRE", help="Cómo se llama la cámara.")
@click.option("--place", type=click.Choice(list(PLACES)), default="other", show_default=True, help="Qué lugar mira.")
@click.option("--url", required=True, metavar="DIRECCIÓN", help="rtsp://…, http://… o un archivo de video.")
@click.option("--sub-url", metavar="DIRECCIÓN", help="Video secundario, más liviano.")
@click.option("--kind", type=click.Choice(list(KINDS)), default="fixed", show_default=True, help="Qué cámara es.")
@click.option("--code", default="", metavar="CÓDIGO", help="Código propio; si falta se asigna uno.")
@click.option("--user", "username", default="", metavar="USUARIO", help="Usuario de la cámara.")
@click.option(
    "--password",
    default="",
    envvar="PIPC_CAMERA_PASSWORD",
    metavar="CLAVE",
    help="Clave de la cámara (o PIPC_CAMERA_PASSWORD).",
)
@click.option("--lat", type=float, help="Latitud.")
@click.option("--lon", type=float, help="Longitud.")
@click.option("--record/--no-record", default=True, help="Grabar o sólo ver y analizar.")
@click.option("--wait/--no-wait", default=True, help="Esperar la primera imagen.")
@click.option("--json", "as_json", is_flag=True, help="Un objeto JSON.")
def add(*, tenant: str, url: str, wait: bool, as_json: bool, **given: Any) -> None:
    """Agregar una cámara. Si el municipio no tiene nodo, se da de alta el de esta máquina."""
    with _product() as current:
        municipality = _municipality(tenant)
        actor = operator_of(municipality)
        with _in_words():
            with unit_of_work(actor, read_only=True):
                has_node = bool(nodes.list_nodes(actor))
            if not (has_node and is_enrolled(current, tenant)):
                _enrol(current, tenant)
            data = CameraData(source_url=_as_source(url), is_demo=False, **given)
            with unit_of_work(actor):
                made = cameras.create_camera(actor, data=data)
        if wait:
            made = _await_picture(actor, made)
        _show(current, municipality, made, as_json=as_json)


@camera.command()
@click.option(
    "--url", metavar="DIRECCIÓN", help="Una dirección o un archivo, tal como lo vería el nodo de esta máquina."
)
@click.option("--user", "username", default="", metavar="USUARIO", help="Usuario de la cámara.")
@click.option(
    "--password",
    default="",
    envvar="PIPC_CAMERA_PASSWORD",
    metavar="CLAVE",
    help="Clave de la cámara (o PIPC_CAMERA_PASSWORD).",
)
@click.option("--tenant", metavar="MUNICIPIO", help="Municipio de una cámara ya cargada.")
@click.option("--code", metavar="CÓDIGO", help="Código de una cámara ya cargada: la prueba su nodo.")
@click.option("--json", "as_json", is_flag=True, help="Un objeto JSON.")
def check(
    *, url: str | None, username: str, password: str, tenant: str | None, code: str | None, as_json: bool
) -> None:
    """Probar una fuente de video: conexión, códec, cuadros por segundo y avisos. Termina en 1 si no sirve."""
    if bool(url) == bool(tenant and code):
        raise CliError("Falta qué probar.", "pipc camera check --url rtsp://… (o --tenant M --code C)")
    if url:
        with _in_words():
            report = _check_here(settings(), url, username, password)
    else:
        report = _check_there(str(tenant), str(code))
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _in_sentences(report))
    if not report["ok"]:
        raise SystemExit(1)


@contextmanager
def _product() -> Iterator[Settings]:
    """The product's services in this process, on the servers of this installation."""
    from app.factory import build_runtime

    current = settings()
    runtime = build_runtime(current)
    try:
        yield current
    finally:
        runtime.databases.dispose()


@contextmanager
def _in_words() -> Iterator[None]:
    """Refusals of the services as one sentence for the person at the keyboard."""
    try:
        yield
    except Invalid as error:
        told = "; ".join(" ".join(messages) for messages in error.errors.values()) or error.detail or error.title
        raise CliError(told, "pipc camera add --help") from None
    except DomainError as error:
        raise CliError(f"{error.title}. {error.detail}".rstrip(), "pipc camera add --help") from None


def _municipality(slug: str) -> Tenant:
    try:
        found = municipalities.by_slug(slug)
    except NotFound:
        raise CliError(f"No hay un municipio «{slug}».", "pipc tenant list") from None
    if found.is_province:
        raise CliError("La Provincia no tiene cámaras: elegir un municipio.", "pipc tenant list")
    return found


def _enrol(current: Settings, slug: str) -> None:
    try:
        enrol_node(current, current.home, slug)
    except DomainError:
        raise
    except Exception as error:
        raise CliError(
            f"El servidor de identidad no aceptó el nodo de {slug} ({type(error).__name__}).", "pipc identity reconcile"
        ) from error


def _as_source(url: str) -> str:
    """A file is named with its whole path, so that the node finds it from wherever it runs."""
    if "://" in url or url.startswith("demo:"):
        return url
    path = Path(url).expanduser().resolve()
    if not path.is_file():
        raise CliError(f"No existe el archivo {path}.", "pipc camera add --url <archivo o rtsp://…>")
    return str(path)


def _await_picture(actor: Actor, made: CameraView) -> CameraView:
    """The camera once its node said something of it, or as it is when the node says nothing in time."""
    ends_at = time.monotonic() + FIRST_PICTURE_IN_S
    while time.monotonic() < ends_at and made.state.state not in SETTLED:
        time.sleep(1)
        with unit_of_work(actor, read_only=True):
            made = cameras.get_camera(actor, camera_id=made.id)
    return made


def _show(current: Settings, municipality: Tenant, made: CameraView, *, as_json: bool) -> None:
    page = f"{current.base_url}/sala/camaras/{made.id}"
    if as_json:
        told = {"id": made.id, "code": made.code, "name": made.name, "tenant": municipality.slug, "url": page}
        click.echo(json.dumps(told | {"state": made.state.state}, ensure_ascii=False, default=str))
        return
    click.echo(f"{made.code} · {made.name} · {municipality.name} · {made.place_label}")
    click.echo(f"Estado: {made.state.label}" + (f" ({made.state.error_label})" if made.state.error_label else ""))
    if made.state.state == "unknown":
        click.echo("El nodo todavía no la tomó: con el servicio en marcha tarda unos segundos (pipc status).")
    click.echo(page)


def _check_here(current: Settings, url: str, username: str, password: str) -> dict[str, Any]:
    """Try the source from this machine, in a process of its own: untrusted video is never decoded in this one."""
    policy = SourcePolicy.from_settings(current)
    source = check_source(policy, _as_source(url), username=username, password=password)
    request = {
        "kind": source.kind, "url": source.url, **source.credentials, "seconds": CHECK_S,
        "networks": list(current.camera_networks), "own_ports": sorted(policy.own_ports), "files": policy.files,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "workers.recorder.check"], input=json.dumps(request), capture_output=True, text=True,
        timeout=CHECK_S * 6, check=False,
    )  # fmt: skip
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise CliError("La prueba terminó sin informe.", "pipc logs recorder") from None
    return report


def _check_there(slug: str, code: str) -> dict[str, Any]:
    """Ask the node of a camera that is in the inventory, which alone can open its credentials."""
    with _product():
        actor = operator_of(_municipality(slug))
        with _in_words():
            with unit_of_work(actor, read_only=True):
                page = cameras.list_cameras(actor, wanted=CameraFilter(text=code))
            found = [view for view in page.items if view.code == code.upper()]
            if not found:
                raise CliError(f"No hay una cámara {code} en {slug}.", "pipc camera add --help")
            with unit_of_work(actor):
                order_id = nodes.check_camera(actor, camera_id=found[0].id)
        ends_at = time.monotonic() + NODE_ANSWERS_IN_S
        while time.monotonic() < ends_at:
            with unit_of_work(actor, read_only=True):
                _, state, result = nodes.order_of(actor, order_id=order_id)
            if state != "pending":
                return {"ok": False, "error_code": result.get("error"), "warnings": []} | (result.get("report") or {})
            time.sleep(0.5)
    raise CliError("El nodo no contestó: ¿está en marcha?", "pipc status")


def _in_sentences(report: dict[str, Any]) -> str:
    if not report["ok"]:
        code = str(report.get("error_code"))
        return f"No sirve: {ERROR_LABELS.get(code, code)}."
    size = f"{report['width']}×{report['height']}" if report.get("width") else "tamaño desconocido"
    lines = [f"Sirve: {report.get('codec')}, {size}, {report.get('fps') or '?'} cuadros por segundo."]
    if report.get("first_keyframe_ms") is not None:
        lines.append(f"Primera imagen en {report['first_keyframe_ms']} ms.")
    lines += [WARNINGS.get(code, code) for code in report.get("warnings", [])]
    return "\n".join(lines)
