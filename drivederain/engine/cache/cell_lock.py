"""A cell's lock: held by a run while it restores into the cell, and by whatever changes or removes the cell."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


def try_lock(cell: Path) -> FileLock | None:
    """The cell's lock, acquired; ``None`` where another process holds it.

    Raises:
        OSError: the lock file cannot be written.
    """
    file = cell / "lock"
    if file.is_symlink():
        file.unlink()  # it would be opened for writing, and may lead anywhere
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def in_use(cell: Path) -> bool:
    """Whether a process holds the cell's lock. Leaves no lock file where there was none."""
    file = cell / "lock"
    if file.is_symlink() or not file.is_file():
        return False
    try:
        lock = try_lock(cell)
    except PermissionError:  # somebody else's cache: what can be read can be listed and checked
        return False
    if lock is None:
        return True
    lock.release()
    return False
