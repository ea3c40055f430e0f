"""The daemon's list of orders: remembers them, waits for their moment, hands them to the queue or to a child of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from workers.node.orders import TAKEN_US
from workers.node.queues import EXPORT, NodeQueues
from workers.node.spool import Spool
from workers.recorder.clock import SECOND, Clock, from_iso

# An order starts a little before its footage is complete and waits for the rest: starting takes a second by itself.
EARLY_US = SECOND
UNTAKEN_US = 2 * SECOND
TIMEOUT_S = 120
KEEP_US = 7 * 86_400 * SECOND
CHILDREN = 2


class OrderDesk:
    """One municipality's orders, each started once and repeated only when its runner died."""

    def __init__(self, spool: Spool, tenant: UUID, queues: NodeQueues, clock: Clock | None = None) -> None:
        self._spool, self._tenant, self._queues, self._clock = spool, tenant, queues, clock or Clock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def take(self, orders: Iterable[Mapping[str, Any]]) -> int:
        """Remember orders not seen before; the province repeats each one until it has the result."""
        fresh = 0
        for order in orders:
            try:
                due = from_iso(order["to"]) - EARLY_US if order.get("to") else self._clock.wall_us()
            except (ValueError, TypeError):
                due = self._clock.wall_us()
            rows = self._spool.execute(
                "INSERT OR IGNORE INTO orders (id, body, state, due_us) VALUES (?,?,'pending',?) RETURNING id",
                (str(order["id"]), json.dumps(dict(order)), due),
            )
            fresh += len(rows)
        return fresh

    @property
    def busy(self) -> bool:
        """True while some order waits for its moment or its result."""
        return bool(self._spool.execute("SELECT 1 FROM orders WHERE state!='done' LIMIT 1"))

    def dispatch(self) -> None:
        """Start what is due; an order that no worker took in two seconds is run by a child of ours."""
        now = self._clock.wall_us()
        for identifier, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[identifier]
        rows = self._spool.execute(
            "SELECT id, due_us, state, attempts FROM orders WHERE due_us<=? AND"
            " (state='pending' OR (state='running' AND taken_us<?)) ORDER BY due_us LIMIT 8",
            (now, now - TAKEN_US),
        )
        for row in rows:
            late = now - row["due_us"] > UNTAKEN_US
            queued = not late and self._queues.enqueue(
                EXPORT, "workers.node.run_order", (str(self._tenant), row["id"]), job_id=f"order-{row['id']}", timeout_s=TIMEOUT_S
            )  # fmt: skip
            if not queued and row["id"] not in self._children and len(self._children) < CHILDREN:
                self._children[row["id"]] = subprocess.Popen(
                    [sys.executable, "-m", "workers.node.orders", str(self._tenant), row["id"]],
                    stdin=subprocess.DEVNULL,
                )

    def forget_old(self) -> None:
        self._spool.execute("DELETE FROM orders WHERE state='done' AND done_us<?", (self._clock.wall_us() - KEEP_US,))
