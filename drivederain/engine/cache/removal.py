"""Taking things out of a cache so that a process killed midway leaves nothing half under a valid name."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from drivederain.engine.cache.cell_lock import try_lock
from drivederain.engine.cache.layout import HASH, TEMPORARY, Kind


def remove_folder(folder: Path) -> None:
    """Rename a folder, then empty it: what is left by a kill has a temporary name, and goes with the next prune."""
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        folder.rename(aside)
    except FileNotFoundError:  # another process took it out
        return
    _empty(aside)


def remove(kind: Kind, path: Path) -> bool:
    """Take out an entry; ``False`` for a cell that a run is using, which stays. Links are never followed.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        if kind == "weights":
            _remove_lock(path.with_suffix(".lock"))
    elif TEMPORARY.fullmatch(path.name):
        _empty(path)
    elif kind == "cells" and HASH.fullmatch(path.name):
        lock = try_lock(path)
        if lock is None:
            return False
        try:
            remove_folder(path)
        finally:
            lock.release()
    else:
        remove_folder(path)
    return True


def _remove_lock(file: Path) -> None:
    """Take out the lock of weights that are gone, unless a run is training them anew."""
    if file.is_symlink() or not file.is_file():
        return
    with suppress(Timeout), FileLock(file, timeout=0):
        file.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    # Another process may be removing the same leftover: only what is still there afterwards is an error.
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)
