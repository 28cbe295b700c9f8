"""Score stored outputs: a new metric needs no inference, and a score that was computed once is read from the cell."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell, Output
from drivederain.engine.display import Display
from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.keys import key_of
from drivederain.engine.restore_book import GIVE_UP
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
from drivederain.engine.worker.scoring import BATCH_PIXELS, metric_class
from drivederain.metric_selection import MetricVariant
from drivederain.plugin_code import code_of
from drivederain.results.schema import Status

TOGETHER = {"cpu": 1}
"""Pictures in a job, at most: several small ones keep an accelerator busy, and cost memory on a CPU."""
TOGETHER_ELSEWHERE = 4
NOT_SCORED = "it could not be scored; start the same command again"
KEEP_AFTER = 32
"""Jobs after which scores are written to their cells."""
FEW = 10_000
"""Scores of a cell that are kept in memory while others are worked out, about 5 MB; more are read again."""
DIGITS = 24
"""Of a score's key of 64 hexadecimal digits, what is held in memory to know it by."""


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
        self._versions: dict[str, tuple[str | int, ...]] = {}
        self._problems: dict[str, dict[str, Score]] = {}
        """By cell and key: scores that could not be had in this run. Those that failed are tried again by the next,
        those that were skipped are kept with the scores."""
        self._known: dict[str, set[str]] = {}
        """By cell, the keys of what is not to be asked for: it has its score, was given out, or was tried in vain."""
        self._broken: dict[str, Score] = {}
        self._trials = _Trials()
        self._waiting: deque[_Item] = deque()
        self._apart: deque[_Item] = deque()
        """Those that get jobs of their own, before all others: one bad picture or metric must not cost the rest."""
        self._given: dict[int, list[_Item]] = {}
        self._fresh: dict[str, _Fresh] = {}
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._reasons: dict[tuple[str, str], Score] = {}
        """Equal names and reasons of thousands of pictures are held once."""
        self._last: tuple[tuple[str, ...], Mapping[str, str]] = ((), {})
        self._number = self._outdated = self._total = self._done = self._unkept = 0
        self._shown = False
        for variant in metrics:
            self._check(variant)

    def _check(self, variant: MetricVariant) -> None:
        try:
            implementation = variant.metric.implementation
            code = code_of(implementation)
            made = metric_class(variant)
            data = made.data_version(variant.variant)
            self._versions[variant.name] = (implementation, made.version, *filter(None, (code, data)))
        except MethodCodeError as error:
            self._broken[variant.name] = Score({}, *describe(error))

    def add(self, sample: Sample, cells: Mapping[str, Cell]) -> None:
        """Let the outputs of one picture be scored, as far as scores are missing and were not tried for in this run.

        Args:
            cells: by chain.
        """
        scorable = [
            variant.name for variant in self.variants if sample.clear is not None or not variant.metric.needs_truth
        ]
        picture, asked = sample.rainy.fingerprint, []
        for chain, cell in cells.items():
            if not cell.has(picture):
                continue
            output, known = cell.outputs[picture], self._known_of(cell)
            keys = {name: key[:DIGITS] for name, key in self._keys(output, sample).items()}
            missing = tuple(name for name in scorable if name in keys and keys[name] not in known)
            if missing:
                known.update(keys[name] for name in missing)
                asked.append(_Asked(chain, cell, output, self._same.setdefault(missing, missing)))
        if asked:
            self._waiting.append(_Item(sample, tuple(asked)))
            self._total += sum(len(each.variants) for each in asked)

    def _known_of(self, cell: Cell) -> set[str]:
        if cell.key not in self._known:
            kept = {key[:DIGITS] for scores in (cell.scores, cell.skipped) for key in scores}
            self._known[cell.key] = kept | self._problems.get(cell.key, {}).keys()
            if len(kept) > FEW:
                cell.forget_scores()  # values are wanted when rows are written, and of one cell at a time
        return self._known[cell.key]

    def score_of(self, cell: Cell, sample: Sample, variant: MetricVariant) -> Score:
        """The score of an output that is in its cell, of a sample with a truth or by a metric that needs none."""
        if variant.name in self._broken:
            return self._broken[variant.name]
        key = self._keys(cell.outputs[sample.rainy.fingerprint], sample)[variant.name]
        problem = self._problems.get(cell.key, {}).get(key[:DIGITS])
        if problem is not None:
            return problem
        regions = cell.scores.get(key)
        if regions is not None:
            return Score(regions)
        skipped = cell.skipped.get(key)
        return Score({}, "skipped", skipped) if skipped is not None else Score({}, "failed", NOT_SCORED)

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

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around the work on the jobs: what was scored is kept, also when Ctrl-C or an error cuts it short."""
        try:
            yield
        except BaseException:
            with suppress(OSError):  # what cut it short is to be told; what cannot be kept is scored again
                self._keep()
            raise
        self.finish()

    def finish(self) -> None:
        """Keep what is not kept yet. It may be called at any time, and again."""
        self._keep()
        if self._shown:
            self.display.end(f"{self._done} scores")
        self._shown, self._total, self._done = False, 0, 0
        if not self.missing:
            self._known.clear()

    def task(self) -> ScoreTask:
        known = tuple(variant for variant in self.variants if variant.name in self._versions)
        return ScoreTask(known, str(self.device), self.threads, self._outdated)

    def next(self) -> ScoreJob | None:
        items: list[_Item] = []
        while not items:
            if self._apart:
                items = self._ready(self._apart.popleft())
            elif self._waiting:
                items = self._together()
            else:
                self._show_progress()
                return None
        self._number += 1
        self._given[self._number] = items
        return ScoreJob(self._number, tuple(item.to_score() for item in items))

    def _together(self) -> list[_Item]:
        """The next pictures, as many as can go to the device together."""
        most = 1 if self._trials.suspects else TOGETHER.get(self.device.type, TOGETHER_ELSEWHERE)
        items: list[_Item] = []
        pixels = 0
        while self._waiting and len(items) < most:
            pixels += self._waiting[0].pixels
            if items and pixels > BATCH_PIXELS:
                break
            items += self._ready(self._waiting.popleft())
        return items

    def _ready(self, item: _Item) -> list[_Item]:
        """What of an item is for the next job, if anything: a suspect comes alone, what was given up is not tried."""
        if not self._trials.suspects and not self._trials.given_up:
            return [item]
        names = []
        for name in item.variants:
            if name in self._trials.given_up:
                self._lose(item.only(name), "failed", self._trials.given_up[name])
            else:
                names.append(name)
        suspects = [name for name in names if name in self._trials.suspects]
        now = [name for name in names if name not in suspects] or suspects[:1]
        self._apart.extend(item.only(name) for name in suspects if name not in now)
        return [item.only(*now)] if now else []

    def handle(self, message: Message) -> None:
        if isinstance(message, Scored):
            for item, of_outputs in zip(self._given.pop(message.job), message.scores, strict=True):
                for asked, scores in zip(item.outputs, of_outputs, strict=True):
                    for name, score in scores.items():
                        self._note(item.sample, asked, name, score)
                if not any(of_outputs):  # the job was outdated
                    self._apart.append(item)
            self._unkept += 1
            if self._unkept >= KEEP_AFTER:
                self._keep()
            self._show_progress()
        elif isinstance(message, Damaged):
            self._without(message.job, message.folder, message.picture)

    def failed(self, job: ScoreJob, failure: Failed) -> None:
        items = self._given.pop(job.number)
        if failure.tried and not failure.data:
            # A metric may have ended the process. Which one is found out before the jobs that were given are gone on
            # with: each of them would end two processes more.
            self._outdated = self._number
        parts: list[_Item] = []
        if failure.tried and len(items) > 1:
            parts = items
        elif failure.tried and not failure.data:
            parts = [items[0].only(name) for name in items[0].variants]
        if len(parts) > 1:
            self._apart.extendleft(reversed(parts))
            return
        if parts:
            self._trials.lost(parts[0].variants[0], failure)
        for item in items:
            self._lose(item, failure.status, f"scoring failed: {failure.reason}")
        self._show_progress()

    def cannot_load(self, failure: LoadFailed) -> None:
        for name in list(self._versions):
            del self._versions[name]
            self._broken[name] = Score({}, failure.status, f"scoring failed: {failure.reason}")
        self._waiting.clear()
        self._apart.clear()

    @property
    def hopeless(self) -> str:
        return ""

    def _without(self, job: int, folder: Path, picture: str) -> None:
        """An output turned out to be damaged: score the others, and let it be restored."""
        for item in self._given.pop(job):
            rest = []
            for asked in item.outputs:
                if asked.cell.folder == folder and item.picture == picture:
                    asked.cell.drop(picture)
                    self.damaged.append(Place(asked.chain, item.sample))
                    self._total -= len(asked.variants)
                    keys = self._keys(asked.output, item.sample)
                    self._known_of(asked.cell).difference_update(keys[name][:DIGITS] for name in asked.variants)
                else:
                    rest.append(asked)
            if rest:
                self._waiting.appendleft(_Item(item.sample, tuple(rest)))

    def _lose(self, item: _Item, status: Status, reason: str) -> None:
        for asked in item.outputs:
            for name in asked.variants:
                self._note(item.sample, asked, name, Score({}, status, reason))

    def _note(self, sample: Sample, asked: _Asked, name: str, score: Score) -> None:
        self._done += 1
        key = self._keys(asked.output, sample)[name]
        fresh = self._fresh.setdefault(asked.cell.key, _Fresh(asked.cell, {}, {}))
        if score.status == "ok":
            self._trials.worked(name)
            fresh.scores[key] = score.regions
        else:
            if score.status == "skipped":
                fresh.skipped[key] = score.reason
            same = self._reasons.setdefault((score.status, score.reason), score)
            self._problems.setdefault(asked.cell.key, {})[key[:DIGITS]] = same

    def _keep(self) -> None:
        for key, fresh in list(self._fresh.items()):
            fresh.cell.score(fresh.scores)
            fresh.cell.skip_scores(fresh.skipped)
            del self._fresh[key]
        self._unkept = 0

    def _show_progress(self) -> None:
        if self._shown:
            self.display.advance(self._done)

    def _keys(self, output: Output, sample: Sample) -> Mapping[str, str]:
        """The key of each variant's score of an output; those of the last one are at hand, as it is asked for often."""
        beside = (picture.fingerprint if picture is not None else "" for picture in (sample.clear, sample.drops))
        pictures = (output.sha256, *beside)
        if self._last[0] != pictures:
            keys = {name: key_of([*pictures, name, *self._versions[name], self.device.type]) for name in self._versions}
            self._last = pictures, keys
        return self._last[1]


class _Trials:
    """Which metric variants end the processes that they are worked out in, and when it is enough."""

    def __init__(self) -> None:
        self.suspects: Counter[str] = Counter()
        """Failures in a row of those whose last try failed."""
        self.given_up: dict[str, str] = {}
        """Why."""
        self._ever_worked: set[str] = set()

    def worked(self, name: str) -> None:
        self._ever_worked.add(name)
        del self.suspects[name]

    def lost(self, name: str, failure: Failed) -> None:
        """A job for this variant alone came to nothing."""
        # After a lack of memory smaller pictures may still fit.
        self.suspects[name] = 0 if failure.status == "oom" else self.suspects[name] + 1
        if self.suspects[name] >= GIVE_UP and name not in self._ever_worked:
            del self.suspects[name]
            self.given_up[name] = f"not tried after {GIVE_UP} failures in a row, the last: {failure.reason}"


class _Fresh(NamedTuple):
    """What is to be kept in a cell, by the keys of the scores."""

    cell: Cell
    scores: dict[str, Mapping[str, float]]
    skipped: dict[str, str]


class _Asked(NamedTuple):
    """An output and the names of the metric variants that are to be worked out."""

    chain: str
    cell: Cell
    output: Output
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """What is missing of one picture. Thousands wait, so that what a worker is told is made when it is sent."""

    sample: Sample
    outputs: tuple[_Asked, ...]

    @property
    def picture(self) -> str:
        return self.sample.rainy.fingerprint

    @property
    def pixels(self) -> int:
        """Of its truth, which is as large as its outputs."""
        return max(asked.output.height * asked.output.width for asked in self.outputs)

    @property
    def variants(self) -> list[str]:
        """Names of the metric variants that any output lacks."""
        return list(dict.fromkeys(name for asked in self.outputs for name in asked.variants))

    def only(self, *names: str) -> _Item:
        """The part of it that is about these metric variants."""
        parts = [asked._replace(variants=tuple(filter(names.__contains__, asked.variants))) for asked in self.outputs]
        return _Item(self.sample, tuple(asked for asked in parts if asked.variants))

    def to_score(self) -> ScoreItem:
        """It as a worker is told of it."""
        outputs = [
            ScoredOutput(
                asked.cell.folder, asked.output.sha256, asked.output.height * asked.output.width, asked.variants
            )
            for asked in self.outputs
        ]
        return ScoreItem(self.picture, self.sample.clear, self.sample.drops, tuple(outputs))


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
