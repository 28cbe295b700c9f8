"""Joining the tables of runs: identical rows once, conflicting rows told, in memory that does not grow with them."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drivederain.errors import DataError
from drivederain.results.merging.comparable import Part
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import PICTURES, RESULTS, TIMINGS, Row
from drivederain.results.store import (
    RESULTS_ORDER,
    ROW_GROUP,
    TIMINGS_ORDER,
    ResultsWriter,
    order_key,
    write_pictures,
    write_timings,
)

OF_THE_MACHINE = ("run", "key")
"""Columns in which rows of two runs may differ and still be identical."""

PICTURES_ORDER = ("dataset", "split", "image")
AGAIN = "Start the same `run` command again to write it anew."

MOST_CONFLICTS = 1000
"""That are kept in full; all are counted."""


@dataclass(frozen=True)
class Conflict:
    """Two runs that say different things of the same row."""

    row: str
    """``dataset/split/method/image/region/metric/variant/sample``, or ``pictures`` and the picture."""
    runs: tuple[Path, Path]
    columns: dict[str, tuple[Any, Any]]
    """The columns that differ, with both values."""

    def __str__(self) -> str:
        what = "; ".join(f"{name} {one} and {other}" for name, (one, other) in self.columns.items())
        return f"{self.row}: {what} ({self.runs[0]}, {self.runs[1]})"


@dataclass
class Joined:
    """What came of joining tables."""

    rows: int = 0
    identical: int = 0
    """Rows that were left out because another run has the same."""
    conflicts: list[Conflict] = field(default_factory=list)
    conflicting: int = 0
    lost: int = 0
    """Rows that are failed, oom or timeout."""
    pictures_of: dict[tuple[str, str], dict[str, tuple[int, str]]] = field(default_factory=dict)
    """(data set, split) -> method -> number of its pictures, and a hash of their names."""
    borderline: dict[tuple[str, str], int] = field(default_factory=dict)
    """(data set, split) -> pictures whose intensity is borderline."""
    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Method -> keys of its cells; more than one where machines differ."""

    def conflict(self, conflict: Conflict) -> None:
        self.conflicting += 1
        if len(self.conflicts) < MOST_CONFLICTS:
            self.conflicts.append(conflict)


def join_results(parts: Sequence[Part], into: RunFolder, name: str) -> Joined:
    """Write ``results.parquet`` of all parts, ``name`` in its column ``run``. Of conflicting rows, the first part's.

    Raises:
        DataError: a part's table is missing or damaged.
    """
    joined = Joined()
    streams = [((order_key(row), number, row) for row in _rows(part.folder, name)) for number, part in enumerate(parts)]
    with ResultsWriter(into.results_parquet) as writer:
        writer.add(_once(heapq.merge(*streams), parts, joined))
        joined.lost = sum(writer.statuses[status] for status in ("failed", "oom", "timeout"))
    return joined


def _once(rows: Iterator[tuple[Any, int, Row]], parts: Sequence[Part], joined: Joined) -> Iterator[Row]:
    seen: dict[tuple[str, str, str], tuple[int, Any, str]] = {}
    borderline: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key, same in groupby(rows, key=lambda each: each[0]):
        (_, number, first), *others = same
        for _, other, row in others:
            differing = {
                column: (here, there)
                for column, here, there in zip(RESULTS.names, first, row, strict=True)
                if here != there and column not in OF_THE_MACHINE
            }
            joined.keys[row.method].add(row.key)
            if differing:
                runs = (parts[number].folder.path, parts[other].folder.path)
                joined.conflict(Conflict("/".join(map(str, key)), runs, differing))
            else:
                joined.identical += 1
        joined.rows += 1
        joined.keys[first.method].add(first.key)
        of = (first.dataset, first.split, first.method)
        count, names, last = seen.get(of) or (0, hashlib.sha256(), "")
        if first.image != last:  # sorted by image within a method
            names.update(f"{first.image}\0".encode())
            seen[of] = (count + 1, names, first.image)
            if first.borderline:
                borderline[first.dataset, first.split].add(first.image)
        yield first
    for (dataset, split, method), (count, names, _) in seen.items():
        joined.pictures_of.setdefault((dataset, split), {})[method] = (count, names.hexdigest())
    joined.borderline = {of: len(images) for of, images in borderline.items()}


def join_pictures(parts: Sequence[Part], into: RunFolder, joined: Joined) -> list[dict[str, Any]]:
    """Write ``pictures.parquet`` of all parts and return its rows. Of conflicting rows, the first part's."""
    first: dict[tuple[Any, ...], tuple[Path, dict[str, Any]]] = {}
    for part in parts:
        for row in _whole(part.folder.pictures_parquet, PICTURES):
            key = tuple(row[name] for name in PICTURES_ORDER)
            path, known = first.setdefault(key, (part.folder.path, row))
            differing = {name: (known[name], row[name]) for name in row if known[name] != row[name]}
            if differing:
                joined.conflict(Conflict("/".join(["pictures", *map(str, key)]), (path, part.folder.path), differing))
    rows = [row for _, row in first.values()]
    write_pictures(into.pictures_parquet, rows)
    return rows


def join_timings(parts: Sequence[Part], into: RunFolder) -> None:
    """Write ``timings.parquet``: a row for each method, data set, device, precision and batch.

    Medians of parts cannot be joined: a row is that of the run that timed the most pictures alone, and its columns
    ``run``, ``images`` and ``hardware`` say which, how many and on what.
    """
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for part in parts:
        for row in _whole(part.folder.timings_parquet, TIMINGS):
            key = tuple(row[name] for name in TIMINGS_ORDER)
            if key not in best or _timed(row) > _timed(best[key]):
                best[key] = row
    write_timings(into.timings_parquet, best.values())


def _timed(row: dict[str, Any]) -> tuple[int, int]:
    return row["alone_images"] or 0, row["images"] or 0


def _whole(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """All rows of a small table."""
    with _readable(path, schema) as file:
        rows: list[dict[str, Any]] = file.read().to_pylist()
    return rows


def _rows(run: RunFolder, name: str) -> Iterator[Row]:
    """The rows of ``results.parquet``, a row group in memory at a time."""
    path, last = run.results_parquet, None
    with _readable(path, RESULTS) as file:
        for batch in file.iter_batches(ROW_GROUP):
            for values in zip(*(column.to_pylist() for column in batch.columns[1:]), strict=True):
                row = Row(name, *values)
                key = order_key(row)
                if last is not None and key <= last:
                    raise DataError(f"{path} is damaged: its rows are not in the order of {RESULTS_ORDER}. {AGAIN}")
                last = key
                yield row


@contextmanager
def _readable(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetFile]:
    """A table that is open.

    Raises:
        DataError: it is missing, damaged, or has other columns.
    """
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                raise DataError(f"{path} has other columns than this program writes. {AGAIN}")
            yield file
    except FileNotFoundError:
        raise DataError(f"{path} is missing: the run did not finish. {AGAIN}") from None
    except (pa.ArrowException, OSError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}). {AGAIN}") from error
