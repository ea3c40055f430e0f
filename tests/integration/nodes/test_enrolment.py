"""Enrolling the node of this machine: keys made once, registered on both sides, and an identity file the daemon understands."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from joserfc.jwk import ECKey

from app.cli import camera as verbs
from app.cli.errors import CliError
from app.cli.node import enrol_node, is_enrolled
from app.kernel import ports
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.nodes import service as nodes
from app.settings import Settings
from tenants.core import service as municipalities
from tests.support.nodes import Plugs, add_camera
from tests.support.world import World, actor, database_urls_of
from workers.node.identity import load_identities
from workers.node.sealing import Credentials, SealError, open_sealed


@dataclasses.dataclass
class FakeIdentityAdmin:
    """Remembers the clients it was asked to make; `down` makes it fail as a server that is away."""

    clients: dict[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    down: bool = False

    def enrol_node(self, *, client_id: str, name: str, organization: str, public_jwk: Mapping[str, Any]) -> None:
        if self.down:
            raise ConnectionError("away")
        self.clients[client_id] = {"organization": organization, "jwk": dict(public_jwk)}


@pytest.fixture
def admin(plugs: Plugs) -> FakeIdentityAdmin:
    made = FakeIdentityAdmin()
    ports.plug(identity_admin=made)  # type: ignore[arg-type]  # only enrolment is asked for here
    return made


@pytest.fixture
def settings(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("PIPC_NODE_IDENTITIES", raising=False)
    return Settings(
        base_url="http://127.0.0.1:8000", home=tmp_path, databases=database_urls_of(world.urls),
        redis_url="redis://127.0.0.1:1/0", objects_dir=tmp_path / "objects", keycloak_url="http://127.0.0.1:9",
        demonstration=True, allow_file_sources=True, camera_networks=("10.0.0.0/8",),
    )  # fmt: skip


def test_identity_file_is_one_the_daemon_loads_and_keys_are_private(
    settings: Settings, admin: FakeIdentityAdmin, tmp_path: Path
) -> None:
    view = enrol_node(settings, tmp_path, "laprida")

    tenant = municipalities.by_slug("laprida")
    identity = load_identities(tmp_path / "node" / "identities")[tenant.uuid]
    private = json.loads(identity.private_jwk.read_text())
    public = admin.clients[identity.client_id]["jwk"]
    assert (identity.node_id, identity.client_id, identity.issuer) == (view.id, "nodo-06448-1", settings.issuer)
    assert identity.scope == f"organization:{tenant.kc_alias}"
    assert "d" not in public
    assert ECKey.import_key(private).thumbprint() == public["kid"]
    for path in (identity.private_jwk, identity.seal_key, tmp_path / "node/identities/laprida.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_enrolling_again_keeps_keys_and_node(settings: Settings, admin: FakeIdentityAdmin, tmp_path: Path) -> None:
    first = enrol_node(settings, tmp_path, "laprida")
    before = dict(admin.clients)

    assert enrol_node(settings, tmp_path, "laprida") == first
    assert admin.clients == before
    with unit_of_work(actor(), read_only=True):
        assert len(nodes.list_nodes(actor())) == 1


def test_enrolment_cut_by_the_identity_server_is_finished_later(
    settings: Settings, admin: FakeIdentityAdmin, tmp_path: Path
) -> None:
    admin.down = True
    with pytest.raises(ConnectionError):
        enrol_node(settings, tmp_path, "laprida")
    assert not is_enrolled(settings, "laprida")

    admin.down = False
    enrol_node(settings, tmp_path, "laprida")

    assert is_enrolled(settings, "laprida")
    assert not is_enrolled(dataclasses.replace(settings, realm="otro"), "laprida")


def test_node_opens_what_the_inventory_sealed_for_it_and_another_node_does_not(
    settings: Settings, admin: FakeIdentityAdmin, world: World, tmp_path: Path
) -> None:
    enrol_node(settings, tmp_path, "laprida")
    enrol_node(settings, tmp_path, "tigre")
    camera = add_camera(source_url="rtsp://admin:cl%40ve@10.0.0.1/x?token=abc")
    with world.admin() as conn:
        row = conn.execute("select source_sealed from app.cameras where id = %s", [camera.id]).fetchone()
    assert row is not None
    sealed = base64.b64encode(row[0]).decode()
    keys, tenant = tmp_path / "node/identities/keys", municipalities.by_slug("laprida").uuid

    opened = open_sealed(keys / "laprida" / "seal.key", sealed, tenant, camera.id)

    assert opened == Credentials("admin", "cl@ve", "token=abc")
    assert opened.applied_to("rtsp://10.0.0.1/x") == "rtsp://admin:cl%40ve@10.0.0.1/x?token=abc"
    with pytest.raises(SealError):
        open_sealed(keys / "tigre" / "seal.key", sealed, tenant, camera.id)


@pytest.fixture
def runner(settings: Settings, admin: FakeIdentityAdmin, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The verbs in this process, on the services of the test."""
    from contextlib import contextmanager

    @contextmanager
    def product() -> Any:
        yield settings

    monkeypatch.setattr(verbs, "_product", product)
    monkeypatch.setattr(verbs, "settings", lambda: settings)
    return CliRunner()


def add(runner: CliRunner, *words: str) -> Any:
    return runner.invoke(verbs.camera, ["add", "--tenant", "laprida", "--name", "Prueba", "--no-wait", *words])


def test_camera_added_by_command_enrols_the_node_it_lacks(
    runner: CliRunner, admin: FakeIdentityAdmin, tmp_path: Path
) -> None:
    video = tmp_path / "calle.mp4"
    video.write_bytes(b"x")

    answer = add(runner, "--place", "entrance", "--url", str(video), "--json")

    told = json.loads(answer.output)
    assert answer.exit_code == 0
    assert (told["code"], told["tenant"], told["state"]) == ("LA-ACC-01", "laprida", "unknown")
    assert list(admin.clients) == ["nodo-06448-1"]
    assert add(runner, "--url", str(video)).exit_code == 0
    assert len(admin.clients) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--url", "/no/existe.mp4"), "No existe el archivo"),
        (("--url", "rtsp://8.8.8.8/x"), "fuera de las redes"),
        (("--url", "rtsp://10.0.0.1/x", "--tenant", "nadie"), "No hay un municipio"),
        (("--url", "rtsp://10.0.0.1/x", "--tenant", "provincia"), "La Provincia no tiene cámaras"),
        (("--url", "rtsp://10.0.0.1/x", "--lat", "1"), "latitud y longitud"),
    ],
)
def test_refusal_is_one_sentence_with_the_next_command(runner: CliRunner, words: tuple[str, ...], told: str) -> None:
    answer = add(runner, *words)

    assert isinstance(answer.exception, CliError)
    assert told in answer.exception.sentence
    assert answer.exception.next_command.startswith("pipc ")


def test_identity_server_away_is_told_and_nothing_is_added(runner: CliRunner, admin: FakeIdentityAdmin) -> None:
    admin.down = True

    answer = add(runner, "--url", "rtsp://10.0.0.1/x")

    assert isinstance(answer.exception, CliError)
    assert "servidor de identidad" in answer.exception.sentence
    with unit_of_work(actor(), read_only=True):
        assert nodes.list_nodes(actor()) == []


def test_check_without_anything_to_check_says_how(runner: CliRunner) -> None:
    answer = runner.invoke(verbs.camera, ["check"])

    assert isinstance(answer.exception, CliError)
    assert "--url" in answer.exception.next_command
