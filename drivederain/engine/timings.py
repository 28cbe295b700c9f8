"""Rows of ``timings.parquet``: what a stage cost a picture, from the measurements beside the outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drivederain.data.sample import SampleSet
from drivederain.engine.cells import Cell, Output
from drivederain.engine.stages import ReadyStage


def timing_row(run: str, stage: ReadyStage, cells: Sequence[Cell], sample_set: SampleSet) -> dict[str, Any] | None:
    """One row (the columns and units of ``schema.TIMINGS``), or ``None`` where nothing was restored.

    Latencies are those of pictures that went through alone at batch 1; the rest is what ``facts.json`` of the chain's
    own cell holds. What was not measured is ``None``.

    Args:
        cells: of the chain's stages, the chain's own last.
    """
    pictures = [sample.rainy.fingerprint for sample in sample_set.samples]
    outputs = [output for picture in pictures if (output := cells[-1].outputs.get(picture)) is not None]
    if not outputs:
        return None
    own = [latency for output in outputs if (latency := _latency(output)) is not None]
    chains = [latency for output in outputs if (latency := _chain_latency(cells, output.picture)) is not None]
    middle = sorted(outputs, key=lambda output: output.height * output.width)[len(outputs) // 2]
    batches = Counter(output.batch for output in outputs)
    facts = cells[-1].facts
    return {
        "run": run,
        "method": stage.chain.name,
        "key": cells[-1].key,
        "dataset": sample_set.name,
        "device": stage.device.type,
        "hardware": facts.get("hardware"),
        "precision": stage.precision,
        "threads": facts.get("threads"),
        "batch": max(batches, key=lambda batch: (batches[batch], batch)),
        "images": len(outputs),
        "height": middle.height,
        "width": middle.width,
        "alone_images": len(own),
        "median_ms": float(np.median(own)) if own else None,
        "p95_ms": float(np.percentile(own, 95)) if own else None,
        "chain_median_ms": float(np.median(chains)) if chains else None,
        "images_per_s": _quotient(facts.get("throughput"), "images", "seconds"),
        "peak_memory_mb": facts.get("peak_memory_mb"),
        "parameters": facts.get("parameters"),
        "flops": _flops(facts.get("flops"), middle),
        "energy_j": _quotient(facts.get("energy"), "joules", "images"),
        "measured_at": max(output.measured_at for output in outputs),
    }


def _latency(output: Output | None) -> float | None:
    """Milliseconds of a picture that was timed by itself, at batch 1 whatever batch its pixels are of."""
    return output.milliseconds if output is not None and output.alone else None


def _chain_latency(cells: Sequence[Cell], picture: str) -> float | None:
    """Milliseconds of all stages, where each was timed by itself."""
    stages = [_latency(cell.outputs.get(picture)) for cell in cells]
    known = [latency for latency in stages if latency is not None]
    return sum(known) if len(known) == len(stages) else None


def _quotient(measured: Mapping[str, float] | None, above: str, below: str) -> float | None:
    return measured[above] / measured[below] if measured and measured.get(below) else None


def _flops(counted: Mapping[str, float] | None, middle: Output) -> float | None:
    """Operations of one picture, only where they were counted at the median picture's size."""
    if counted is None or (counted["height"], counted["width"]) != (middle.height, middle.width):
        return None
    return float(counted["value"])
