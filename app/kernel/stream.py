"""What consoles are told: events written with the change, numbered without gaps per municipality."""

from __future__ import annotations

from typing import Any

from app.kernel.unit_of_work import StreamRow, current_unit

MAX_PAYLOAD_KEYS = 16


def append(kind: str, ref: str, payload: dict[str, Any], *, audience: str = "room") -> None:
    """Tell the municipality's consoles `kind` about `ref` once the open unit commits.

    Payloads are small (type, id, version, priority, camera, time): the page asks for the card, so permission is checked again.
    `audience` is room (people of the monitoring room), admin or all.
    """
    if len(payload) > MAX_PAYLOAD_KEYS:
        raise ValueError("un aviso lleva pocos datos: la pantalla pide el resto")
    current_unit().stream.append(StreamRow(kind=kind, ref=ref, payload=payload, audience=audience))
