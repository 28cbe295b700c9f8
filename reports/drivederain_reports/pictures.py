"""Previews of stored pictures: scaled down, lossily packed, kept beside the page and written into it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.results.run_folder import RunFolder, write_atomically

MASK_COLOUR = (0, 140, 255)
"""BGR orange, which stands out from sky, road and leaves, also for the colour-blind."""
MASK_THRESHOLD = 0.1
"""The soft mask's value from which the region ``drops`` counts a pixel (strictly above)."""
VERSION = 1
"""Raised when previews are made in another way, so that kept ones are made again."""


ERROR_WIDTH, ERROR_QUALITY, ERROR_FULL = 512, 60, 64
"""Of error maps: pixels across, of WebP, and the difference of 255 that is drawn brightest."""


class _NoMapError(Exception):
    """There is no truth to hold an output against."""


@dataclass(frozen=True)
class PreviewSize:
    """How much a preview may take."""

    width: int
    quality: int
    """Of JPEG, 0 to 100."""


SIZES = (PreviewSize(960, 88), PreviewSize(800, 86), PreviewSize(640, 84), PreviewSize(512, 80))


@dataclass(frozen=True)
class Preview:
    """A preview of a stored picture."""

    address: str
    """``data:`` address."""
    height: int
    """Of the stored picture, pixels."""
    width: int


class Previews:
    """The previews of a run, made one picture at a time and kept in ``report/previews``.

    A kept one is used again while its picture has the same name, size in bytes and time of change.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run, self._folder = run, run.previews
        files = list(self._folder.iterdir()) if self._folder.is_dir() else []
        self._kept = {path.name.partition("_")[0]: path for path in files if path.suffix in (".jpg", ".png", ".webp")}
        self._used: set[str] = set()
        self._read = lru_cache(maxsize=3)(read_picture)
        """An output is wanted twice, for itself and for its error map, and its truth beside every one of them."""

    def picture(self, path: Path, size: PreviewSize) -> Preview | None:
        """Of an H x W x 3 picture, as JPEG; ``None`` where the file is missing or cannot be decoded."""
        return self._preview(path, ("jpg", size.width, size.quality), lambda picture: jpeg(picture, size), colour=True)

    def mask(self, path: Path, size: PreviewSize) -> Preview | None:
        """Of a soft drop mask, as a layer over its picture; ``None`` where it is missing or cannot be decoded."""
        return self._preview(path, ("png", size.width), lambda mask: mask_overlay(mask, size), colour=False)

    def error(self, output: Path, truth: Path) -> Preview | None:
        """The error map of an output against its truth, as WebP; ``None`` where one is missing or of another size."""

        def make(picture: NDArray[np.uint8]) -> bytes:
            beside = self._read(truth)
            if beside is None or beside.shape != picture.shape:
                raise _NoMapError
            return error_map(picture, beside)

        try:
            found = truth.stat()
            kind = ("webp", ERROR_WIDTH, ERROR_QUALITY, ERROR_FULL, found.st_size, found.st_mtime_ns)
            return self._preview(output, kind, make, colour=True)
        except (OSError, _NoMapError):
            return None

    def prune(self) -> None:
        """Remove what has not been asked for: previews of an earlier page."""
        for digest, path in self._kept.items():
            if digest not in self._used:
                path.unlink(missing_ok=True)

    def _preview(
        self, path: Path, kind: tuple[Any, ...], make: Callable[[NDArray[np.uint8]], bytes], colour: bool
    ) -> Preview | None:
        try:
            found = path.stat()
        except OSError:
            return None
        name = path.relative_to(self._run.path).as_posix()
        parts = (VERSION, name, found.st_size, found.st_mtime_ns, *kind)
        digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        kept = self._kept.get(digest)
        if kept is None:
            picture = self._read(path) if colour else read_picture(path, colour=False)
            if picture is None:
                return None
            height, width = picture.shape[:2]
            kept = self._kept[digest] = self._folder / f"{digest}_{height}x{width}.{kind[0]}"
            write_atomically(kept, make(picture), sync=False)
        self._used.add(digest)
        height, width = map(int, kept.stem.partition("_")[2].split("x"))
        media = "jpeg" if kind[0] == "jpg" else kind[0]
        return Preview(
            f"data:image/{media};base64," + base64.b64encode(kept.read_bytes()).decode("ascii"), height, width
        )


def read_picture(path: Path, colour: bool = True) -> NDArray[np.uint8] | None:
    """H x W x 3 BGR, or H x W without ``colour``; ``None`` where the file is missing or cannot be decoded."""
    import cv2

    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not data:
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    return None if decoded is None else decoded.astype(np.uint8, copy=False)


def jpeg(picture: NDArray[np.uint8], size: PreviewSize) -> bytes:
    """The JPEG file of an H x W x 3 BGR picture, at most ``size.width`` pixels across."""
    import cv2

    return _packed(_shrink(picture, size.width), "jpeg", [cv2.IMWRITE_JPEG_QUALITY, size.quality])


def error_map(output: NDArray[np.uint8], truth: NDArray[np.uint8]) -> bytes:
    """The WebP file of how far each pixel of H x W x 3 is off: the channel that is off most, black for 0, white for 64.

    The colours are those of matplotlib's ``inferno``, in which brightness goes up evenly.
    """
    import cv2

    off = cv2.absdiff(output, truth).max(axis=2)
    shown = np.minimum(off.astype(np.float32) * (255 / ERROR_FULL), 255).astype(np.uint8)
    return _packed(
        cv2.applyColorMap(_shrink(shown, ERROR_WIDTH), cv2.COLORMAP_INFERNO).astype(np.uint8, copy=False),
        "webp",
        [cv2.IMWRITE_WEBP_QUALITY, ERROR_QUALITY],
    )


def mask_overlay(mask: NDArray[np.uint8], size: PreviewSize) -> bytes:
    """A PNG file of the drops of a soft H x W mask, tinted and outlined on transparent ground."""
    import cv2

    small = _shrink(mask, size.width)
    drops = (small > 255 * MASK_THRESHOLD).astype(np.uint8)
    outline = cv2.morphologyEx(drops, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    layer = np.zeros((*small.shape, 4), np.uint8)
    layer[..., :3] = MASK_COLOUR
    layer[..., 3] = np.where(outline > 0, 235, np.where(drops > 0, 70, 0))
    return _packed(layer, "png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _packed(picture: NDArray[np.uint8], kind: str, options: list[int]) -> bytes:
    import cv2

    packed, buffer = cv2.imencode(f".{kind}", picture, options)
    if not packed:
        raise ValueError(f"no {kind} could be made of a picture of shape {picture.shape}")
    data: bytes = buffer.tobytes()
    return data


def _shrink(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    import cv2

    height, across = picture.shape[:2]
    if across <= width:
        return picture
    return cv2.resize(picture, (width, max(1, round(height * width / across))), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )
