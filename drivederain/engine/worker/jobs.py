"""Where a worker gets its jobs, and the threads that serve it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Generic, Protocol, TypeVar

from drivederain.engine.hardware import cgroup_cores, usable_cores

HANDS = max(1, min(8, usable_cores(), round(cgroup_cores() or 8)))
"""Threads that decode, and as many that encode and store. One core packs about 30 pictures of 1280x720 a second, so
that a fast device needs several."""
AHEAD = HANDS + 1
"""Jobs that are decoded, or being decoded, before they are needed."""
PIXELS_WAITING = 64_000_000
"""Fewer jobs are decoded ahead, or wait to be stored, when they hold more pixels than this: 192 MB as 8-bit RGB."""
BEHIND = HANDS + 2
"""Jobs that may wait to be stored; then computing waits too, so that memory stays bounded."""

JobType = TypeVar("JobType")
JobType_co = TypeVar("JobType_co", covariant=True)


class Ended:
    """No more jobs will come."""


class Jobs(Protocol[JobType_co]):
    """A source of jobs."""

    def get(self, *, block: bool) -> JobType_co | Ended | None:
        """The next job; ``None`` if there is none just now and ``block`` is false."""


class JobQueue(Generic[JobType]):
    """Jobs that another thread puts in."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[JobType | Ended] = queue.SimpleQueue()
        self._ended = False

    def put(self, job: JobType | Ended) -> None:
        self._queue.put(job)

    def get(self, *, block: bool) -> JobType | Ended | None:
        if self._ended:
            return Ended()
        try:
            job = self._queue.get(block=block)
        except queue.Empty:
            return None
        self._ended = isinstance(job, Ended)
        return job


class AskedFor(Generic[JobType]):
    """Jobs that are made when they are asked for; ``None`` ends them."""

    def __init__(self, following: Callable[[], JobType | None]) -> None:
        self._following = following

    def get(self, *, block: bool) -> JobType | Ended:
        job = self._following()
        return Ended() if job is None else job


class AtOnce(Executor):
    """Runs what is submitted in the calling thread, at once."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:  # what is no Exception (Ctrl-C, a time limit) ends the caller's work
            future.set_exception(error)
        return future
