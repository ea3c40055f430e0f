"""The design system against its own rules: gallery, contrast, licences, module sizes, lock file."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import pytest

from app.ui.gallery import macros, samples
from app.ui.help import help_pages

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "app/ui/assets"
TEMPLATES = [
    *(ROOT / "app").rglob("templates/**/*.html"),
    *(ROOT / "lms").rglob("*.html"),
    *(ROOT / "tenants").rglob("*.html"),
]
TOKEN = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,6});")


@pytest.mark.parametrize("file", sorted(macros()))
def test_every_macro_is_in_the_gallery(file: str) -> None:
    shown = {sample.macro for sample in samples().get(file, ())}

    assert set(macros()[file]) == shown


def test_gallery_calls_the_macro_it_names() -> None:
    for each in samples().values():
        for sample in each:
            assert f"{sample.macro}(" in sample.source, sample


def _tokens(theme: str) -> dict[str, str]:
    text = (ASSETS / "tokens.css").read_text("utf-8")
    light, dark = text.split('[data-bs-theme="dark"] {')
    values = dict(TOKEN.findall(light))
    return values | (dict(TOKEN.findall(dark)) if theme == "dark" else {})


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(char * 2 for char in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The WCAG contrast of two colours."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)


GROUNDS = ("bg", "surface", "sunken", "raised", "chosen")


@pytest.mark.parametrize(("theme", "ground"), list(product(("light", "dark"), GROUNDS)))
def test_texts_are_readable_on_every_ground(theme: str, ground: str) -> None:
    tokens = _tokens(theme)

    for text in ("text", "soft", "link", "p1", "p2", "p3", "ok"):
        assert contrast(tokens[text], tokens[ground]) >= 4.5, (theme, text, ground)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_and_notices_are_readable(theme: str) -> None:
    tokens = _tokens(theme)

    assert contrast(tokens["on-primary"], tokens["primary"]) >= 4.5
    assert contrast(tokens["on-primary"], tokens["primary-hover"]) >= 4.5
    assert contrast(tokens["bar-text"], tokens["bar"]) >= 4.5
    assert contrast(tokens["bar-soft"], tokens["bar"]) >= 4.5
    assert contrast(tokens["demo"], tokens["bar"]) >= 4.5
    for ground in ("warn-bg", "bad-bg", "ok-bg", "info-bg"):
        assert contrast(tokens["text"], tokens[ground]) >= 4.5, ground
    for ground in ("surface", "bg"):
        assert contrast(tokens["line-strong"], tokens[ground]) >= 3, ground


@pytest.mark.parametrize("path", list(ASSETS.rglob("*.js")), ids=lambda p: p.stem)
def test_browser_module_is_short_says_who_uses_it_and_has_a_test(path: Path) -> None:
    text = path.read_text("utf-8")

    assert text.startswith("// ")
    assert text.count("\n") < 150
    assert "Used " in text
    tests = "\n".join(each.read_text("utf-8") for each in (ROOT / "tests/unit/ui/modules").glob("*.js"))
    assert f"/{path.relative_to(ASSETS)}" in tests


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_template_has_no_inline_code_or_style(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(r"\sstyle=|<style|<[a-z][^>{%]*\son[a-z]+=|hx-on", text)
    assert not re.search(r"<script(?![^>]*nonce)", text)
    assert "https://" not in text
    assert "http://" not in text


def test_module_named_by_a_template_exists() -> None:
    named = {
        name
        for path in TEMPLATES
        for each in re.findall(r'data-module="([^"{]+)"', path.read_text("utf-8"))
        for name in each.split()
    }

    assert named
    assert {name for name in named if not (ASSETS / f"modules/{name}.js").exists()} == set()


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))

    assert all("resolved" not in package for package in lock["packages"].values())
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_versions_are_exact() -> None:
    package = json.loads((ROOT / "package.json").read_text("utf-8"))

    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


def test_help_has_a_title_and_a_summary_per_page() -> None:
    pages = help_pages()

    assert len(pages) >= 6
    for page in pages.values():
        assert page.title
        assert len(page.summary) > 30, page.slug
