"""What a newcomer reads when the product is ready."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from app.cli.local import welcome as module

PERSON = {
    "username": "supervisor.general-pueyrredon", "password": "cpts-jfef-5ude-g4xw-0123",
    "tenant": "general-pueyrredon", "role": "supervisor", "totp_secret": "x",
}  # fmt: skip


def test_a_narrow_terminal_cuts_no_name_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_people", lambda _: [PERSON])
    console = Console(file=io.StringIO(), width=60)
    installation = cast(Any, SimpleNamespace(base_url="http://127.0.0.1:8000", keycloak_url="http://127.0.0.1:8081"))

    module.welcome(installation, console, 12.0)

    text = cast(io.StringIO, console.file).getvalue()
    assert all(PERSON[name] in text for name in ("username", "password", "tenant", "role"))
    assert "…" not in text
