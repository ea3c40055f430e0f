"""Set-up of a checkout: the virtual environment, the pinned packages and the files of the screens.

Run by the system's Python with nothing installed: `python3 tools/bootstrap.py [--test]`. Repeating it does nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "requirements"
STAMP = VENV / ".pipc-setup"
_NEEDED_MB = 2500
_LAUNCHER = """#!/bin/sh
# The command line of this checkout.
exec '{python}' -m app.cli.main "$@"
"""


class SetupError(Exception):
    """The set-up cannot go on: one sentence, and what to type next."""


def main() -> int:
    """Bring the checkout to what its lock files say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true", help="also what the tests and linters need")
    options = parser.parse_args()
    try:
        with (ROOT / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once: the second waits and finds it done
            set_up(with_tests=options.test)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def set_up(*, with_tests: bool) -> None:
    """Each part, skipped when it is as it should be."""
    wanted = _wanted("test" if with_tests else "run")
    have = STAMP.read_text().splitlines() if STAMP.exists() and _works() else []
    if wanted not in have:
        _make_venv()
        _install("test" if with_tests else "run")
        _write_launcher()
        # What the tests need includes what running needs.
        STAMP.write_text("\n".join([_wanted("run"), _wanted("test")] if with_tests else [wanted]))
    if (ROOT / "tools" / "assets.py").exists():
        _step(
            "archivos de las pantallas",
            [str(PYTHON), "-m", "tools.assets", *(["--dev"] if with_tests else [])],
            quiet=True,
        )


def _wanted(kind: str) -> str:
    """What the stamp says when everything of this kind is installed, here, for this Python."""
    digest = hashlib.sha256(f"{ROOT}\0{sys.version_info[:2]}\0".encode())
    digest.update((LOCKS / f"{kind}.txt").read_bytes())
    return f"{kind} {digest.hexdigest()}"


def _works() -> bool:
    """False when the environment was copied, or its Python was removed from the machine."""
    return (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import app.cli.main"], cwd="/", capture_output=True).returncode == 0
    )


def _make_venv() -> None:
    free = shutil.disk_usage(ROOT).free >> 20
    if free < _NEEDED_MB:
        raise SetupError(f"No alcanza el disco: hacen falta {_NEEDED_MB} MB en {ROOT} y quedan {free} MB.\n"
                         "  Siguiente paso: liberar espacio y repetir make run")  # fmt: skip
    if PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError("Python no puede crear entornos virtuales en esta máquina: falta su módulo venv.\n"
                         "  Siguiente paso: apt-get install python3-venv (o el paquete de su sistema), y repetir make run")  # fmt: skip


def _install(kind: str) -> None:
    """The locked packages, by uv for speed; by pip when uv cannot."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    print("Preparando: paquetes de Python (alrededor de un minuto la primera vez)…", flush=True)
    lock = str(LOCKS / f"{kind}.txt")
    fetched = subprocess.run([*pip, str(LOCKS / "uv.txt")], capture_output=True, text=True)
    if fetched.returncode == 0:
        uv = [
            str(PYTHON),
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            str(PYTHON),
            "--require-hashes",
            "-r",
            lock,
        ]
        if subprocess.run(uv, env=_uv_environment(), capture_output=True).returncode == 0:
            return
    done = subprocess.run([*pip, lock], capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["sin detalle"])[-1]
        raise SetupError(f"No se pudieron instalar los paquetes de Python: {last}\n"
                         "  Siguiente paso: revisar la red (o el espejo de pip: pip config list) y repetir make run")  # fmt: skip


def _uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration: tell it the machine's own index and certificates."""
    env = dict(os.environ)
    for name, setting in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        asked = subprocess.run(
            [PYTHON, "-m", "pip", "config", "get", f"global.{setting}"], capture_output=True, text=True
        )
        value = os.environ.get(f"PIP_{setting.upper().replace('-', '_')}") or asked.stdout.strip()
        if value and name not in env:
            env[name] = value
    return env


def _write_launcher() -> None:
    """`.venv/bin/pipc`, and the checkout on the path of its Python."""
    site = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(site.stdout.strip()) / "pipc.pth").write_text(f"{ROOT}\n")
    launcher = VENV / "bin" / "pipc"
    launcher.write_text(_LAUNCHER.format(python=str(PYTHON).replace("'", "'\\''")))
    launcher.chmod(0o755)


def _step(name: str, command: list[str], *, quiet: bool = False) -> None:
    if not quiet:
        print(f"Preparando: {name}…", flush=True)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        detail = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise SetupError(
            f"No se pudo preparar: {name}.\n  " + "\n  ".join(detail) + "\n  Siguiente paso: repetir make run"
        )


if __name__ == "__main__":
    sys.exit(main())
