"""Pictures from files: decoded when they are needed, named by what decides their pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivederain.data.decode import CONVERSION_VERSION, UnusablePicture, decode, decode_mask
from drivederain.data.fingerprint import fingerprint_of
from drivederain.data.resize import resize_shorter


def read_file(path: Path, name: str) -> bytes:
    """The bytes of a file.

    Raises:
        UnusablePicture: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusablePicture(name, f"it cannot be read ({error.strerror or error})") from error


@dataclass(frozen=True)
class FilePicture:
    """A picture file, with the SHA-256 of its bytes when it was found; ``size``: shorter side, ``None``: native."""

    path: Path
    sha256: str
    size: int | None = None

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("file", self.sha256, self.size, CONVERSION_VERSION)

    def load(self) -> NDArray[np.uint8]:
        """H x W x 3.

        Raises:
            UnusablePicture: the file cannot be decoded, or is no longer what it was when the data set was read.
        """
        return resize_shorter(decode(_unchanged(self.path, self.sha256), str(self.path)), self.size)


@dataclass(frozen=True)
class FileMask:
    """A mask file: H x W, 255: drop."""

    path: Path
    sha256: str
    size: int | None = None

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("mask file", self.sha256, self.size, CONVERSION_VERSION)

    def load(self) -> NDArray[np.uint8]:
        """H x W; raises as ``FilePicture.load``."""
        return resize_shorter(decode_mask(_unchanged(self.path, self.sha256), str(self.path)), self.size)


def _unchanged(path: Path, sha256: str) -> bytes:
    data = read_file(path, str(path))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UnusablePicture(str(path), "it was changed while the run was going on; start the run again")
    return data
