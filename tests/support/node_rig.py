"""A municipal node for tests: identity, keys and home of its own, pointed at a fake province."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey

from app.cli.local.process import ProcessRef
from tests.support.fake_province import FakeProvince
from tests.support.recorder_rig import CAMERA, ROOT, TENANT
from workers.node.household import House
from workers.node.identity import load_identities
from workers.node.settings import NodeSettings
from workers.recorder.client import RecorderUnavailable, ask

NODE = "44444444-4444-4444-8444-444444444444"
SESSION = "55555555-5555-4555-8555-555555555555"


def desired(version: int = 1, **changes: Any) -> dict[str, Any]:
    """A desired state as the province sends it."""
    return {
        "schema": 1, "version": version, "tenant": TENANT, "tenant_slug": "laprida", "node_id": NODE,
        "server_time": "2026-01-01T00:00:00+00:00", "demonstration": False, "cameras": [], "sessions": [], "orders": [],
        "view_keys": [], "holds": [], "policy": {"quota_bytes": None, "retention_days": 30},
        "camera_networks": ["127.0.0.0/8"], **changes,
    }  # fmt: skip


def desired_camera(
    url: str, *, kind: str = "file", sealed: str | None = None, identifier: str = CAMERA
) -> dict[str, Any]:
    return {
        "id": identifier, "name": "Prueba", "place": "entrance", "record": True, "sub": None, "group": "main",
        "source": {"kind": kind, "url": url, "sealed": sealed},
    }  # fmt: skip


def desired_session(**changes: Any) -> dict[str, Any]:
    watched = {"id": CAMERA, "stream": "main", "plates": True, "lanes": [], "zones": [], "rules": []}
    return {"id": SESSION, "producer": "cpu", "config_version": 1, "cameras": [watched], **changes}


def seal(public: bytes, secret: Mapping[str, str], tenant: str = TENANT, camera: str = CAMERA) -> str:
    """What the province does with credentials."""
    ephemeral, nonce = X25519PrivateKey.generate(), os.urandom(12)
    raw = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key = HKDF(hashes.SHA256(), 32, raw + public, b"pipc-seal-v1").derive(shared)
    cipher = ChaCha20Poly1305(key).encrypt(nonce, json.dumps(dict(secret)).encode(), f"{tenant}/{camera}".encode())
    return base64.b64encode(raw + nonce + cipher).decode()


class NodeRig:
    """One home with one identity; starts and kills the daemon and whatever it started."""

    def __init__(self, home: Path, province: FakeProvince, redis_url: str = "") -> None:
        self.home, self.province, self._redis_url = home, province, redis_url
        self.processes: list[subprocess.Popen[bytes]] = []
        identities = home / "node" / "identities"
        identities.mkdir(parents=True)
        key, seal_key = ECKey.generate_key("P-256"), X25519PrivateKey.generate()
        province.public = dict(key.as_dict(private=False))
        self.seal_public = seal_key.public_key().public_bytes_raw()
        (identities / "laprida.jwk").write_text(json.dumps(key.as_dict(private=True)))
        (identities / "laprida.seal").write_text(base64.b64encode(seal_key.private_bytes_raw()).decode())
        (identities / "laprida.json").write_text(json.dumps({
            "tenant_uuid": TENANT, "tenant_slug": "laprida", "node_id": NODE, "client_id": "nodo-06476-1",
            "token_url": f"{province.url}/token", "issuer": "http://identity/realms/x",
            "scope": "organization:laprida", "private_jwk": "laprida.jwk", "seal_key": "laprida.seal",
        }))  # fmt: skip

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            **os.environ, "PIPC_HOME": str(self.home), "PIPC_PROVINCE_URL": self.province.url,
            "NODE_REDIS_URL": self._redis_url, "PIPC_ALLOW_FILE_SOURCES": "1", "PIPC_NODE_ALLOW_ROOT_FS": "1",
            "PIPC_SEGMENT_SECONDS": "2", "PIPC_NODE_HEARTBEAT_SECONDS": "1", "PIPC_CAMERA_NETWORKS": "127.0.0.0/8",
            **changes,
        }  # fmt: skip

    def house(self) -> House:
        settings = NodeSettings.from_env(self.environment())
        return House(settings, next(iter(load_identities(settings.identities).values())))

    @property
    def folder(self) -> Path:
        return self.home / "node" / TENANT

    def run(self, *module: str, command: Sequence[str] = (), **changes: str) -> subprocess.Popen[bytes]:
        """Start a Python module with this home's environment; its output goes to the home's log."""
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / "node.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, *command], cwd=ROOT, env=self.environment(**changes),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def daemon(self) -> subprocess.Popen[bytes]:
        return self.run("workers.node")

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.home / "logs").glob("*.log"))

    def recorder(self) -> dict[str, Any] | None:
        """The recorder's status, None while nobody answers."""
        try:
            row = json.loads((self.home / "run" / "recorders.json").read_text())[TENANT]
            return ask(row["socket"], {"op": "status"})
        except (OSError, ValueError, KeyError, RecorderUnavailable):
            return None

    def analytics(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.home / "run" / "analytics.json").read_text()))
        except (OSError, ValueError):
            return {}

    def close(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        try:
            row = json.loads((self.home / "run" / "recorders.json").read_text())[TENANT]
        except (OSError, ValueError, KeyError):
            return
        ref = ProcessRef.of(row["pid"])
        if ref is not None and ref.started == row["started"]:
            ref.end()


def new_id() -> str:
    return str(uuid4())
