"""Intensities recorded beside the pictures: in ``parameters.parquet`` of ``synth``, or in ``intensity.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivederain.data.decode import SUFFIXES
from drivederain.errors import DataError
from drivederain.specs import INTENSITIES, Intensity

PARAMETERS = "parameters.parquet"
TABLE = "intensity.csv"


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one rainy picture."""

    intensity: Intensity
    parameters: Mapping[str, Any] = field(default_factory=dict)


def read_recorded(folder: Path) -> dict[str, Recorded]:
    """By relative stem of the rainy picture: from ``parameters.parquet``, else from ``intensity.csv``, else nothing.

    Both have columns ``image`` (a stem or a file name, relative to the folder of rainy pictures) and ``intensity``.

    Raises:
        DataError: the file cannot be read, lacks a column, or names another intensity than light, medium, heavy.
    """
    if (folder / PARAMETERS).is_file():
        return _from_rows(folder / PARAMETERS, _parquet_rows(folder / PARAMETERS), first=1)
    if (folder / TABLE).is_file():
        return _from_rows(folder / TABLE, _csv_rows(folder / TABLE), first=2)
    return {}


def bare_stem(name: str) -> str:
    """A name relative to a folder without a picture suffix, where it has one."""
    name = name.strip().replace("\\", "/").removeprefix("./")
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged ({error}). Write it again with `synth`, or remove it.") from error
    return rows


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV in UTF-8 ({error})") from error


def _from_rows(path: Path, rows: list[dict[str, Any]], first: int) -> dict[str, Recorded]:
    recorded: dict[str, Recorded] = {}
    for number, row in enumerate(rows, start=first):
        if not isinstance(row.get("image"), str) or not isinstance(row.get("intensity"), str):
            raise DataError(f"{path}, row {number}: it needs the columns 'image' and 'intensity', both filled")
        intensity = row["intensity"].strip()
        for known in INTENSITIES:
            if intensity == known:
                recorded[bare_stem(row["image"])] = Recorded(known, row)
        if intensity not in INTENSITIES:
            raise DataError(f"{path}, row {number}: intensity {intensity!r} is none of {', '.join(INTENSITIES)}")
    return recorded
