"""Writing ``results.parquet`` and ``timings.parquet``: whole or not at all, and the same rows give the same bytes.

Rows are sorted by data set, split, method, image, region, metric, variant and sample (timings by data set, method,
device, precision and batch), so the order in which cells finished does not show. The same bytes are promised for one
version of pyarrow, which writes its name into the file.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drivederain.results.run_folder import write_atomically
from drivederain.results.schema import RESULTS, STATUSES, TIMINGS, Row

RESULTS_ORDER = ("dataset", "split", "method", "image", "region", "metric", "variant", "sample")
TIMINGS_ORDER = ("dataset", "method", "device", "precision", "batch")


def write_results(path: Path, rows: Iterable[Row]) -> None:
    """Write ``rows`` to ``path`` in the order of ``RESULTS_ORDER``.

    Raises:
        ValueError: a row breaks the contract: two rows for one score, a value without status ok, or ok without one.
    """
    records = [dataclasses.asdict(row) for row in rows]
    for record in records:
        _check(record)
    write_atomically(path, _parquet(records, RESULTS, RESULTS_ORDER))


def write_timings(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``rows``, whose keys are the columns of ``schema.TIMINGS``, to ``path`` in the order of ``TIMINGS_ORDER``.

    Raises:
        ValueError: a row lacks a column or has another one, or two rows time the same thing.
    """
    records = [dict(row) for row in rows]
    for record in records:
        if set(record) != set(TIMINGS.names):
            raise ValueError(f"timings columns {sorted(set(record) ^ set(TIMINGS.names))} are missing or unknown")
    write_atomically(path, _parquet(records, TIMINGS, TIMINGS_ORDER))


def _check(record: Mapping[str, Any]) -> None:
    score = "/".join(str(record[name]) for name in RESULTS_ORDER)
    value = record["value"]
    if record["status"] not in STATUSES:
        raise ValueError(f"{score}: status {record['status']!r} is none of {', '.join(STATUSES)}")
    if record["status"] == "ok" and (value is None or math.isnan(value)):
        raise ValueError(f"{score}: status ok without a value")
    if record["status"] != "ok" and value is not None:
        raise ValueError(f"{score}: status {record['status']} with the value {value}")


def _parquet(records: list[dict[str, Any]], schema: pa.Schema, order: Sequence[str]) -> bytes:
    keyed = sorted(((tuple(record[name] for name in order), record) for record in records), key=lambda pair: pair[0])
    for (key, _), (following, _) in itertools.pairwise(keyed):
        if key == following:
            raise ValueError("two rows for " + "/".join(str(part) for part in key))
    table = pa.Table.from_pylist([record for _, record in keyed], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", version="2.6", data_page_version="1.0", use_dictionary=True)
    return bytes(sink.getvalue().to_pybytes())
