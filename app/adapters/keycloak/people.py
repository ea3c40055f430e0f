"""Accounts of people: created once, then kept members of their organization with the role they were given."""

from __future__ import annotations

import json
from typing import Any

from app.adapters.keycloak.admin import AdminApi, AdminRefused
from app.adapters.keycloak.organizations import Organizations
from app.kernel.ports import PersonSpec


class People:
    """Accounts of the realm, through the account `provision`."""

    def __init__(self, api: AdminApi, organizations: Organizations) -> None:
        self._api = api
        self._organizations = organizations

    def ensure(self, person: PersonSpec) -> str:
        """Make the account, its membership and its role exist; what exists already keeps its password and second factor."""
        subject = self._find(person.username) or self._create(person)
        if person.organization:
            join(self._api, self._organizations, subject, person.organization, person.role)
        else:
            self._give_realm_role(subject, person.role)
        return subject

    def end_sessions(self, subject: str) -> None:
        self._api.post(f"/users/{subject}/logout")

    def _find(self, username: str) -> str:
        found = self._api.get("/users", username=username, exact="true")
        return str(found[0]["id"]) if found else ""

    def _create(self, person: PersonSpec) -> str:
        account = {
            "username": person.username,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "enabled": True,
            "credentials": [_password(person.password), _totp(person.totp_secret)],
        }
        try:
            return self._api.post("/users", account)
        except AdminRefused as refusal:
            if refusal.status != 409:  # 409: an earlier attempt got there although its answer was lost
                raise
        return self._find(person.username)

    def _give_realm_role(self, subject: str, role: str) -> None:
        path = f"/users/{subject}/role-mappings/realm"
        if all(given["name"] != role for given in self._api.get(path)):
            self._api.post(path, [offered for offered in self._api.get(f"{path}/available") if offered["name"] == role])


def join(api: AdminApi, organizations: Organizations, subject: str, alias: str, role: str) -> None:
    """Make an account a member of an organization and of the group of one role. Joining the group alone is refused."""
    organization_id = organizations.find_id(alias)
    members = f"/organizations/{organization_id}/members"
    try:
        groups = {group["name"] for group in api.get(f"{members}/{subject}/groups")}
    except AdminRefused as refusal:
        if refusal.status not in {400, 404}:
            raise
        _add_member(api, members, subject)
        groups = set()
    if role not in groups:
        group_id = organizations.group_id(organization_id, role)
        api.put(f"/organizations/{organization_id}/groups/{group_id}/members/{subject}")


def _add_member(api: AdminApi, members: str, subject: str) -> None:
    try:
        api.post(members, subject)
    except AdminRefused as refusal:
        if refusal.status != 409:  # a member already
            raise


def _password(value: str) -> dict[str, Any]:
    return {"type": "password", "value": value, "temporary": False}


def _totp(secret: str) -> dict[str, Any]:
    credential = {
        "subType": "totp",
        "digits": 6,
        "counter": 0,
        "period": 30,
        "algorithm": "HmacSHA1",
        "secretEncoding": "BASE32",
    }
    return {
        "type": "otp",
        "userLabel": "Segundo factor",
        "secretData": json.dumps({"value": secret}),
        "credentialData": json.dumps(credential),
    }
