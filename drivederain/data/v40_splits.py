"""The split files of the V40 layout: ``splits/train.txt``, ``val.txt``, ``test.txt``, one picture a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.recorded_intensity import bare_stem
from drivederain.data.splits import PARTS, Part
from drivederain.errors import DataError


@dataclass(frozen=True)
class SplitFiles:
    """The part of each pair named in the files, and the real photos that ``test.txt`` names."""

    pairs: Mapping[str, Part]
    real: tuple[str, ...]


def read_split_files(
    folder: Path, pairs: Collection[str], real: Collection[str], pair_folders: Collection[str], real_folder: str
) -> SplitFiles | None:
    """Read the files, or return ``None`` where there are none.

    A line is a stem or a file name, with or without its folder in front; empty lines and lines that start with ``#``
    are passed over. Without a folder in front, a name means the pair and the real photo of that name, where they exist.

    Args:
        pairs: all stems of pairs on disk, usable or not.
        real: all stems of real photos on disk.

    Raises:
        DataError: one of the three files is missing, names something that is not there, or names a pair that
            another file or line names too.
    """
    files: dict[Part, Path] = {part: folder / f"{part}.txt" for part in PARTS}
    if not any(path.is_file() for path in files.values()):
        return None
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        raise DataError(
            f"{folder} lacks {' and '.join(missing)}: give all three split files (one may be empty) or none"
        )
    known_pairs, known_real = set(pairs), set(real)
    parts: dict[str, Part] = {}
    named_real: list[str] = []
    for part, path in files.items():
        for number, name in _lines(path):
            head, _, tail = name.partition("/")
            is_pair = name in known_pairs or (head in pair_folders and tail in known_pairs)
            is_real = name in known_real or (head == real_folder and tail in known_real)
            if not is_pair and not is_real:
                raise DataError(f"{path}, line {number}: there is no picture {name!r} in this data set")
            if is_pair:
                stem = name if name in known_pairs else tail
                if stem in parts:
                    raise DataError(
                        f"{path}, line {number}: {stem!r} is already in {parts[stem]}.txt; name a pair once"
                    )
                parts[stem] = part
            if is_real and part == "test":
                named_real.append(name if name in known_real else tail)
    return SplitFiles(parts, tuple(dict.fromkeys(named_real)))


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text in UTF-8 ({error})") from error
    numbered = enumerate((line.strip() for line in text.splitlines()), start=1)
    named = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    return [(number, unicodedata.normalize("NFC", bare_stem(line))) for number, line in named]
