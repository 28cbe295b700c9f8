"""Training one stage; its weights go into the cache, where the run finds them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from drivederain.engine.failures import MethodCodeError, describe, traceback_of
from drivederain.engine.train import Trainer
from drivederain.engine.worker.messages import Fatal, Finished, LoadFailed, Message, Progress, TrainTask, Warned
from drivederain.errors import DriveDeRainError
from drivederain.weights import NoWeightsError


class _Forwarding:
    """A display whose words go to the run."""

    def __init__(self, emit: Callable[[Message], None]) -> None:
        self._emit = emit

    def begin(self, phase: str, total: int) -> None:
        """The run has said what begins."""

    def advance(self, done: float, words: str = "") -> None:
        self._emit(Progress(done / 100, words))

    def end(self, words: str = "") -> None:
        self._emit(Progress(1.0, words))

    def warn(self, message: str) -> None:
        self._emit(Warned(message))


def train(task: TrainTask, emit: Callable[[Message], None]) -> None:
    """Train, and say ``Finished`` (with the steps in words) or ``LoadFailed``."""
    trainer = Trainer(task.settings, _Forwarding(emit), task.samples, task.trained_on)
    try:
        with _ended_by_sigterm():
            words = trainer.train(task.stage)
    except NoWeightsError as error:
        emit(LoadFailed("skipped", str(error), ""))
    except MethodCodeError as error:
        if isinstance(error, OSError) and not isinstance(error, DriveDeRainError) and error.errno is not None:
            emit(Fatal.of(error))
            return
        status, reason = describe(error)
        emit(LoadFailed(status, reason, "" if isinstance(error, DriveDeRainError) else traceback_of(error)))
    else:
        emit(Finished({"words": words}))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process, as it does where nobody listens.

    Lightning would hear it and end the training as if the method had called ``exit``; a listener that is there before
    it is called too.
    """
    listens = signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    if listens or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
