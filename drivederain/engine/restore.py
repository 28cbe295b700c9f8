"""Restore: run each stage on the pictures whose outputs are not in its cell yet."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell
from drivederain.engine.device import DeviceRunner
from drivederain.engine.display import Display
from drivederain.engine.memory import PeakMemory
from drivederain.engine.settings import Overwrite
from drivederain.engine.stages import ReadyStage
from drivederain.errors import DriveDeRainError, MethodError

GIVE_UP = 5
"""After so many failures in a row, with no success before, the method is not tried on the rest."""


class Restorer:
    """Runs stages; a loaded method is kept until another stage is needed."""

    def __init__(self, cache: Path, display: Display, overwrite: Overwrite = "never") -> None:
        self.cache, self.display, self.overwrite = cache, display, overwrite
        self._cells: dict[str, Cell] = {}
        self._runner: tuple[str, DeviceRunner] | None = None
        self._done: set[tuple[str, str]] = set()
        """(cell, picture) restored by this run: ``--overwrite always`` computes each once."""

    def cell(self, stage: ReadyStage) -> Cell:
        """The stage's cell, opened once."""
        if stage.chain.name not in self._cells:
            self._cells[stage.chain.name] = stage.cell(self.cache)
        return self._cells[stage.chain.name]

    def restore(self, stage: ReadyStage, samples: Sequence[Sample], words: str) -> int:
        """Restore what is missing; returns how many pictures were. Failures are kept in the cell, not raised."""
        cell = self.cell(stage)
        missing = [sample for sample in samples if self._wanted(cell, sample)]
        if not missing or not stage.usable:
            return 0
        self.display.begin(f"restore {stage.chain.name} on {words}", len(missing))
        memory = PeakMemory(stage.device)
        memory.start()
        restored = failures = 0
        for number, sample in enumerate(missing, start=1):
            if failures >= GIVE_UP and not restored:
                cell.fail(sample.rainy.fingerprint, "failed", f"not tried after {GIVE_UP} failures in a row: {stage.reason}")
            elif self._one(stage, cell, sample):
                restored += 1
            else:
                failures += 1
                stage.reason = stage.reason or cell.failures[sample.rainy.fingerprint].reason
            if not stage.usable:  # it could not be loaded at all
                break
            self.display.advance(number)
        if restored:
            cell.remember({"facts": stage.facts, "peak_memory_mb": round(memory.peak_mb(), 1)})
        self.display.end(f"{restored} restored" + (f", {failures} failed" if failures else ""))
        return restored

    def output(self, stage: ReadyStage, sample: Sample) -> NDArray[np.uint8]:
        """The stage's output of one sample, restored now if it is missing.

        Raises:
            MethodError: it failed; the message has the reason.
        """
        cell, name = self.cell(stage), sample.rainy.fingerprint
        if not cell.has(name) and not self._one(stage, cell, sample):
            reason = cell.failures[name].reason if name in cell.failures else stage.reason
            raise MethodError(f"{stage.chain.name} failed on {sample.source_file or sample.image}: {reason}")
        return cell.read(name)

    def release(self) -> None:
        """Free the loaded method."""
        if self._runner is not None:
            self._runner[1].method.close()
            self._runner = None
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _wanted(self, cell: Cell, sample: Sample) -> bool:
        name = sample.rainy.fingerprint
        if self.overwrite == "always":
            return (cell.key, name) not in self._done
        if cell.has(name):
            return False
        return name not in cell.failures or (self.overwrite == "failed" and (cell.key, name) not in self._done)

    def _one(self, stage: ReadyStage, cell: Cell, sample: Sample) -> bool:
        name = sample.rainy.fingerprint
        self._done.add((cell.key, name))
        try:
            rainy = sample.rainy.load()
            estimate = None
            if stage.before is not None:
                estimate = self.output(stage.before, sample)
            runner = self._loaded(stage)
            if estimate is not None and stage.spec.kind == "stage":
                rainy, estimate = estimate, None
            restored = runner.restore([name], [rainy], None if estimate is None else [estimate])[0]
            cell.store(
                name,
                restored.pixels,
                milliseconds=1000 * restored.seconds,
                batch=1,
                measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        except Exception as error:
            status, reason = describe(error)
            stage.traceback = stage.traceback or traceback.format_exc()
            cell.fail(name, status, reason)
            return False
        return True

    def _loaded(self, stage: ReadyStage) -> DeviceRunner:
        if self._runner is None or self._runner[0] != stage.chain.name:
            self.release()
            try:
                self._runner = (stage.chain.name, stage.load())
            except Exception as error:
                stage.status, stage.reason = describe(error)
                raise
        return self._runner[1]


def describe(error: Exception) -> tuple[str, str]:
    """The status and the reason of a row, from what was raised."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "oom", f"out of memory: {str(error).splitlines()[0] if str(error) else 'the picture is too large'}"
    if isinstance(error, DriveDeRainError):
        return "failed", str(error)
    return "failed", f"{type(error).__name__}: {error}"
