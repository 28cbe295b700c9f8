"""A task in this process: for tests, notebooks and debuggers (``--no-isolate``). Only limits of time hold here."""

from __future__ import annotations

from collections.abc import Callable

from drivederain.engine.worker.book import Book
from drivederain.engine.worker.jobs import AskedFor, AtOnce
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Fatal,
    LoadFailed,
    Message,
    Restored,
    RestoreJob,
    RestoreTask,
    Scored,
    ScoreJob,
    ScoreTask,
    TrainTask,
)

DEVICE_LOST = "the device stopped answering this process; start the same command again"


def work(book: Book[RestoreJob] | Book[ScoreJob]) -> None:
    """Do all of the book's jobs.

    Raises:
        OSError: the machine cannot go on.
    """
    task = book.task()
    given: dict[int, RestoreJob | ScoreJob] = {}

    def following() -> RestoreJob | ScoreJob | None:
        job = None if book.hopeless else book.next()
        if job is not None:
            given[job.number] = job
        return job

    def emit(message: Message) -> None:
        if isinstance(message, Restored | Scored | Damaged):
            given.pop(message.job)
        if isinstance(message, Failed):
            book.failed(given.pop(message.job), message)  # type: ignore[arg-type]
        elif isinstance(message, LoadFailed):
            book.cannot_load(message)
        elif isinstance(message, Fatal):
            raise message.error()
        else:
            book.handle(message)

    if isinstance(task, RestoreTask):
        from drivederain.engine.worker.restoring import Restoring

        Restoring(task, emit, AtOnce(), AtOnce(), ahead=1).run(AskedFor(following))  # type: ignore[arg-type]
    elif isinstance(task, ScoreTask):
        from drivederain.engine.worker.scoring import Scoring

        Scoring(task, emit, AtOnce(), ahead=1).run(AskedFor(following))  # type: ignore[arg-type]
    for unanswered in given.values():
        book.failed(unanswered, Failed(unanswered.number, "failed", DEVICE_LOST, lasting=False))  # type: ignore[arg-type]
    while (job := book.next()) is not None:
        reason = book.hopeless or DEVICE_LOST
        book.failed(job, Failed(job.number, "failed", reason, lasting=bool(book.hopeless), tried=False))  # type: ignore[arg-type]


def train(task: TrainTask, handle: Callable[[Message], None]) -> None:
    """Train one stage; ``handle`` takes ``Progress``, ``Warned``, and at the end ``Finished`` or ``LoadFailed``."""
    from drivederain.engine.worker.training import train as train_here

    train_here(task, handle)
