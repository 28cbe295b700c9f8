"""Outputs of a stage one at a time, restored in this process when they are missing: what a training asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell, DamagedOutput, Failure, store_output
from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.stages import ReadyStage
from drivederain.errors import MethodError


class OnDemand:
    """Outputs by stage and sample; they are kept in the stage's cell like any others, and a loaded stage is kept."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._cells: dict[str, Cell] = {}
        self._runner: tuple[str, DeviceRunner] | None = None

    def output(self, stage: ReadyStage, sample: Sample) -> NDArray[np.uint8]:
        """The output, H x W x 3 RGB 8 bit.

        Raises:
            MethodError: the stage failed; the message has the reason.
        """
        cell, picture = self._cell(stage), sample.rainy.fingerprint
        if cell.has(picture):
            try:
                return cell.read(picture)
            except DamagedOutput:
                return self._restore(stage, cell, sample)
        if picture in cell.failures:
            raise MethodError(f"{stage.chain.name} before it: {cell.failures[picture].reason}")
        return self._restore(stage, cell, sample)

    def close(self) -> None:
        """Free the loaded stage."""
        if self._runner is not None:
            self._runner[1].method.close()
            self._runner = None

    def _cell(self, stage: ReadyStage) -> Cell:
        name = stage.chain.name
        if name not in self._cells:
            self._cells[name] = stage.cell(self.cache)
        return self._cells[name]

    def _restore(self, stage: ReadyStage, cell: Cell, sample: Sample) -> NDArray[np.uint8]:
        rainy = sample.rainy.load()
        estimate = self.output(stage.before, sample) if stage.before is not None else None
        picture = sample.rainy.fingerprint
        try:
            runner = self._loaded(stage)
            names = [noise_name(rainy)]
            if stage.spec.kind == "refiner" and estimate is not None:
                restored = runner.restore(names, [rainy], [estimate])[0]
            else:
                restored = runner.restore(names, [rainy if estimate is None else estimate], None)[0]
        except MethodCodeError as error:
            status, reason = describe(error)
            cell.fail(Failure(picture, status, reason))
            raise MethodError(f"{stage.chain.name} before it: {reason}") from error
        output = store_output(
            cell.folder, picture, restored.pixels, seconds=restored.seconds, stepped_down=restored.stepped_down
        )
        cell.add([output])
        return restored.pixels

    def _loaded(self, stage: ReadyStage) -> DeviceRunner:
        if self._runner is None or self._runner[0] != stage.chain.name:
            self.close()
            self._runner = (stage.chain.name, stage.load())
        return self._runner[1]
