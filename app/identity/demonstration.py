"""The demonstration's people: invented names, secrets that each installation derives from its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.kernel.ports import PersonSpec
from tenants.data.demonstration import ACTIVE

PROVINCE = "provincia"
MUNICIPAL = {
    "operador": "operador-municipal",
    "policia": "operador-policial",
    "supervisor": "supervisor",
    "admin": "admin-municipal",
    "alumno": "alumno",
}
PROVINCIAL = {
    "direccion": "direccion-admin",
    "auditoria": "direccion-auditor",
    "soporte": "soporte",
    "instructor": "instructor-provincial",
}
_FIRST_NAMES = (
    "Ana",
    "Bruno",
    "Carla",
    "Diego",
    "Elena",
    "Fabián",
    "Gabriela",
    "Hugo",
    "Inés",
    "Julián",
    "Karina",
    "Luis",
)
_LAST_NAMES = (
    "Acosta",
    "Benítez",
    "Cabrera",
    "Duarte",
    "Escobar",
    "Ferreyra",
    "Godoy",
    "Herrera",
    "Ibarra",
    "Juárez",
    "Ledesma",
)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who signs in to the demonstration. `role` is the short name that user names begin with."""

    username: str
    first_name: str
    last_name: str
    tenant: str
    role: str
    role_code: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)

    def spec(self, organization: str) -> PersonSpec:
        """What the identity server must hold of this person."""
        return PersonSpec(
            username=self.username,
            first_name=self.first_name,
            last_name=self.last_name,
            role=self.role_code,
            organization=organization,
            password=self.password,
            totp_secret=self.totp_secret,
        )


def people(secret: str) -> list[DemoPerson]:
    """Everybody of the demonstration; the same installation always answers the same."""
    return [_person(number, secret, *who) for number, who in enumerate(_posts())]


def find(secret: str, username: str) -> DemoPerson:
    """One of them. Raises `LookupError`."""
    for person in people(secret):
        if person.username == username:
            return person
    raise LookupError(username)


def _posts() -> Iterator[tuple[str, str, str, str]]:
    for slug in ACTIVE:
        for role, code in MUNICIPAL.items():
            yield f"{role}.{slug}", slug, role, code
    for role, code in PROVINCIAL.items():
        yield role, PROVINCE, role, code


def _person(number: int, secret: str, username: str, tenant: str, role: str, code: str) -> DemoPerson:
    return DemoPerson(
        username=username,
        first_name=_FIRST_NAMES[number % len(_FIRST_NAMES)],
        last_name=_LAST_NAMES[number % len(_LAST_NAMES)],
        tenant=tenant,
        role=role,
        role_code=code,
        password=_password(_derive(secret, "clave", username)),
        totp_secret=base64.b32encode(_derive(secret, "segundo-factor", username)[:20]).decode(),
    )


def _derive(secret: str, purpose: str, username: str) -> bytes:
    return hmac.digest(secret.encode(), f"demostracion:{purpose}:{username}".encode(), hashlib.sha256)


def _password(material: bytes) -> str:
    """Four groups that can be read aloud and typed: 80 bits."""
    letters = base64.b32encode(material[:10]).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))
