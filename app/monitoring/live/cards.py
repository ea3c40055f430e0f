"""Turns alarms into what the console shows of them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.monitoring.alarms.service import AlarmView, discard_codes
from app.monitoring.alarms.types import CLOSE_OUTCOMES, DISCARD_CODES, READING_OUTCOMES, SOURCE_OUTCOMES
from app.monitoring.live.types import Action, Card, Clip, Dialog, Hit, Pair, Procedure, Spot, Step
from app.monitoring.plates.types import LIST_ORIGINS
from app.ui import formatters

BEFORE = timedelta(seconds=10)
AFTER = timedelta(seconds=5)
DISPATCH_WAITS = "Se habilita despachar cuando la patente está confirmada."
DISPATCH_ABSENT = "El despacho de móviles todavía no forma parte del sistema: avisar por los canales de la sala."
SOURCE_DENIES = "La fuente no confirma la medida: no corresponde despachar."
ENTRY_REVOKED = "La medida quedó sin efecto: no corresponde despachar."

# The words of details that rules report, in the order they are shown.
_DETAILS = {
    "lane": "Carril",
    "zone": "Zona",
    "direction": "Sentido",
    "speed_kmh": "Velocidad (km/h)",
    "seconds": "Permanencia (s)",
}


def card(alarm: AlarmView) -> Card:
    """The alarm in the queue."""
    return Card(
        id=alarm.id,
        version=alarm.version,
        priority=alarm.priority,
        title=alarm.title,
        place=alarm.camera.name if alarm.camera else "",
        at=alarm.detected_at,
        unacked=alarm.state == "new",
        active=alarm.active,
        state_text=_handling(alarm),
        state_by=(alarm.verified_by_name if alarm.state == "verified" else alarm.taken_by_name) or "",
        count=alarm.count,
        escalate_label="supervisor en",
        escalate_at=None if alarm.escalated_at else alarm.supervisor_at,
    )


def _handling(alarm: AlarmView) -> str:
    if alarm.state == "new":
        return "sin tomar · supervisor avisado" if alarm.escalated_at else "sin tomar"
    return "tomó" if alarm.state == "taken" else "verificó"


def spot(alarm: AlarmView, sightings: Sequence[tuple[datetime, str]]) -> Spot:
    """The alarm being looked at, with what may be done with it."""
    return Spot(
        alarm_id=alarm.id,
        version=alarm.version,
        title=alarm.title,
        camera_id=alarm.camera_id,
        camera_name=alarm.camera.name if alarm.camera else "",
        camera_code=alarm.camera.code if alarm.camera else "",
        at=alarm.detected_at,
        clip=_clip(alarm),
        hit=_hit(alarm, sightings) if alarm.is_plate else None,
        facts=_facts(alarm),
        actions=_actions(alarm),
        procedure=_procedure(alarm),
    )


def address(alarm: AlarmView, verb: str) -> str:
    """Where an action on the alarm is sent."""
    return f"/sala/alarmas/{alarm.id}/{verb}"


def image(sha: str | None) -> str | None:
    return f"/sala/imagenes/{sha}" if sha else None


def _clip(alarm: AlarmView) -> Clip:
    return Clip(
        url=f"/sala/clips/{alarm.clip_id}.mp4" if alarm.clip_id else None,
        still_url=image(alarm.snapshot_sha or alarm.crop_sha),
        start=alarm.detected_at - BEFORE,
        end=alarm.detected_at + AFTER,
        event_share=BEFORE / (BEFORE + AFTER),
    )


def _hit(alarm: AlarmView, sightings: Sequence[tuple[datetime, str]]) -> Hit:
    return Hit(
        exact=alarm.match == "exact",
        crop_url=image(alarm.crop_sha),
        characters=alarm.characters if alarm.is_entry_shown else [],
        entry=_entry(alarm, sightings),
        type_url="" if alarm.is_entry_shown else address(alarm, "escribir"),
    )


def _entry(alarm: AlarmView, sightings: Sequence[tuple[datetime, str]]) -> list[Pair] | None:
    entry = alarm.entry
    if entry is None:
        return None
    updated = formatters.minute(datetime.fromisoformat(entry["list_updated_at"]))
    origin = LIST_ORIGINS.get(entry["list_origin"], "")
    stale = " · DESACTUALIZADA: puede faltar un «sin efecto»" if entry["is_stale"] else ""
    version = f", v. {entry['list_version']}" if entry["list_version"] else ""
    pairs = [
        ("Lista", f"{origin} · {entry['list_name']}{version}, actualizada {updated}{stale}"),
        ("Patente listada", formatters.plate(entry["plate"])),
        ("Motivo", entry["reason"]),
        ("Autoridad", " · ".join(part for part in (entry["authority"], entry["case_no"]) if part)),
        ("Vehículo", entry["vehicle"]),
        ("Instrucciones", entry["instructions"]),
        ("Sin efecto", formatters.moment(alarm.entry_revoked_at) if alarm.entry_revoked_at else ""),
        ("Otras lecturas", " · ".join(f"{formatters.hour(at)[:5]} {name}" for at, name in sightings)),
        *_outcomes(alarm),
    ]
    return [(label, value) for label, value in pairs if value]


def _outcomes(alarm: AlarmView) -> list[Pair]:
    return [
        ("Lectura", READING_OUTCOMES.get(alarm.reading_outcome or "", "")),
        ("Fuente", SOURCE_OUTCOMES.get(alarm.source_outcome or "", "")),
    ]


def _facts(alarm: AlarmView) -> list[Pair]:
    known = [(label, str(alarm.detail[name])) for name, label in _DETAILS.items() if alarm.detail.get(name)]
    repeats = f"{alarm.count} veces, la última {formatters.hour(alarm.last_at)}" if alarm.count > 1 else ""
    pairs = [
        ("Qué pasó", alarm.title),
        ("Cámara", f"{alarm.camera.name} ({alarm.camera.code})" if alarm.camera else ""),
        ("Cuándo", formatters.moment(alarm.detected_at)),
        *known,
        ("Se repitió", repeats),
        ("Sigue", "sí, la condición continúa" if alarm.active else ""),
        ("Estado", _state(alarm)),
        ("Nota", alarm.note),
    ]
    return [(label, value) for label, value in pairs if value]


def _state(alarm: AlarmView) -> str:
    if alarm.state == "discarded":
        return f"Descartada: {DISCARD_CODES[alarm.discard_code or 'OTRA'].label} ({alarm.closed_by_name})"
    if alarm.state == "closed":
        return f"Cerrada: {CLOSE_OUTCOMES[alarm.close_outcome or 'unverified']} ({alarm.closed_by_name})"
    who = alarm.verified_by_name if alarm.state == "verified" else alarm.taken_by_name
    return f"{alarm.state_label}: {who}" if who else alarm.state_label


def _actions(alarm: AlarmView) -> list[Action]:
    return [_take(alarm), _verify(alarm), _discard(alarm), _close(alarm), _dispatch(alarm)]


def _take(alarm: AlarmView) -> Action:
    taken = f"La tomó {alarm.taken_by_name}." if alarm.taken_by_name else "La alarma ya terminó."
    return Action(
        "acknowledge", "Tomar", "A", address(alarm, "tomar"),
        primary=alarm.state == "new", disabled="" if "acknowledge" in alarm.allowed else taken,
    )  # fmt: skip


def _verify(alarm: AlarmView) -> Action:
    url, primary = address(alarm, "confirmar"), alarm.state == "taken"
    if "verify" not in alarm.allowed:
        return Action("verify", "Confirmar", "V", url, disabled="La alarma ya terminó.")
    if not alarm.is_plate:
        done = "La alarma ya está confirmada." if alarm.reading_outcome == "confirmed" else ""
        return Action("verify", "Confirmar", "V", url, primary=primary, disabled=done, fields={"outcome": "confirmed"})
    if not alarm.is_entry_shown:
        return Action(
            "verify", "Confirmar patente", "V", url, disabled="Primero escribir la patente que se lee en el recorte."
        )
    if alarm.reading_outcome != "confirmed":
        return Action("verify", "Confirmar patente", "V", url, primary=primary, fields={"outcome": "confirmed"})
    dialog = Dialog(
        "Respuesta de la fuente", "Queda registrado qué contestó la autoridad consultada. Sólo «vigente» mantiene la medida.",
        list(SOURCE_OUTCOMES.items()), "Respuesta", "source", note_required=False,
    )  # fmt: skip
    return Action("verify", "Fuente", "V", url, primary=alarm.source_outcome is None, dialog=dialog)


def _discard(alarm: AlarmView) -> Action:
    label = "No coincide" if alarm.is_plate else "Descartar"
    url = address(alarm, "descartar")
    if "discard" not in alarm.allowed:
        return Action(
            "discard", label, "X", url, danger=True, disabled="Ya no se puede descartar: cerrarla con su resultado."
        )
    dialog = Dialog(
        label, "La alarma termina y sale de la cola. Queda registrado quién la descartó y por qué.",
        list(discard_codes(alarm.rule).items()), "Causa", "code", note_required=False,
    )  # fmt: skip
    return Action("discard", label, "X", url, danger=True, dialog=dialog)


def _close(alarm: AlarmView) -> Action:
    url = address(alarm, "cerrar")
    if "close" not in alarm.allowed:
        why = "Primero hay que tomarla." if alarm.state == "new" else "La alarma ya terminó."
        return Action("close", "Cerrar", "C", url, disabled=why)
    dialog = Dialog(
        "Cerrar la alarma", "La alarma termina con este resultado, que cuenta en las estadísticas de la cámara y de la regla.",
        list(CLOSE_OUTCOMES.items()), "Resultado", "outcome", note_required=alarm.priority == 1,
    )  # fmt: skip
    return Action("close", "Cerrar", "C", url, primary=alarm.state == "verified", dialog=dialog)


def _dispatch(alarm: AlarmView) -> Action:
    return Action("dispatch", "Despachar", "D", "", disabled=_no_dispatch(alarm))


def _no_dispatch(alarm: AlarmView) -> str:
    if alarm.entry_revoked_at is not None:
        return ENTRY_REVOKED
    if alarm.source_outcome not in (None, "valid"):
        return SOURCE_DENIES
    return DISPATCH_WAITS if alarm.is_plate and not alarm.is_confirmed else DISPATCH_ABSENT


def _procedure(alarm: AlarmView) -> Procedure:
    pending = next((step.code for step in alarm.steps if not step.done_by), "")
    steps = [
        Step(
            text=step.text,
            hint=f"hecho por {step.done_by}" if step.done_by else step.hint if alarm.is_entry_shown else "",
            done=step.done_by is not None,
            is_next=step.code == pending,
            url=address(alarm, f"pasos/{step.code}") if alarm.is_open else "",
            value="0" if step.done_by else "1",
        )
        for step in alarm.steps
    ]
    return Procedure(alarm.title, sum(step.done for step in steps), steps, _no_dispatch(alarm))
