"""Settings of the node's processes, read from the environment once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

DEFAULT_QUOTA = 0


class NodeSettingsError(Exception):
    """A setting is missing or unsafe; the message names it."""


@dataclass(frozen=True)
class NodeSettings:
    """Where this machine's node lives and whom it speaks to. A quota of zero means the whole volume."""

    home: Path
    province_url: str
    identities: Path
    redis_url: str = field(default="", repr=False)
    cache: Path = Path()
    scenes: Path | None = None
    allow_files: bool = False
    allow_root_fs: bool = False
    networks: tuple[str, ...] = ()
    quota_bytes: int = DEFAULT_QUOTA
    segment_s: int = 60
    heartbeat_s: float = 5.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> NodeSettings:
        """Raises `NodeSettingsError`."""
        home = Path(_text(env, "PIPC_HOME", ".pipc")).absolute()
        url = _text(env, "PIPC_PROVINCE_URL") or _text(env, "PIPC_BASE_URL")
        parts = urlsplit(url)
        if not parts.hostname:
            raise NodeSettingsError("Falta PIPC_PROVINCE_URL: la dirección https:// del servicio provincial.")
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise NodeSettingsError("PIPC_PROVINCE_URL sin TLS sólo se admite en esta misma máquina: usar https://.")
        scenes = _text(env, "PIPC_SCENES")
        return cls(
            home=home,
            province_url=url.rstrip("/"),
            identities=Path(_text(env, "PIPC_NODE_IDENTITIES") or home / "node" / "identities"),
            redis_url=_text(env, "NODE_REDIS_URL"),
            cache=Path(_text(env, "PIPC_CACHE") or home / "cache"),
            scenes=Path(scenes) if scenes else None,
            allow_files=_text(env, "PIPC_ALLOW_FILE_SOURCES") == "1",
            allow_root_fs=_text(env, "PIPC_NODE_ALLOW_ROOT_FS") == "1",
            networks=tuple(_text(env, "PIPC_CAMERA_NETWORKS").replace(",", " ").split()),
            quota_bytes=int(_text(env, "PIPC_NODE_QUOTA_BYTES") or DEFAULT_QUOTA),
            segment_s=int(_text(env, "PIPC_SEGMENT_SECONDS") or 60),
            heartbeat_s=float(_text(env, "PIPC_NODE_HEARTBEAT_SECONDS") or 5),
        )

    def folder(self, tenant: UUID) -> Path:
        """State of one municipality on this node."""
        return self.home / "node" / str(tenant)

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def scene_roots(self) -> tuple[Path, ...]:
        return (self.scenes,) if self.scenes else (self.cache / "scenes",)

    def own_ports(self) -> tuple[int, ...]:
        """Ports of this machine's own services: no camera may be one of them."""
        try:
            known = json.loads((self.home / "ports.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        ports = {int(port) for port in known.values() if isinstance(port, int)}
        for url in (self.province_url, self.redis_url):
            port = urlsplit(url).port
            if port is not None:
                ports.add(port)
        return tuple(sorted(ports))


def _text(env: Mapping[str, str], name: str, default: str = "") -> str:
    """A value from `NAME`, or from the file that `NAME_FILE` points to."""
    path = env.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise NodeSettingsError(f"No se puede leer {name}_FILE ({path}): {error.strerror}.") from None
    return env.get(name, default)
