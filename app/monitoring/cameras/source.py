"""Where a camera's video comes from: addresses checked, stripped of credentials, sealed for the node and redacted for everyone."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.errors import Invalid
from app.settings import LOOPBACK, Settings, SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_SCENE = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
# Cameras that take their login in the query name it like this.
_SECRET_KEYS = re.compile(r"user|usr|login|pass|pwd|token|auth|key|secret", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """Which addresses this deployment admits."""

    networks: tuple[Network, ...] = ()
    files: bool = False
    demonstration: bool = False
    own_ports: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def from_settings(cls, settings: Settings) -> SourcePolicy:
        ours = [settings.base_url, settings.redis_url, settings.node_redis_url, settings.keycloak_url]
        ours += [settings.databases.rw, settings.databases.worker]
        try:
            networks = tuple(ipaddress.ip_network(text, strict=False) for text in settings.camera_networks)
        except ValueError as error:
            raise SettingsError(f"PIPC_CAMERA_NETWORKS lleva redes como 10.0.0.0/8: {error}.") from None
        return cls(
            networks=networks,
            files=settings.allow_file_sources,
            demonstration=settings.demonstration,
            own_ports=frozenset(port for url in ours if url and (port := _port_of(url))),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A checked address without credentials, and the credentials apart."""

    kind: str
    url: str
    sub_url: str | None = None
    credentials: dict[str, str] = field(default_factory=dict, repr=False)


def check_source(
    policy: SourcePolicy, url: str, *, sub_url: str | None = None, username: str = "", password: str = ""
) -> Source:
    """Split and check the addresses of a camera. Raises `Invalid` naming the field; the message never repeats the address."""
    if not url.strip():
        return Source("none", "")
    kind, clean, credentials = _check(policy, "source_url", url.strip())
    sub = None
    if sub_url and sub_url.strip():
        sub_kind, sub, sub_credentials = _check(policy, "sub_url", sub_url.strip())
        if sub_kind != kind:
            _refuse("sub_url", "El video secundario tiene que ser del mismo tipo que el principal.")
        credentials = sub_credentials | credentials
    if username or password:
        credentials |= {"user": username, "password": password}
    if credentials and kind not in {"rtsp", "http"}:
        _refuse("username", "Un archivo no lleva usuario ni clave.")
    return Source(kind, clean, sub, credentials)


def _check(policy: SourcePolicy, where: str, url: str) -> tuple[str, str, dict[str, str]]:
    if any(ord(char) < 32 for char in url) or len(url) > 1000:
        _refuse(where, "La dirección tiene caracteres que no corresponden o es demasiado larga.")
    if url.startswith("demo:"):
        return "demo", _scene(policy, where, url), {}
    if url.startswith(("/", "file:")):
        return "file", _file(policy, where, url), {}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        _refuse(where, "La dirección no se entiende: se espera rtsp://equipo/ruta.")
    if parts.scheme not in DEFAULT_PORTS:
        _refuse(where, "Se admiten direcciones rtsp://, rtsps://, http:// y https://.")
    if not host:
        _refuse(where, "Falta el nombre o la dirección IP de la cámara.")
    _check_host(policy, where, host, port or DEFAULT_PORTS[parts.scheme])
    credentials = {}
    if parts.username or parts.password:
        credentials = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    query = parts.query
    if any(_SECRET_KEYS.search(key) for key, _ in parse_qsl(query, keep_blank_values=True)):
        credentials["query"], query = query, ""
    netloc = f"[{host}]" if ":" in host else host
    clean = urlunsplit((parts.scheme, f"{netloc}:{port}" if port else netloc, parts.path, query, ""))
    return ("rtsp" if parts.scheme.startswith("rtsp") else "http"), clean, credentials


def _scene(policy: SourcePolicy, where: str, url: str) -> str:
    if not policy.demonstration:
        _refuse(where, "Las escenas de demostración sólo existen en una demostración.")
    if not _SCENE.fullmatch(url.removeprefix("demo:")):
        _refuse(where, "El nombre de la escena no es válido.")
    return url


def _file(policy: SourcePolicy, where: str, url: str) -> str:
    if not policy.files:
        _refuse(where, "En esta instalación no se admiten archivos como cámara.")
    path = unquote(urlsplit(url).path) if url.startswith("file:") else url
    if not path.startswith("/") or ".." in PurePosixPath(path).parts:
        _refuse(where, "El archivo se nombra con su ruta completa.")
    return path


def _check_host(policy: SourcePolicy, where: str, host: str, port: int) -> None:
    """Names are resolved and checked again by the node, which is the one that connects; here what is plainly wrong is refused."""
    address = _address(host)
    loopback = host in LOOPBACK or (address is not None and address.is_loopback)
    if loopback and port in policy.own_ports:
        _refuse(where, "Esa dirección es de este mismo sistema, no de una cámara.")
    if address is None and not loopback:
        return
    if not policy.networks:
        _refuse(where, "No hay redes de cámaras declaradas: definir PIPC_CAMERA_NETWORKS.")
    literal = address or ipaddress.ip_address("127.0.0.1")
    if not any(literal.version == network.version and literal in network for network in policy.networks):
        _refuse(where, "La dirección está fuera de las redes de cámaras declaradas.")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _refuse(where: str, message: str) -> NoReturn:
    raise Invalid("No se puede usar esa dirección de video.", errors={where: [message]})


def redact(kind: str, url: str | None) -> str:
    """The address as anybody may see it: no credentials, no path of the camera, no folder of this machine."""
    if not url:
        return ""
    if kind == "demo":
        return url
    if kind == "file":
        return f"file:…/{PurePosixPath(url).name}"
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/…" if parts.path.strip("/") or parts.query else f"{parts.scheme}://{host}"


def seal(credentials: dict[str, str], *, node_key: bytes, tenant: UUID, camera_id: UUID) -> bytes:
    """Credentials that only the node with that key can open, and only for that camera of that municipality."""
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(node_key))
    key = HKDF(hashes.SHA256(), length=32, salt=public + node_key, info=b"pipc-seal-v1").derive(shared)
    nonce = os.urandom(12)
    bound = f"{tenant}/{camera_id}".lower().encode("ascii")
    return public + nonce + ChaCha20Poly1305(key).encrypt(nonce, json.dumps(credentials).encode(), bound)


def as_text(sealed: bytes | None) -> str | None:
    """Sealed bytes as they travel in JSON."""
    return None if sealed is None else base64.b64encode(sealed).decode("ascii")


def _port_of(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
