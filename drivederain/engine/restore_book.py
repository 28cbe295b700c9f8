"""What a run keeps of the restoring of one stage: which pictures are next, and what became of the others."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell, Failure
from drivederain.engine.display import Display
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.staging import padded
from drivederain.engine.step_down import SMALLEST_TILE
from drivederain.engine.worker.book import Book
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Finished,
    Loaded,
    LoadFailed,
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
SHORT_OF_MEMORY = 512
"""Side of the tiles, in pixels, with which a method is tried again after its process was killed for its memory."""


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
        """Their estimates of the stage before were damaged and are taken out."""
        self._parts: dict[str, int] = {}
        self._of: dict[str, tuple[str, Sample]] = {}
        self._waiting: deque[RestoreJob] = deque()
        self._alone: set[str] = set()
        """Pictures that are to be timed alone and have no answer yet."""
        for sample_set, missing in parts:
            self._plan(sample_set, missing, batches)
        self._numbers = len(self._waiting)
        self._now = ""
        self._tried = self._restored = self._failed = 0
        self._ever_restored = False
        self._in_a_row, self._last = 0, ("", True)
        self._began = 0.0

    def _plan(
        self,
        sample_set: SampleSet,
        missing: Sequence[Sample],
        batches: Mapping[str, tuple[str, tuple[str, ...]]],
    ) -> None:
        every = {sample.rainy.fingerprint: sample for sample in sample_set.samples}
        timed = sum(self.cell.outputs[name].alone for name in every if name in self.cell.outputs)
        alone = min(ALONE, (len(every) + 1) // 2)  # the others give the throughput
        groups = dict.fromkeys(batches[sample.rainy.fingerprint] for sample in missing)
        for number, (batch, names) in enumerate(groups):
            self._of |= {name: (sample_set.name, every[name]) for name in names}
            items = tuple(RestoreItem(every[name].rainy, name, "") for name in names)
            job = RestoreJob(len(self._waiting), items, batch, alone=number + timed < alone)
            self._waiting.append(job)
            if job.alone:
                self._alone.update(names)
        self._parts[sample_set.name] = sum(len(names) for _, names in groups)

    def task(self, job: RestoreJob | None) -> RestoreTask:
        tile, forced = None, ""
        needs = self.stage.spec.needs
        if job is not None and needs.may_tile:
            tile = padded(max(SMALLEST_TILE, SHORT_OF_MEMORY), needs)
            forced = f"tile {tile}"
        return RestoreTask(
            stage=self.stage,
            folder=self.cell.folder,
            before=self.before.folder if self.before is not None else None,
            threads=self.threads,
            timeout=self.settings.timeout,
            allow_lower_precision=self.settings.lower_precision,
            tile=tile,
            forced=forced,
        )

    def next(self) -> RestoreJob | None:
        while self._waiting:
            job = self._waiting.popleft()
            items = [item for item in job.items if self._has_estimate(item.picture)]
            if items:
                estimates = [self.before.outputs[item.picture].sha256 if self.before else "" for item in items]
                ready = tuple(
                    RestoreItem(item.rainy, item.picture, estimate)
                    for item, estimate in zip(items, estimates, strict=True)
                )
                return RestoreJob(job.number, ready, job.group, job.alone, job.note)
        return None

    def _has_estimate(self, picture: str) -> bool:
        """Whether the stage before has an output of the picture; if not, that is why this one has none."""
        if self.before is None or self.before.has(picture):
            return True
        assert self.stage.before is not None
        failure = self.before.failures.get(picture)
        name = self.stage.before.chain.name
        if failure is not None:
            problem = Failure(picture, failure.status, f"{name} before it: {failure.reason}")
        else:
            problem = Failure(picture, "failed", f"{name} before it: not restored")
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
        elif isinstance(message, Finished):
            self.cell.remember(_together(self.cell.facts, dict(message.facts)))

    def failed(self, job: RestoreJob, failure: Failed) -> None:
        if len(job.items) > 1 and not self.hopeless:
            # One bad picture must not take the others with it.
            note = f"batch {len(job.items)}→1"
            for item in reversed(job.items):
                self._waiting.appendleft(RestoreJob(self._numbers, (item,), job.group, alone=False, note=note))
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
        if name != self._now:
            self._end()
            self._now, self._tried, self._restored, self._failed = name, 0, 0, 0
            self._began = time.monotonic()
            self.display.begin(f"restore {self.stage.chain.name} on {name}", self._parts[name])
        self._tried += 1
        self._restored += restored
        self._failed += not restored
        self.work[name] = (self._restored, time.monotonic() - self._began)
        self.display.advance(self._tried)
        self._alone.discard(picture)
        if self._tried == self._parts[name]:
            self._end()
        if self._done is not None:
            self._done(sample, bool(self._alone))

    def _end(self) -> None:
        if self._now:
            self.display.end(f"{self._restored} restored" + (f", {self._failed} failed" if self._failed else ""))
            self._now = ""


def _together(known: dict[str, object], fresh: dict[str, object]) -> dict[str, object]:
    """Facts of a cell after another worker: counts add up, peaks are the largest, the rest is the newest."""
    merged = known | fresh
    for name in ("throughput", "energy"):
        parts = [part for part in (known.get(name), fresh.get(name)) if isinstance(part, dict)]
        if parts:
            merged[name] = {key: sum(part[key] for part in parts) for key in parts[0]}
    peaks = [value for value in (known.get("peak_memory_mb"), fresh.get("peak_memory_mb")) if isinstance(value, float)]
    if peaks:
        merged["peak_memory_mb"] = max(peaks)
    return merged
