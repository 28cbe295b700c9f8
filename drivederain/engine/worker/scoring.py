"""Scoring: all methods' outputs of a picture at once, so that what depends on its truth alone is worked out once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.engine.cells import DamagedOutput, read_png
from drivederain.engine.failures import MethodCodeError, describe, is_device_lost
from drivederain.engine.worker.jobs import AHEAD, PIXELS_WAITING, Ended, Jobs
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Fatal,
    Finished,
    Loaded,
    Message,
    Score,
    Scored,
    ScoreItem,
    ScoreJob,
    ScoreTask,
    Started,
)
from drivederain.errors import DataError, MetricError
from drivederain.implementation import load_implementation
from drivederain.metric_selection import MetricVariant
from drivederain.metrics.metric import Metric, NoReferenceMetric

BATCH_PIXELS = 1_000_000
"""Pictures of one size go to the device together up to so many pixels, but at least one."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Reading:
    """A job whose pictures are being decoded, each by itself, so that those of one large job keep all threads busy."""

    job: ScoreJob
    outputs: tuple[tuple[Future[Pixels], ...], ...]
    """Of each item."""
    truths: tuple[Future[Pixels] | None, ...]
    masks: tuple[Future[Pixels] | None, ...]


class _DeviceLost(Exception):
    """A metric broke this process's hold of the device: no other metric can be worked out in it any more."""


@dataclass(frozen=True)
class _Decoded:
    """Pictures of one size that lack the same scores; ``places``: which items of the job they are."""

    places: tuple[int, ...]
    variants: tuple[tuple[str, ...], ...]
    """Of each output, the metric variants that are missing."""
    outputs: tuple[tuple[Pixels, ...], ...]
    """Output -> picture."""
    truths: tuple[Pixels, ...] | None
    masks: tuple[Pixels, ...] | None


class Scoring:
    """The metrics at work. ``emit`` takes the messages."""

    def __init__(self, task: ScoreTask, emit: Callable[[Message], None], decoder: Executor, ahead: int = AHEAD) -> None:
        self.emit, self._decoder, self._ahead = emit, decoder, ahead
        self._device, self._outdated = torch.device(task.device), task.outdated
        self._variants = {variant.name: variant for variant in task.variants}
        self._loaded: dict[str, Metric] = {}
        self._reading: deque[_Reading] = deque()
        self._held_back: ScoreJob | None = None
        """Its pictures would be too much memory as yet."""

    def run(self, jobs: Jobs[ScoreJob]) -> None:
        """Score every job, and say ``Finished``. A metric is loaded when its first score is missing.

        Where a metric loses the device it says ``Failed`` of the job and ends early; the rest is for another process.
        """
        self.emit(Loaded({}))
        while True:
            self._read_ahead(jobs)
            if not self._reading:
                break
            try:
                self._job(self._reading.popleft())
            except _DeviceLost:
                return
        for metric in self._loaded.values():
            metric.close()
        self.emit(Finished())

    def _read_ahead(self, jobs: Jobs[ScoreJob]) -> None:
        """Have the pictures of the next job decoded, of the one behind it, and of more while that is little memory."""
        while len(self._reading) < self._ahead:
            job = self._held_back or self._following(jobs)
            if job is None:
                return
            waiting = sum(reading.job.pixels for reading in islice(self._reading, 1, None))
            if len(self._reading) > 1 and waiting + job.pixels > PIXELS_WAITING:
                self._held_back = job
                return
            self._held_back = None
            self._reading.append(self._read(job))

    def _following(self, jobs: Jobs[ScoreJob]) -> ScoreJob | None:
        while True:
            job = jobs.get(block=not self._reading)
            if job is None or isinstance(job, Ended):
                return None
            if job.number > self._outdated:
                return job
            self.emit(Scored(job.number, tuple(tuple({} for _ in item.outputs) for item in job.items)))

    def _read(self, job: ScoreJob) -> _Reading:
        submit = self._decoder.submit
        return _Reading(
            job,
            tuple(
                tuple(submit(read_png, output.folder, item.picture, output.sha256) for output in item.outputs)
                for item in job.items
            ),
            tuple(submit(item.clear.load) if item.clear is not None else None for item in job.items),
            tuple(submit(item.mask.load) if item.mask is not None else None for item in job.items),
        )

    def _job(self, reading: _Reading) -> None:
        job = reading.job
        try:
            decoded = _decoded(reading)
        except DamagedOutput as error:
            self.emit(Damaged(job.number, error.folder, error.picture))
            return
        except OSError as error:
            self.emit(Fatal.of(error))
            return
        except Exception as error:
            reason = str(error) if isinstance(error, DataError) else describe(error)[1]
            self.emit(Failed(job.number, "failed", reason, lasting=False, data=True))
            return
        self.emit(Started(job.number))
        scores: list[tuple[Mapping[str, Score], ...]] = [()] * len(job.items)
        try:
            for group in decoded:
                for place, of_outputs in zip(group.places, self._group(group), strict=True):
                    scores[place] = of_outputs
        except _DeviceLost as error:
            self.emit(Failed(job.number, "failed", str(error), lasting=False))
            raise
        self.emit(Scored(job.number, tuple(scores)))

    def _group(self, group: _Decoded) -> list[tuple[Mapping[str, Score], ...]]:
        """Of each picture, of each of its outputs: scores by variant."""
        found: list[list[dict[str, Score]]] = [[{} for _ in group.outputs] for _ in group.places]
        truth, mask = None if group.truths is None else self._tensor(group.truths), self._mask(group.masks)
        outputs = [self._tensor(pictures) for pictures in group.outputs]
        for name in dict.fromkeys(name for names in group.variants for name in names):
            asked = [number for number, names in enumerate(group.variants) if name in names]
            for number, scores in zip(
                asked, self._score(name, [outputs[number] for number in asked], truth, mask), strict=True
            ):
                for picture, score in enumerate(scores):
                    found[picture][number][name] = score
        return [tuple(of_outputs) for of_outputs in found]

    def _score(
        self, name: str, outputs: Sequence[Tensor], truth: Tensor | None, mask: Tensor | None
    ) -> list[list[Score]]:
        """Of each output, of each picture."""
        pictures = len(outputs[0])
        try:
            metric = self._metric(name)
        except MethodCodeError as error:
            _check_device(name, error)
            # It says nothing of these pictures, whatever it raised: the next run tries again.
            return [[_lost(name, error)] * pictures for _ in outputs]
        try:
            several = _scores(metric, list(outputs), truth, mask)
            if len(several) != len(outputs):
                raise TypeError(f"it gave scores of {len(several)} outputs for {len(outputs)}")
            return [_checked(name, regions, pictures) for regions in several]
        except MethodCodeError as error:
            _check_device(name, error)
            if len(outputs) > 1:
                return [self._score(name, [output], truth, mask)[0] for output in outputs]
            if pictures > 1:
                rows = [slice(row, row + 1) for row in range(pictures)]
                apart = [
                    self._score(
                        name,
                        [outputs[0][row]],
                        None if truth is None else truth[row],
                        None if mask is None else mask[row],
                    )
                    for row in rows
                ]
                return [[scores[0][0] for scores in apart]]
            if isinstance(error, MetricError):
                return [[Score({}, "skipped", str(error))]]
            return [[_lost(name, error)]]

    def _metric(self, name: str) -> Metric:
        if name not in self._loaded:
            variant = self._variants[name]
            metric = metric_class(variant)(variant.variant)
            metric.load(self._device)
            self._loaded[name] = metric
        return self._loaded[name]

    def _tensor(self, pictures: Sequence[Pixels]) -> Tensor:
        stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)))
        return stacked.to(self._device)

    def _mask(self, masks: Sequence[Pixels] | None) -> Tensor | None:
        if masks is None:
            return None
        return torch.from_numpy(np.stack(masks)[:, None]).to(self._device).float() / 255


def metric_class(variant: MetricVariant) -> type[Metric]:
    """The class of a metric.

    Raises:
        Exception: whatever importing it raises.
        MetricError: it is no metric.
    """
    made = load_implementation(variant.metric.implementation, owner=f"metric {variant.metric.name}")
    if not issubclass(made, Metric):
        raise MetricError(f"metric {variant.metric.name} is not a sub-class of drivederain.metrics.metric.Metric")
    return made


def _scores(
    metric: Metric, outputs: list[Tensor], truth: Tensor | None, mask: Tensor | None
) -> list[dict[str, Tensor]]:
    """One dictionary an output. Without a truth only metrics are asked that say they need none."""
    if truth is not None:
        return metric.score_many(outputs, truth, mask)
    if not isinstance(metric, NoReferenceMetric):
        raise TypeError("its specification says needs_truth=False, but it is no NoReferenceMetric")
    return [metric.score_output(output, mask) for output in outputs]


def _check_device(name: str, error: BaseException) -> None:
    """Raise ``_DeviceLost`` where no metric can be worked out any more."""
    if is_device_lost(error):
        raise _DeviceLost(f"{name}: {describe(error)[1]}") from error


def _lost(name: str, error: BaseException) -> Score:
    status, reason = describe(error)
    return Score({}, status, f"{name}: {reason}")


def _decoded(reading: _Reading) -> list[_Decoded]:
    """Wait for the pictures of a job, and put together what can go through the metrics together."""
    groups: list[
        tuple[tuple[object, ...], list[tuple[int, ScoreItem, list[Pixels], Pixels | None, Pixels | None]]]
    ] = []
    for place, item in enumerate(reading.job.items):
        outputs = [picture.result() for picture in reading.outputs[place]]
        clear = reading.truths[place]
        truth = clear.result() if clear is not None else None
        masked = reading.masks[place]
        mask = masked.result() if masked is not None else None
        kind = (
            tuple(output.shape for output in outputs),
            None if truth is None else truth.shape,
            mask is None,
            tuple(output.variants for output in item.outputs),
        )
        fits = groups and groups[-1][0] == kind
        if fits and (len(groups[-1][1]) + 1) * math.prod(outputs[0].shape[:2]) <= BATCH_PIXELS:
            groups[-1][1].append((place, item, outputs, truth, mask))
        else:
            groups.append((kind, [(place, item, outputs, truth, mask)]))
    return [
        _Decoded(
            places=tuple(place for place, _, _, _, _ in rows),
            variants=tuple(output.variants for output in rows[0][1].outputs),
            outputs=tuple(zip(*(outputs for _, _, outputs, _, _ in rows), strict=True)),
            truths=None if rows[0][3] is None else tuple(truth for _, _, _, truth, _ in rows if truth is not None),
            masks=None if rows[0][4] is None else tuple(mask for *_, mask in rows if mask is not None),
        )
        for _, rows in groups
    ]


def _checked(name: str, regions: Mapping[str, Tensor], count: int) -> list[Score]:
    """One output's scores by picture; NaN says that a region is empty, which the whole picture is not."""
    columns = {region: [float(value) for value in values] for region, values in regions.items()}
    if any(len(values) != count for values in columns.values()):
        raise TypeError(f"it gave {[len(values) for values in columns.values()]} values for {count} pictures")
    scores = []
    for row in range(count):
        known = {region: values[row] for region, values in columns.items() if not math.isnan(values[row])}
        if "image" in known:
            scores.append(Score(known))
        else:
            scores.append(Score({}, "failed", f"{name} gave no number for the whole picture"))
    return scores
