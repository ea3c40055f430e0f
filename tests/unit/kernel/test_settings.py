"""Settings: every one documented, each unsafe value refused with a sentence that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError

ROOT = Path(__file__).parents[3]
MINIMAL = {"REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize(
    ("source", "section", "reading"),
    [
        ("app/settings.py", 0, r'read\.\w+\(\s*"([A-Z_]+)"'),
        ("workers/node/settings.py", 1, r'_text\(env, "([A-Z_]+)"'),
    ],
)
def test_every_setting_is_documented_and_every_documented_one_exists(source: str, section: int, reading: str) -> None:
    code = (ROOT / source).read_text(encoding="utf-8")
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8").split("\n## ")[section]

    read = set(re.findall(reading, code)) - ({"PIPC_BASE_URL"} if section else set())
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]{4,})`", row)}

    assert read == documented


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("clave\n", encoding="utf-8")

    settings = Settings.from_env({**MINIMAL, "PIPC_SECRET_KEY_FILE": str(secret)})

    assert settings.secret_key == "clave"
    assert "clave" not in repr(settings)


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL"),
        ({"PIPC_RT": "x"}, "PIPC_RT"),
        ({"PIPC_BASE_URL": "http://10.0.0.1"}, "PIPC_BASE_URL"),
        ({"PIPC_BASE_URL": "https://pba.example", "PIPC_ALLOW_FILE_SOURCES": "1"}, "PIPC_ALLOW_FILE_SOURCES"),
        ({"PIPC_BASE_URL": "https://pba.example", "PIPC_DEMONSTRATION": "1"}, "PIPC_DEMONSTRATION"),
        ({"PIPC_PROXY_HOPS": "many"}, "PIPC_PROXY_HOPS"),
        ({"PIPC_RATE_LIMITS": "yes"}, "PIPC_RATE_LIMITS"),
        ({"PIPC_SECRET_KEY_FILE": "/nowhere"}, "PIPC_SECRET_KEY_FILE"),
    ],
)
def test_an_unsafe_value_is_refused_with_a_sentence_that_names_it(env: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_env({**MINIMAL, **env})


def test_settings_cannot_be_changed() -> None:
    settings = Settings.from_env(MINIMAL)

    with pytest.raises(AttributeError):
        settings.realm = "otro"  # type: ignore[misc]
