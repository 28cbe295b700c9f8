"""Hold a lock that another run may have, and say so while it is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

TELL = 2.0
"""Seconds between two words while another run is waited for."""


@contextmanager
def held(lock: FileLock, tell: Callable[[], None]) -> Iterator[None]:
    """Hold ``lock``; ``tell`` is called at once where another run has it, and again and again until it lets go."""
    patience = 0.0
    while True:
        try:
            lock.acquire(timeout=patience, poll_interval=0.2)
            break
        except Timeout:
            patience = TELL
            tell()
    try:
        yield
    finally:
        lock.release()
