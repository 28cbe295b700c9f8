"""Bytes of a picture file to 8-bit RGB, by stated rules. ``CONVERSION_VERSION`` is raised when a rule changes.

The format is found from the content, not from the file's suffix; of several frames or pages the first is taken.
ICC profiles and gamma tags are ignored: values are taken as sRGB, as the published benchmarks do.
"""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from drivederain.errors import DataError

CONVERSION_VERSION = 1

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
MAX_PIXELS = 89_478_485
"""Pillow's own guard against files that unpack to more memory than the machine has."""

_ORIENTATION_TAG = 0x0112
_BITS_PER_SAMPLE_TAG = 258
_PNG_BIT_DEPTH = 24
"""Byte of the PNG signature and IHDR chunk that holds the bits a channel."""
_TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}
"""EXIF orientation to what must be done to the stored rows and columns so that the picture stands upright."""


class UnusablePicture(DataError):
    """A picture that cannot be used. ``file`` and ``reason`` are kept apart for lists of such files."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}. Mend or remove it, or pass --skip-bad to go on without it.")
        self.file = file
        self.reason = reason


def decode(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a PNG, JPEG, WebP, BMP or TIFF file.

    Rules: EXIF orientation is applied. More than 8 bits a channel: ``round(v * 255 / (2**bits - 1))``, for 16 bit
    ``round(v / 257)``. Grey is repeated on three channels. Palettes are expanded. CMYK goes through Pillow's
    conversion. Alpha is composited over black (what is transparent gives no light), after which it is dropped.

    Args:
        data: the whole file.
        name: what messages call it.

    Returns:
        H x W x 3, RGB, 8 bit, C-contiguous.

    Raises:
        UnusablePicture: not one of the formats, truncated, damaged, above ``MAX_PIXELS``, or of a mode without a
            stated range (32-bit integers, floats, Lab).
    """
    if not data:
        raise UnusablePicture(name, "the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusablePicture(name, f"{image.width}x{image.height} is above the limit of {MAX_PIXELS:,} pixels")
            image.load()
            # Read after load(): Pillow turns TIFFs by itself there and then drops the tag.
            orientation = image.getexif().get(_ORIENTATION_TAG, 1)
            rgb = _to_rgb(image, data, name)
    except UnusablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(name, f"it is above the limit of {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise UnusablePicture(name, f"it is none of {', '.join(FORMATS)}, or its head is damaged") from error
    # Decoders answer damaged files with whatever they ran into: OSError, SyntaxError, struct.error, cv2.error ...
    except Exception as error:
        raise UnusablePicture(name, f"it cannot be decoded ({str(error) or type(error).__name__})") from error
    return np.ascontiguousarray(_TURNS.get(orientation, _TURNS[1])(rgb))


def decode_mask(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a mask by the rules of ``decode``; of a coloured one the brightest channel counts.

    Returns:
        H x W, 8 bit, 255: drop.
    """
    return np.ascontiguousarray(decode(data, name).max(axis=2))


def _to_rgb(image: Image.Image, data: bytes, name: str) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return _repeat(_to_eight_bit(np.asarray(image), _bits(image, data)))
    if image.mode in ("I", "F"):
        raise UnusablePicture(name, "32-bit values have no stated range; save it with 8 or 16 bits a channel")
    if _bits(image, data) == 16:
        return _deep_colour(data, name)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return _over_black(rgba[..., :3], rgba[..., 3:], 255)
    return np.asarray(image.convert("RGB"))


def _bits(image: Image.Image, data: bytes) -> int:
    """Bits a channel as stored; Pillow's mode hides them for colour, of which it keeps only the high byte."""
    if image.format == "PNG":
        return data[_PNG_BIT_DEPTH]
    tags: Any = getattr(image, "tag_v2", {})
    return int(max(tags.get(_BITS_PER_SAMPLE_TAG, (8,))))


def _deep_colour(data: bytes, name: str) -> NDArray[np.uint8]:
    """16-bit colour by OpenCV, which keeps all the bits."""
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise UnusablePicture(name, "its 16-bit channels cannot be decoded")
    if stored.ndim == 2:
        return _repeat(_to_eight_bit(stored, 16))
    rgb = stored[..., 2::-1]
    return _over_black(rgb, stored[..., 3:], 65535) if stored.shape[2] == 4 else _to_eight_bit(rgb, 16)


def _to_eight_bit(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    return np.rint(values * (255 / ((1 << bits) - 1))).astype(np.uint8)


def _over_black(rgb: NDArray[Any], alpha: NDArray[Any], maximum: int) -> NDArray[np.uint8]:
    return np.rint(rgb * (alpha * (255 / maximum**2))).astype(np.uint8)


def _repeat(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[..., None], 3, axis=2)
