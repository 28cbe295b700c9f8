"""One task's worker under supervision: fed, watched for limits of time and memory, replaced when it dies.

A job at which a process dies is tried once more in a fresh one; the second death is the job's failure. A process that
grew past its memory limit is replaced too, and then the job is tried in tiles where its method allows them. A picture
that takes too long is not tried again.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from drivederain.engine.worker.book import Book
from drivederain.engine.worker.jobs import AHEAD, BEHIND
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Fatal,
    Finished,
    Job,
    Loaded,
    LoadFailed,
    Message,
    Restored,
    Scored,
    Started,
)
from drivederain.engine.worker.process import WorkerDied, WorkerProcess

WINDOW = AHEAD + 1 + BEHIND
"""Jobs that a worker may have at a time: decoded ahead, computed, and being stored."""
LOOK = 0.2
"""Seconds between two looks at limits."""
GRACE = 2.0
"""Seconds over the limit of a picture until the process is killed; before, the worker itself may end the pass."""
LOAD = 600.0
"""Seconds that a method has for loading, at least; ``--timeout`` may give it more."""
TRIES = 2
"""A job is given to so many processes that die at it."""


@dataclass(frozen=True)
class Limits:
    """What a method may take; ``None``: no limit."""

    timeout: float | None = None
    """Seconds for one picture."""
    method_timeout: float | None = None
    """Seconds for all pictures of one stage."""
    memory: int | None = None
    """Bytes that its process may hold (``process.held_bytes``)."""


class Supervisor:
    """Runs one book in worker processes, one at a time."""

    def __init__(self, book: Book[Any], limits: Limits, log: Path) -> None:
        self.book, self.limits, self.log = book, limits, log
        self.open = False
        """While true, the book may get further jobs, so having none now is not the end."""
        self._worker: WorkerProcess | None = None
        self._given: dict[int, Job] = {}
        self._again: deque[Job] = deque()
        self._tries: Counter[int] = Counter()
        self._deaths_in_a_row = 0
        self._ended = self._loaded = False
        self._all_given = False
        self._at: tuple[int | None, float] = (None, 0.0)
        """The job that is being computed and since when; before loading is over, ``None``."""
        self._size: tuple[int, int] | None = None
        """Of the pictures of that job."""
        self._began = time.monotonic()
        self._looked = 0.0

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return not self._ended

    @property
    def connection(self) -> Connection | None:
        return self._worker.connection if self._worker is not None else None

    def step(self) -> None:
        """Give jobs, take answers, look at the limits. Returns soon."""
        if self._ended:
            return
        try:
            if self._worker is None and not self._start():
                return
            self._give()
            while not self._ended and self._worker is not None and (message := self._worker.receive()) is not None:
                self._take(message)
                self._give()
            if self._worker is not None and self.book.hopeless:
                self._give_up()
            elif self._worker is not None and time.monotonic() - self._looked > LOOK:
                self._looked = time.monotonic()
                self._look(self._worker)
        except WorkerDied as death:
            self._died(death)

    def close(self) -> None:
        """End the worker, at once."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
        self._ended = True

    def _start(self) -> bool:
        job = self._following()
        if job is None:
            self._ended = not self.open
            return False
        self._again.appendleft(job)
        self._worker = WorkerProcess(self.book.task(), self.log)
        self._loaded = self._all_given = False
        self._at = (None, time.monotonic())
        return True

    def _following(self) -> Job | None:
        return self._again.popleft() if self._again else self.book.next()

    def _give(self) -> None:
        while self._worker is not None and not self._all_given and len(self._given) < WINDOW:
            job = None if self.book.hopeless else self._following()
            if job is None:
                if self.open:
                    return
                self._worker.send(None)
                self._all_given = True
                return
            self._given[job.number] = job
            self._worker.send(job)

    def _take(self, message: Message) -> None:
        if isinstance(message, Started):
            self._at, self._size = (message.job, time.monotonic()), message.size
            return
        if isinstance(message, Fatal):
            self.close()
            raise message.error()
        if isinstance(message, LoadFailed):
            self._end()
            self._refuse(message)
            return
        if isinstance(message, Loaded):
            self._loaded, self._at = True, (None, 0.0)
        if isinstance(message, Restored | Scored | Failed | Damaged):
            job = self._given.pop(message.job)
            self._deaths_in_a_row = 0
            if self._at[0] == message.job:
                self._at = (None, 0.0)
            if isinstance(message, Failed):
                self.book.failed(job, message)
                return
        self.book.handle(message)
        if isinstance(message, Finished):
            self._end()

    def _end(self) -> None:
        """The worker is done. A job that came back for another try needs another one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        self._again.extendleft(reversed(list(self._given.values())))
        self._given.clear()

    def _give_up(self) -> None:
        """Fail what is left without trying it."""
        assert self._worker is not None
        self._worker.kill()
        self._worker = None
        self._fail_rest("failed", self.book.hopeless)

    def _fail_rest(self, status: Any, reason: str, *, lasting: bool = True) -> None:
        known = [*self._given.values(), *self._again]
        self._given.clear()
        self._again.clear()
        for job in known:
            self.book.failed(job, Failed(job.number, status, reason, lasting=lasting, tried=False))
        while (following := self.book.next()) is not None:
            self.book.failed(following, Failed(following.number, status, reason, lasting=lasting, tried=False))
        self._ended = True

    def _refuse(self, failure: LoadFailed) -> None:
        """The task cannot be loaded: that is noted once, and no job is tried."""
        self._again.clear()
        self._ended = True
        self.book.cannot_load(failure)

    def _look(self, worker: WorkerProcess) -> None:
        now, limits = time.monotonic(), self.limits
        if limits.method_timeout is not None and now - self._began > limits.method_timeout:
            self._stop(worker)
            words = f"the {limits.method_timeout:g} s of its method were over (--method-timeout)"
            # It may be done with more time: the next run goes on here.
            self._fail_rest("timeout", words, lasting=False)
            return
        job, since = self._at
        if limits.timeout is not None:
            if job is not None and now - since > limits.timeout + GRACE:
                self._too_long(worker, self._given.get(job), limits.timeout)
                return
            if not self._loaded and now - since > max(limits.timeout, LOAD):
                self._stop(worker)
                self._refuse(LoadFailed("timeout", f"it was not loaded after {max(limits.timeout, LOAD):g} s", ""))
                return
        if limits.memory is not None and (held := worker.memory()) > limits.memory:
            self._too_large(worker, held, limits.memory)

    def _too_long(self, worker: WorkerProcess, job: Job | None, timeout: float) -> None:
        self._stop(worker)
        if job is not None:
            self._again.remove(job)
            reason = f"it took longer than {timeout:g} s for one picture (--timeout)"
            self.book.failed(job, Failed(job.number, "timeout", reason, limit=timeout))

    def _too_large(self, worker: WorkerProcess, held: int, limit: int) -> None:
        job = self._given.get(self._at[0]) if self._at[0] is not None else None
        loaded, size = self._loaded, self._size
        self._stop(worker)
        words = (
            f"its process held {held / 2**30:.1f} GiB of memory, over the limit of {limit / 2**30:.1f} GiB "
            "(--memory-limit)"
        )
        if job is None:
            self._nobodys_death(WorkerDied(words, own_doing=True), loaded=loaded, status="oom", limit=float(limit))
            return
        self._tries[job.number] += 1
        if self._tries[job.number] > TRIES:  # in a fresh process, then in tiles
            self._again.remove(job)
            self.book.failed(job, Failed(job.number, "oom", words, limit=float(limit)))
        elif self._tries[job.number] == TRIES and size is not None:
            self.book.too_large(size)

    def _died(self, death: WorkerDied) -> None:
        job = self._given.get(self._at[0]) if self._at[0] is not None else None
        loaded, worker = self._loaded, self._worker
        if worker is not None:
            self._stop(worker)
        if job is None:
            self._nobodys_death(death, loaded=loaded, status="failed")
            return
        self._tries[job.number] += 1
        if self._tries[job.number] >= TRIES:
            self._again.remove(job)
            self.book.failed(job, Failed(job.number, "failed", str(death), lasting=death.own_doing))

    def _nobodys_death(self, death: WorkerDied, *, loaded: bool, status: Any, limit: float | None = None) -> None:
        """Between two jobs, or while loading: after some in a row the first one that waits has failed."""
        self._deaths_in_a_row += 1
        if self._deaths_in_a_row < TRIES:
            return
        self._deaths_in_a_row = 0
        if not loaded:
            self._refuse(LoadFailed(status, f"while loading, {death}", ""))
        elif self._again:
            job = self._again.popleft()
            self.book.failed(job, Failed(job.number, status, str(death), lasting=death.own_doing, limit=limit))

    def _stop(self, worker: WorkerProcess) -> None:
        """Kill the worker; its jobs are to be done again, in their order."""
        worker.kill()
        self._worker = None
        self._again.extendleft(reversed(list(self._given.values())))
        self._given.clear()
        self._at = (None, 0.0)


def supervise(supervisor: Supervisor, beside: Supervisor | None = None) -> None:
    """Run a task until it is done; ends its workers whatever happens.

    Args:
        beside: another task whose jobs come from the first one's answers; it is done when both are.

    Raises:
        OSError: the machine cannot go on.
    """
    both = [supervisor] if beside is None else [supervisor, beside]
    try:
        while busy := [each for each in both if each.busy]:
            if beside is not None:
                beside.open = supervisor.busy
            for each in busy:
                each.step()
            connections = [each.connection for each in busy if each.busy and each.connection is not None]
            if connections:
                wait(connections, timeout=LOOK)
    finally:
        for each in both:
            each.close()
