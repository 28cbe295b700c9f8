"""Runs the checks of a method in child processes, so that one that hangs, grows or ends the process costs one check."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import psutil

from drivederain.testing.method_checks import CHECKS

WATCHED: Final = 0.2
"""Seconds between two looks at a child."""
START: Final = 120.0
"""Seconds that a child has to begin with its first check: torch is imported, weights are read."""

LAST_WORDS: Final = 4000
"""Characters of what a child that was lost had printed."""

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    check: str
    status: Status
    words: str
    """What was measured, why it was skipped, or what is wrong and what that means."""
    seconds: float = 0.0
    traceback: str = ""


def check_method(
    method: str,
    *,
    weights: Path | None = None,
    options: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    memory: int = 8 * 2**30,
) -> Iterator[Outcome]:
    """Run every check and give its outcome as soon as it is there.

    Args:
        method: its name.
        weights: a file to load it with.
        options: as typed behind ``--set METHOD.``, by name.
        timeout: seconds that a check may take.
        memory: bytes that the process may hold.
    """
    left = [check.name for check in CHECKS]
    means = {check.name: check.means for check in CHECKS}
    while left:
        child = _Child(method, weights, options or {}, left)
        try:
            for outcome in child.outcomes(timeout, memory, means):
                left.remove(outcome.check)
                yield outcome
        finally:
            child.close()


class _Child:
    def __init__(self, method: str, weights: Path | None, options: Mapping[str, str], checks: list[str]) -> None:
        request = {"method": method, "weights": str(weights or ""), "options": dict(options), "checks": checks}
        self._checks = checks
        # Closed with the child.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            # -P: not what lies in the working folder, but what this process imports.
            [sys.executable, "-P", "-m", "drivederain.testing.child", json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)
        self._lines.put(None)

    def outcomes(self, timeout: float, memory: int, means: Mapping[str, str]) -> Iterator[Outcome]:
        """Until all checks are done, or one of them ended the process or had to be ended."""
        running, since, limit = self._checks[0], time.monotonic(), START + timeout
        while True:
            try:
                line = self._lines.get(timeout=WATCHED)
            except queue.Empty:
                problem = self._problem(time.monotonic() - since, limit, memory)
                if problem:
                    self.close()
                    if running:
                        yield _lost(running, problem, means, time.monotonic() - since, self._last_words())
                    return
                continue
            if line is None:
                break
            told = json.loads(line)
            if told["status"] == "begun":
                running, since, limit = told["check"], time.monotonic(), timeout
                continue
            if told["check"] in self._checks:
                running = ""
                yield Outcome(
                    told["check"], told["status"], told["words"], told.get("seconds", 0.0), told.get("traceback", "")
                )
        code = self._process.wait()
        if running:
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            yield _lost(running, f"the process ended ({how})", means, time.monotonic() - since, self._last_words())

    def _problem(self, seconds: float, limit: float, memory: int) -> str:
        if seconds > limit:
            return f"it did not end within {limit:.0f} s"
        try:
            process = psutil.Process(self._process.pid)
            held = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
        except psutil.Error:
            return ""
        return f"it holds more than {memory / 2**30:.1f} GiB" if held > memory else ""

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-LAST_WORDS:]

    def close(self) -> None:
        """End the process and what it started, if they are there."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _lost(check: str, problem: str, means: Mapping[str, str], seconds: float, told: str = "") -> Outcome:
    return Outcome(check, "failed", f"{problem}. It means: {means[check]}.", seconds, told)
