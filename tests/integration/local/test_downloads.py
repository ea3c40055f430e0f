"""Pinned downloads against a server that cuts, lies and forgets."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator

import pytest

from app.cli.errors import CliError
from app.cli.local.cache import Pinned, fetch

CONTENT = bytes(range(256)) * 4096
PINNED = Pinned("org/x/1/x-1.zip", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Server(http.server.ThreadingHTTPServer):
    """Serves one content; `cut_after` ends the first answers early, `ranges` says whether it can resume."""

    daemon_threads = True
    content = CONTENT
    ranges = True
    status = 200
    cut_after: list[int]
    asked: list[str | None]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(wanted.split("=")[1].rstrip("-")) if wanted and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_after.pop(0)] if self.server.cut_after else body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.cut_after, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def source(server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_download_that_was_cut_goes_on_where_it_was(server, source, tmp_path) -> None:
    server.cut_after = [300_000]

    path = fetch(PINNED, [source], tmp_path)

    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_download_left_by_a_killed_process_is_resumed(server, source, tmp_path) -> None:
    (tmp_path / "x-1.zip.part").write_bytes(CONTENT[:500_000])

    fetch(PINNED, [source], tmp_path)

    assert server.asked == ["bytes=500000-"]


def test_server_that_cannot_resume_starts_again(server, source, tmp_path) -> None:
    server.ranges, server.cut_after = False, [300_000]

    assert fetch(PINNED, [source], tmp_path).read_bytes() == CONTENT


def test_file_in_the_cache_is_not_asked_for_again(server, source, tmp_path) -> None:
    fetch(PINNED, [source], tmp_path)

    fetch(PINNED, [source], tmp_path)

    assert len(server.asked) == 1


def test_damaged_file_in_the_cache_is_brought_again(server, source, tmp_path) -> None:
    (tmp_path / PINNED.name).write_bytes(b"x" * PINNED.size)

    assert fetch(PINNED, [source], tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", b"<html>no such file</html>"])
def test_wrong_bytes_never_reach_the_cache(server, source, tmp_path, content: bytes) -> None:
    server.content = content

    with pytest.raises(CliError, match=r"x-1\.zip"):
        fetch(PINNED, [source], tmp_path)

    assert not (tmp_path / PINNED.name).exists()


def test_second_source_serves_when_the_first_lies(server, source, tmp_path) -> None:
    good = tmp_path / "repository" / "org" / "x" / "1"
    good.mkdir(parents=True)
    (good / "x-1.zip").write_bytes(CONTENT)
    server.content = b"x" * len(CONTENT)

    assert fetch(PINNED, [source, (tmp_path / "repository").as_uri()], tmp_path).read_bytes() == CONTENT


def test_refusal_names_what_the_server_said_and_what_to_type(server, source, tmp_path) -> None:
    server.status = 403

    with pytest.raises(CliError, match="403") as refusal:
        fetch(PINNED, [source], tmp_path)

    assert "PIPC_MAVEN_REPO" in refusal.value.next_command


def test_no_network_is_one_sentence(tmp_path) -> None:
    with pytest.raises(CliError, match="se cortó la conexión"):
        fetch(PINNED, ["http://127.0.0.1:9"], tmp_path)


def test_full_disk_is_told_before_anything_is_asked(server, source, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1 << 20})())

    with pytest.raises(CliError, match="No alcanza el disco") as refusal:
        fetch(PINNED, [source], tmp_path)

    assert server.asked == []
    assert "PIPC_CACHE" in refusal.value.next_command
