"""Rows of ``timings.parquet``: what a stage cost a picture, from the measurements beside the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from drivederain.data.sample import SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.stages import ReadyStage


def timing_row(
    run: str,
    stage: ReadyStage,
    cells: Sequence[Cell],
    sample_set: SampleSet,
    peak_mb: float | None,
    parameters: Any,
) -> dict[str, Any] | None:
    """One row, or ``None`` where nothing was restored. ``cells``: of the chain's stages, the chain's own last."""
    pictures = [sample.rainy.fingerprint for sample in sample_set.samples]
    outputs = [cells[-1].outputs[picture] for picture in pictures if cells[-1].has(picture)]
    if not outputs:
        return None
    own = np.array([output.milliseconds for output in outputs])
    chains = [
        sum(cell.outputs[output.picture].milliseconds for cell in cells)
        for output in outputs
        if all(output.picture in cell.outputs for cell in cells)
    ]
    middle = sorted(outputs, key=lambda output: output.height * output.width)[len(outputs) // 2]
    return {
        "run": run,
        "method": stage.chain.name,
        "key": cells[-1].key,
        "dataset": sample_set.name,
        "device": stage.device.type,
        "precision": stage.precision,
        "batch": middle.batch,
        "images": len(outputs),
        "height": middle.height,
        "width": middle.width,
        "median_ms": float(np.median(own)),
        "p95_ms": float(np.percentile(own, 95)),
        "chain_median_ms": float(np.median(chains)) if chains else None,
        "peak_memory_mb": peak_mb,
        "parameters": parameters if isinstance(parameters, int) else None,
        "measured_at": max(output.measured_at for output in outputs),
    }
