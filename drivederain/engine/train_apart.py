"""Training in a process of its own, so that what a method does wrong there costs its own chains and nothing else."""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from pathlib import Path

from drivederain.engine.display import Display
from drivederain.engine.failures import StageFailed
from drivederain.engine.held_lock import held
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import Trainer
from drivederain.engine.worker import inline
from drivederain.engine.worker.messages import Fatal, Finished, LoadFailed, Message, Progress, TrainTask, Warned
from drivederain.engine.worker.process import WorkerDied, WorkerProcess
from drivederain.engine.worker.supervisor import TRIES
from drivederain.results.run_folder import folder_name
from drivederain.results.schema import Status
from drivederain.weights import FoundWeights, NoWeightsError

LOOK = 0.5
"""Seconds between two looks at the limits."""
SILENCE = 600.0
"""Seconds without a word after which a training is taken for hung, at least; ``--timeout`` may give it more. Words come
when it is loaded, after a step (two a second at most), and while estimates are restored or another run waited for."""


class TrainingFailed(StageFailed):
    """A training failed; with its traceback, if it has one that says more."""

    def __init__(self, status: Status, reason: str, traceback: str) -> None:
        super().__init__(status, reason)
        self.traceback = traceback


def train_apart(trainer: Trainer, stage: ReadyStage, display: Display, threads: int, logs: Path) -> FoundWeights:
    """Train the last stage of a chain; the weights lie in the cache.

    While another run trains the same, it is waited for, and its weights are taken.

    Raises:
        NoWeightsError: the method offers no training.
        TrainingFailed: it failed or went over a limit of time or memory, or its process died.
        OSError: the machine cannot go on (no space on the disk).
    """
    settings = trainer.settings
    display.begin(f"train {stage.chain.name} ({settings.budget})", 100)
    task = TrainTask(stage, settings, tuple(trainer.samples), trainer.trained_on, threads)
    words = f"waits for another run that trains {stage.chain.name}"
    with held(trainer.lock(stage), lambda: display.advance(0, words)):
        if (others := trainer.find(stage)) is not None:
            display.end("by another run")
            return others
        if settings.isolate:
            answer = _in_workers(task, display, logs / f"train {folder_name(stage.chain.name)}.log")
        else:
            answer = _here(task, display)
    if isinstance(answer, Fatal):
        raise answer.error()
    if isinstance(answer, LoadFailed):
        if answer.status == "skipped":
            raise NoWeightsError(answer.reason)
        raise TrainingFailed(answer.status, answer.reason, answer.traceback)
    assert isinstance(answer, Finished)
    display.end(str(answer.facts["words"]))
    found = trainer.find(stage)
    if found is None:
        raise TrainingFailed("failed", "the weights trained just now could not be read again", "")
    return found


def _here(task: TrainTask, display: Display) -> Message:
    """The last word of a training in this process."""
    answers: list[Message] = []

    def handle(message: Message) -> None:
        if not _shown(message, display):
            answers.append(message)

    inline.train(task, handle)
    return answers[0]


def _in_workers(task: TrainTask, display: Display, log: Path) -> Message:
    """The last word of a training in a process of its own; when that is killed from outside, in one more."""
    began, tries = time.monotonic(), 0
    while True:
        tries += 1
        try:
            with WorkerProcess(task, log) as worker:
                worker.send(None)
                return _watched(worker, task.settings, began, display)
        except WorkerDied as death:
            if death.own_doing or tries == TRIES:
                raise TrainingFailed("failed", f"while training, {death}", "") from None
            display.warn(f"{task.stage.chain.name}: while training, {death}; it is trained anew in a fresh process")
            display.advance(0)


def _watched(worker: WorkerProcess, settings: RunSettings, began: float, display: Display) -> Message:
    """The worker's last word, within the limits. ``began``: when the first worker of the training was started."""
    heard = looked = time.monotonic()
    while True:
        wait([worker.connection], timeout=LOOK)
        message = worker.receive()
        if message is not None:
            heard = time.monotonic()
            if not _shown(message, display):
                return message
        if time.monotonic() - looked > LOOK:
            looked = time.monotonic()
            _check_limits(worker, settings, looked - began, looked - heard)


def _check_limits(worker: WorkerProcess, settings: RunSettings, trained: float, silent: float) -> None:
    """``trained``, ``silent``: seconds since its beginning and since its last word."""
    if settings.method_timeout is not None and trained > settings.method_timeout:
        words = f"while training, the {settings.method_timeout:g} s of its method were over (--method-timeout)"
        raise TrainingFailed("timeout", words, "")
    if settings.timeout is not None and silent > max(settings.timeout, SILENCE):
        limit = max(settings.timeout, SILENCE)
        raise TrainingFailed("timeout", f"while training, nothing was heard of it for {limit:g} s (--timeout)", "")
    if settings.memory_limit is not None and (held := worker.memory()) > settings.memory_limit:
        words = f"its process held {held / 2**30:.1f} GiB of memory while training, over --memory-limit"
        raise TrainingFailed("oom", words, "")


def _shown(message: Message, display: Display) -> bool:
    """Show what is said meanwhile; false for the last word."""
    if isinstance(message, Progress):
        display.advance(100 * message.share, message.words)
    elif isinstance(message, Warned):
        display.warn(message.words)
    else:
        return False
    return True
