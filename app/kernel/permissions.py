"""What can be done, as one alphabetical enum, and who may do it, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """`scope:resource:action`. The value's right side of the table below is what the Roles page shows."""

    ALARM_ACKNOWLEDGE = "room:alarm:acknowledge"
    ALARM_CLOSE = "room:alarm:close"
    ALARM_DISCARD = "room:alarm:discard"
    ALARM_READ = "room:alarm:read"
    ALARM_VERIFY = "room:alarm:verify"
    AUDIT_READ = "room:audit:read"
    CAMERA_EDIT = "room:camera:edit"
    CAMERA_READ = "room:camera:read"
    CAMERA_VIEW = "room:camera:view"
    CONSOLE_USE = "room:console:use"
    HOTLIST_EDIT = "room:hotlist:edit"
    HOTLIST_READ = "room:hotlist:read"
    NODE_REPORT = "node:batch:report"
    PLATE_READ_SEARCH = "room:plate_read:search"
    PLATE_READ_SUBMIT = "room:plate_read:submit"
    PROFILE_USE = "self:profile:use"
    PROVINCE_AUDIT_READ = "province:audit:read"
    PROVINCE_BOARD_READ = "province:board:read"
    PROVINCE_MUNICIPALITY_ADMIN = "province:municipality:admin"
    PROVINCE_MUNICIPALITY_ENTER = "province:municipality:enter"
    PROVINCE_ROLES_READ = "province:roles:read"
    STREAM_LISTEN = "room:stream:listen"
    SUPPORT_DESK_USE = "support:desk:use"
    TRAINING_TEACH = "training:course:teach"
    TRAINING_USE = "training:course:use"


P = Permission

DESCRIPTIONS: dict[Permission, str] = {
    P.ALARM_ACKNOWLEDGE: "Tomar una alarma",
    P.ALARM_CLOSE: "Cerrar una alarma con su resultado",
    P.ALARM_DISCARD: "Descartar una alarma con un código",
    P.ALARM_READ: "Ver las alarmas del municipio",
    P.ALARM_VERIFY: "Verificar la lectura y la fuente de una alarma",
    P.AUDIT_READ: "Ver el registro de accesos del municipio",
    P.CAMERA_EDIT: "Dar de alta y modificar cámaras",
    P.CAMERA_READ: "Ver el inventario y el estado de las cámaras",
    P.CAMERA_VIEW: "Ver video en vivo",
    P.CONSOLE_USE: "Usar la consola de la sala",
    P.HOTLIST_EDIT: "Crear e importar listas de búsqueda",
    P.HOTLIST_READ: "Ver las listas de búsqueda",
    P.NODE_REPORT: "Informar eventos y estado (nodo municipal)",
    P.PLATE_READ_SEARCH: "Buscar lecturas de patentes, con motivo",
    P.PLATE_READ_SUBMIT: "Enviar lecturas de patentes",
    P.PROFILE_USE: "Usar el perfil propio",
    P.PROVINCE_AUDIT_READ: "Ver la auditoría provincial",
    P.PROVINCE_BOARD_READ: "Ver el tablero de los 135 municipios",
    P.PROVINCE_MUNICIPALITY_ADMIN: "Dar de alta, configurar y suspender municipios",
    P.PROVINCE_MUNICIPALITY_ENTER: "Ingresar a un municipio con motivo",
    P.PROVINCE_ROLES_READ: "Ver la tabla de funciones y permisos",
    P.STREAM_LISTEN: "Recibir los avisos en tiempo real",
    P.SUPPORT_DESK_USE: "Usar la mesa de ayuda",
    P.TRAINING_TEACH: "Dictar cursos",
    P.TRAINING_USE: "Cursar y rendir",
}


@dataclass(frozen=True, slots=True)
class Role:
    """A row of the role table. `kind` says where the role comes from: the municipality's organization or the realm."""

    code: str
    kind: str
    name: str
    description: str
    permissions: frozenset[Permission]


_SELF = frozenset({P.PROFILE_USE})
_ROOM = _SELF | {
    P.ALARM_ACKNOWLEDGE, P.ALARM_CLOSE, P.ALARM_DISCARD, P.ALARM_READ, P.ALARM_VERIFY, P.CAMERA_READ, P.CAMERA_VIEW,
    P.CONSOLE_USE, P.HOTLIST_READ, P.PLATE_READ_SEARCH, P.STREAM_LISTEN,
}  # fmt: skip
_SUPERVISOR = _ROOM | {P.AUDIT_READ, P.HOTLIST_EDIT, P.CAMERA_EDIT}
_MUNICIPAL_ADMIN = _SELF | {
    P.ALARM_READ, P.AUDIT_READ, P.CAMERA_EDIT, P.CAMERA_READ, P.CAMERA_VIEW, P.HOTLIST_EDIT, P.HOTLIST_READ,
    P.PLATE_READ_SEARCH, P.PLATE_READ_SUBMIT, P.STREAM_LISTEN,
}  # fmt: skip
_TEACHER = _SELF | {P.TRAINING_TEACH, P.TRAINING_USE}
_DIRECCION = _SELF | {
    P.PROVINCE_AUDIT_READ, P.PROVINCE_BOARD_READ, P.PROVINCE_MUNICIPALITY_ADMIN, P.PROVINCE_MUNICIPALITY_ENTER,
    P.PROVINCE_ROLES_READ, P.STREAM_LISTEN,
}  # fmt: skip

ROLES: dict[str, Role] = {
    role.code: role
    for role in (
        Role("operador-municipal", "municipal", "Operador municipal", "Empleado del municipio en la sala", _ROOM),
        Role("operador-policial", "municipal", "Operador policial", "Efectivo policial en la sala", _ROOM),
        Role("supervisor", "municipal", "Supervisor de turno", "Coordina el turno y autoriza", frozenset(_SUPERVISOR)),
        Role("admin-municipal", "municipal", "Administrador municipal", "Cámaras, listas y personas", frozenset(_MUNICIPAL_ADMIN)),
        Role("alumno", "municipal", "Alumno", "Cursa la capacitación", _SELF | {P.TRAINING_USE}),
        Role("instructor", "municipal", "Instructor municipal", "Dicta cursos del municipio", _TEACHER),
        Role("despachador", "municipal", "Despachador", "Despacha móviles", _ROOM),
        Role("laboratorio", "municipal", "Laboratorio de imágenes", "Prepara la prueba", _SELF | {P.CAMERA_READ, P.ALARM_READ}),
        Role("proveedor", "municipal", "Proveedor", "Mantiene cámaras", _SELF | {P.CAMERA_READ}),
        Role("nodo", "municipal", "Nodo municipal", "Programa del nodo", frozenset({P.NODE_REPORT, P.PLATE_READ_SUBMIT})),
        Role("direccion-admin", "provincial", "Dirección", "Administra la Provincia", frozenset(_DIRECCION)),
        Role(
            "direccion-auditor", "provincial", "Auditoría provincial", "Controla sin modificar",
            _SELF | {P.PROVINCE_AUDIT_READ, P.PROVINCE_BOARD_READ, P.PROVINCE_ROLES_READ},
        ),
        Role("soporte", "provincial", "Soporte", "Atiende la mesa de ayuda", _SELF | {P.SUPPORT_DESK_USE}),
        Role("soporte-supervisor", "provincial", "Supervisor de soporte", "Coordina la mesa de ayuda", _SELF | {P.SUPPORT_DESK_USE}),
        Role("instructor-provincial", "provincial", "Instructor provincial", "Dicta cursos de la Provincia", _TEACHER),
    )
}  # fmt: skip


def permissions_of(roles: tuple[str, ...], *, kind: str) -> frozenset[Permission]:
    """The union of what `roles` of that kind allow; unknown roles and roles of the other kind allow nothing."""
    allowed: set[Permission] = set()
    for code in roles:
        role = ROLES.get(code)
        if role is not None and role.kind == kind:
            allowed |= role.permissions
    return frozenset(allowed)
