"""Score stored outputs: a new metric needs no inference, and a score that was computed once is read from the cell."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.display import Display
from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.keys import key_of
from drivederain.engine.worker.book import Book
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    LoadFailed,
    Message,
    Score,
    Scored,
    ScoredOutput,
    ScoreItem,
    ScoreJob,
    ScoreTask,
)
from drivederain.metric_selection import MetricVariant

TOGETHER = {"cpu": 1}
"""Pictures in a job: several keep an accelerator busy, and cost memory on a CPU."""
TOGETHER_ELSEWHERE = 4
NOT_SCORED = "it could not be scored; start the same command again"
KEEP_AFTER = 32
"""Jobs after which scores are written to their cells."""


@dataclass(frozen=True)
class Place:
    """Whose output was scored, or was found damaged: the chain and the sample."""

    chain: str
    sample: Sample


class Scorer(Book[ScoreJob]):
    """The scores of a run: which are known, which are missing, and why some cannot be had."""

    def __init__(self, metrics: Sequence[MetricVariant], device: torch.device, threads: int, display: Display) -> None:
        self.variants, self.device, self.threads, self.display = list(metrics), device, threads, display
        self.damaged: list[Place] = []
        """Outputs that were damaged; they are taken out of their cells, to be restored again."""
        self._versions: dict[str, tuple[str, int]] = {}
        self._problems: dict[tuple[str, str, str], Score] = {}
        """By cell, picture and variant: scores that failed in this run. They are tried again by the next."""
        self._broken: dict[str, Score] = {}
        self._waiting: deque[_Item] = deque()
        self._apart: deque[_Item] = deque()
        """Those of a job that failed as a whole: one bad picture must not take the others with it."""
        self._given: dict[int, list[_Item]] = {}
        self._fresh: dict[str, tuple[Cell, dict[str, Mapping[str, float]]]] = {}
        self._number = self._total = self._done = self._unkept = 0
        self._shown = False
        for variant in metrics:
            self._check(variant)

    def _check(self, variant: MetricVariant) -> None:
        from drivederain.engine.worker.scoring import metric_class

        try:
            self._versions[variant.name] = (variant.metric.implementation, metric_class(variant).version)
        except MethodCodeError as error:
            self._broken[variant.name] = Score({}, *describe(error))

    def add(self, sample: Sample, cells: Mapping[str, Cell]) -> None:
        """Let the outputs of one picture be scored, as far as scores are missing. ``cells``: by chain."""
        if sample.clear is None:
            return
        outputs, places = [], []
        picture = sample.rainy.fingerprint
        for chain, cell in cells.items():
            if not cell.has(picture):
                continue
            missing = tuple(name for name in self._versions if self._key(cell, sample, name) not in cell.scores)
            if missing:
                outputs.append(ScoredOutput(cell.folder, cell.outputs[picture].sha256, missing))
                places.append((chain, cell))
        if outputs:
            item = ScoreItem(picture, sample.clear, sample.mask, tuple(outputs))
            self._waiting.append(_Item(item, sample, tuple(places)))
            self._total += sum(len(output.variants) for output in outputs)

    def score_of(self, cell: Cell, sample: Sample, variant: MetricVariant) -> Score:
        """The score of an output that is in its cell, of a sample with a truth."""
        if variant.name in self._broken:
            return self._broken[variant.name]
        problem = self._problems.get((cell.key, sample.rainy.fingerprint, variant.name))
        if problem is not None:
            return problem
        regions = cell.scores.get(self._key(cell, sample, variant.name))
        return Score(regions) if regions is not None else Score({}, "failed", NOT_SCORED)

    @property
    def missing(self) -> bool:
        """Whether anything waits to be scored."""
        return bool(self._waiting or self._apart)

    def show(self) -> None:
        """From now on the display shows this work."""
        if not self._shown and self._total > self._done:
            self._shown = True
            self.display.begin("score", self._total)
            self.display.advance(self._done)

    def finish(self) -> None:
        """Keep what is not kept yet."""
        self._keep()
        if self._shown:
            self.display.end(f"{self._done} scores")
        self._shown, self._total, self._done = False, 0, 0

    def task(self, job: ScoreJob | None) -> ScoreTask:
        known = tuple(variant for variant in self.variants if variant.name in self._versions)
        return ScoreTask(known, str(self.device), self.threads)

    def next(self) -> ScoreJob | None:
        if self._apart:
            items = [self._apart.popleft()]
        elif self._waiting:
            together = TOGETHER.get(self.device.type, TOGETHER_ELSEWHERE)
            items = [self._waiting.popleft() for _ in range(min(together, len(self._waiting)))]
        else:
            return None
        self._number += 1
        self._given[self._number] = items
        return ScoreJob(self._number, tuple(item.item for item in items))

    def handle(self, message: Message) -> None:
        if isinstance(message, Scored):
            for item, of_outputs in zip(self._given.pop(message.job), message.scores, strict=True):
                for (_, cell), scores in zip(item.places, of_outputs, strict=True):
                    for name, score in scores.items():
                        self._note(cell, item.sample, name, score)
            self._unkept += 1
            if self._unkept >= KEEP_AFTER:
                self._keep()
            self._show_progress()
        elif isinstance(message, Damaged):
            self._without(message.job, message.folder, message.picture)

    def failed(self, job: ScoreJob, failure: Failed) -> None:
        items = self._given.pop(job.number)
        if len(items) > 1:
            self._apart.extend(items)
            return
        for item in items:
            for (_, cell), output in zip(item.places, item.item.outputs, strict=True):
                for name in output.variants:
                    self._note(cell, item.sample, name, Score({}, failure.status, f"scoring failed: {failure.reason}"))
        self._show_progress()

    def cannot_load(self, failure: LoadFailed) -> None:
        for name in list(self._versions):
            del self._versions[name]
            self._broken[name] = Score({}, failure.status, f"scoring failed: {failure.reason}")
        self._waiting.clear()

    @property
    def hopeless(self) -> str:
        return ""

    def _without(self, job: int, folder: Path, picture: str) -> None:
        """An output turned out to be damaged: score the others, and let it be restored."""
        for item in self._given.pop(job):
            kept, places = [], []
            for place, output in zip(item.places, item.item.outputs, strict=True):
                if output.folder == folder and item.item.picture == picture:
                    place[1].drop(picture)
                    self.damaged.append(Place(place[0], item.sample))
                    self._total -= len(output.variants)
                else:
                    kept.append(output)
                    places.append(place)
            if kept:
                rest = ScoreItem(item.item.picture, item.item.clear, item.item.mask, tuple(kept))
                self._waiting.appendleft(_Item(rest, item.sample, tuple(places)))

    def _note(self, cell: Cell, sample: Sample, name: str, score: Score) -> None:
        self._done += 1
        if score.status == "ok":
            _, fresh = self._fresh.setdefault(cell.key, (cell, {}))
            fresh[self._key(cell, sample, name)] = score.regions
        else:
            self._problems[cell.key, sample.rainy.fingerprint, name] = score

    def _keep(self) -> None:
        for cell, fresh in self._fresh.values():
            cell.score(fresh)
        self._fresh.clear()
        self._unkept = 0

    def _show_progress(self) -> None:
        if self._shown:
            self.display.advance(self._done)

    def _key(self, cell: Cell, sample: Sample, name: str) -> str:
        assert sample.clear is not None
        return key_of(
            [
                cell.outputs[sample.rainy.fingerprint].sha256,
                sample.clear.fingerprint,
                sample.mask.fingerprint if sample.mask else "",
                name,
                *self._versions[name],
                self.device.type,
            ]
        )


@dataclass(frozen=True)
class _Item:
    item: ScoreItem
    sample: Sample
    places: tuple[tuple[str, Cell], ...]
    """Of each output, its chain and its cell."""


class ScoresOf(Mapping[tuple[str, str], Score]):
    """Scores of one cell's outputs of one sample set, by (image, name of the metric variant)."""

    def __init__(self, scorer: Scorer, cell: Cell, sample_set: SampleSet) -> None:
        self._scorer, self._cell = scorer, cell
        self._samples = {sample.image: sample for sample in sample_set.samples}
        self._variants = {variant.name: variant for variant in scorer.variants}

    def __getitem__(self, place: tuple[str, str]) -> Score:
        image, name = place
        return self._scorer.score_of(self._cell, self._samples[image], self._variants[name])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((image, name) for image in self._samples for name in self._variants)

    def __len__(self) -> int:
        return len(self._samples) * len(self._variants)
