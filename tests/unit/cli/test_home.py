"""The folder of a machine's state: secrets made once, files whole or absent."""

from __future__ import annotations

import stat
import threading

import pytest

from app.cli.errors import CliError
from app.cli.local import ports
from app.cli.local.home import Home, write_whole


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path / "home")


def test_secret_is_made_once_and_only_its_owner_reads_it(home) -> None:
    first = home.secret("db-app_rw")

    assert home.secret("db-app_rw") == first
    assert len(first) >= 40
    assert stat.S_IMODE((home.secrets / "db-app_rw").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700


def test_secret_asked_by_many_at_once_is_one(home) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(home.secret("redis"))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


def test_file_that_was_never_finished_reads_as_absent(home) -> None:
    (home.root / "ports.json").write_text('{"web": 80')

    assert home.read_json("ports.json", "nothing") == "nothing"


def test_failed_write_leaves_the_old_content_and_no_litter(home, monkeypatch) -> None:
    path = home.root / "ports.json"
    write_whole(path, "old")
    monkeypatch.setattr("os.fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")

    assert path.read_text() == "old"
    assert [p.name for p in home.root.iterdir() if p.name.startswith(".ports")] == []


def test_ports_are_picked_free_once_and_kept(home) -> None:
    first = ports.assigned(home, {})

    assert ports.assigned(home, {}) == first
    assert first["web"] == 8000
    assert len(set(first.values())) == len(first)
    assert all(ports.is_free(first[name]) for name in ports.NAMES)


def test_web_port_follows_the_environment_and_the_others_stay(home) -> None:
    before = ports.assigned(home, {})

    after = ports.assigned(home, {"PIPC_PORT": "8123"})

    assert after == {**before, "web": 8123}


@pytest.mark.parametrize("text", ["0", "65536", "ocho mil", "-1", ""])
def test_web_port_that_is_no_port_is_refused_with_what_to_type(home, text: str) -> None:
    with pytest.raises(CliError, match="PIPC_PORT") as refusal:
        ports.assigned(home, {"PIPC_PORT": text})

    assert "make run" in refusal.value.next_command
