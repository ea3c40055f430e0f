"""One organization per municipality with a group per role: compares with what there is and puts right what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from app.adapters.keycloak import realm
from app.adapters.keycloak.admin import THREADS, AdminApi, AdminRefused
from app.kernel.ports import OrganizationOutcome, OrganizationSpec

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs, in words, and the call that puts it right. Extra things are only removed when asked."""

    text: str
    apply: Callable[[], None]
    extra: bool = False


class Organizations:
    """The organizations of the realm, through the account `provision`."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._lock = Lock()
        self._audience = ""
        self._roles: dict[str, Json] = {}

    def reconcile(self, spec: OrganizationSpec, *, dry_run: bool = False, prune: bool = False) -> OrganizationOutcome:
        """Make the organization of `spec` be as it says. Idempotent; with `dry_run` only tells what differs."""
        return self._put_right(spec, self._find(spec), dry_run=dry_run, prune=prune)

    def reconcile_all(
        self, specs: Iterable[OrganizationSpec], *, dry_run: bool = False, prune: bool = False
    ) -> Iterator[OrganizationOutcome]:
        """The same for many at once, in the order given; first all of them are read in a few calls."""
        known = {found["alias"]: found for found in self._all()}
        with ThreadPoolExecutor(THREADS) as pool:
            yield from pool.map(
                lambda spec: self._put_right(spec, known.get(spec.alias), dry_run=dry_run, prune=prune), specs
            )

    def extras(self, aliases: Iterable[str], *, prune: bool = False) -> list[str]:
        """Organizations that belong to no municipality; with `prune` those whose accounts would survive are deleted."""
        wanted = set(aliases)
        found = [organization for organization in self._all() if organization["alias"] not in wanted]
        if prune:
            for organization in found:
                self._delete(organization)
        return sorted(organization["alias"] for organization in found)

    def find_id(self, alias: str) -> str:
        """The id of an organization. Raises `LookupError`."""
        for organization in self._all():
            if organization["alias"] == alias:
                return str(organization["id"])
        raise LookupError(f"no hay una organización {alias}")

    def group_id(self, organization_id: str, role: str) -> str:
        """The id of the group of a role."""
        return str(self._api.get(f"/organizations/{organization_id}/groups/group-by-path/{role}")["id"])

    def _all(self) -> Iterator[Json]:
        return self._api.pages("/organizations", briefRepresentation="false")

    def _find(self, spec: OrganizationSpec) -> Json | None:
        # `search` covers name and domain only: the code is kept as an attribute so that one call finds one organization.
        for found in self._api.get("/organizations", q=f"codigo:{spec.code}", max=10, briefRepresentation="false"):
            if found["alias"] == spec.alias:
                return dict(found)
        return None

    def _put_right(
        self, spec: OrganizationSpec, found: Json | None, *, dry_run: bool, prune: bool
    ) -> OrganizationOutcome:
        if found is None and dry_run:
            return OrganizationOutcome(spec.alias, "", (f"falta la organización de {spec.name}",))
        done: list[str] = []
        if found is None:
            found = self._create(spec)
            done.append(f"falta la organización de {spec.name}")
        for change in self._changes(spec, found):
            if not dry_run and (prune or not change.extra):
                change.apply()
            done.append(change.text)
        return OrganizationOutcome(spec.alias, str(found["id"]), tuple(done))

    def _create(self, spec: OrganizationSpec) -> Json:
        try:
            self._api.post("/organizations", _representation(spec))
        except AdminRefused as refusal:
            if refusal.status != 409:  # 409: an earlier attempt got there although its answer was lost
                raise
        found = self._find(spec)
        if found is None:
            raise LookupError(f"el nombre «{spec.name}» ya lo usa otra organización")
        return found

    def _changes(self, spec: OrganizationSpec, found: Json) -> Iterator[Change]:
        path = f"/organizations/{found['id']}"
        wanted = _representation(spec)
        if any(found.get(field) != value for field, value in wanted.items()):
            yield Change("los datos de la organización difieren", partial(self._api.put, path, {**found, **wanted}))
        groups = {group["name"]: group for group in self._api.pages(f"{path}/groups", briefRepresentation="false")}
        for role in realm.municipal_roles():
            if role not in groups:
                yield Change(f"falta el grupo /{role}", partial(self._add_group, path, role))
            else:
                yield from self._role_changes(path, groups[role], role)
        for name in sorted(groups.keys() - set(realm.municipal_roles())):
            target = f"{path}/groups/{groups[name]['id']}"
            yield Change(f"sobra el grupo /{name}", partial(self._api.delete, target), extra=True)

    def _role_changes(self, path: str, group: Json, role: str) -> Iterator[Change]:
        """The group gives the client role of its name and nothing else; anything more is a privilege nobody granted."""
        mappings = f"{path}/groups/{group['id']}/role-mappings"
        given: dict[str, list[str]] = group.get("clientRoles") or {}
        if role not in given.get(realm.API, []):
            yield Change(f"el grupo /{role} no da su función", partial(self._map_role, mappings, role))
        for client, names in given.items():
            for name in names:
                if (client, name) != (realm.API, role):
                    yield Change(
                        f"el grupo /{role} da de más {client}:{name}", partial(self._unmap, mappings, client, name)
                    )
        for name in group.get("realmRoles") or []:
            yield Change(
                f"el grupo /{role} da de más la función provincial {name}", partial(self._unmap, mappings, "", name)
            )

    def _add_group(self, path: str, role: str) -> None:
        group_id = self._api.post(f"{path}/groups", {"name": role})
        self._map_role(f"{path}/groups/{group_id}/role-mappings", role)

    def _map_role(self, mappings: str, role: str) -> None:
        audience, roles = self._api_roles()
        self._api.post(f"{mappings}/clients/{audience}", [roles[role]])

    def _unmap(self, mappings: str, client: str, name: str) -> None:
        where = f"{mappings}/realm"
        if client:
            where = f"{mappings}/clients/{self._api.get('/clients', clientId=client)[0]['id']}"
        self._api.delete(where, [given for given in self._api.get(where) if given["name"] == name])

    def _api_roles(self) -> tuple[str, dict[str, Json]]:
        """The client `api` and its roles, read once."""
        with self._lock:
            if not self._roles:
                self._audience = self._api.get("/clients", clientId=realm.API)[0]["id"]
                listed = self._api.get(f"/clients/{self._audience}/roles")
                self._roles = {role["name"]: {"id": role["id"], "name": role["name"]} for role in listed}
            return self._audience, self._roles

    def _delete(self, organization: Json) -> None:
        """Deleting an organization deletes the accounts it manages: those are left for a person to decide."""
        path = f"/organizations/{organization['id']}"
        if any(member.get("membershipType") == "MANAGED" for member in self._api.pages(f"{path}/members")):
            return
        self._api.delete(path)


def _representation(spec: OrganizationSpec) -> Json:
    attributes = {"codigo": [spec.code]} | ({"seccion": [str(spec.section)]} if spec.section else {})
    return {"name": spec.name, "alias": spec.alias, "enabled": spec.enabled, "attributes": attributes}
