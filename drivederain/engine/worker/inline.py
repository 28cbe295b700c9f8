"""A task in this process: for tests, notebooks and debuggers (``--no-isolate``). Only limits of time hold here."""

from __future__ import annotations

from collections.abc import Callable

from drivederain.engine.worker.book import Book
from drivederain.engine.worker.jobs import AskedFor, AtOnce
from drivederain.engine.worker.messages import (
    Failed,
    Fatal,
    LoadFailed,
    Message,
    RestoreJob,
    RestoreTask,
    ScoreJob,
    ScoreTask,
    TrainTask,
)


def work(book: Book[RestoreJob] | Book[ScoreJob]) -> None:
    """Do all of the book's jobs.

    Raises:
        OSError: the machine cannot go on.
    """
    task = book.task(None)
    given: dict[int, RestoreJob | ScoreJob] = {}

    def following() -> RestoreJob | ScoreJob | None:
        job = None if book.hopeless else book.next()
        if job is not None:
            given[job.number] = job
        return job

    def emit(message: Message) -> None:
        if isinstance(message, Failed):
            book.failed(given[message.job], message)  # type: ignore[arg-type]
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
    if book.hopeless:
        while (job := book.next()) is not None:
            book.failed(job, Failed(job.number, "failed", book.hopeless))  # type: ignore[arg-type]


def train(task: TrainTask, handle: Callable[[Message], None]) -> None:
    """Train one stage; ``handle`` takes ``Progress``, ``Warned``, and at the end ``Finished`` or ``LoadFailed``."""
    from drivederain.engine.worker.training import train as train_here

    train_here(task, handle)
