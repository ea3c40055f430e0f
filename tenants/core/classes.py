"""What each table of the schema is to the municipalities. A table that is not listed here is municipal and must look like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A municipality sees a row of a linked table through a row of `through` whose `key` is its id."""

    through: str
    key: str


# Provincial entities seen through a municipal row.
LINKED: Mapping[str, Link] = {"people": Link("postings", "person_id")}

# Catalogues: every municipality reads, only the Dirección writes.
PROVINCIAL: frozenset[str] = frozenset()

# No municipal rows, or rows that tenantless parts need before a municipality is known; each with its reason.
PLATFORM: Mapping[str, str] = {
    "alembic_version": "the revision of the schema; only the owner reads it",
    "schedules": "what the clock must start; only the clock reaches it",
    "tenants": "the directory itself: a municipality sees and edits its own row, sign-in and the Dirección see all",
    "web_sessions": "signed-in browsers, looked up before anybody's municipality is known; only sign-in and push reach it",
}

# Municipal tables that a tenantless role may also reach: table -> role -> the commands of its policies.
SYSTEM: Mapping[str, Mapping[str, frozenset[str]]] = {
    "audit_entries": {"app_audit": frozenset({"INSERT"})},
    "audit_heads": {"app_audit": frozenset({"INSERT", "SELECT", "UPDATE"})},
    "outbox": {"app_clock": frozenset({"ALL"})},
    "tenant_event_heads": {"app_audit": frozenset({"INSERT"}), "app_rt": frozenset({"SELECT"})},
    "tenant_events": {"app_rt": frozenset({"SELECT"})},
}

# Functions that run with their owner's rights; each with its reason.
DEFINERS: Mapping[str, str] = {
    "audit_append": "the only way to write an entry of one's own chain",
    "audit_append_dir": "the Dirección tells a municipality on its chain what it read; granted to app_dir only",
    "audit_chain_heads": "numbers and hashes of every chain, to sign them outside; granted to app_worker only",
    "drop_expired_events": "the only way to drop a day of console events",
    "ensure_partitions": "the only way to make partitions",
    "open_chains": "a new municipality gets its two heads",
}
