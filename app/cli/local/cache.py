"""The machine's cache, shared by every checkout, and downloads that are pinned, resumed and never half there."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.errors import CliError

Progress = Callable[[int, int], None]
_BLOCK = 1 << 18
_ATTEMPTS = 5


@dataclass(frozen=True)
class Pinned:
    """A file of the outside: where it stands in its repository, and the bytes it must have."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


def cache_folder(env: Mapping[str, str]) -> Path:
    """`PIPC_CACHE`, or the user's cache folder; made when it is missing."""
    if "PIPC_CACHE" in env:
        folder = Path(env["PIPC_CACHE"])
    elif base := env.get("XDG_CACHE_HOME") or (env.get("HOME") and f"{env['HOME']}/.cache"):
        folder = Path(base) / "pipc"
    else:
        folder = Path(tempfile.gettempdir()) / f"pipc-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time makes what this path names; the others wait and find it made."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def need_space(folder: Path, size: int, purpose: str) -> None:
    """Refuse early, in one sentence, when the disk cannot hold what is about to be written."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise CliError(
            f"No alcanza el disco para {purpose}: hacen falta {size >> 20} MB en {folder} y quedan {free >> 20} MB.",
            "PIPC_CACHE=/otra/carpeta make run",
        )


def fetch(pinned: Pinned, sources: Iterable[str], folder: Path, progress: Progress = lambda done, total: None) -> Path:
    """The pinned file in `folder`, downloaded when it is not there whole.

    `sources` are addresses of repositories, tried in order; a wrong byte never reaches the final name.
    """
    target = folder / pinned.name
    with locked(target):
        if target.is_file() and target.stat().st_size == pinned.size and sha256(target) == pinned.sha256:
            return target
        need_space(folder, pinned.size + (50 << 20), f"descargar {pinned.name}")
        part = target.with_name(f"{target.name}.part")
        problems = []
        for source in sources:
            problem = _from(f"{source.rstrip('/')}/{pinned.path}", part, pinned, progress)
            if problem is None:
                os.replace(part, target)
                return target
            problems.append(problem)
        reason = "; ".join(problems) or "no hay ningún repositorio configurado"
        raise CliError(f"No se pudo descargar {pinned.name}: {reason}.", "PIPC_MAVEN_REPO=<repositorio> make run")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from(url: str, part: Path, pinned: Pinned, progress: Progress) -> str | None:
    """Bring the file from one place, going on where a cut left it; None when it is right, else what went wrong."""
    for attempt in range(_ATTEMPTS):
        before = _size(part)
        try:
            if before < pinned.size:
                _resume(url, part, pinned.size, progress)
        except urllib.error.HTTPError as error:
            if error.code == 416:
                part.unlink(missing_ok=True)
                continue
            return f"el repositorio respondió {error.code}"
        except (OSError, http.client.HTTPException) as error:
            problem = f"se cortó la conexión ({getattr(error, 'reason', None) or type(error).__name__})"
            if _size(part) == before and attempt:
                return problem
            time.sleep(min(0.2 * 2**attempt, 2))
            continue
        if _size(part) == pinned.size and sha256(part) == pinned.sha256:
            return None
        part.unlink(missing_ok=True)
        return "el archivo recibido no es el esperado (suma de control distinta)"
    return "la conexión se cortó demasiadas veces"


def _resume(url: str, part: Path, size: int, progress: Progress) -> None:
    done = _size(part)
    headers = {"User-Agent": "pipc", **({"Range": f"bytes={done}-"} if done else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # pinned bytes may come from anywhere
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # pinned bytes may come from anywhere
        if answer.status != 206:
            done = 0
        with part.open("ab" if done else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                progress(done, size)
                if done > size:
                    return
    if done < size:
        raise http.client.IncompleteRead(b"", size - done)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
