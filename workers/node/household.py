"""Finding the municipality that a queue's argument names, on this machine only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.node.auth import TokenSource
from workers.node.desired import read_cached
from workers.node.identity import Identity, load_identities
from workers.node.province import Province
from workers.node.settings import NodeSettings
from workers.node.spool import Spool


class UnknownMunicipalityError(LookupError):
    """No identity on this machine answers for what was asked."""


@dataclass(frozen=True)
class House:
    """One municipality on this node: who we are for it and where its things are."""

    settings: NodeSettings
    identity: Identity

    @property
    def folder(self) -> Path:
        return self.settings.folder(self.identity.tenant)

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    def spool(self) -> Spool:
        return Spool(self.folder / "spool.sqlite")

    def province(self) -> Province:
        return Province(self.settings.province_url, TokenSource(self.identity))

    def cached(self) -> Mapping[str, Any]:
        return read_cached(self.folder / "desired.json")


def house_of(tenant: str) -> House:
    """Raises `UnknownMunicipalityError`."""
    settings = NodeSettings.from_env(os.environ)
    identity = load_identities(settings.identities).get(UUID(tenant))
    if identity is None:
        raise UnknownMunicipalityError(tenant)
    return House(settings, identity)


def house_of_session(session_id: str) -> tuple[House, Mapping[str, Any]]:
    """The municipality whose desired state has this session, and the session. Raises `UnknownMunicipalityError`."""
    settings = NodeSettings.from_env(os.environ)
    for identity in load_identities(settings.identities).values():
        house = House(settings, identity)
        session = find_session(house.cached(), session_id)
        if session is not None:
            return house, session
    raise UnknownMunicipalityError(session_id)


def find_session(state: Mapping[str, Any], session_id: str) -> Mapping[str, Any] | None:
    return next((one for one in state.get("sessions", []) if str(one.get("id")) == session_id), None)
