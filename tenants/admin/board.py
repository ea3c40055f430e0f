"""Turns the overview into what the board and the lists of municipalities show; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.ui import formatters, maps
from tenants.admin.types import Overview, Summary

TARGET_PER_HOUR = 6
NO_DATA = "sin datos"
LEGEND = [(1, "99 % o más"), (2, "97–99"), (3, "94–97"), (4, "90–94"), (5, "menos de 90"), (0, "sin datos")]
COLUMNS = [
    {"key": "name", "label": "Municipio", "sortable": True},
    {"key": "online", "label": "En línea", "numeric": True, "sortable": True},
    {"key": "alarms", "label": "Alarmas/h", "numeric": True, "sortable": True},
    {"key": "take", "label": "Toma p90", "numeric": True, "sortable": True},
    {"key": "waiting", "label": "Sin tomar", "numeric": True, "sortable": True},
    {"key": "nodes", "label": "Nodos con enlace", "numeric": True},
]
_FLOORS = ((0.99, 1), (0.97, 2), (0.94, 3), (0.90, 4))


def board(overview: Overview, *, sort: str, may_add: bool) -> dict[str, Any]:
    """The context of the board's template."""
    return {
        "at": overview.at,
        "map_title": "Cámaras en línea por municipio",
        "map_note": f"135 municipios · actualizado {formatters.hour(overview.at)}",
        "map": maps.province({each.tenant.slug: _district(each) for each in overview.municipalities}),
        "legend": LEGEND,
        "figures": _figures(overview),
        "actions": [{"label": "Sumar municipio", "href": "/direccion/municipios/alta", "primary": True}]
        if may_add
        else [],
        "worst": _worst(overview, sort),
    }


def level(share: float | None) -> int:
    """The colour of a share of cameras online; 0 when there is nothing to measure."""
    if share is None:
        return 0
    return next((number for floor, number in _FLOORS if share >= floor), 5)


def _district(each: Summary) -> maps.District:
    share = each.counts.online_share
    if not each.tenant.is_active:
        text = each.state_label.lower()
    elif share is None:
        text = "activo, sin cámaras con video"
    else:
        text = f"{formatters.percent(share, 1)} en línea ({each.counts.online} de {each.counts.wired})"
    return maps.District(
        level(share) if each.tenant.is_active else 0, text, f"/direccion/municipios/{each.tenant.slug}"
    )


def _figures(overview: Overview) -> list[dict[str, Any]]:
    active = overview.active
    wired, online = sum(e.counts.wired for e in active), sum(e.counts.online for e in active)
    inventory = sum(e.counts.cameras for e in active)
    rooms = max(len(active), 1)
    per_hour = sum(overview.alarms_by_hour) / 24 / rooms
    busy = sum(e.counts.alarms_per_hour > TARGET_PER_HOUR for e in active)
    waiting = sum(e.counts.waiting for e in active)
    nodes, linked = sum(e.counts.nodes for e in active), sum(e.counts.nodes_linked for e in active)
    stale = sum(e.counts.stale_lists for e in active)
    return [
        _figure("Cámaras en línea", _percent(online / wired if wired else None),
                f"{online} de {wired} con video · {inventory} en el inventario"),
        _figure("Alarmas por hora y sala", formatters.number(per_hour, 1), f"meta {TARGET_PER_HOUR} · {_rooms(busy)} por encima",
                tone="bad" if per_hour > TARGET_PER_HOUR else "", trend=overview.alarms_by_hour),
        _figure("Toma de alarmas, 90.º percentil", formatters.duration(overview.take_p90) if overview.take_p90 else NO_DATA,
                "últimas 24 horas"),
        _figure("Alarmas sin tomar", formatters.number(waiting), "en este momento, en todas las salas",
                tone="bad" if waiting else "ok"),
        _figure("Nodos con enlace", f"{linked} de {nodes}", "hablaron en los últimos 30 segundos",
                tone="bad" if linked < nodes else ""),
        _figure("Municipios activos", f"{len(active)} de {len(overview.municipalities)}",
                f"{stale} listas de búsqueda desactualizadas" if stale else "listas de búsqueda al día"),
    ]  # fmt: skip


def _figure(label: str, value: str, note: str, tone: str = "", trend: list[int] | None = None) -> dict[str, Any]:
    return {"label": label, "value": value, "note": note, "tone": tone, "trend": trend or []}


def _rooms(count: int) -> str:
    return "1 sala" if count == 1 else f"{count} salas"


_KEYS: dict[str, Callable[[Summary], Any]] = {
    "name": lambda each: each.tenant.name,
    "online": lambda each: each.counts.online_share if each.counts.online_share is not None else 2.0,
    "alarms": lambda each: each.counts.alarms_day,
    "take": lambda each: each.counts.take_p90.total_seconds() if each.counts.take_p90 else -1.0,
    "waiting": lambda each: each.counts.waiting,
}


def _worst(overview: Overview, sort: str) -> dict[str, Any]:
    key = sort.lstrip("-")
    known = key if key in _KEYS else ""
    rows = sorted(overview.active, key=_KEYS[known or "online"], reverse=bool(known) and sort.startswith("-"))
    return {
        "columns": COLUMNS,
        "rows": [_row(each) for each in rows],
        "note": "" if known else "peores primero",
        "sort": sort if known else "",
    }


def _row(each: Summary) -> dict[str, Any]:
    counts, share = each.counts, each.counts.online_share
    unlinked = counts.nodes_linked < counts.nodes
    return {
        "name": each.tenant.name,
        "href": f"/direccion/municipios/{each.tenant.slug}",
        "cells": [
            _cell(_percent(share), bad=level(share) > 3, arrow="down"),
            _cell(
                formatters.number(counts.alarms_per_hour, 1), bad=counts.alarms_per_hour > TARGET_PER_HOUR, arrow="up"
            ),
            _cell(formatters.duration(counts.take_p90) if counts.take_p90 else NO_DATA),
            _cell(formatters.number(counts.waiting), bad=counts.waiting > 0, arrow="up"),
            _cell(
                f"{counts.nodes_linked} de {counts.nodes}" if counts.nodes else "sin nodo", bad=unlinked, arrow="down"
            ),
        ],
    }


def _percent(share: float | None) -> str:
    return NO_DATA if share is None else formatters.percent(share, 1)


def _cell(text: str, *, bad: bool = False, arrow: str = "") -> dict[str, Any]:
    return {"text": text, "numeric": True, "bad": bad, "arrow": arrow if bad else ""}
