"""What limits a method whatever it learns, such as the autoencoder of a latent diffusion, measured on the test set.

A method says by its options (property ``ceiling``: the name of another method and its options) whose output of the
*clear* picture it cannot better by itself. That method restores every clear picture of the test sets, and is scored
against it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from drivederain.chain_expression import ChainSpec
from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.device import choose_precision
from drivederain.engine.failures import describe
from drivederain.engine.keys import key_of
from drivederain.engine.options import method_options
from drivederain.engine.score import Scorer
from drivederain.engine.stages import ReadyStage
from drivederain.errors import DriveDeRainError
from drivederain.metric_selection import MetricVariant
from drivederain.plugin_code import code_of
from drivederain.registry import Registry

Ceiling = tuple[str, Mapping[str, Any]]
"""A method and its options."""


def ceilings_of(stages: Iterable[ReadyStage]) -> dict[str, tuple[Ceiling, list[ReadyStage]]]:
    """By a name of its own, each ceiling that a stage of these chains has, and the chains' stages that have it."""
    found: dict[str, tuple[Ceiling, list[ReadyStage]]] = {}
    for stage in stages:
        for each in stage.all_stages:
            ceiling = getattr(each.options, "ceiling", None)
            if isinstance(ceiling, tuple):  # an option of a plugin may have that name too
                options = json.dumps(dict(ceiling[1]), sort_keys=True, default=str)
                name = f"ceiling {ceiling[0]} {key_of([ceiling[0], options])[:12]}"
                of = found.setdefault(name, (ceiling, []))[1]
                if not any(known is stage for known in of):  # a chain may have the method twice
                    of.append(stage)
    return found


def ceiling_stage(name: str, ceiling: Ceiling, beside: ReadyStage, registry: Registry) -> ReadyStage:
    """The stage that is measured; why it cannot be used is noted in it."""
    spec = registry.method(ceiling[0])
    stage = ReadyStage(
        chain=ChainSpec(name, (spec,)),
        spec=spec,
        options=None,
        found=None,
        before=None,
        device=beside.device,
        precision=choose_precision("auto", spec.needs),
        seed=beside.seed,
        may_download=beside.may_download,
        batch=beside.batch,
        tile=beside.tile,
        code=code_of(spec.implementation),
    )
    try:
        stage.options = method_options(spec, {key: json.dumps(value, default=str) for key, value in ceiling[1].items()})
    except DriveDeRainError as error:
        stage.status, stage.reason = describe(error)
    return stage


def clear_samples(sample_set: SampleSet) -> SampleSet:
    """The clear pictures of a test set as if they were rainy, each once."""
    clear: dict[str, Sample] = {}
    for sample in sample_set.samples:
        if sample.clear is not None:
            clear.setdefault(sample.clear.fingerprint, replace(sample, rainy=sample.clear))
    return replace(sample_set, samples=tuple(clear.values()))


def about_ceiling(
    stage: ReadyStage,
    cell: Cell,
    of: Sequence[ReadyStage],
    sample_set: SampleSet,
    scorer: Scorer,
    metrics: Sequence[MetricVariant],
) -> dict[str, Any]:
    """What ``run.json`` says of it: means over the whole clear pictures that were restored and have a score."""
    done = [sample for sample in sample_set.samples if cell.has(sample.rainy.fingerprint)]
    scores = {}
    for variant in metrics:
        values = [scorer.score_of(cell, sample, variant).regions.get("image", math.nan) for sample in done]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            scores[variant.name] = {"mean": fmean(finite), "images": len(finite)}
    failure = next((cell.failures[sample.rainy.fingerprint] for sample in sample_set.samples
                    if sample.rainy.fingerprint in cell.failures), None)  # fmt: skip
    reason = stage.reason or (failure.reason if failure is not None else "")
    return {
        "method": stage.spec.name,
        "options": stage.options.model_dump(mode="json") if stage.options is not None else {},
        "of": [each.chain.name for each in of],
        "dataset": sample_set.name,
        "images": len(sample_set.samples),
        "images_ok": len(done),
        "reason": "" if len(done) == len(sample_set.samples) else reason,
        "scores": scores,
    }
