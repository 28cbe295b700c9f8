"""The pictures of a study as JPEG: scaled down alike, so that the page stays small enough for a mail."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivederain.errors import DataError
from drivederain_reports.pictures import PreviewSize, jpeg, read_picture
from drivederain_reports.study.selection import Asked, Side

SIZES = (
    PreviewSize(1280, 90), PreviewSize(960, 88), PreviewSize(800, 86), PreviewSize(640, 84), PreviewSize(512, 80),
)  # fmt: skip
"""Tried from the largest. No picture is enlarged."""
PAGE_BYTES = 14_500_000
"""What all pictures may take together, packed as text; the page then stays below 15 MB."""
BLUR = 30
"""The heavy blur has a standard deviation of the picture's width divided by this."""


@dataclass(frozen=True)
class PackedPictures:
    """Pictures as ``data:`` addresses."""

    asked: tuple[Asked, ...]
    """Those of which there is room."""
    width: int
    """Of the widest picture, pixels."""
    addresses: dict[Side, str]
    """By what is shown; of rainy pictures by ``rainy_side``."""


def rainy_side(asked: Asked) -> Side:
    """The rainy picture that is shown beside a question."""
    return Side("", asked.candidate.rainy)


def pack(checks: Sequence[Asked], pairs: Sequence[Asked], most: int = PAGE_BYTES) -> PackedPictures:
    """The questions' pictures as large as fits; with the smallest size, as many questions as fit, checks first.

    Raises:
        DataError: a stored picture cannot be decoded.
    """
    packed = {each: _all_sizes(each) for each in dict.fromkeys(_sides([*checks, *pairs]))}
    asked = [*checks, *pairs]
    fitting = (number for number in range(len(SIZES)) if _length(asked, packed, number) <= most)
    number = next(fitting, len(SIZES) - 1)
    while len(asked) > len(checks) + 1 and _length(asked, packed, number) > most:
        asked.pop()
    return PackedPictures(
        tuple(asked),
        max(packed[side].widths[number] for side in _sides(asked)),
        {side: _address(packed[side].data[number]) for side in dict.fromkeys(_sides(asked))},
    )


def _sides(asked: Iterable[Asked]) -> Iterable[Side]:
    for question in asked:
        yield rainy_side(question)
        yield from question.sides


def _length(asked: Iterable[Asked], packed: dict[Side, _AllSizes], number: int) -> int:
    distinct = {packed[side].data[number] for side in _sides(asked)}
    return sum(len("data:image/jpeg;base64,") + 4 * -(-len(data) // 3) for data in distinct)


@dataclass(frozen=True)
class _AllSizes:
    """A picture in all ``SIZES``."""

    data: tuple[bytes, ...]
    widths: tuple[int, ...]


def _all_sizes(side: Side) -> _AllSizes:
    picture = read_picture(side.path)
    if picture is None:
        raise DataError(f"{side.path} cannot be decoded. Start the same `run` command again to write it anew.")
    if side.blurred:
        picture = _blur(picture)
    across = picture.shape[1]
    return _AllSizes(
        tuple(jpeg(picture, size) for size in SIZES), tuple(min(across, size.width) for size in SIZES)
    )  # fmt: skip


def _blur(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return cv2.GaussianBlur(picture, (0, 0), max(1.0, picture.shape[1] / BLUR)).astype(np.uint8, copy=False)


def _address(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
