"""Rows of ``timings.parquet``: what a stage cost a picture, from the measurements beside the outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drivederain.data.sample import SampleSet
from drivederain.engine.cells import Cell, Output
from drivederain.engine.device import size_name
from drivederain.engine.keys import key_of
from drivederain.engine.stages import ReadyStage


def part_of(sample_set: SampleSet) -> str:
    """What throughput and energy of a sample set are kept under in ``facts.json``: its name and its pictures."""
    pictures = sorted({sample.rainy.fingerprint for sample in sample_set.samples})
    return key_of([sample_set.name, sample_set.split, pictures])[:16]


def timing_row(run: str, stage: ReadyStage, cells: Sequence[Cell], sample_set: SampleSet) -> dict[str, Any] | None:
    """One row (the columns and units of ``schema.TIMINGS``), or ``None`` where nothing was restored.

    Latencies are those of pictures that went through alone at batch 1, on the hardware that the newest of them is of;
    the rest is what ``facts.json`` of the chain's own cell holds. What was not measured is ``None``.

    Args:
        cells: of the chain's stages, the chain's own last.
    """
    pictures = [sample.rainy.fingerprint for sample in sample_set.samples]
    outputs = [output for picture in pictures if (output := cells[-1].outputs.get(picture)) is not None]
    if not outputs:
        return None
    hardware = max(outputs, key=lambda output: output.measured_at).hardware
    here = [output for output in outputs if output.hardware == hardware]
    own = [latency for output in here if (latency := _latency(output)) is not None]
    chains = [latency for output in here if (latency := _chain_latency(cells, output)) is not None]
    middle = sorted(outputs, key=lambda output: output.height * output.width)[len(outputs) // 2]
    batches = Counter(output.batch for output in outputs)
    facts, part = cells[-1].facts, part_of(sample_set)
    return {
        "run": run,
        "method": stage.chain.name,
        "key": cells[-1].key,
        "dataset": sample_set.name,
        "device": stage.device.type,
        "hardware": hardware,
        "precision": stage.precision,
        "memory_format": _memory_format(stage, facts),
        "threads": facts.get("threads"),
        "batch": max(batches, key=lambda batch: (batches[batch], batch)),
        "images": len(outputs),
        "height": middle.height,
        "width": middle.width,
        "alone_images": len(own),
        "median_ms": float(np.median(own)) if own else None,
        "p95_ms": float(np.percentile(own, 95)) if own else None,
        "chain_median_ms": float(np.median(chains)) if chains else None,
        "images_per_s": _quotient(facts.get("throughput", {}).get(part), "images", "seconds"),
        "peak_memory_mb": facts.get("peak_memory_mb"),
        "parameters": facts.get("parameters"),
        "flops": facts.get("flops", {}).get(size_name(middle.height, middle.width)),
        "energy_j": _quotient(facts.get("energy", {}).get(part), "joules", "images"),
        "measured_at": max(output.measured_at for output in outputs),
    }


def _latency(output: Output | None) -> float | None:
    """Milliseconds of a picture that was timed by itself, at batch 1 whatever batch its pixels are of."""
    return output.milliseconds if output is not None and output.alone else None


def _chain_latency(cells: Sequence[Cell], last: Output) -> float | None:
    """Milliseconds of all stages, where each was timed by itself on the hardware of the last one."""
    stages = [cell.outputs.get(last.picture) for cell in cells]
    known = [_latency(each) for each in stages if each is not None and each.hardware == last.hardware]
    latencies = [latency for latency in known if latency is not None]
    return sum(latencies) if len(latencies) == len(stages) else None


def _memory_format(stage: ReadyStage, facts: Mapping[str, Any]) -> str:
    if not facts.get("parameters"):
        return ""
    return "channels last" if stage.spec.needs.channels_last else "contiguous"


def _quotient(measured: Mapping[str, float] | None, above: str, below: str) -> float | None:
    return measured[above] / measured[below] if measured and measured.get(below) else None
