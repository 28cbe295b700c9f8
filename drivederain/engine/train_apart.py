"""Training in a process of its own, so that what a method does wrong there costs its own chains and nothing else."""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from pathlib import Path

from drivederain.engine.display import Display
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import Trainer
from drivederain.engine.worker import inline
from drivederain.engine.worker.messages import Fatal, Finished, LoadFailed, Message, Progress, TrainTask, Warned
from drivederain.engine.worker.process import WorkerDied, WorkerProcess
from drivederain.errors import MethodError
from drivederain.results.run_folder import folder_name
from drivederain.results.schema import Status
from drivederain.weights import FoundWeights, NoWeightsError

LOOK = 0.5
"""Seconds between two looks at the memory limit."""


class TrainingFailed(MethodError):
    """What a row says of it: ``status``, the message, and the traceback."""

    def __init__(self, status: Status, reason: str, traceback: str) -> None:
        super().__init__(reason)
        self.status, self.traceback = status, traceback


def train_apart(trainer: Trainer, stage: ReadyStage, display: Display, threads: int, logs: Path) -> FoundWeights:
    """Train the last stage of a chain; the weights lie in the cache.

    Raises:
        NoWeightsError: the method offers no training.
        TrainingFailed: it failed, or its process died or grew past the memory limit.
        OSError: the machine cannot go on (no space on the disk).
    """
    settings = trainer.settings
    display.begin(f"train {stage.chain.name} ({settings.budget})", 100)
    task = TrainTask(stage, settings, tuple(trainer.samples), trainer.trained_on, threads)
    answers: list[Message] = []

    def handle(message: Message) -> None:
        if isinstance(message, Progress):
            display.advance(100 * message.share, message.words)
        elif isinstance(message, Warned):
            display.warn(message.words)
        else:
            answers.append(message)

    if settings.isolate:
        log = logs / f"train {folder_name(stage.chain.name)}.log"
        with WorkerProcess(task, log) as worker:
            worker.send(None)
            looked = time.monotonic()
            while not answers:
                wait([worker.connection], timeout=LOOK)
                try:
                    while not answers and (message := worker.receive()) is not None:
                        handle(message)
                except WorkerDied as death:
                    raise TrainingFailed("failed", f"while training, {death}", "") from None
                if settings.memory_limit is not None and time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    if (held := worker.memory()) > settings.memory_limit:
                        words = f"its process held {held / 2**30:.1f} GiB of memory while training, over --memory-limit"
                        raise TrainingFailed("oom", words, "")
    else:
        inline.train(task, handle)
    answer = answers[0]
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
