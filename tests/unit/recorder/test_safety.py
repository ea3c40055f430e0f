"""What must never leave the recorder or be connected to, and what a broken library message turns into."""

from __future__ import annotations

import logging

import av
import pytest

from workers.recorder.__main__ import RedactingFormatter
from workers.recorder.errors import CODES, SourceError, code_of, describe, redact
from workers.recorder.networks import NetworkPolicy
from workers.recorder.sources import SourceSpec

URL = "rtsp://admin:p4ss@10.1.2.3:554/ISAPI?user=admin&password=p4ss&channel=1"


def test_redaction_hides_users_passwords_and_tokens_and_keeps_the_rest() -> None:
    text = redact(f"cannot open {URL}: 401; also http://h/?token=abc and rtsps://solo@host/x")

    assert "p4ss" not in text
    assert "admin" not in text
    assert "abc" not in text
    assert "solo" not in text
    assert "10.1.2.3:554/ISAPI" in text
    assert "channel=1" in text


def test_source_never_shows_its_address() -> None:
    assert "p4ss" not in repr(SourceSpec("rtsp", URL))


def test_log_formatter_redacts_whoever_wrote(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed: %s", (URL,), None)

    assert "p4ss" not in RedactingFormatter("%(message)s").format(record)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (av.error.HTTPUnauthorizedError(0, "p4ss", URL), "auth_failed"),
        (av.error.HTTPNotFoundError(0, "x", URL), "not_found"),
        (av.error.ExitError(0, "x", URL), "timeout"),
        (av.error.InvalidDataError(0, "x", URL), "protocol_error"),
        (ConnectionRefusedError(111, "x"), "unreachable"),
        (SourceError("no_keyframe"), "no_keyframe"),
        (RuntimeError(URL), "protocol_error"),
    ],
)
def test_library_errors_become_codes_and_their_text_is_dropped(error: Exception, code: str) -> None:
    assert code_of(error) == code
    assert code in CODES
    assert "p4ss" not in describe(error)


def test_address_inside_a_declared_network_is_resolved_once() -> None:
    policy = NetworkPolicy.of(["127.0.0.0/8"])

    assert policy.resolve("rtsp://u:p@localhost:8554/a?b=1") == "rtsp://u:p@127.0.0.1:8554/a?b=1"
    assert policy.resolve("rtsp://127.0.0.1/a") == "rtsp://127.0.0.1:554/a"


@pytest.mark.parametrize(
    ("networks", "url", "code"),
    [
        ([], "rtsp://127.0.0.1/a", "network_not_allowed"),
        (["10.0.0.0/8"], "rtsp://127.0.0.1/a", "network_not_allowed"),
        (["10.0.0.0/8"], "rtsp://169.254.169.254/latest", "network_not_allowed"),
        (["127.0.0.0/8"], "http://127.0.0.1:6379/", "network_not_allowed"),
        (["127.0.0.0/8"], "file:///etc/passwd", "protocol_error"),
        (["127.0.0.0/8"], "gopher://127.0.0.1/", "protocol_error"),
        (["127.0.0.0/8"], "rtsp:///x", "protocol_error"),
        (["127.0.0.0/8"], "rtsp://nombre-que-no-existe.invalid/a", "unreachable"),
        (["127.0.0.0/8"], "rtsp://127.0.0.1:99999/a", "unreachable"),
    ],
)
def test_address_that_is_not_declared_is_refused(networks: list[str], url: str, code: str) -> None:
    with pytest.raises(SourceError) as refused:
        NetworkPolicy.of(networks, own_ports=[6379]).resolve(url)

    assert refused.value.code == code
