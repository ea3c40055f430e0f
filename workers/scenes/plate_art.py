"""Argentine plates drawn for rendered vehicles: Mercosur (white, blue band) and 1995 (black field)."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

# Real sizes in millimetres; a sprite pixel is one millimetre here and is scaled by whoever pastes it.
MERCOSUR_MM = (400, 130)
OLD_MM = (294, 129)
BLUE = (28, 75, 153, 255)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow without FreeType"
    return font


def draw_plate(text: str) -> Image.Image:
    """The plate as an RGBA image, one pixel per millimetre. `text` without spaces, in either car format."""
    return _mercosur(text) if len(text) == 7 else _old(text)


def _mercosur(text: str) -> Image.Image:
    width, height = MERCOSUR_MM
    image = Image.new("RGBA", MERCOSUR_MM, (248, 248, 244, 255))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width, 30), fill=BLUE)
    pen.text((width / 2, 15), "REPUBLICA ARGENTINA", font=_font(21), fill="white", anchor="mm", stroke_width=1)
    _letters(pen, f"{text[:2]} {text[2:5]} {text[5:]}", (width, height), top=30, fill=(16, 16, 18, 255))
    pen.rounded_rectangle((1, 1, width - 2, height - 2), radius=10, outline=(20, 20, 20, 255), width=3)
    return image


def _old(text: str) -> Image.Image:
    width, height = OLD_MM
    image = Image.new("RGBA", OLD_MM, (22, 22, 24, 255))
    pen = ImageDraw.Draw(image)
    pen.text((width / 2, 15), "ARGENTINA", font=_font(19), fill="white", anchor="mm", stroke_width=1)
    _letters(pen, f"{text[:3]} {text[3:]}", (width, height), top=24, fill=(245, 245, 245, 255))
    pen.rounded_rectangle((3, 3, width - 4, height - 4), radius=10, outline=(235, 235, 235, 255), width=4)
    return image


def _letters(pen: ImageDraw.ImageDraw, text: str, size: tuple[int, int], *, top: int, fill: tuple[int, ...]) -> None:
    """The characters on a fixed grid, as stamped plates have them, with a half-width gap for each space."""
    width, height = size
    font = _font(86)
    step = (width - 24) / sum(0.45 if char == " " else 1 for char in text)
    x = 12.0
    for char in text:
        advance = step * (0.45 if char == " " else 1)
        if char != " ":
            pen.text(
                (x + advance / 2, (top + height) / 2),
                char,
                font=font,
                fill=fill,
                anchor="mm",
                stroke_width=3,
                stroke_fill=fill,
            )
        x += advance
