"""The tables of a run: results (one row a score, failures and skips included), timings, and pictures.

The version is raised when a column changes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import pyarrow as pa

SCHEMA_VERSION = 3

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
        ("stepped_down", pa.string()),  # what memory made smaller, of any stage: "batch 4→2", "tile 512", "bf16", or ""
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)

TIMINGS = pa.schema(
    [
        ("run", pa.string()),
        ("method", pa.string()),  # the chain as typed; what follows is of its last stage alone, unless it says chain
        ("key", pa.string()),
        ("dataset", pa.string()),
        ("device", pa.string()),
        ("hardware", pa.string()),  # its name
        ("precision", pa.string()),
        ("memory_format", pa.string()),  # of the networks: channels last | contiguous; "" where there are none
        ("threads", pa.int32()),
        ("batch", pa.int32()),  # pictures at a time, of most pictures
        ("images", pa.int32()),  # restored pictures
        ("height", pa.int32()),  # of the median picture, pixels
        ("width", pa.int32()),
        ("alone_images", pa.int32()),  # timed one at a time with nothing beside them, warm-up left out
        ("median_ms", pa.float64()),  # latency at batch 1, of those; null where there are none
        ("p95_ms", pa.float64()),
        ("chain_median_ms", pa.float64()),  # the sum over the chain's stages, of pictures that all of them timed alone
        ("images_per_s", pa.float64()),  # throughput, with decoding, copies and encoding overlapped; null: not measured
        ("peak_memory_mb", pa.float64()),
        ("parameters", pa.int64()),
        ("flops", pa.float64()),  # of one picture of height x width; null where another size was counted
        ("energy_j", pa.float64()),  # joules an image; null where the device does not tell
        ("measured_at", pa.string()),  # ISO time of the inference; older than the run where outputs were cached
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)


PICTURES = pa.schema(
    [
        ("dataset", pa.string()),
        ("split", pa.string()),
        ("image", pa.string()),
        ("scene", pa.string()),
        ("intensity", pa.string()),
        ("intensity_source", pa.string()),
        ("source_file", pa.string()),  # as a reader would look for it, relative to the data folder
        ("rain_rate_mm_h", pa.float64()),  # recorded when the rain was drawn; null otherwise
        ("coverage", pa.float64()),  # share of the picture behind drops, drawn, measured or estimated; null if unknown
    ],
    metadata={"schema_version": str(SCHEMA_VERSION)},
)


class Row(NamedTuple):
    """One row of ``results.parquet``; field names and order are the columns of ``RESULTS``.

    A tuple, because a run has millions of them.
    """

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
    stepped_down: str = ""
