"""A worker process: spawned with a task, fed with jobs, watched, and killed with everything that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import psutil

from drivederain.engine.worker.messages import Job, Message, Task

CHILDREN = 5.0
"""Seconds between two looks for processes that the worker started; it takes a walk over all processes there are."""
SPINS = "20000"
"""How long a thread of the network spins before it sleeps while it waits for the others. Short, so that decoding,
encoding and the run get the cores; sleeping at once would cost a third of the speed (docs/performance.md)."""
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that a person or the system sends; the others are a process's own doing."""


class WorkerDied(Exception):
    """The process ended before its work was done. ``own_doing``: nobody killed it from outside."""

    def __init__(self, reason: str, *, own_doing: bool) -> None:
        super().__init__(reason)
        self.own_doing = own_doing


class WorkerProcess:
    """One worker. What it prints goes to ``log``, which is deleted at the end if nothing was printed."""

    def __init__(self, task: Task, log: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._printed_before = log.stat().st_size if log.is_file() else 0
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        # The modules that this process can import, in its order, and not whatever lies in the working folder.
        paths = [path if path else str(Path.cwd()) for path in sys.path]
        environment = {"GOMP_SPINCOUNT": SPINS, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with theirs, log.open("ab") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "drivederain.engine.worker.serve", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env=environment,
                start_new_session=True,  # Ctrl-C does not reach it, and all it starts can be killed together
            )
        self._watched = psutil.Process(self._process.pid)
        self._children: list[psutil.Process] = []
        self._looked_for_children = time.monotonic()
        self._send(task)

    @property
    def connection(self) -> Connection:
        """To wait on."""
        return self._connection

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, job: Job | None) -> None:
        """Give it a job; ``None``: there are no more. If it is dead, ``receive`` will tell."""
        self._send(job)

    def _send(self, what: Task | Job | None) -> None:
        try:
            self._connection.send(what)
        except (BrokenPipeError, ConnectionResetError):
            return

    def receive(self) -> Message | None:
        """What it says, or ``None`` if it says nothing just now.

        Raises:
            WorkerDied: it is gone.
        """
        try:
            if not self._connection.poll():
                return None
            message: Message = self._connection.recv()
        except (EOFError, OSError):  # a plain OSError where it died in the middle of a message
            raise self._death() from None
        return message

    def memory(self) -> int:
        """Bytes that the process and all that it started hold (see ``held_bytes``)."""
        if time.monotonic() - self._looked_for_children > CHILDREN:
            self._looked_for_children = time.monotonic()
            with suppress(psutil.Error):
                self._children = self._watched.children(recursive=True)
        total = 0
        for process in (self._watched, *self._children):
            with suppress(psutil.Error):  # it may have ended meanwhile
                total += held_bytes(process)
        return total

    def kill(self) -> None:
        """End it at once, and what it started. What it stored is whole."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._process.kill()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Let go of it after it said that it is finished; what it started and did not end is ended."""
        self._connection.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError, PermissionError):  # its group lives as long as anything in it
            os.killpg(self._process.pid, signal.SIGKILL)
        if self.log.is_file() and not self.log.stat().st_size:
            self.log.unlink()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _death(self) -> WorkerDied:
        try:
            status = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return WorkerDied("its process stopped answering", own_doing=True)
        words = last_words(self.log, self._printed_before)
        said = f" (it last printed: {words})" if words else ""
        if status >= 0:
            return WorkerDied(f"its process ended by itself with exit status {status}{said}", own_doing=True)
        number = -status
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        if number == signal.SIGKILL:
            said = ", as the system does when memory runs out"
        return WorkerDied(f"its process was ended by {name}{said}", own_doing=number not in FROM_OUTSIDE)


def held_bytes(process: psutil.Process) -> int:
    """Memory that the process holds and the system cannot take back.

    On Linux it is the resident set without pages of files. Those are the libraries and mapped weights, which can be
    dropped and read again at any time, and how many are resident says more of the machine's page cache than of the
    process: with them the same idle worker held 663 MB on one machine and 1 GiB on the next.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # it may have ended; psutil then says so
            status = Path(f"/proc/{process.pid}/status").read_text()
            fields = dict(line.split(":", 1) for line in status.splitlines())
            if "RssAnon" in fields:  # not of a process that has just ended
                return sum(int(fields[kind].split()[0]) * 1024 for kind in ("RssAnon", "RssShmem"))
    return int(process.memory_info().rss)


def last_words(log: Path, begin: int, length: int = 200) -> str:
    """The last line that was printed behind ``begin`` bytes, which others printed before."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(begin, file.tell() - 2**16))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    fatal = [line for line in lines if line.startswith("Fatal Python error")]
    chosen = (fatal or lines)[-1:]
    return " ".join(chosen[0].split())[:length] if chosen else ""
