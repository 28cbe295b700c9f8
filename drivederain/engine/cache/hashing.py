"""SHA-256 of many files at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

THREADS = 8
"""At most: hashing sets the interpreter free, but disks gain little from more readers."""

Hashed = str | OSError | None
"""SHA-256 hex, or why the file cannot be read; ``None`` where it is not there."""


class Hasher:
    """Hashes files in threads; to be closed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), thread_name_prefix="hash")

    def __enter__(self) -> Hasher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for what has not begun

    def hash(self, paths: Iterable[Path]) -> list[Hashed]:
        """Of each path, in their order. Symbolic links are not followed."""
        return list(self._pool.map(hash_file, paths))


def hash_file(path: Path) -> Hashed:
    """Of one file."""
    try:
        # A link could lead out of the cache, and a pipe would never end.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
