"""Where things lie in a cache, read without ever following a symbolic link.

cells/KE/KEY/            a chain prefix's outputs, failures and scores (``drivederain.engine.cells``)
inputs/FI/FINGERPRINT/   drawn rain and drawn scenes (``drivederain.data.input_cache``)
contents/FI/FINGERPRINT.json, strata/KE/KEY.json   what is known of files that were decoded once
weights/METHOD/KEY.safetensors                     weights trained here; KEY.lock is held by the run that trains them
library/METHOD/NAME/     weights that the user fetched or added: not listed, verified or pruned as the rest is, but by
                         ``drivederain-bench weights`` (``drivederain.weights_library``)
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from drivederain.errors import DataError

Kind = Literal["cells", "inputs", "contents", "strata", "weights"]
KINDS: tuple[Kind, ...] = ("cells", "inputs", "contents", "strata", "weights")

LIBRARY = "library"

HASH = re.compile(r"[0-9a-f]{64}")
"""Keys and fingerprints: SHA-256 hex."""

TEMPORARY = re.compile(r"\..+\.[A-Za-z0-9_]{8}")
"""What ``write_atomically`` and ``remove_folder`` call a thing until it is whole, or gone."""


def check_is_cache(cache: Path) -> None:
    """A cache, or a folder that could become one.

    Raises:
        DataError: a file, or a folder with other things in it and nothing of a cache.
    """
    if not cache.exists():
        return
    if not cache.is_dir():
        raise DataError(f"{cache} is a file. Give the folder of the cache with --cache.")
    names = {entry.name for entry in os.scandir(cache)}
    if names and not names & {*KINDS, LIBRARY}:
        raise DataError(
            f"{cache} does not look like a cache: it has none of {', '.join(KINDS)}, but other things. "
            "Give the folder of the cache with --cache."
        )


def listed(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; nothing where another process has just removed it."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def relative(cache: Path, path: Path) -> str:
    """``path`` as it is named in messages: from the cache's folder on."""
    return path.relative_to(cache).as_posix()
