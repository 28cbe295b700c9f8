"""The table of results: one row a score, failures and skips included. The version is raised when a column changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

SCHEMA_VERSION = 1

Status = Literal["ok", "failed", "skipped", "oom", "timeout"]
STATUSES: tuple[Status, ...] = ("ok", "failed", "skipped", "oom", "timeout")

RESULTS = pa.schema(
    [
        ("run", pa.string()),
        ("method", pa.string()),  # the chain as typed
        ("key", pa.string()),  # of the cell
        ("dataset", pa.string()),
        ("split", pa.string()),
        ("image", pa.string()),
        ("scene", pa.string()),
        ("intensity", pa.string()),
        ("intensity_source", pa.string()),  # recorded | pair | estimated
        ("borderline", pa.bool_()),
        ("region", pa.string()),  # image | drops | background
        ("metric", pa.string()),
        ("variant", pa.string()),
        ("value", pa.float64()),  # null unless status is ok; inf is a value
        ("status", pa.string()),
        ("reason", pa.string()),
        ("stage", pa.string()),  # the last method of the chain
        ("sample", pa.int32()),  # of a stochastic method; 0 otherwise
        ("size", pa.string()),  # native, or the shorter side in pixels
        ("weights_class", pa.string()),  # official | shipped | trained here | given | none, stages joined by +
        ("budget", pa.string()),  # what was trained for, "" where nothing was
        ("seen", pa.bool_()),  # the picture was in the weights' training set
        ("precision", pa.string()),
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)

TIMINGS = pa.schema(
    [
        ("run", pa.string()),
        ("method", pa.string()),
        ("key", pa.string()),
        ("dataset", pa.string()),
        ("device", pa.string()),
        ("precision", pa.string()),
        ("batch", pa.int32()),
        ("images", pa.int32()),  # timed ones, warm-up left out
        ("height", pa.int32()),  # of the median picture
        ("width", pa.int32()),
        ("median_ms", pa.float64()),  # per image, this stage alone
        ("p95_ms", pa.float64()),
        ("chain_median_ms", pa.float64()),  # the sum over the chain's stages
        ("peak_memory_mb", pa.float64()),
        ("parameters", pa.int64()),
        ("measured_at", pa.string()),  # ISO time of the inference; older than the run where outputs were cached
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)


@dataclass(frozen=True)
class Row:
    """One row of ``results.parquet``; field names and order are the columns of ``RESULTS``."""

    run: str
    method: str
    key: str
    dataset: str
    split: str
    image: str
    scene: str
    intensity: str
    intensity_source: str
    borderline: bool
    region: str
    metric: str
    variant: str
    value: float | None
    status: Status
    reason: str
    stage: str
    sample: int
    size: str
    weights_class: str
    budget: str
    seen: bool
    precision: str
