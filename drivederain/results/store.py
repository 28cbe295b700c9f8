"""Writing the tables of a run: whole or not at all, and the same rows give the same bytes.

Rows are sorted by data set, split, method, image, region, metric, variant and sample (timings by data set, method,
device, precision and batch; pictures by data set, split and image), so the order in which cells finished does not
show. The same bytes are promised for one version of pyarrow, which writes its name into the file.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from drivederain.results.run_folder import atomic_file, write_atomically
from drivederain.results.schema import PICTURES, RESULTS, STATUSES, TIMINGS, Row, Status

RESULTS_ORDER = ("dataset", "split", "method", "image", "region", "metric", "variant", "sample")
TIMINGS_ORDER = ("dataset", "method", "device", "precision", "batch")
ROW_GROUP = 16_384
"""Rows that are held and written at a time, about 10 MB of them."""

_FORMAT = {"compression": "zstd", "version": "2.6", "data_page_version": "1.0", "use_dictionary": True}


def order_key(row: Row) -> tuple[str, str, str, str, str, str, str, int]:
    """What ``results.parquet`` is sorted by: the columns of ``RESULTS_ORDER``."""
    return row.dataset, row.split, row.method, row.image, row.region, row.metric, row.variant, row.sample


class ResultsWriter:
    """Writes ``results.parquet`` row group by row group, in memory that does not grow with the run.

    The file appears under its name when the ``with`` block ends; after an exception there is none, or the earlier one.

        with ResultsWriter(folder.results_parquet) as writer:
            writer.add(rows)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Row] = []
        self._last: tuple[Any, ...] | None = None
        self.statuses: Counter[Status] = Counter()
        """Rows so far by status."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            file = opened.enter_context(atomic_file(self._path))
            self._parquet = pq.ParquetWriter(file, RESULTS, **_FORMAT)
            opened.callback(self._let_go)
            self._open = opened.pop_all()
        return self

    def _let_go(self) -> None:
        """Close what an exception left open while its file still is: pyarrow would do it later, and complain."""
        if self._parquet.is_open:
            with contextlib.suppress(OSError, ValueError, pa.ArrowException):  # the first error is the one to tell
                self._parquet.close()
            self._parquet.is_open = False

    def add(self, rows: Iterable[Row]) -> None:
        """Take more rows, which follow those before in the order of ``RESULTS_ORDER``.

        Raises:
            ValueError: a row is out of order, or breaks the contract: two rows for one score, a status that there is
                not, a value without status ok, or ok without a value.
        """
        waiting, last, statuses = self._waiting, self._last, self.statuses
        for row in rows:
            key = order_key(row)
            if last is not None and key <= last:
                _refuse_order(key, last)
            last = key
            if row.status == "ok":
                if row.value is None or math.isnan(row.value):
                    raise ValueError(f"{_words(key)}: status ok without a value")
            elif row.status not in STATUSES:
                raise ValueError(f"{_words(key)}: status {row.status!r} is none of {', '.join(STATUSES)}")
            elif row.value is not None:
                raise ValueError(f"{_words(key)}: status {row.status} with the value {row.value}")
            statuses[row.status] += 1
            waiting.append(row)
            if len(waiting) == ROW_GROUP:
                self._write()
        self._last = last

    def _write(self) -> None:
        columns = zip(*self._waiting, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, RESULTS, strict=True)]
        self._parquet.write_table(pa.Table.from_arrays(arrays, schema=RESULTS), row_group_size=ROW_GROUP)
        self._waiting.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            if self._waiting:
                self._write()
            self._parquet.close()


def write_results(path: Path, rows: Iterable[Row]) -> None:
    """Write ``rows`` in any order to ``path``: the bytes that ``ResultsWriter`` gives. For tables that fit in memory.

    Raises:
        ValueError: a row breaks the contract, as in ``ResultsWriter.add``.
    """
    with ResultsWriter(path) as writer:
        writer.add(sorted(rows, key=order_key))


def write_pictures(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``rows``, whose keys are the columns of ``schema.PICTURES``, to ``path`` by data set, split and image.

    Raises:
        ValueError: a row lacks a column or has another one, or two rows are of the same picture.
    """
    _write_sorted(path, rows, PICTURES, ("dataset", "split", "image"))


def write_timings(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``rows``, whose keys are the columns of ``schema.TIMINGS``, to ``path`` in the order of ``TIMINGS_ORDER``.

    Raises:
        ValueError: a row lacks a column or has another one, or two rows time the same thing.
    """
    _write_sorted(path, rows, TIMINGS, TIMINGS_ORDER)


def _write_sorted(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, order: tuple[str, ...]) -> None:
    records = [dict(row) for row in rows]
    for record in records:
        if set(record) != set(schema.names):
            raise ValueError(f"{path.stem} columns {sorted(set(record) ^ set(schema.names))} are missing or unknown")
    keyed = sorted(((tuple(row[name] for name in order), row) for row in records), key=lambda pair: pair[0])
    for (key, _), (following, _) in itertools.pairwise(keyed):
        if key == following:
            raise ValueError("two rows for " + _words(key))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row for _, row in keyed], schema=schema), sink, **_FORMAT)
    write_atomically(path, bytes(sink.getvalue().to_pybytes()))


def _refuse_order(key: tuple[Any, ...], last: tuple[Any, ...]) -> None:
    if key == last:
        raise ValueError("two rows for " + _words(key))
    raise ValueError(f"{_words(key)} comes after {_words(last)}: rows are taken in the order of {RESULTS_ORDER}")


def _words(key: Iterable[Any]) -> str:
    return "/".join(str(part) for part in key)
