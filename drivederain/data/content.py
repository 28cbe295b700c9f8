"""The content of a picture: what its pixels are, whatever its name and format. Remembered from run to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivederain.rain import clear_image_sha256
from drivederain.results.json_lines import line_of, record_of
from drivederain.results.run_folder import write_atomically


@dataclass(frozen=True)
class Content:
    """``sha256`` of shape and RGB bytes (``drivederain.rain.clear_image_sha256``) and the native height and width."""

    sha256: str
    height: int
    width: int


def content_of(picture: NDArray[np.uint8]) -> Content:
    """The content of an H x W x 3 RGB picture of native size."""
    return Content(clear_image_sha256(picture), picture.shape[0], picture.shape[1])


def remembered_content(cache: Path, fingerprint: str, load: Callable[[], NDArray[np.uint8]]) -> Content:
    """The content of the picture with this fingerprint, from ``cache/contents``, else by loading it.

    A damaged entry is computed again.
    """
    entry = cache / "contents" / fingerprint[:2] / f"{fingerprint}.json"
    try:
        return Content(**(record_of(entry.read_bytes()) or {}))
    except (OSError, TypeError):
        content = content_of(load())
    write_atomically(entry, line_of(asdict(content)))
    return content
