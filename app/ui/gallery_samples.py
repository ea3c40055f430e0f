"""Invented data for the gallery: the same shapes that the real screens receive. Plates are of a series never issued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired

from app.http.forms import Form, options
from app.ui import maps

NOW = datetime(2026, 11, 23, 1, 14, 37, tzinfo=UTC)
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
STREET = "/static/gallery/street.svg"


class _CameraForm(Form):
    name = StringField("Nombre", [InputRequired("Falta el nombre.")])
    place = SelectField("Lugar", choices=options([("entrance", "Acceso"), ("square", "Plaza")]))
    record = BooleanField("Grabar de forma continua")


def _filled(data: dict[str, str]) -> _CameraForm:
    form = _CameraForm(data=data)
    form.validate()
    return form


def _before(**span: float) -> datetime:
    return NOW - timedelta(**span)


def _card(number: int, priority: int, title: str, place: str, at: datetime, **state: Any) -> dict[str, Any]:
    facts = {
        "unacked": False,
        "active": True,
        "state_text": "",
        "state_by": "",
        "count": 1,
        "escalate_label": "",
        "escalate_at": None,
    }
    return (
        {
            "id": f"00000000-0000-7000-8000-{number:012d}",
            "version": 1,
            "priority": priority,
            "title": title,
            "place": place,
            "at": at,
        }
        | facts
        | state
    )


QUEUE = [
    _card(
        1,
        1,
        "Patente con pedido de secuestro",
        "Acceso Ruta 3 Norte · carril 1",
        _before(seconds=18),
        unacked=True,
        state_text="sin tomar",
        escalate_label="supervisor en",
        escalate_at=NOW + timedelta(seconds=12),
    ),
    _card(
        2,
        2,
        "Circulación a contramano",
        "Av. Moreno y Colón · semáforo",
        _before(minutes=1),
        state_text="tomó",
        state_by="M. Iturbe",
    ),
    _card(
        3,
        2,
        "Cámara sin grabación",
        "Plaza San Martín · domo 2",
        _before(minutes=6),
        state_text="sin tomar",
        unacked=True,
    ),
    _card(
        4,
        2,
        "Intrusión fuera de horario",
        "Parque Cabañas · juegos",
        _before(minutes=9),
        state_text="sin tomar",
        unacked=True,
        count=3,
    ),
    _card(
        5,
        3,
        "Aglomeración",
        "Terminal de ómnibus · andén 4",
        _before(minutes=14),
        state_text="tomó",
        state_by="R. Medina",
    ),
]

HIT = {
    "exact": True,
    "crop_url": "/static/gallery/plate.svg",
    "characters": [("Z", 0.99), ("A", 0.98), ("4", 0.97), ("8", 0.99), ("2", 0.98), ("Q", 0.84), ("K", 0.96)],
    "entry": [
        ("Lista", "Provincial · pedidos de secuestro, v. 2026-11-22"),
        ("Autoridad", "UFI 4 Tres Arroyos · oficio 1182/26, vigente"),
        ("Vehículo", "VW Gol Trend gris plata, 2019"),
        ("Otras lecturas", "22:09 Ruta 3 km 482 · 21:40 Benito Juárez"),
    ],
}
CLIP = {
    "url": "/static/gallery/clip.mp4",
    "still_url": STREET,
    "start": _before(seconds=28),
    "end": _before(seconds=13),
    "event_share": 0.667,
}

TILES = [
    {"camera_id": f"c{n}", "name": name, "key": str(n), "state": state, "still_url": STREET, "since": since}
    for n, name, state, since in (
        (1, "Av. Moreno y Colón", "online", None),
        (2, "Plaza San Martín · domo 1", "online", None),
        (3, "Parque Cabañas · juegos", "connecting", None),
        (4, "Plaza San Martín · domo 2", "offline", _before(minutes=6)),
    )
]

_POINTS = (
    ("Av. Moreno y Colón", -38.3712, -60.2844, "online", "en línea", 120.0, False),
    ("Plaza San Martín · domo 1", -38.3745, -60.2731, "online", "en línea", 215.0, False),
    ("Acceso Ruta 3 Norte · carril 1", -38.3771, -60.2795, "online", "en línea", 60.0, True),
    ("Parque Cabañas · juegos", -38.3806, -60.2689, "offline", "sin señal", None, False),
)


@cache
def _town() -> maps.TownMap:
    cameras = [
        maps.MapCamera(f"c{n}", name, lat, lon, state, label, azimuth, alarm)
        for n, (name, lat, lon, state, label, azimuth, alarm) in enumerate(_POINTS, start=1)
    ]
    return maps.town("tres-arroyos", cameras, centre=(-38.3739, -60.2798))


_STEPS = (
    ("Mirar el recorte y la imagen completa", "", True),
    ("Comparar letra por letra con la lista", "La Q tiene confianza 84 %: revisarla.", False),
    ("Consultar vigencia en la fuente", "", False),
    ("Despachar a distancia; no interceptar en soledad", "", False),
    ("Registrar el resultado", "", False),
)
_DISCARD = {
    "title": "No coincide",
    "consequence": "La alarma sale de la cola de todos y queda en el registro con tu nombre y el código.",
    "codes": [
        ("misread", "La lectura está mal"),
        ("other_vehicle", "Es otro vehículo"),
        ("list_error", "La lista está desactualizada"),
    ],
    "code_label": "Por qué no coincide",
    "note_required": False,
}
SPOT = {
    "alarm_id": QUEUE[0]["id"],
    "version": 1,
    "title": "Patente con pedido de secuestro",
    "camera_id": "c2",
    "camera_name": "Acceso Ruta 3 Norte · carril 1",
    "camera_code": "TA-LPR-01",
    "at": _before(seconds=18),
    "clip": CLIP,
    "hit": HIT,
    "facts": [],
    "actions": [
        {"code": "acknowledge", "label": "Tomar", "key": "A", "url": "/_galeria/", "primary": True},
        {"code": "verify", "label": "Confirmar patente", "key": "V", "url": "/_galeria/"},
        {
            "code": "discard",
            "label": "No coincide",
            "key": "X",
            "url": "/_galeria/",
            "danger": True,
            "dialog": _DISCARD,
        },
        {
            "code": "dispatch",
            "label": "Despachar",
            "key": "D",
            "disabled": "Se habilita cuando la patente está confirmada",
        },
    ],
    "procedure": {
        "title": "Patente con pedido",
        "done": 1,
        "note": "Se habilita despachar cuando la patente está confirmada.",
        "steps": [{"text": text, "hint": hint, "done": done, "is_next": bool(hint)} for text, hint, done in _STEPS],
    },
}


def console(*, empty: bool = False) -> dict[str, Any]:
    """The console of an invented night, or of a quiet room without cameras."""
    return {
        "queue": [] if empty else QUEUE,
        "counts": [] if empty else [(1, 1), (2, 3), (3, 1)],
        "spot": None if empty else SPOT,
        "tiles": [] if empty else TILES,
        "town": _town(),
        "shift": "En este turno: 31 alarmas · 5,2 por hora (meta 6) · 12 % falsas",
        "watermark": "R. Medina · TA-26 · 22:14:37",
        "last_seq": 0,
        "queue_item": QUEUE[0] | {"unacked": False, "state_text": "tomó", "state_by": "R. Medina", "version": 2},
    }


LEGEND = [(1, "99 % o más"), (2, "97–99"), (3, "94–97"), (4, "90–94"), (5, "menos de 90"), (0, "sin datos")]


@cache
def _province() -> maps.ProvinceMap:
    levels = {
        slug: maps.District(level, text, f"#fila-{slug}")
        for slug, level, text in (
            ("general-pueyrredon", 4, "91,8 % en línea · 177 de 2.160 sin video"),
            ("laprida", 1, "99,4 % en línea"),
            ("tres-arroyos", 3, "96,1 % en línea"),
            ("azul", 2, "98,8 % en línea"),
        )
    }
    return maps.province(levels)


def _cells(*texts: str, bad: int = -1, arrow: str = "") -> list[dict[str, Any]]:
    return [
        {"text": text, "numeric": True, "bad": n == bad, "arrow": arrow if n == bad else ""}
        for n, text in enumerate(texts)
    ]


def board() -> dict[str, Any]:  # lint-skip size: one sample of a whole screen, read as data
    """The Dirección's board of an invented Sunday."""
    columns = [{"key": "name", "label": "Municipio"}] + [
        {"key": key, "label": label, "numeric": True, "sortable": True}
        for key, label in (
            ("online", "En línea"),
            ("alarms", "Alarmas/h"),
            ("taken", "Tomada p90"),
            ("cameras", "Cámaras"),
        )
    ]
    rows = [
        {
            "name": "General Pueyrredón",
            "href": "#general-pueyrredon",
            "cells": _cells("91,8 %", "6,9", "31 s", "2.160", bad=0, arrow="down"),
        },
        {"name": "Laprida", "href": "#laprida", "cells": _cells("99,4 %", "3,1", "18 s", "14")},
        {
            "name": "Tres Arroyos",
            "href": "#tres-arroyos",
            "cells": _cells("96,1 %", "9,8", "22 s", "96", bad=1, arrow="up"),
        },
        {"name": "Azul", "href": "#azul", "cells": _cells("98,8 %", "4,4", "20 s", "88")},
    ]
    trend = [3, 5, 2, 4, 4, 6, 3, 5, 4, 4, 3]
    figures = [
        ("Cámaras en línea", "97,1 %", "▲ 0,4 puntos en la semana", "ok"),
        ("Alarmas por hora y consola", "5,6", "meta 6 · 4 salas por encima", ""),
        ("Tomada, 90.º percentil", "24 s", "▼ 3 s en la semana", "ok"),
        ("Municipios activos", "4", "de 135", ""),
        ("Sin señal ahora", "11", "General Pueyrredón: 7", "bad"),
        ("Lecturas de patente hoy", "18.204", "62 coincidencias", ""),
    ]
    return {
        "at": NOW,
        "map": _province(),
        "map_title": "Cámaras en línea por municipio",
        "map_note": "Últimas 24 horas · 135 municipios · actualizado hace 40 s",
        "legend": LEGEND,
        "figures": [{"label": a, "value": b, "note": c, "tone": d, "trend": trend} for a, b, c, d in figures],
        "actions": [{"label": "Sumar municipio", "href": "#municipios", "primary": True}],
        "worst": {"columns": columns, "rows": rows, "note": "peores primero", "sort": "-online"},
    }


def samples() -> dict[str, Any]:  # lint-skip size: one sample per component, read as data
    """What the calls of the gallery's entries name."""
    return {
        "cameras": [
            {"name": "Av. Moreno y Colón", "state": "online", "fps": 12.5},
            {"name": "Plaza San Martín · domo 2", "state": "offline", "fps": 0},
            {
                "name": "Acceso por la Ruta Provincial 73, puente sobre el arroyo del Medio",
                "state": "frozen",
                "fps": 12.5,
            },
        ],
        "form": _CameraForm(data={"name": "Plaza San Martín", "place": "square", "record": True}, prefix="muestra-"),
        "bad_form": _filled({"name": ""}),
        "queue": QUEUE,
        "soon": NOW + timedelta(seconds=12),
        "hit": HIT,
        "possible_hit": HIT
        | {"exact": False, "entry": None, "characters": [], "crop_url": None, "type_url": "/_galeria/"},
        "tiles": TILES,
        "clip": CLIP,
        "pending_clip": CLIP | {"url": None},
        "sha": SHA,
        "audit": [
            {
                "at": NOW,
                "actor": "Rocío Medina",
                "what": "confirmó la patente ZA 482 QK",
                "detail": "alarma TA-26-31",
                "code": SHA,
            },
            {
                "at": _before(minutes=2),
                "actor": "Martín Iturbe",
                "what": "miró en vivo la cámara TA-DOM-014",
                "detail": "",
                "code": "",
            },
        ],
        "map": _province(),
        "legend": LEGEND,
        "town": _town(),
    }
