"""Where the pictures of ``paired:`` lie: two folders with a colon between them, or one folder with a known layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.folders import checked_folder
from drivederain.errors import DataError

LAYOUTS = (("rainy", "clear"), ("input", "target"))
USAGE = "--data paired:RAINY:CLEAR or --data paired:ROOT"
_DRIVE = re.compile(r"(?:^|:)[A-Za-z]$")


@dataclass(frozen=True)
class PairedFolders:
    """Folders of a paired data set; ``records`` may hold ``parameters.parquet`` or ``intensity.csv``."""

    name: str
    rainy: Path
    clear: Path
    masks: Path | None
    records: Path | None


def find_paired_folders(location: str) -> PairedFolders:
    """Read what stood behind ``paired:``. Folder names may hold colons, and drive letters as on Windows.

    Raises:
        DataError: a folder is missing, the layout is not known, or the text can be read in two ways.
    """
    if location.strip() and Path(location).expanduser().is_dir():
        return _from_root(Path(location).expanduser())
    ways = [(location[: colon.start()], location[colon.end() :]) for colon in re.finditer(":", location)]
    usable = [way for way in ways if _there(way) == 2]
    if len(usable) > 1:
        raise DataError(f"--data paired:{location} can be read in {len(usable)} ways; rename the folder with a colon")
    meant = usable or [way for way in ways if not _splits_drive_letter(*way)]
    if not meant:
        return _from_root(checked_folder(location, USAGE))
    rainy, clear = (checked_folder(part, USAGE) for part in max(meant, key=_there))
    if rainy.resolve() == clear.resolve():
        raise DataError(f"--data paired:{location}: rainy and clear are the same folder")
    parent = rainy.resolve().parent
    if parent == clear.resolve().parent:
        return PairedFolders(parent.name, rainy, clear, masks=None, records=parent)
    return PairedFolders(rainy.resolve().name, rainy, clear, masks=None, records=None)


def _there(parts: tuple[str, str]) -> int:
    """How many of the two are folders."""
    return sum(bool(part.strip()) and Path(part).expanduser().is_dir() for part in parts)


def _splits_drive_letter(before: str, after: str) -> bool:
    """The colon is that of a drive (``C:\\photos``, ``C:/photos``), for messages about folders that are not there."""
    return _DRIVE.search(before) is not None and after.startswith(("\\", "/"))


def _from_root(root: Path) -> PairedFolders:
    layouts = [names for names in LAYOUTS if all((root / name).is_dir() for name in names)]
    if len(layouts) > 1:
        raise DataError(f"{root} has rainy/ clear/ and input/ target/: say which with --data paired:RAINY:CLEAR")
    if not layouts:
        there = ", ".join(sorted(path.name + "/" for path in root.iterdir() if path.is_dir())) or "none"
        raise DataError(
            f"{root} has neither rainy/ and clear/ nor input/ and target/ (folders there: {there}). "
            "Name the two folders with --data paired:RAINY:CLEAR."
        )
    rainy, clear = (root / name for name in layouts[0])
    masks = root / "masks"
    return PairedFolders(root.resolve().name, rainy, clear, masks if masks.is_dir() else None, root)
