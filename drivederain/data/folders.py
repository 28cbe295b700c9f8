"""Which files of a folder are pictures, and under what names they are known."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from drivederain.data.decode import SUFFIXES
from drivederain.data.sample import Problem
from drivederain.errors import DataError


@dataclass(frozen=True)
class Entry:
    """A picture file: where it is, its name relative to the folder (``/`` between parts), and that without suffix.

    ``stem`` is in Unicode form NFC, so that a folder copied from a Mac keeps its names.
    """

    path: Path
    relative: str
    stem: str


def checked_folder(location: str, option: str) -> Path:
    """The folder of a location as typed; ``~`` is expanded.

    Args:
        option: what the user typed around it, for messages: ``--data synthetic:PHOTOS``.

    Raises:
        DataError: nothing there, a file, or no location given.
    """
    if not location.strip():
        raise DataError(f"no folder given: write {option}")
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DataError(f"{folder} is a file, a folder of pictures is needed: {option}")
    raise DataError(f"{folder} does not exist. Check the spelling in {option}; relative paths start at {Path.cwd()}")


def list_pictures(folder: Path, inside: str = "") -> tuple[list[Entry], list[Problem]]:
    """Pictures in ``folder`` and its subfolders, ordered by name, and pictures that share a stem with another.

    Hidden files and folders (a leading dot, so also ``._x.jpg`` of macOS) and files with other suffixes than those of
    ``SUFFIXES`` are passed over. Links to files are followed, links to folders inside ``folder`` are not.

    Args:
        inside: prefix of the names in messages, such as ``rainy/``.

    Raises:
        DataError: a folder that cannot be read, or no picture in it.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}). Check its permissions.")

    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            suffix = PurePosixPath(file).suffix
            if file.startswith(".") or suffix.lower() not in SUFFIXES:
                continue
            path = Path(parent) / file
            relative = path.relative_to(folder).as_posix()
            if not _is_text(relative):
                shown = relative.encode("utf-8", "backslashreplace").decode("ascii", "backslashreplace")
                problems.append(Problem(f"{inside}{shown}", "its name is not valid text on this system; rename it"))
                continue
            stem = unicodedata.normalize("NFC", relative[: -len(suffix)])
            if stem in entries:
                reason = f"its name without suffix is that of {inside}{entries[stem].relative}; rename one"
                problems.append(Problem(f"{inside}{relative}", reason))
            else:
                entries[stem] = Entry(path, relative, stem)
    if not entries:
        raise DataError(f"{folder} holds no picture ({' '.join(sorted(SUFFIXES))}), nor do its subfolders")
    return sorted(entries.values(), key=lambda entry: entry.stem), problems


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
