"""What a run keeps of one task that workers do: the jobs to give, and what becomes of the answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from drivederain.engine.worker.messages import Failed, LoadFailed, Message, RestoreJob, ScoreJob, Task

JobType = TypeVar("JobType", RestoreJob, ScoreJob)


class Book(ABC, Generic[JobType]):
    """One task's jobs and answers."""

    @abstractmethod
    def task(self) -> Task:
        """The task for a new worker."""

    @abstractmethod
    def next(self) -> JobType | None:
        """The next job, or ``None`` if there is none."""

    @abstractmethod
    def handle(self, message: Message) -> None:
        """Take an answer.

        Raises:
            OSError: the machine cannot go on (``Fatal``).
        """

    @abstractmethod
    def failed(self, job: JobType, failure: Failed) -> None:
        """A job came to nothing."""

    @abstractmethod
    def cannot_load(self, failure: LoadFailed) -> None:
        """Workers of this task die or hang before their first job."""

    def too_large(self, size: tuple[int, int]) -> None:
        """Processes grew past their memory limit at pictures of that padded height and width, more than once."""

    @property
    @abstractmethod
    def hopeless(self) -> str:
        """Why what is left need not be tried, or ""."""
