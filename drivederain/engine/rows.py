"""From outputs and scores to the rows of the results. Failed, skipped and out-of-memory are rows, not absences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.stages import ReadyStage
from drivederain.engine.worker.messages import Score
from drivederain.metric_selection import MetricVariant
from drivederain.results.schema import Row

NO_TRUTH = "there is no ground truth to compare with"
NOT_RESTORED = "not restored; start the same command again"


def rows_of(
    run: str,
    stage: ReadyStage,
    cells: Sequence[Cell],
    sample_set: SampleSet,
    scores: Mapping[tuple[str, str], Score],
    metrics: Sequence[MetricVariant],
) -> Iterator[Row]:
    """The rows of one chain on one sample set, one picture after the other, in the order of ``results.parquet``.

    Args:
        cells: of the chain's stages, the chain's own last.
        scores: by image and name of the metric variant; asked only for pictures that were restored, and have a
            truth or a metric that needs none.
    """
    cell, seen = cells[-1], stage.training_pictures()
    weights_class, budget = stage.weights_class(), stage.budget()
    for sample in sorted(sample_set.samples, key=lambda each: each.image):
        restored = cell.has(sample.rainy.fingerprint)
        lost = None if restored else _lost(stage, cell, sample)
        smaller = stepped_down(stage, cells, sample) if restored else ""
        found: list[tuple[str, str, str, float | None, Score]] = []
        for variant in metrics:
            if lost is not None:
                score = lost
            elif sample.clear is None and variant.metric.needs_truth:
                score = Score({}, "skipped", NO_TRUTH)
            else:
                score = scores[sample.image, variant.name]
            for region, value in score.regions.items() or {"image": None}.items():
                found.append((region, variant.metric.name, variant.variant, value, score))
        for region, metric, name, value, score in sorted(found, key=lambda each: each[:3]):
            yield Row(
                run=run,
                method=stage.chain.method,
                key=cell.key,
                dataset=sample.dataset,
                split=sample.split,
                image=sample.image,
                scene=sample.scene,
                intensity=sample.intensity,
                intensity_source=sample.intensity_source,
                borderline=sample.borderline,
                region=region,
                metric=metric,
                variant=name,
                value=value,
                status=score.status,
                reason=score.reason,
                stage=stage.spec.name,
                sample=stage.chain.sample,
                size=sample.size,
                weights_class=weights_class,
                budget=budget,
                seen=sample.content in seen,
                precision=stage.precision,
                stepped_down=smaller,
            )


def stepped_down(stage: ReadyStage, cells: Sequence[Cell], sample: Sample) -> str:
    """What memory made smaller for one picture, of any stage of the chain; with several stages each is named."""
    outputs = [cell.outputs.get(sample.rainy.fingerprint) for cell in cells]
    words = [
        f"{each.spec.name}: {output.stepped_down}" if len(cells) > 1 else output.stepped_down
        for each, output in zip(stage.all_stages, outputs, strict=True)
        if output is not None and output.stepped_down
    ]
    return "; ".join(words)


def _lost(stage: ReadyStage, cell: Cell, sample: Sample) -> Score:
    """Why there is no output."""
    failure = cell.failures.get(sample.rainy.fingerprint)
    if stage.usable and failure is not None:
        return Score({}, failure.status, failure.reason)
    status, reason = stage.problem
    return Score({}, status if status != "ok" else "failed", reason or NOT_RESTORED)
