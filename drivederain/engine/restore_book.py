"""What a run keeps of the restoring of one stage: which pictures are next, and what became of the others."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell, Failure
from drivederain.engine.display import Display
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.timings import part_of
from drivederain.engine.worker.book import Book
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Finished,
    Loaded,
    LoadFailed,
    Measured,
    Message,
    Restored,
    RestoreItem,
    RestoreJob,
    RestoreTask,
)

GIVE_UP = 5
"""After so many failures in a row, with no success before, the method is not tried on the rest."""
ALONE = 20
"""Pictures of a data set that are timed with nothing else going on; of a small one half of them."""


@dataclass
class _Progress:
    """Of one sample set: how many pictures are to be tried, were tried, came out, and when the first one did."""

    total: int
    tried: int = 0
    restored: int = 0
    began: float = 0.0


class RestoreBook(Book[RestoreJob]):
    """Jobs and answers of one stage."""

    def __init__(
        self,
        stage: ReadyStage,
        cell: Cell,
        before: Cell | None,
        parts: Sequence[tuple[SampleSet, Sequence[Sample]]],
        batches: Mapping[str, tuple[str, tuple[str, ...]]],
        *,
        display: Display,
        threads: int,
        settings: RunSettings,
        done: Callable[[Sample, bool], None] | None,
    ) -> None:
        """
        Args:
            parts: of each sample set what is missing; a picture is in one of them only.
            batches: of all pictures (``batches_of``).
        """
        self.stage, self.cell, self.before = stage, cell, before
        self.display, self.threads, self.settings, self._done = display, threads, settings, done
        self.work: dict[str, tuple[int, float]] = {}
        """Pictures restored and seconds taken, by sample set."""
        self.damaged: list[Sample] = []
        """Their estimates of the stage before were damaged, and are taken out, or were taken out by others."""
        self._progress: dict[str, _Progress] = {}
        self._too_large: list[tuple[int, int]] = []
        self._of: dict[str, tuple[str, Sample]] = {}
        self._waiting: deque[RestoreJob] = deque()
        self._alone: set[str] = set()
        """Pictures that are to be timed alone and have no answer yet."""
        for sample_set, missing in parts:
            self._plan(sample_set, missing, batches)
        self._numbers = len(self._waiting)
        self._shown = ""
        """The sample set that the display shows."""
        self._ever_restored = False
        self._in_a_row, self._last = 0, ("", True)

    def _plan(
        self,
        sample_set: SampleSet,
        missing: Sequence[Sample],
        batches: Mapping[str, tuple[str, tuple[str, ...]]],
    ) -> None:
        # Of pictures that are there twice the first counts, as in ``batches_of``.
        every = {sample.rainy.fingerprint: sample for sample in reversed(sample_set.samples)}
        timed = sum(self.cell.outputs[name].alone for name in every if name in self.cell.outputs)
        alone = min(ALONE, (len(every) + 1) // 2)  # the others give the throughput
        part = part_of(sample_set)
        groups = dict.fromkeys(batches[sample.rainy.fingerprint] for sample in missing)
        for number, (batch, names) in enumerate(groups):
            self._of |= {name: (sample_set.name, every[name]) for name in names}
            masks = {name: every[name].mask if self.stage.own_masks else None for name in names}
            items = tuple(RestoreItem(every[name].rainy, name, "", masks[name]) for name in names)
            job = RestoreJob(len(self._waiting), items, batch, part, alone=number + timed < alone)
            self._waiting.append(job)
            if job.alone:
                self._alone.update(names)
        self._progress[sample_set.name] = _Progress(sum(len(names) for _, names in groups))

    def task(self) -> RestoreTask:
        return RestoreTask(
            stage=self.stage,
            folder=self.cell.folder,
            before=self.before.folder if self.before is not None else None,
            threads=self.threads,
            timeout=self.settings.timeout,
            allow_lower_precision=self.settings.lower_precision,
            too_large=tuple(self._too_large),
        )

    def too_large(self, size: tuple[int, int]) -> None:
        self._too_large.append(size)

    def next(self) -> RestoreJob | None:
        while self._waiting:
            job = self._waiting.popleft()
            if lost := [item.picture for item in job.items if self._is_lost(item.picture)]:
                self.damaged += [self._of[picture][1] for picture in lost]
                self._alone.difference_update(item.picture for item in job.items)
                continue
            items = [item for item in job.items if self._has_estimate(item.picture)]
            if items:
                estimates = [self.before.outputs[item.picture].sha256 if self.before else "" for item in items]
                ready = tuple(
                    RestoreItem(item.rainy, item.picture, estimate, item.mask)
                    for item, estimate in zip(items, estimates, strict=True)
                )
                return RestoreJob(job.number, ready, job.group, job.part, job.alone, job.note)
        return None

    def _is_lost(self, picture: str) -> bool:
        """Whether the estimate was taken out of the cache: the stage before neither has it nor failed on it."""
        return self.before is not None and not self.before.has(picture) and picture not in self.before.failures

    def _has_estimate(self, picture: str) -> bool:
        """Whether the stage before has an output of the picture; if not, that is why this one has none."""
        if self.before is None or self.before.has(picture):
            return True
        assert self.stage.before is not None
        failure = self.before.failures[picture]
        problem = Failure(picture, failure.status, f"{self.stage.before.chain.name} before it: {failure.reason}")
        # Not its own doing: when the stage before is tried again, so is this one.
        self.cell.fail(problem, lasting=False)
        self._note(picture, restored=False)
        return False

    def handle(self, message: Message) -> None:
        if isinstance(message, Loaded):
            self.cell.remember(self.cell.facts | {"facts": dict(message.facts)})
        elif isinstance(message, Restored):
            self.cell.add(message.outputs)
            self._in_a_row, self._ever_restored = 0, True
            for output in message.outputs:
                self._note(output.picture, restored=True)
        elif isinstance(message, Damaged):
            assert self.before is not None
            self.before.drop(message.picture)
            self.damaged.append(self._of[message.picture][1])
            self._alone.discard(message.picture)
        elif isinstance(message, Measured | Finished):
            self.cell.remember(_together(self.cell.facts, dict(message.facts)))

    def failed(self, job: RestoreJob, failure: Failed) -> None:
        if len(job.items) > 1 and not self.hopeless:
            # One bad picture must not take the others with it.
            note = f"batch {len(job.items)}→1"
            for item in reversed(job.items):
                self._waiting.appendleft(
                    RestoreJob(self._numbers, (item,), job.group, job.part, alone=False, note=note)
                )
                self._numbers += 1
            return
        lasting = failure.lasting
        if failure.status != "oom" and not failure.data:
            # Smaller pictures may still fit into memory, and unreadable data are not the method's doing.
            if self.hopeless:
                lasting = lasting and self._last[1]
            else:
                self._in_a_row += 1
                self._last = (failure.reason, lasting)
        elif not failure.data:
            self._in_a_row = 0
        self.stage.traceback = self.stage.traceback or failure.traceback
        for item in job.items:
            if not failure.tried and self.cell.has(item.picture):
                # It was to be done over; what was there is as good as it was.
                self._note(item.picture, restored=False)
                continue
            problem = Failure(item.picture, failure.status, failure.reason, failure.limit)
            self.cell.fail(problem, lasting=lasting)
            self._note(item.picture, restored=False)

    def cannot_load(self, failure: LoadFailed) -> None:
        self.stage.status, self.stage.reason, self.stage.traceback = failure.status, failure.reason, failure.traceback

    @property
    def hopeless(self) -> str:
        if self._in_a_row < GIVE_UP or self._ever_restored:
            return ""
        return f"not tried after {GIVE_UP} failures in a row, the last: {self._last[0]}"

    def close(self) -> None:
        """Say the last words of the display."""
        self._end()

    def _note(self, picture: str, *, restored: bool) -> None:
        name, sample = self._of[picture]
        of = self._progress[name]
        if name != self._shown:  # answers may come out of order where two sample sets meet
            self._end()
            self._shown = name
            of.began = of.began or time.monotonic()
            self.display.begin(f"restore {self.stage.chain.name} on {name}", of.total)
        of.tried += 1
        of.restored += restored
        self.work[name] = (of.restored, time.monotonic() - of.began)
        self.display.advance(of.tried)
        self._alone.discard(picture)
        if of.tried == of.total:
            self._end()
        if self._done is not None:
            self._done(sample, bool(self._alone))

    def _end(self) -> None:
        if self._shown:
            of = self._progress[self._shown]
            failed = of.tried - of.restored
            self.display.end(f"{of.restored} restored" + (f", {failed} failed" if failed else ""))
            self._shown = ""


def _together(known: dict[str, object], fresh: dict[str, object]) -> dict[str, object]:
    """Facts of a cell after another worker: counts of a part add up, peaks are the largest, the rest is the newest."""
    merged = known | fresh
    for name in ("throughput", "energy"):
        before, after = known.get(name), fresh.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            merged[name] = before | {part: _sums(before.get(part), counts) for part, counts in after.items()}
    before, after = known.get("flops"), fresh.get("flops")
    if isinstance(before, dict) and isinstance(after, dict):
        merged["flops"] = before | after
    peaks = [value for value in (known.get("peak_memory_mb"), fresh.get("peak_memory_mb")) if isinstance(value, float)]
    if peaks:
        merged["peak_memory_mb"] = max(peaks)
    return merged


def _sums(known: dict[str, float] | None, fresh: dict[str, float]) -> dict[str, float]:
    return {name: value + (known or {}).get(name, 0) for name, value in fresh.items()}
