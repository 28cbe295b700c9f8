"""Outputs of a stage, restored in this process when they are missing: what a training asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell, DamagedOutput, Failure, store_output
from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.failures import MethodCodeError, StageFailed, describe
from drivederain.engine.hardware import hardware_name
from drivederain.engine.held_lock import held
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage

Pixels = NDArray[np.uint8]


class OnDemand:
    """Outputs by stage and sample; they are kept in the stage's cell like any others, and loaded stages are kept.

    The cell's lock is held for one picture at a time: a training goes on for long after its last estimate was restored,
    and other runs must not wait for that. Never two locks at once, so that no two runs wait for each other.
    """

    def __init__(self, settings: RunSettings, tell: Callable[[str], None]) -> None:
        """``tell``: told in a few words what goes on, at every pass of a stage and while another run is waited for."""
        self.settings, self._tell = settings, tell
        self._cells: dict[str, Cell] = {}
        self._read: dict[str, _Times] = {}
        """What the files of a cell, by its key, were like when they were last read or written here."""
        self._runners: dict[str, DeviceRunner] = {}

    def output(self, stage: ReadyStage, sample: Sample) -> Pixels:
        """The output, H x W x 3 RGB 8 bit.

        Raises:
            StageFailed: the stage failed; the message has the reason.
            DataError: the picture cannot be read.
            OSError: the cache cannot be written.
        """
        _refuse_masks(stage)
        cell, picture = self._cell(stage), sample.rainy.fingerprint
        known = _kept(cell, picture)
        if known is not None:
            return known
        rainy = sample.rainy.load()
        estimate = self.output(stage.before, sample) if stage.before is not None else None
        with held(cell.lock(), lambda: self._tell(f"waits for another run that restores {stage.chain.name}")):
            # Another run may have restored it meanwhile.
            if self._read[cell.key] != _times(cell):
                cell.reload()
            known = _kept(cell, picture)
            if known is None:
                self._check(stage, cell, picture)
                known = self._restore(stage, cell, picture, rainy, estimate)
            self._read[cell.key] = _times(cell)
        return known

    def anew(self, stage: ReadyStage, rainy: Sequence[Pixels]) -> list[Pixels]:
        """The outputs of pictures of one size that are no sample's; they are not kept.

        Raises:
            StageFailed: the stage failed; the message has the reason.
        """
        _refuse_masks(stage)
        before = self.anew(stage.before, rainy) if stage.before is not None else None
        names = [noise_name(picture) for picture in rainy]
        try:
            runner = self._loaded(stage)
            if before is not None and stage.spec.kind == "refiner":
                restored = runner.restore(names, rainy, before)
            else:
                restored = runner.restore(names, rainy if before is None else before, None)
        except MethodCodeError as error:
            status, reason = describe(error)
            raise StageFailed(status, f"{stage.chain.name} before it: {reason}") from error
        return [each.pixels for each in restored]

    def close(self) -> None:
        """Free the loaded stages."""
        for runner in self._runners.values():
            runner.method.close()
        self._runners.clear()

    def _check(self, stage: ReadyStage, cell: Cell, picture: str) -> None:
        """Raise what is known of a picture that the stage failed on and would fail on again."""
        failure = cell.failures.get(picture)
        if failure is not None and not self.settings.tries_again(failure.status, failure.limit):
            raise StageFailed(failure.status, f"{stage.chain.name} before it: {failure.reason}")

    def _cell(self, stage: ReadyStage) -> Cell:
        name = stage.chain.name
        if name not in self._cells:
            cell = self._cells[name] = stage.cell(self.settings.cache)
            self._read[cell.key] = None  # it may have changed while it was read
        return self._cells[name]

    def _restore(self, stage: ReadyStage, cell: Cell, picture: str, rainy: Pixels, estimate: Pixels | None) -> Pixels:
        try:
            runner = self._loaded(stage)
        except MethodCodeError as error:  # which is nothing to note of the picture: the next run loads it anew
            status, reason = describe(error)
            raise StageFailed(status, f"{stage.chain.name} before it: {reason}") from error
        try:
            names = [noise_name(rainy)]
            if stage.spec.kind == "refiner" and estimate is not None:
                restored = runner.restore(names, [rainy], [estimate])[0]
            else:
                restored = runner.restore(names, [rainy if estimate is None else estimate], None)[0]
        except MethodCodeError as error:
            status, reason = describe(error)
            # Beside a training there is less memory than the run itself will have for the picture.
            limit = self.settings.timeout if status == "timeout" else None
            cell.fail(Failure(picture, status, reason, limit), lasting=status != "oom")
            raise StageFailed(status, f"{stage.chain.name} before it: {reason}") from error
        output = store_output(
            cell.folder,
            picture,
            restored.pixels,
            seconds=restored.seconds,
            hardware=hardware_name(stage.device),
            stepped_down=restored.stepped_down,
        )
        cell.add([output])
        return restored.pixels

    def _loaded(self, stage: ReadyStage) -> DeviceRunner:
        name = stage.chain.name
        if name not in self._runners:
            runner = stage.load(allow_lower_precision=self.settings.lower_precision)
            runner.timeout = self.settings.timeout
            runner.on_pass = lambda: self._tell(f"restores estimates of {name}")
            self._runners[name] = runner
        return self._runners[name]


def _refuse_masks(stage: ReadyStage) -> None:
    """Crops of a training have no drop masks that a stage before could use."""
    if stage.uses_masks:
        raise StageFailed(
            "skipped", f"{stage.chain.name} uses the drop masks of the data, and nothing can be trained behind it"
        )


def _kept(cell: Cell, picture: str) -> Pixels | None:
    """The output if it is there and whole."""
    try:
        return cell.read(picture) if cell.has(picture) else None
    except DamagedOutput:
        return None


_Times = tuple[tuple[int, int], ...] | None


def _times(cell: Cell) -> _Times:
    """Lengths and times of the files that tell what is in a cell."""
    found = []
    for name in ("outputs.jsonl", "failures.jsonl"):
        try:
            about = (cell.folder / name).stat()
        except FileNotFoundError:
            continue
        found.append((about.st_size, about.st_mtime_ns))
    return tuple(found)
