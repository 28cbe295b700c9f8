"""The folders that a run writes: may it, is there room, do locks and hard links work there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from drivederain.engine.doctor.check import Check
from drivederain.engine.environment import nearest_folder

FEATURE = "storage"
ROOM = 500_000_000
"""Bytes free that are wanted: the folder and the cache of a default run held 130 MB together."""


def check_writable(name: str, folder: Path, remedy: str) -> Check:
    """Write, sync, rename and read a file as a run does; nothing stays behind.

    A folder that is not there yet is tried where it would be made.
    """
    there = nearest_folder(folder)
    in_the_way = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if in_the_way is not None:
        return Check(FEATURE, name, "broken", f"{in_the_way} is a file, not a folder", remedy, needed=True)
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".drivederain-doctor-") as trial:
            _write_and_read(Path(trial))
    except OSError as error:
        reason = f"{there}: a file cannot be written: {error.strerror or error}"
        return Check(FEATURE, name, "broken", reason, remedy, needed=True)
    detail = f"{folder} can be written" if there == folder.absolute() else f"{folder} can be made in {there}"
    return Check(FEATURE, name, "ok", detail, needed=True)


def _write_and_read(folder: Path) -> None:
    written, final, content = folder / "written", folder / "final", b"drivederain" * 1000
    with written.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(final)
    if final.read_bytes() != content:
        raise OSError("what was written is not what is read")


def check_space(name: str, folder: Path, free: int, wanted: int = ROOM) -> Check:
    """``free`` bytes on the disk of ``folder``."""
    detail = f"{free / 1e9:.1f} GB free at {folder}"
    if free >= wanted:
        return Check(FEATURE, name, "ok", detail, needed=True)
    remedy = "Free some space, or put --cache and --out on another disk."
    return Check(FEATURE, name, "broken", f"{detail}, {wanted / 1e9:.1f} GB are wanted", remedy, needed=True)


def check_locks(folder: Path) -> Check:
    """Two runs at once keep out of each other's way by file locks, which some network file systems lack."""
    there = nearest_folder(folder)
    remedy = "Put --cache on a local disk, or run one at a time."
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".drivederain-doctor-") as trial:
            held = _second_lock_waits(Path(trial) / "lock")
    except (OSError, NotImplementedError) as error:
        return Check(FEATURE, "file locks", "broken", f"{there}: files cannot be locked: {error}", remedy)
    if not held:
        return Check(FEATURE, "file locks", "broken", f"{there}: a lock that is held is given away again", remedy)
    return Check(FEATURE, "file locks", "ok", f"they hold at {there}")


def _second_lock_waits(path: Path) -> bool:
    with FileLock(path, timeout=5):
        try:
            with FileLock(path, timeout=0):
                return False
        except Timeout:
            return True


def check_links(source: Path, target: Path) -> Check:
    """Whether a run's pictures can be hard links to the cache's: then they take no room of their own."""
    here, there = nearest_folder(source), nearest_folder(target)
    try:
        with (
            tempfile.TemporaryDirectory(dir=here, prefix=".drivederain-doctor-") as first,
            tempfile.TemporaryDirectory(dir=there, prefix=".drivederain-doctor-") as second,
        ):
            file = Path(first) / "picture"
            file.write_bytes(b"picture")
            (Path(second) / "link").hardlink_to(file)
    except OSError as error:
        reason = f"from {here} to {there}: {error.strerror or error}; pictures are copied"
        remedy = "To save room, put --cache and --out on one file system."
        return Check(FEATURE, "hard links", "missing", reason, remedy)
    return Check(FEATURE, "hard links", "ok", f"from {here} to {there}")
