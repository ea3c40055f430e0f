"""The one folder that holds the state of a machine: where each thing lives, and files written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Home:
    """`PIPC_HOME`. Only `secrets/` is closed to other users; engines run as one of them and must walk through."""

    root: Path

    @classmethod
    def at(cls, path: Path | str) -> Home:
        """The home at this path, its folders made."""
        home = cls(Path(path).absolute())
        for folder, mode in ((home.root, 0o711), (home.secrets, 0o700), (home.logs, 0o700), (home.run, 0o700)):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        return home

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def keycloak(self) -> Path:
        return self.root / "keycloak"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def node(self) -> Path:
        return self.root / "node"

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
        """The secret of this name, made and kept (mode 0600) the first time it is asked for."""
        path = self.secrets / name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            write_whole(path, make(), exclusive=True)
            return path.read_text(encoding="utf-8")

    def read_json(self, name: str, default: Any = None) -> Any:
        """What `write_json` kept under this name; the default when it is absent or was never finished."""
        try:
            return json.loads((self.root / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return default

    def write_json(self, name: str, value: Any) -> None:
        write_whole(self.root / name, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str, *, exclusive: bool = False) -> None:
    """Write a private file so that no reader sees half of it; with `exclusive` the first writer wins."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
        else:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
