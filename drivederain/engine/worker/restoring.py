"""Restoring with one loaded method: pictures are decoded ahead, computed one after another, encoded and stored behind.

Only the computing is in the calling thread, where a time limit can interrupt it. A job that is to be timed alone waits
until nothing else goes on. On an accelerator a job waits until the one before is computed, so that a hang or an error
of the device is that of the job which is said to have started; reading, packing and storing go on meanwhile.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.engine.cells import DamagedOutput, read_png, store_output
from drivederain.engine.device import DeviceRunner, Pending, noise_name
from drivederain.engine.energy import EnergyMeter
from drivederain.engine.failures import MethodCodeError, describe, is_device_lost, traceback_of
from drivederain.engine.hardware import hardware_name
from drivederain.engine.memory import PeakMemory
from drivederain.engine.networks import parameters
from drivederain.engine.staging import HostBatch
from drivederain.engine.worker.jobs import AHEAD, BEHIND, PIXELS_WAITING, Ended, Jobs
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Fatal,
    Finished,
    Loaded,
    LoadFailed,
    Measured,
    Message,
    Restored,
    RestoreItem,
    RestoreJob,
    RestoreTask,
    Started,
)
from drivederain.errors import DataError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Decoded:
    """Pictures of one size, ready for the device; ``noises`` names their noise."""

    items: tuple[RestoreItem, ...]
    noises: tuple[str, ...]
    host: HostBatch


class Restoring:
    """One stage at work. ``emit`` takes the messages; several threads call it."""

    def __init__(
        self,
        task: RestoreTask,
        emit: Callable[[Message], None],
        decoder: Executor,
        storer: Executor,
        ahead: int = AHEAD,
    ) -> None:
        self.task, self.emit, self._decoder, self._storer, self._ahead = task, emit, decoder, storer, ahead
        self._spec = task.stage.spec
        self._storing: deque[Future[None]] = deque()
        self._energy = EnergyMeter(task.stage.device)
        self._no_energy = ""
        self._overlapped = Stretch("", self._energy)
        self._hardware = hardware_name(task.stage.device)
        self._computing: Pending | None = None
        self._fit = AHEAD
        """Jobs of the size of the last one that may wait."""
        self._lost = False
        """The device does not answer this process any more."""

    def run(self, jobs: Jobs[RestoreJob]) -> None:
        """Load the method, restore every job, and say ``Finished``; or end without a word when the device is lost."""
        device = self.task.stage.device
        memory = PeakMemory(device)
        memory.start()
        runner = self._load()
        if runner is None:
            return
        decoded: deque[tuple[RestoreJob, Future[list[_Decoded]]]] = deque()
        upcoming: RestoreJob | Ended | None = None
        while True:
            while len(decoded) < min(self._ahead, self._fit) and not (decoded and decoded[-1][0].alone):
                upcoming = upcoming or jobs.get(block=not decoded)
                # A job that is timed alone is the only one in the house.
                if upcoming is None or isinstance(upcoming, Ended) or (upcoming.alone and decoded):
                    break
                decoded.append((upcoming, self._decoder.submit(self._decode, runner, upcoming)))
                upcoming = None
            if not decoded or self._lost:
                break
            job, pictures = decoded.popleft()
            if job.part != self._overlapped.part:
                self._end_stretch(job.part)
            if job.alone:
                self._settle(0)
                self._overlapped.pause()
            else:
                self._overlapped.resume()
            done = self._restore(runner, job, pictures)
            if job.alone:
                self._settle(0)
            else:
                self._overlapped.pictures += done
        self._settle(0)
        if self._lost:
            return
        self._end_stretch("")
        with suppress(*MethodCodeError):
            runner.method.close()
        missing = {"flops": runner.flops_reason, "energy": self._no_energy}
        self.emit(
            Finished(
                {
                    "peak_memory_mb": round(memory.peak_mb(), 1),
                    "not_measured": {name: reason for name, reason in missing.items() if reason},
                }
            )
        )

    def _end_stretch(self, following: str) -> None:
        """The part is over when all of it is stored: say its throughput, which is kept whatever happens later."""
        self._settle(0)
        self._overlapped.pause()
        if facts := self._overlapped.facts():
            self.emit(Measured(facts))
        self._no_energy = self._energy.reason or self._no_energy
        self._energy = EnergyMeter(self.task.stage.device)
        self._overlapped = Stretch(following, self._energy)

    def _load(self) -> DeviceRunner | None:
        task = self.task
        try:
            runner = task.stage.load(allow_lower_precision=task.allow_lower_precision)
        except MethodCodeError as error:
            self.emit(LoadFailed(*describe(error), traceback_of(error)))
            return None
        runner.timeout = task.timeout
        for height, width in task.too_large:
            runner.start_smaller(height, width)
        self.emit(Loaded(task.stage.facts))
        known = {"parameters": parameters(runner.method), "threads": torch.get_num_threads()}
        self.emit(Measured({name: value for name, value in known.items() if value is not None}))
        return runner

    def _decode(self, runner: DeviceRunner, job: RestoreJob) -> list[_Decoded]:
        """The job's pictures, those of one size together."""
        by_size: dict[tuple[object, ...], list[tuple[RestoreItem, Pixels, Pixels | None]]] = {}
        for item in job.items:
            if self.task.stage.own_masks and item.mask is None:
                raise DataError(
                    f"{self._spec.name} uses drop masks as its options are, and the data have none of this picture. "
                    "Give data with masks, or other options."
                )
            rainy = item.rainy.load()
            estimate = None
            if self.task.before is not None:
                estimate = read_png(self.task.before, item.picture, item.estimate)
            by_size.setdefault((rainy.shape, item.mask is None), []).append((item, rainy, estimate))
        return [self._together(runner, group) for group in by_size.values()]

    def _together(self, runner: DeviceRunner, group: list[tuple[RestoreItem, Pixels, Pixels | None]]) -> _Decoded:
        items = tuple(item for item, _, _ in group)
        noises = tuple(noise_name(rainy) for _, rainy, _ in group)
        rainy = tuple(rainy for _, rainy, _ in group)
        estimates = tuple(estimate for _, _, estimate in group if estimate is not None)
        if self._spec.kind == "refiner":
            return _Decoded(items, noises, runner.stage(rainy, estimates))
        masks = [item.mask.load() for item in items if item.mask is not None]
        return _Decoded(items, noises, runner.stage(estimates or rainy, None, masks or None))

    def _restore(self, runner: DeviceRunner, job: RestoreJob, pictures: Future[list[_Decoded]]) -> int:
        """Compute a job and hand it on to be stored; how many pictures that are."""
        try:
            decoded = pictures.result()
        except DamagedOutput as error:
            self.emit(Damaged(job.number, error.folder, error.picture))
            return 0
        except Exception as error:
            self.emit(_unreadable(job, error))
            return 0
        self._fit = max(1, PIXELS_WAITING // sum(_pixels(group) for group in decoded))
        try:
            if self._computing is not None:
                self._computing.wait()
        except MethodCodeError:  # told of the job before; this one has no fault in it and is left to the next process
            self._lost = True
            return 0
        started: list[tuple[_Decoded, Pending, float | None]] = []
        try:
            for group in decoded:
                runner.on_pass = lambda size=group.host.padded_size: self.emit(Started(job.number, size))  # type: ignore[misc]
                if not runner.is_warm(group.host, at_its_size=job.alone):
                    runner.warm_up(group.noises, group.host)
                    self.emit(Measured({"flops": runner.flops}))
                latency = None
                if job.alone and len(group.items) > 1:
                    first = HostBatch(
                        tuple(tensor[:1] for tensor in group.host.inputs), group.host.height, group.host.width
                    )
                    latency = runner.start(group.noises[:1], first, timed=True).result()[0].seconds
                self._computing = runner.start(group.noises, group.host, timed=job.alone)
                started.append((group, self._computing, latency))
        except MethodCodeError as error:
            self._lost = self._lost or is_device_lost(error)
            status, reason = describe(error)
            limit = self.task.timeout if status == "timeout" else None
            self.emit(Failed(job.number, status, reason, traceback_of(error), limit=limit))
            return 0
        self._settle(min(BEHIND, self._fit) - 1)
        self._storing.append(self._storer.submit(self._store, job, started))
        return len(job.items)

    def _store(self, job: RestoreJob, started: list[tuple[_Decoded, Pending, float | None]]) -> None:
        outputs = []
        try:
            for group, pending, latency in started:
                for number, (item, restored) in enumerate(zip(group.items, pending.result(), strict=True)):
                    seconds = latency if latency is not None and number == 0 else restored.seconds
                    output = store_output(
                        self.task.folder,
                        item.picture,
                        restored.pixels,
                        seconds=seconds,
                        hardware=self._hardware,
                        batch=len(group.items),
                        group=job.group,
                        alone=job.alone and number == 0,
                        stepped_down=", ".join(words for words in (job.note, restored.stepped_down) if words),
                    )
                    outputs.append(output)
        except OSError as error:
            self.emit(Fatal.of(error, self.task.folder))
        except MethodCodeError as error:
            self._lost = self._lost or is_device_lost(error)
            self.emit(Failed(job.number, *describe(error), traceback_of(error)))
        else:
            self.emit(Restored(job.number, tuple(outputs)))

    def _settle(self, waiting: int) -> None:
        """Wait until at most so many jobs are left to be stored."""
        while len(self._storing) > waiting:
            self._storing.popleft().result()


def _pixels(group: _Decoded) -> int:
    return sum(tensor[:, 0].numel() for tensor in group.host.inputs)


def _unreadable(job: RestoreJob, error: Exception) -> Failed | Fatal:
    """What to say of a picture that cannot be read. It is not the method's doing, so the next run tries again."""
    if isinstance(error, OSError):  # drawing rain writes into the cache
        return Fatal.of(error)
    reason = str(error) if isinstance(error, DataError) else describe(error)[1]
    return Failed(job.number, "failed", reason, lasting=False, data=True)


class Stretch:
    """The time in which work of one part overlapped: pictures, wall-clock seconds, and energy where it is told."""

    def __init__(self, part: str, energy: EnergyMeter) -> None:
        self.part = part
        self.pictures = 0
        self._energy = energy
        self._seconds = 0.0
        self._since: float | None = None

    def resume(self) -> None:
        """Begin, or go on. Called at every job, as counters of energy must be read now and then."""
        if self._since is None:
            self._since = time.perf_counter()
        else:
            self._energy.__exit__(None, None, None)
        self._energy.__enter__()

    def pause(self) -> None:
        """To be called when everything is computed and stored."""
        if self._since is not None:
            self._energy.__exit__(None, None, None)
            self._seconds += time.perf_counter() - self._since
            self._since = None

    def facts(self) -> dict[str, dict[str, dict[str, float]]]:
        """``throughput`` (images, seconds) and ``energy`` (images, joules) of the part, as far as they are known."""
        if not self.pictures:
            return {}
        facts = {"throughput": {self.part: {"images": self.pictures, "seconds": round(self._seconds, 3)}}}
        joules = self._energy.joules
        if joules is not None:
            facts["energy"] = {self.part: {"images": self.pictures, "joules": round(joules, 3)}}
        return facts
