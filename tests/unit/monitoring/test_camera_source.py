"""Video addresses: what is admitted, what is stripped, what anybody may see."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.errors import Invalid
from app.monitoring.cameras.source import SourcePolicy, check_source, redact, seal
from app.settings import DatabaseUrls, Settings, SettingsError

NETWORKS = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "192.168.0.0/16", "fd00::/8"))
POLICY = SourcePolicy(networks=NETWORKS)
OPEN = SourcePolicy(
    networks=(*NETWORKS, ipaddress.ip_network("127.0.0.0/8")), files=True, demonstration=True, own_ports=frozenset({8000})
)


def test_credentials_leave_the_address() -> None:
    source = check_source(POLICY, "rtsp://admin:cl%40ve@10.1.2.3:8554/live/ch1?profile=main")

    assert source.kind == "rtsp"
    assert source.url == "rtsp://10.1.2.3:8554/live/ch1?profile=main"
    assert source.credentials == {"user": "admin", "password": "cl@ve"}


def test_login_in_the_query_is_sealed_with_the_whole_query() -> None:
    source = check_source(POLICY, "http://10.1.2.3/video.cgi?user=admin&pwd=secreta&res=hd")

    assert source.url == "http://10.1.2.3/video.cgi"
    assert source.credentials == {"query": "user=admin&pwd=secreta&res=hd"}


def test_given_user_and_password_win_over_those_of_the_address() -> None:
    source = check_source(POLICY, "rtsp://a:b@10.1.2.3/x", username="c", password="d")

    assert source.credentials == {"user": "c", "password": "d"}


def test_secondary_stream_shares_kind_and_loses_credentials() -> None:
    source = check_source(POLICY, "rtsp://10.1.2.3/main", sub_url="rtsp://u:p@10.1.2.3/sub")

    assert source.sub_url == "rtsp://10.1.2.3/sub"
    assert source.credentials == {"user": "u", "password": "p"}
    with pytest.raises(Invalid):
        check_source(POLICY, "rtsp://10.1.2.3/main", sub_url="http://10.1.2.3/sub")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://8.8.8.8/x", "rtsp://127.0.0.1/x", "rtsp://localhost/x", "rtsp://169.254.169.254/x", "rtsp://[::1]/x",
        "rtsp://[::ffff:127.0.0.1]/x", "rtsp:///x", "rtsp://", "ftp://10.0.0.1/x", "gopher://10.0.0.1", "javascript:1",
        "rtsp://10.0.0.1:99999/x", "rtsp://10.0.0.1/\nx", "rtsp://[::1/x", "10.0.0.1", "rtsp://10.0.0.1/" + "x" * 1000,
        "file:///etc/passwd", "/etc/passwd", "demo:plaza",
    ],
)  # fmt: skip
def test_address_outside_the_declared_networks_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_source(POLICY, url)

    told = json.dumps(refused.value.errors, ensure_ascii=False) + refused.value.detail
    assert list(refused.value.errors) == ["source_url"]
    assert "passwd" not in told
    assert "99999" not in told


def test_without_declared_networks_the_refusal_names_the_setting() -> None:
    with pytest.raises(Invalid) as refused:
        check_source(SourcePolicy(), "rtsp://10.0.0.1/x")

    assert "PIPC_CAMERA_NETWORKS" in refused.value.errors["source_url"][0]


@pytest.mark.parametrize("url", ["rtsp://camara-03.municipio.local/x", "https://192.168.1.4/x", "rtsps://[fd00::4]/x"])
def test_address_inside_or_by_name_is_left_to_the_node(url: str) -> None:
    assert check_source(POLICY, url).url == url


def test_own_ports_are_refused_even_where_loopback_is_declared() -> None:
    assert check_source(OPEN, "rtsp://127.0.0.1:8554/x").url == "rtsp://127.0.0.1:8554/x"
    with pytest.raises(Invalid):
        check_source(OPEN, "http://127.0.0.1:8000/x")
    with pytest.raises(Invalid):
        check_source(OPEN, "http://localhost:8000/x")


def test_files_and_scenes_only_where_they_are_admitted() -> None:
    assert check_source(OPEN, "file:///videos/a%20b.mp4").url == "/videos/a b.mp4"
    assert check_source(OPEN, "/videos/a.mp4").kind == "file"
    assert check_source(OPEN, "demo:acceso-norte").kind == "demo"
    for url in ("file:videos/a.mp4", "/videos/../etc/passwd", "demo:../x", "demo:"):
        with pytest.raises(Invalid):
            check_source(OPEN, url)
    with pytest.raises(Invalid):
        check_source(OPEN, "/videos/a.mp4", username="u", password="p")


def test_no_address_is_a_camera_without_signal() -> None:
    assert check_source(POLICY, "  ").kind == "none"


@pytest.mark.parametrize(
    ("kind", "url", "shown"),
    [
        ("rtsp", "rtsp://10.0.0.1:554/live/secret-token", "rtsp://10.0.0.1:554/…"),
        ("rtsp", "rtsp://u:p@10.0.0.1", "rtsp://10.0.0.1"),
        ("http", "http://10.0.0.1/?token=x", "http://10.0.0.1/…"),
        ("file", "/home/somebody/videos/calle.mp4", "file:…/calle.mp4"),
        ("demo", "demo:plaza", "demo:plaza"),
        ("none", "", ""),
    ],
)
def test_redacted_address_shows_neither_credentials_nor_paths(kind: str, url: str, shown: str) -> None:
    assert redact(kind, url) == shown


def test_sealed_credentials_open_only_with_the_nodes_key_and_for_that_camera() -> None:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    tenant, camera = uuid4(), uuid4()

    sealed = seal({"user": "u", "password": "clave"}, node_key=public, tenant=tenant, camera_id=camera)

    ephemeral, nonce, box = sealed[:32], sealed[32:44], sealed[44:]
    shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    opened = ChaCha20Poly1305(
        HKDF(hashes.SHA256(), length=32, salt=ephemeral + public, info=b"pipc-seal-v1").derive(shared)
    )
    assert json.loads(opened.decrypt(nonce, box, f"{tenant}/{camera}".encode())) == {"user": "u", "password": "clave"}
    assert b"clave" not in sealed
    with pytest.raises(InvalidTag):
        opened.decrypt(nonce, box, f"{tenant}/{uuid4()}".encode())


def settings(**changes: object) -> Settings:
    base = Settings(
        base_url="http://127.0.0.1:8123", home=Path("/nowhere"), redis_url="redis://127.0.0.1:6390/0",
        databases=DatabaseUrls(rw="postgresql://u@127.0.0.1:5999/pipc"), objects_dir=Path("/nowhere/objects"),
        camera_networks=("127.0.0.0/8",),
    )  # fmt: skip
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]  # a test's shorthand


def test_policy_knows_the_ports_of_this_product() -> None:
    policy = SourcePolicy.from_settings(settings())

    assert policy.own_ports == {8123, 6390, 5999}


def test_policy_with_a_network_that_is_none_says_which_setting() -> None:
    with pytest.raises(SettingsError, match="PIPC_CAMERA_NETWORKS"):
        SourcePolicy.from_settings(settings(camera_networks=("diez",)))
