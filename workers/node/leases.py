"""The right to speak for an analytics session: an epoch given by the province, kept across restarts and cut links."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from workers.node.province import LinkDownError, Province, RefusedError
from workers.node.spool import Spool

log = logging.getLogger(__name__)
RENEW_S = 5.0


class LeaseHeldError(Exception):
    """Somebody else speaks for the session."""


class NoLeaseError(Exception):
    """The province cannot be asked and no epoch is known from before."""


@dataclass(frozen=True)
class Lease:
    session: UUID
    holder: str
    epoch: int


def take(spool: Spool, province: Province, session: UUID) -> Lease:
    """Continue the epoch this node had, or acquire a new one. Raises `LeaseHeldError` or `NoLeaseError`.

    The former epoch comes first: a restart then needs no waiting for an expiry, and what the dead child left in the
    spool is still accepted. Without the link it is the only possible one; the session's file lock keeps a second
    writer out.
    """
    rows = spool.execute("SELECT holder, epoch, stale FROM sessions WHERE session_id=?", (str(session),))
    known = rows[0] if rows and rows[0]["holder"] and not rows[0]["stale"] else None
    try:
        if known is not None:
            try:
                province.lease(session, known["holder"], known["epoch"])
                return Lease(session, known["holder"], known["epoch"])
            except RefusedError as refusal:
                if refusal.status != 409:
                    raise
        holder = str(uuid4())
        epoch = int(province.lease(session, holder, None)["epoch"])
    except RefusedError as refusal:
        raise LeaseHeldError(refusal.code) from None
    except LinkDownError:
        if known is None:
            raise NoLeaseError from None
        return Lease(session, known["holder"], known["epoch"])
    spool.execute("UPDATE sessions SET holder=?, epoch=?, stale=0 WHERE session_id=?", (holder, epoch, str(session)))
    return Lease(session, holder, epoch)


class LeaseKeeper(threading.Thread):
    """Renews every five seconds; a refusal calls `on_lost`, a cut link changes nothing."""

    def __init__(self, province: Province, lease: Lease, on_lost: Callable[[], None], every_s: float = RENEW_S) -> None:
        super().__init__(name=f"lease-{lease.session}", daemon=True)
        self._province, self._lease, self._on_lost, self._every = province, lease, on_lost, every_s
        self._ending = threading.Event()

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        while not self._ending.wait(self._every):
            try:
                self._province.lease(self._lease.session, self._lease.holder, self._lease.epoch)
            except LinkDownError:
                continue
            except RefusedError as refusal:
                log.error("lease of session %s was lost: %s", self._lease.session, refusal.code)
                self._on_lost()
                return
