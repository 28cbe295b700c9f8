"""From outputs and scores to the rows of the results. Failed, skipped and out-of-memory are rows, not absences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.score import Score
from drivederain.engine.stages import ReadyStage
from drivederain.metric_selection import MetricVariant
from drivederain.results.schema import Row

NO_TRUTH = "there is no ground truth to compare with"


def rows_of(
    run: str,
    stage: ReadyStage,
    cell: Cell,
    sample_set: SampleSet,
    scores: Mapping[tuple[str, str], Score],
    metrics: Sequence[MetricVariant],
) -> Iterator[Row]:
    """The rows of one chain on one sample set."""
    seen = stage.training_pictures()
    for sample in sample_set.samples:
        for variant in metrics:
            score = _score(stage, cell, sample, variant, scores)
            for region, value in score.regions.items() or {"image": None}.items():
                yield Row(
                    run=run,
                    method=stage.chain.name,
                    key=cell.key,
                    dataset=sample.dataset,
                    split=sample.split,
                    image=sample.image,
                    scene=sample.scene,
                    intensity=sample.intensity,
                    intensity_source=sample.intensity_source,
                    borderline=sample.borderline,
                    region=region,
                    metric=variant.metric.name,
                    variant=variant.variant,
                    value=value,
                    status=score.status,
                    reason=score.reason,
                    stage=stage.spec.name,
                    sample=0,
                    size=sample.size,
                    weights_class=stage.weights_class(),
                    budget=stage.budget(),
                    seen=sample.content in seen,
                    precision=stage.precision,
                )


def _score(
    stage: ReadyStage, cell: Cell, sample: Sample, variant: MetricVariant, scores: Mapping[tuple[str, str], Score]
) -> Score:
    name = sample.rainy.fingerprint
    if not cell.has(name):
        if stage.usable and name in cell.failures:
            failure = cell.failures[name]
            return Score({}, failure.status, failure.reason)
        status, reason = stage.problem
        return Score({}, status if status != "ok" else "failed", reason or "not restored")
    if sample.clear is None:
        return Score({}, "skipped", NO_TRUTH)
    return scores[sample.image, variant.name]
