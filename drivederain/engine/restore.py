"""Restore: run each stage on the pictures whose outputs are not in its cell yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell
from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.display import Display
from drivederain.engine.failures import MethodCodeError, describe, traceback_of
from drivederain.engine.memory import PeakMemory
from drivederain.engine.settings import Overwrite
from drivederain.engine.stages import ReadyStage
from drivederain.errors import MethodError

GIVE_UP = 5
"""After so many failures in a row, with no success before, the method is not tried on the rest."""


class Restorer:
    """Runs stages; a loaded method is kept until another stage is needed."""

    def __init__(
        self, cache: Path, display: Display, overwrite: Overwrite = "never", timeout: float | None = None
    ) -> None:
        """``timeout``: seconds that a method may take for one picture."""
        self.cache, self.display, self.overwrite, self.timeout = cache, display, overwrite, timeout
        self._cells: dict[str, Cell] = {}
        self._runner: tuple[str, DeviceRunner] | None = None
        self._tried: set[tuple[str, str]] = set()
        """(cell, picture) that this run tried: ``--overwrite`` computes each once."""

    def cell(self, stage: ReadyStage) -> Cell:
        """The stage's cell, opened once."""
        if stage.chain.name not in self._cells:
            self._cells[stage.chain.name] = stage.cell(self.cache)
        return self._cells[stage.chain.name]

    def restore(self, stage: ReadyStage, samples: Sequence[Sample], words: str) -> int:
        """Restore what is missing; returns how many pictures were.

        What the method does wrong is kept in the cell; that it cannot be loaded is noted in ``stage`` and tried again
        by the next run.

        Raises:
            DataError: a picture of the data cannot be read any more.
        """
        cell = self.cell(stage)
        missing = [sample for sample in samples if self._wanted(cell, sample.rainy.fingerprint)]
        if not missing or not stage.usable:
            return 0
        self.display.begin(f"restore {stage.chain.name} on {words}", len(missing))
        memory = PeakMemory(stage.device)
        memory.start()
        restored = failed = in_a_row = 0
        reason = ""
        for number, sample in enumerate(missing, start=1):
            name = sample.rainy.fingerprint
            if in_a_row >= GIVE_UP and not restored:
                cell.fail(name, "failed", f"not tried after {GIVE_UP} failures in a row, the last: {reason}")
                failed += 1
            elif self._one(stage, cell, sample):
                restored, in_a_row = restored + 1, 0
            elif not stage.usable:
                break
            else:
                failed, reason = failed + 1, cell.failures[name].reason
                # Smaller pictures may still fit into memory.
                in_a_row = 0 if cell.failures[name].status == "oom" else in_a_row + 1
            self.display.advance(number)
        if restored:
            cell.remember(cell.facts | {"peak_memory_mb": round(memory.peak_mb(), 1)})
        self.display.end(f"{restored} restored" + (f", {failed} failed" if failed else ""))
        return restored

    def output(self, stage: ReadyStage, sample: Sample) -> NDArray[np.uint8]:
        """The stage's output of one sample, restored now if it is missing.

        Raises:
            MethodError: it failed; the message has the reason.
        """
        cell, name = self.cell(stage), sample.rainy.fingerprint
        if not cell.has(name) and (name in cell.failures or not self._one(stage, cell, sample)):
            reason = cell.failures[name].reason if name in cell.failures else stage.reason
            raise MethodError(f"{stage.chain.name} before it: {reason}")
        return cell.read(name)

    def release(self) -> None:
        """Free the loaded method."""
        if self._runner is not None:
            (_, runner), self._runner = self._runner, None
            try:
                runner.method.close()
            except MethodCodeError as error:
                self.display.warn(f"{runner.spec.name}: closing it failed: {describe(error)[1]}")
            self._free_memory()

    def _wanted(self, cell: Cell, name: str) -> bool:
        tried = (cell.key, name) in self._tried
        if self.overwrite == "always":
            return not tried
        if cell.has(name):
            return False
        return name not in cell.failures or (self.overwrite == "failed" and not tried)

    def _one(self, stage: ReadyStage, cell: Cell, sample: Sample) -> bool:
        name = sample.rainy.fingerprint
        self._tried.add((cell.key, name))
        rainy = sample.rainy.load()
        try:
            estimate = self.output(stage.before, sample) if stage.before is not None else None
        except MethodError as error:
            if stage.usable:
                before = self.cell(stage.before).failures[name] if stage.before is not None else None
                cell.fail(name, before.status if before else "failed", str(error))
            else:
                self.display.warn(f"{stage.chain.name}: {error}")
            return False
        runner = self._loaded(stage)
        if runner is None:
            return False
        try:
            noise = noise_name(rainy)
            runner.timeout = self.timeout
            if estimate is None:
                restored = runner.restore([noise], [rainy], None)[0]
            elif stage.spec.kind == "stage":
                restored = runner.restore([noise], [estimate], None)[0]
            else:
                restored = runner.restore([noise], [rainy], [estimate])[0]
        except MethodCodeError as error:
            status, reason = describe(error)
            self._note(stage, error, reason)
            cell.fail(name, status, reason)
            self._free_memory()
            return False
        cell.store(
            name,
            restored.pixels,
            milliseconds=1000 * restored.seconds,
            batch=1,
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return True

    def _loaded(self, stage: ReadyStage) -> DeviceRunner | None:
        """The stage's runner; ``None`` where it cannot be loaded, which ``stage`` then says."""
        if self._runner is None or self._runner[0] != stage.chain.name:
            self.release()
            try:
                self._runner = (stage.chain.name, stage.load())
            except MethodCodeError as error:
                stage.status, reason = describe(error)
                self._note(stage, error, reason)
                return None
            cell = self.cell(stage)
            cell.remember(cell.facts | {"facts": stage.facts})
        return self._runner[1]

    @staticmethod
    def _note(stage: ReadyStage, error: BaseException, reason: str) -> None:
        stage.reason = stage.reason or reason
        stage.traceback = stage.traceback or traceback_of(error)

    @staticmethod
    def _free_memory() -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
