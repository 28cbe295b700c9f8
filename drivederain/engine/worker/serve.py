"""What a spawned worker runs: ``python -m drivederain.engine.worker.serve FD``. It ends when its run does."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivederain.engine.worker.jobs import JobQueue
    from drivederain.engine.worker.messages import Job, Message, Task

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take a task and its jobs from the connection, and answer on it."""
    faulthandler.enable()
    _die_with_the_run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then ends its workers
    connection = Connection(int(sys.argv[1]))
    threading.Thread(target=_end_with_the_run, args=(connection.fileno(),), daemon=True).start()
    # Only now, since it takes seconds: a run that is killed meanwhile must not leave its worker behind.
    from drivederain.engine.worker.jobs import JobQueue

    task: Task = connection.recv()
    jobs: JobQueue[Job] = JobQueue()
    threading.Thread(target=_receive, args=(connection, jobs), daemon=True).start()
    guard = threading.Lock()

    def emit(message: Message) -> None:
        with guard:
            connection.send(message)

    _work(task, jobs, emit)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # libraries may hang at their ends; all that matters is stored and said


def _die_with_the_run() -> None:
    """On Linux the kernel sees to it even where a method holds the interpreter; elsewhere the threads notice."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_the_run(connection: int) -> None:
    """Wait until the run is gone, which closes its end of the connection; what is unread then is of no use."""
    hung_up = select.poll()
    hung_up.register(connection, 0)  # a hang-up is always told
    hung_up.poll()
    os._exit(1)


def _receive(connection: Connection, jobs: JobQueue[Job]) -> None:
    """Jobs from the run; when it is gone, its worker goes too, whatever it was doing."""
    from drivederain.engine.worker.jobs import Ended

    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            os._exit(1)
        jobs.put(Ended() if job is None else job)


def _work(task: Task, jobs: JobQueue[Job], emit: Callable[[Message], None]) -> None:
    import torch

    from drivederain.engine.worker.jobs import HANDS
    from drivederain.engine.worker.messages import RestoreTask, ScoreTask, TrainTask

    torch.set_num_threads(task.threads)
    if isinstance(task, RestoreTask):
        from drivederain.engine.worker.restoring import Restoring

        with ThreadPoolExecutor(HANDS) as decoder, ThreadPoolExecutor(HANDS) as storer:
            Restoring(task, emit, decoder, storer).run(jobs)  # type: ignore[arg-type]
    elif isinstance(task, ScoreTask):
        from drivederain.engine.worker.scoring import Scoring

        with ThreadPoolExecutor(HANDS) as decoder:
            Scoring(task, emit, decoder).run(jobs)  # type: ignore[arg-type]
    elif isinstance(task, TrainTask):
        from drivederain.engine.worker.training import train

        train(task, emit)


if __name__ == "__main__":
    main()
