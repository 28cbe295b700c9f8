"""Restore: have each stage run on the pictures whose outputs are not in its cell yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.batches import batches_of
from drivederain.engine.cells import Cell
from drivederain.engine.display import Display
from drivederain.engine.restore_book import RestoreBook
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.worker import inline
from drivederain.engine.worker.supervisor import Limits, Supervisor, supervise
from drivederain.results.run_folder import folder_name

MENDINGS = 3
"""Times that one stage goes back to restore outputs of the stage before it that turn out to be damaged."""


@dataclass(frozen=True)
class Work:
    """What one stage did for one sample set in this run."""

    restored: int = 0
    seconds: float = 0.0


class Restorer:
    """Restores stage after stage; what was restored before, by this run or another, is not done again."""

    def __init__(self, settings: RunSettings, display: Display, threads: int, logs: Path) -> None:
        """``logs``: folder for what workers print."""
        self.settings, self.display, self.threads, self.logs = settings, display, threads, logs
        self.limits = Limits(settings.timeout, settings.method_timeout, settings.memory_limit)
        self._cells: dict[str, Cell] = {}
        self._tried: set[tuple[str, str]] = set()
        """(cell, picture) that this run tried: each once."""

    def cell(self, stage: ReadyStage) -> Cell:
        """The stage's cell, opened once."""
        if stage.chain.name not in self._cells:
            cell = self._cells[stage.chain.name] = stage.cell(self.settings.cache)
            cell.touch()
        return self._cells[stage.chain.name]

    def missing(self, stage: ReadyStage, sample_sets: Sequence[SampleSet]) -> list[tuple[SampleSet, list[Sample]]]:
        """What is to be restored of each sample set, each picture once."""
        cell = self.cell(stage)
        batches = batches_of(sample_sets, self.settings.batch, masks=stage.uses_masks)
        seen: set[str] = set()
        parts = []
        for sample_set in sample_sets:
            found = []
            for sample in sample_set.samples:
                picture = sample.rainy.fingerprint
                if picture not in seen and self._wanted(cell, picture, batches[picture][0]):
                    found.append(sample)
                seen.add(picture)
            if found:
                parts.append((sample_set, found))
        return parts

    def restore(
        self,
        stage: ReadyStage,
        sample_sets: Sequence[SampleSet],
        *,
        beside: Supervisor | None = None,
        done: Callable[[Sample, bool], None] | None = None,
    ) -> Mapping[str, Work]:
        """Restore what is missing; what was done, by the name of the sample set.

        What the method does wrong is kept in the cell; that it cannot be loaded is noted in ``stage`` and tried again
        by the next run.

        Args:
            beside: work that goes on at the same time.
            done: told of each sample that was tried, whatever came of it, and whether pictures that must be timed
                alone are still to come.

        Raises:
            OSError: the machine cannot go on (no space on the disk).
        """
        work = {sample_set.name: Work() for sample_set in sample_sets}
        for _ in range(MENDINGS):
            if not stage.usable or not self.missing(stage, sample_sets):
                break
            with self._locked(stage):
                book = self._book(stage, sample_sets, done)
                if self.settings.isolate:
                    log = self.logs / f"{folder_name(stage.chain.name)}.log"
                    supervise(Supervisor(book, self.limits, log), beside)
                else:
                    inline.work(book)
                book.close()
            for name, (restored, seconds) in book.work.items():
                work[name] = Work(work[name].restored + restored, work[name].seconds + seconds)
            if not book.damaged or stage.before is None:
                break
            for sample in book.damaged:
                self.again(stage, sample)
                self.again(stage.before, sample)
            self.restore(stage.before, sample_sets)
        return work

    def again(self, stage: ReadyStage, sample: Sample) -> None:
        """Let a sample be restored once more, because its output was damaged."""
        self._tried.discard((self.cell(stage).key, sample.rainy.fingerprint))

    def _book(
        self, stage: ReadyStage, sample_sets: Sequence[SampleSet], done: Callable[[Sample, bool], None] | None
    ) -> RestoreBook:
        cell, parts = self.cell(stage), self.missing(stage, sample_sets)
        self._tried |= {(cell.key, sample.rainy.fingerprint) for _, missing in parts for sample in missing}
        return RestoreBook(
            stage,
            cell,
            self.cell(stage.before) if stage.before is not None else None,
            parts,
            batches_of(sample_sets, self.settings.batch, masks=stage.uses_masks),
            display=self.display,
            threads=self.threads,
            settings=self.settings,
            done=done,
        )

    @contextmanager
    def _locked(self, stage: ReadyStage) -> Iterator[None]:
        """Hold the stage's cell. Where another run restores into it, wait, and then take what it has done."""
        cell = self.cell(stage)
        lock = cell.lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.display.begin(f"wait for another run that restores {stage.chain.name}", 1)
            began = time.monotonic()
            lock.acquire(poll_interval=0.2)
            self.display.end(f"after {time.monotonic() - began:.0f} s")
        try:
            cell.reload()
            yield
        finally:
            lock.release()

    def _wanted(self, cell: Cell, picture: str, batch: str) -> bool:
        if (cell.key, picture) in self._tried and (cell.has(picture) or picture in cell.failures):
            return False  # what was tried and has come to nothing was taken out of the cache meanwhile
        if self.settings.overwrite == "always":
            return True
        if cell.has(picture) and cell.outputs[picture].group == batch:
            return False
        failure = cell.lasting(picture)
        return failure is None or self.settings.tries_again(failure.status, failure.limit)
