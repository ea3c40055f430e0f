"""A recording volume proves that it is the one the index knows; in doubt nothing is written and nothing is removed."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from app.kernel.ids import new_id
from workers.recorder.files import make_directory, write_atomically

CARD = "volume.json"


class RootFilesystemError(Exception):
    """Recording on the system's own filesystem was not allowed by the person who started the node."""


@dataclass(frozen=True)
class Volume:
    id: str
    root: Path
    state: str
    reason: str | None = None

    @property
    def writable(self) -> bool:
        return self.state == "ok"


def refuse_root_filesystem(root: Path, *, allowed: bool) -> None:
    """Raises `RootFilesystemError` when the volume shares `/` and nobody said that it may."""
    make_directory(root)
    if not allowed and os.stat(root).st_dev == os.stat("/").st_dev:
        raise RootFilesystemError(
            "El volumen de grabación está en el mismo disco que el sistema: montar otro disco o iniciar con --allow-root-fs."
        )


def mount(connection: sqlite3.Connection, root: Path, tenant: UUID) -> Volume:
    """Compare the volume's card with the index and open it; a mismatch gives a read-only volume with its reason."""
    row = connection.execute("SELECT * FROM volumes LIMIT 1").fetchone()
    card = _read_card(root / CARD)
    if card is None and row is None:
        return _open(connection, root, tenant, str(new_id()), 0)
    if card is None:
        return _refuse(connection, root, row["id"], "volume_missing")
    if card.get("tenant") != str(tenant):
        return _refuse(connection, root, str(card.get("uuid")), "wrong_volume")
    if row is None:
        return _open(connection, root, tenant, str(card["uuid"]), int(card["open_counter"]))
    if row["id"] != card["uuid"]:
        return _refuse(connection, root, row["id"], "wrong_volume")
    if int(card["open_counter"]) > row["open_counter"]:
        return _refuse(connection, root, row["id"], "index_older_than_volume")
    return _open(connection, root, tenant, row["id"], row["open_counter"])


def still_mounted(volume: Volume) -> bool:
    """The card on disk is still this volume's."""
    card = _read_card(volume.root / CARD)
    return card is not None and card.get("uuid") == volume.id


def _read_card(path: Path) -> dict[str, Any] | None:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) and {"uuid", "open_counter", "tenant"} <= card.keys() else None


def _open(connection: sqlite3.Connection, root: Path, tenant: UUID, identifier: str, counter: int) -> Volume:
    """The index counts first: a crash in between leaves it ahead, which is harmless."""
    connection.execute(
        "INSERT INTO volumes VALUES (?,?,'ok',NULL,?) ON CONFLICT (id) DO UPDATE SET root=excluded.root, state='ok',"
        " reason=NULL, open_counter=excluded.open_counter",
        (identifier, str(root), counter + 1),
    )
    card = {"uuid": identifier, "tenant": str(tenant), "open_counter": counter + 1}
    write_atomically(root / CARD, json.dumps(card).encode())
    return Volume(identifier, root, "ok")


def _refuse(connection: sqlite3.Connection, root: Path, identifier: str, reason: str) -> Volume:
    connection.execute("UPDATE volumes SET state='read_only', reason=?", (reason,))
    return Volume(identifier, root, "read_only", reason)
