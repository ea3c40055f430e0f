"""What signing in and out tells the areas above it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndedSession:
    """One session of a browser that is no more; `key` is what its actors carried as `session_id`."""

    tenant_id: int
    key: str


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions ended, whatever the way. Published once that is committed: nobody who hears it can keep them alive."""

    sessions: tuple[EndedSession, ...]
