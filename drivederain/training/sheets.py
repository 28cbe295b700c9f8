"""Contact sheets: pictures side by side with words, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Row = tuple[str, Sequence[Pixels | None]]
"""Label and pictures; ``None`` leaves a place empty."""

ERROR_GAIN: Final = 4
"""What differences are multiplied by: after a good restoration they are a few of 255."""
ERROR_COLUMN: Final = f"error x{ERROR_GAIN}"
"""Title of a column of ``error_map``."""

_GROUND, _EMPTY, _INK, _SOFT = (255, 255, 255), (236, 239, 242), (22, 32, 43), (86, 100, 116)
_GAP = 6
_TEXT, _TITLE = 14, 15
_LINE = 22
"""Height of a line of words."""
_SHOWN_AT = 1700
"""Width that a page is looked at, about: words of a wider page grow with it, or they could not be read."""


def error_map(restored: Pixels, clear: Pixels) -> Pixels:
    """What is wrong with a restored picture: the absolute difference of each colour, times 4. Black is right.

    Raises:
        ValueError: the pictures differ in size.
    """
    if restored.shape != clear.shape:
        raise ValueError(f"the restored picture is {restored.shape}, the clear one {clear.shape}")
    difference = np.abs(restored.astype(np.int16) - clear.astype(np.int16))
    return np.asarray(np.minimum(ERROR_GAIN * difference, 255), np.uint8)


def sheet(rows: Sequence[Row], columns: Sequence[str], *, height: int = 200) -> Pixels:
    """Rows of pictures, each under its label, in columns under their titles.

    A column is as wide as its widest picture; a row may have fewer pictures than there are columns. Words that do not
    fit are shortened in the middle, and characters that the font does not have are written as ``\\xe9``.

    Args:
        rows: pictures are H x W x 3 RGB or H x W, of any sizes.
        columns: titles.
        height: pixels that each picture is scaled to, by area interpolation.

    Returns:
        H x W x 3, RGB; words are larger on a page that is wider than a screen.

    Raises:
        ValueError: no column, or a row with more pictures than columns.
    """
    if not columns:
        raise ValueError("a sheet needs a column")
    if crowded := [label for label, pictures in rows if len(pictures) > len(columns)]:
        raise ValueError(f"row {crowded[0]!r} has more pictures than the {len(columns)} columns")
    scaled = [
        (label, {place: _scaled(each, height) for place, each in enumerate(pictures) if each is not None})
        for label, pictures in rows
    ]
    widths = [
        _width(title, [row[place] for _, row in scaled if place in row], height) for place, title in enumerate(columns)
    ]
    lefts = [_GAP + sum(widths[:place]) + place * _GAP for place in range(len(columns))]
    total = lefts[-1] + widths[-1] + _GAP
    enlarged = max(1.0, total / _SHOWN_AT)
    line, text, title_text = (round(size * enlarged) for size in (_LINE, _TEXT, _TITLE))
    page = np.full((_GAP + line + len(rows) * (line + height + _GAP), total, 3), _GROUND, np.uint8)
    words = [(lefts[place], _GAP, title, widths[place], title_text, _INK) for place, title in enumerate(columns)]
    top = _GAP + line
    for label, pictures in scaled:
        words.append((_GAP, top, label, total - 2 * _GAP, text, _SOFT))
        for place, left in enumerate(lefts):
            area = page[top + line : top + line + height, left : left + widths[place]]
            if place in pictures:
                area[:, : pictures[place].shape[1]] = pictures[place]
            else:
                area[:] = _EMPTY
        top += line + height + _GAP
    image = Image.fromarray(page)
    draw = ImageDraw.Draw(image)
    for left, above, said, room, size, colour in words:
        draw.text((left, above + 2), _fitted(said, room, size), fill=colour, font=_font(size))
    return np.asarray(image, np.uint8)


def _scaled(picture: Pixels, height: int) -> Pixels:
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    if (height, width) == picture.shape[:2]:
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _width(title: str, pictures: Sequence[Pixels], height: int) -> int:
    """Of a column; one of very narrow pictures still has room for some of its title."""
    widest = max((picture.shape[1] for picture in pictures), default=height)
    return max(widest, min(_length(_drawable(title, _TITLE), _TITLE), height))


def _fitted(text: str, room: int, size: int) -> str:
    """``text`` as far as it fits into so many pixels, without its middle where it does not."""
    text = _drawable(" ".join(text.split()), size)
    kept = len(text)
    shown = text
    while kept > 2 and _length(shown, size) > room:
        kept -= 1
        shown = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return shown


def _length(text: str, size: int) -> int:
    return int(_font(size).getlength(text) + 0.999)


def _drawable(text: str, size: int) -> str:
    return "".join(letter if _has(letter, size) else letter.encode("unicode_escape").decode() for letter in text)


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that Pillow carries."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@lru_cache(maxsize=4096)
def _has(letter: str, size: int) -> bool:
    """Whether the font has it; what it does not have is drawn as the box of a character that does not exist."""
    if letter.isascii():
        return letter.isprintable()
    return bytes(_font(size).getmask(letter)) != bytes(_font(size).getmask("\uffff"))
