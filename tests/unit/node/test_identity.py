"""Identities, settings, sealed credentials, and what importing the node must not load."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.support.node_rig import desired, desired_camera, seal
from tests.support.recorder_rig import CAMERA, ROOT, TENANT
from workers.node.desired import DesiredState, recorder_message
from workers.node.identity import Identity, load_identities
from workers.node.recorders import SOCKET_LIMIT, socket_path
from workers.node.sealing import Credentials, SealError, open_sealed
from workers.node.settings import NodeSettings, NodeSettingsError

BASE = {"PIPC_PROVINCE_URL": "https://provincia.example"}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, bytes]:
    private = X25519PrivateKey.generate()
    path = tmp_path / "seal.key"
    path.write_text(base64.b64encode(private.private_bytes_raw()).decode())
    return path, private.public_key().public_bytes_raw()


def identity(seal_key: Path) -> Identity:
    return Identity(UUID(TENANT), "laprida", uuid4(), "nodo", "http://x/token", "", "s", Path("jwk"), seal_key)


def test_sealed_credentials_open_with_the_node_key_only(keys: tuple[Path, bytes], tmp_path: Path) -> None:
    path, public = keys
    sealed = seal(public, {"user": "ana", "password": "p@ss/ñ"})

    opened = open_sealed(path, sealed, UUID(TENANT), UUID(CAMERA))

    assert opened.applied_to("rtsp://10.0.0.5/a?b=1") == "rtsp://ana:p%40ss%2F%C3%B1@10.0.0.5/a?b=1"
    stranger = tmp_path / "other.key"
    stranger.write_text(base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode())
    with pytest.raises(SealError):
        open_sealed(stranger, sealed, UUID(TENANT), UUID(CAMERA))


STRANGER = "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(("tenant", "camera"), [(STRANGER, CAMERA), (TENANT, STRANGER)])
def test_credentials_of_another_camera_or_municipality_do_not_open(
    keys: tuple[Path, bytes], tenant: str, camera: str
) -> None:
    path, public = keys

    with pytest.raises(SealError):
        open_sealed(path, seal(public, {"user": "a"}, tenant, camera), UUID(TENANT), UUID(CAMERA))


@pytest.mark.parametrize("garbage", ["", "%%%", "QUJD", base64.b64encode(bytes(60)).decode()])
def test_garbage_does_not_open(keys: tuple[Path, bytes], garbage: str) -> None:
    with pytest.raises(SealError):
        open_sealed(keys[0], garbage, UUID(TENANT), UUID(CAMERA))


def test_credentials_never_show_themselves() -> None:
    assert "secreta" not in repr(Credentials("ana", "secreta", "token=secreta"))
    assert Credentials(query="token=x").applied_to("http://h/a") == "http://h/a?token=x"
    assert Credentials("a", "b").applied_to("/srv/video.mp4") == "/srv/video.mp4"


def test_recorder_is_told_cameras_with_opened_credentials_and_no_other(keys: tuple[Path, bytes]) -> None:
    path, public = keys
    sealed = seal(public, {"user": "ana", "password": "x"})
    cameras = [
        {**desired_camera("rtsp://10.0.0.5/a", kind="rtsp", sealed=sealed), "sub": "rtsp://10.0.0.5/b"},
        desired_camera("", kind="none", identifier=str(uuid4())),
    ]

    message = recorder_message(
        desired(cameras=cameras), identity(path), networks=["10.0.0.0/8"], own_ports=[8000], files=False, paused=None
    )

    assert [one["main"]["url"] for one in message["cameras"]] == ["rtsp://ana:x@10.0.0.5/a"]
    assert message["cameras"][0]["sub"] == {"kind": "rtsp", "url": "rtsp://ana:x@10.0.0.5/b"}
    assert message["networks"] == ["127.0.0.0/8"]


def test_desired_state_of_an_unknown_schema_leaves_the_cached_one_in_force(tmp_path: Path) -> None:
    state = DesiredState(tmp_path / "node" / "desired.json")
    assert state.accept(desired(version=4))

    assert not state.accept({**desired(version=5), "schema": 2})
    assert not state.accept({**desired(), "version": "9"})

    assert DesiredState(tmp_path / "node" / "desired.json").version == 4


def test_torn_cache_is_an_empty_state(tmp_path: Path) -> None:
    (tmp_path / "desired.json").write_text('{"schema": 1, "vers')

    assert DesiredState(tmp_path / "desired.json").state["cameras"] == []


def test_broken_identity_file_does_not_hide_the_others(tmp_path: Path) -> None:
    good = {
        "tenant_uuid": TENANT, "tenant_slug": "laprida", "node_id": str(uuid4()), "client_id": "nodo",
        "token_url": "http://x/token", "scope": "organization:laprida", "private_jwk": "k.jwk", "seal_key": "k.seal",
    }  # fmt: skip
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text(json.dumps({**good, "tenant_uuid": "x"}))
    (tmp_path / "c.json").write_text(json.dumps(good))

    found = load_identities(tmp_path)

    assert list(found) == [UUID(TENANT)]
    assert found[UUID(TENANT)].private_jwk == tmp_path / "k.jwk"


@pytest.mark.parametrize(
    ("environment", "named"),
    [({}, "PIPC_PROVINCE_URL"), ({"PIPC_PROVINCE_URL": "http://provincia.example"}, "TLS"),
     ({**BASE, "NODE_REDIS_URL_FILE": "/does/not/exist"}, "NODE_REDIS_URL_FILE")],
)  # fmt: skip
def test_missing_or_unsafe_setting_stops_the_start_with_its_name(environment: dict[str, str], named: str) -> None:
    with pytest.raises(NodeSettingsError, match=named):
        NodeSettings.from_env(environment)


def test_own_ports_are_those_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({"web": 8000, "postgres": 5555, "note": "x"}))
    settings = NodeSettings.from_env(
        {
            "PIPC_HOME": str(tmp_path),
            "PIPC_BASE_URL": "http://127.0.0.1:8123",
            "NODE_REDIS_URL": "redis://127.0.0.1:7000/1",
        }
    )

    assert settings.own_ports() == (5555, 7000, 8000, 8123)
    assert "7000" not in repr(settings)


def test_socket_moves_to_the_temporary_folder_when_its_path_is_too_long(tmp_path: Path) -> None:
    near = NodeSettings.from_env({**BASE, "PIPC_HOME": "/h"})
    far = NodeSettings.from_env({**BASE, "PIPC_HOME": "/h" + "/very-long-folder-name" * 8})

    assert socket_path(near, UUID(TENANT)) == Path("/h/run/rec-11111111.sock")
    assert len(str(socket_path(far, UUID(TENANT)))) <= SOCKET_LIMIT


@pytest.mark.parametrize(
    "module", ["workers.node.__main__", "workers.node.worker", "workers.recorder.__main__", "workers.recorder.check"]
)
def test_importing_a_video_process_loads_neither_the_web_nor_the_database(module: str) -> None:
    unwanted = ("flask", "sqlalchemy", "app.factory", "app.kernel.db", "numpy")
    script = f"import sys, {module}; sys.exit(any(name in sys.modules for name in {unwanted!r}))"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
