"""What people do with an alarm: take, verify in two steps, discard with a code, close with an outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from app.audit import service as audit
from app.kernel import clock, events
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, StaleVersion
from app.kernel.permissions import Permission
from app.monitoring.alarms import notices, queries
from app.monitoring.alarms.errors import AlarmNotFound, AlarmStateConflict, ReadingNotConfirmed
from app.monitoring.alarms.events import AlarmClosed
from app.monitoring.alarms.models import Alarm
from app.monitoring.alarms.types import (
    CLOSE_OUTCOMES,
    DISCARD_CODES,
    OPEN_STATES,
    PROCEDURES,
    READING_OUTCOMES,
    SOURCE_OUTCOMES,
    STATE_LABELS,
    TITLES,
)

MAX_NOTE = 2_000
# From each handling state, what people may do.
ALLOWED: dict[str, frozenset[str]] = {
    "new": frozenset({"acknowledge", "verify", "discard"}),
    "taken": frozenset({"verify", "discard", "close"}),
    "verified": frozenset({"verify", "close"}),
    "discarded": frozenset(),
    "closed": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Verification:
    """One step of a verification: the reading's outcome, or later the answer of the source.

    `typed_plate` is what the operator read in the crop, required before a possible match shows its list entry.
    """

    outcome: str | None = None
    source: str | None = None
    typed_plate: str = ""
    note: str = ""


def acknowledge(actor: Actor, *, alarm_id: UUID, version: int) -> Alarm:
    """Take the alarm. Raises `StaleVersion` naming who took it first."""
    actor.require(Permission.ALARM_ACKNOWLEDGE)
    alarm = _open(alarm_id, version, "acknowledge")
    _take(actor, alarm)
    alarm.state = "taken"
    return _done(actor, alarm, "acknowledge")


def verify(actor: Actor, *, alarm_id: UUID, version: int, step: Verification) -> Alarm:
    """Record the reading's outcome or the source's answer. `no_match` discards the alarm; taking is implied when nobody had.

    Raises `Invalid`, `AlarmStateConflict`, or `ReadingNotConfirmed` for a source before a confirmed reading.
    """
    actor.require(Permission.ALARM_VERIFY)
    _check_step(step)
    alarm = _open(alarm_id, version, "verify")
    _take(actor, alarm)
    _append_note(alarm, step.note)
    if step.source is not None:
        return _verify_source(actor, alarm, step.source)
    outcome = _reading_outcome(alarm, step)
    if outcome == "no_match":
        return _discard(actor, alarm, code="LECTURA")
    alarm.state = "verified"
    alarm.reading_outcome = outcome
    alarm.verified_by, alarm.verified_by_name, alarm.verified_at = actor.user_id, _name(actor), clock.now()
    return _done(actor, alarm, "verify", lectura=outcome)


def type_plate(actor: Actor, *, alarm_id: UUID, version: int, typed_plate: str) -> Alarm:
    """Compare what the operator reads in the crop of a possible match; only then is the entry shown.

    A different plate is a «no coincide» by itself and ends the alarm.
    """
    actor.require(Permission.ALARM_VERIFY)
    alarm = _open(alarm_id, version, "verify")
    if alarm.match != "possible":
        raise AlarmStateConflict("Sólo una posible coincidencia pide escribir la patente.", state=alarm.state)
    _take(actor, alarm)
    if alarm.state == "new":
        alarm.state = "taken"
    if not _typed_matches(alarm, typed_plate):
        return _discard(actor, alarm, code="LECTURA")
    return _done(actor, alarm, "type_plate", escrita=alarm.typed_plate, coincide=True)


def discard(actor: Actor, *, alarm_id: UUID, version: int, code: str, note: str = "") -> Alarm:
    """End the alarm as not being what it said. Raises `Invalid` for a code that does not exist or fit, or lacks its note."""
    actor.require(Permission.ALARM_DISCARD)
    alarm = _open(alarm_id, version, "discard")
    code = code.strip().upper()
    chosen = DISCARD_CODES.get(code)
    if chosen is None or chosen.plate not in (None, alarm.rule == "plate"):
        raise Invalid(errors={"code": [f"Elegir uno de: {', '.join(discard_codes(alarm.rule))}."]})
    if chosen.needs_note and not note.strip():
        raise Invalid(errors={"note": ["Este código pide una nota."]})
    _take(actor, alarm)
    _append_note(alarm, note)
    return _discard(actor, alarm, code=code)


def close(actor: Actor, *, alarm_id: UUID, version: int, outcome: str, note: str = "") -> Alarm:
    """End the alarm with its result. A critical one needs a note; a plate hit is real only with its reading confirmed."""
    actor.require(Permission.ALARM_CLOSE)
    if outcome not in CLOSE_OUTCOMES:
        raise Invalid(errors={"outcome": [f"Elegir uno de: {', '.join(CLOSE_OUTCOMES)}."]})
    alarm = _open(alarm_id, version, "close")
    if alarm.priority == 1 and not note.strip():
        raise Invalid(errors={"note": ["Una alarma crítica se cierra con una nota."]})
    if outcome == "real" and alarm.rule == "plate" and not is_confirmed(alarm):
        raise ReadingNotConfirmed(
            "Cerrar como real pide la lectura confirmada y ninguna respuesta en contra de la fuente."
        )
    _append_note(alarm, note)
    alarm.state, alarm.close_outcome = "closed", outcome
    return _end(actor, alarm, "close", outcome)


def tick_step(actor: Actor, *, alarm_id: UUID, step: str, done: bool) -> Alarm:
    """Mark a step of the procedure as done or not; it does not compete with what others decide about the alarm."""
    actor.require(Permission.ALARM_ACKNOWLEDGE)
    alarm = _get(alarm_id)
    if step not in {code for code, _ in PROCEDURES[TITLES[alarm.title_code].procedure]}:
        raise Invalid(errors={"step": ["El paso no es de este procedimiento."]})
    if alarm.state not in OPEN_STATES:
        raise AlarmStateConflict("La alarma ya terminó.", state=alarm.state)
    kept = [tick for tick in alarm.steps_done if tick["step"] != step]
    tick = {"step": step, "by": _name(actor), "at": clock.now().isoformat()}
    alarm.steps_done = [*kept, tick] if done else kept
    audit.record("alarms:alarm:step", f"alarma:{alarm.id}", paso=step, hecho=done)
    return alarm


def attach_clip(actor: Actor, *, alarm_id: UUID, clip_id: UUID) -> None:
    """The clip of the alarm is ready to be watched. Called by the evidence context."""
    alarm = _get(alarm_id)
    if alarm.clip_id != clip_id:
        alarm.clip_id = clip_id
        notices.clip_ready(actor, alarm, clip_id)


def discard_codes(rule: str) -> dict[str, str]:
    """Codes and labels that fit an alarm of this rule."""
    return {code: each.label for code, each in DISCARD_CODES.items() if each.plate in (None, rule == "plate")}


def is_confirmed(alarm: Alarm) -> bool:
    """Whether the alarm may become an incident: verified and, for a plate, confirmed with no contrary answer of the source."""
    if alarm.rule != "plate":
        return alarm.state == "verified" and alarm.reading_outcome == "confirmed"
    return alarm.reading_outcome == "confirmed" and alarm.source_outcome in (None, "valid")


def is_entry_shown(alarm: Alarm) -> bool:
    """Whether the list entry may be shown: always for an exact match, after typing the plate for a possible one."""
    return alarm.match != "possible" or alarm.typed_plate is not None or alarm.state not in OPEN_STATES


def _get(alarm_id: UUID) -> Alarm:
    alarm = queries.find(alarm_id, lock=True)
    if alarm is None:
        raise AlarmNotFound
    return alarm


def _open(alarm_id: UUID, version: int, action: str) -> Alarm:
    """The locked alarm, when nobody changed it since `version` and its state admits `action`."""
    alarm = _get(alarm_id)
    if alarm.version != version:
        raise StaleVersion(_what_changed(alarm), version=alarm.version, yours=version, state=alarm.state)
    allowed = ALLOWED[alarm.state]
    if action not in allowed:
        raise AlarmStateConflict(_what_changed(alarm), state=alarm.state, allowed=sorted(allowed))
    return alarm


def _what_changed(alarm: Alarm) -> str:
    who = alarm.closed_by_name or alarm.verified_by_name or alarm.taken_by_name
    label = STATE_LABELS[alarm.state].lower()
    return f"La alarma está {label}; la tiene {who}." if who else f"La alarma está {label}."


def _take(actor: Actor, alarm: Alarm) -> None:
    if alarm.taken_by is None:
        alarm.taken_by, alarm.taken_by_name, alarm.taken_at = actor.user_id, _name(actor), clock.now()


def _name(actor: Actor) -> str:
    return actor.display_name or actor.user_id


def _check_step(step: Verification) -> None:
    if (step.outcome is None) == (step.source is None):
        raise Invalid(errors={"outcome": ["Enviar el resultado de la lectura o el de la fuente, uno por vez."]})
    if step.outcome is not None and step.outcome not in READING_OUTCOMES:
        raise Invalid(errors={"outcome": [f"Elegir uno de: {', '.join(READING_OUTCOMES)}."]})
    if step.source is not None and step.source not in SOURCE_OUTCOMES:
        raise Invalid(errors={"source": [f"Elegir uno de: {', '.join(SOURCE_OUTCOMES)}."]})


def _reading_outcome(alarm: Alarm, step: Verification) -> str:
    """The outcome, after the checks of its kind of alarm."""
    outcome = step.outcome or ""
    if alarm.rule != "plate":
        if outcome == "no_match":
            raise Invalid(errors={"outcome": ["Una alarma que no es de patente se descarta con un código."]})
        return outcome
    if alarm.match == "possible" and outcome == "confirmed" and alarm.typed_plate is None:
        if not step.typed_plate.strip():
            raise Invalid(errors={"typed_plate": ["Escribir la patente que se ve en el recorte antes de confirmar."]})
        if not _typed_matches(alarm, step.typed_plate):
            return "no_match"
    return outcome


def _typed_matches(alarm: Alarm, typed: str) -> bool:
    """Keep what was typed and compare it with the list entry."""
    alarm.typed_plate = re.sub(r"[^A-Z0-9]", "", typed.upper())[:16]
    return bool(alarm.typed_plate == alarm.detail["entry"]["plate"])


def _verify_source(actor: Actor, alarm: Alarm, source: str) -> Alarm:
    if alarm.rule != "plate" or alarm.reading_outcome != "confirmed":
        raise ReadingNotConfirmed("La fuente se consulta después de confirmar la lectura.", state=alarm.state)
    alarm.source_outcome = source
    return _done(actor, alarm, "verify_source", fuente=source)


def _discard(actor: Actor, alarm: Alarm, *, code: str) -> Alarm:
    alarm.state, alarm.discard_code = "discarded", code
    if alarm.rule == "plate" and DISCARD_CODES[code].plate:
        alarm.reading_outcome = "no_match"
    return _end(actor, alarm, "discard", "discarded")


def _end(actor: Actor, alarm: Alarm, action: str, outcome: str) -> Alarm:
    alarm.closed_by, alarm.closed_by_name, alarm.closed_at = actor.user_id, _name(actor), clock.now()
    events.publish(AlarmClosed(alarm.id, outcome))
    return _done(
        actor, alarm, action, resultado=alarm.close_outcome, codigo=alarm.discard_code, escrita=alarm.typed_plate
    )


def _append_note(alarm: Alarm, note: str) -> None:
    text = note.strip()
    if len(text) > MAX_NOTE:
        raise Invalid(errors={"note": [f"La nota no puede tener más de {MAX_NOTE} caracteres."]})
    alarm.note = f"{alarm.note}\n{text}".strip()


def _done(actor: Actor, alarm: Alarm, action: str, **detail: object) -> Alarm:
    """Record and announce what was decided."""
    said = {name: value for name, value in detail.items() if value is not None}
    audit.record(f"alarms:alarm:{action}", f"alarma:{alarm.id}", estado=alarm.state, **said)
    notices.handled(actor, alarm)
    return alarm
