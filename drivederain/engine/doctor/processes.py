"""A child process like those that methods run in: it starts, and imports torch in time."""

from __future__ import annotations

import importlib
import multiprocessing
import time
from multiprocessing.connection import Connection

from drivederain.engine.doctor.check import Check

FEATURE = "processes"
SECONDS = 120.0
"""Importing torch from a cold disk may take a minute."""


def check_child(module: str = "torch", seconds: float = SECONDS) -> Check:
    """Spawn a Python process that imports ``module``, and give it so many seconds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_import, args=(theirs, module), daemon=True)
    started = time.perf_counter()
    try:
        child.start()
    except OSError as error:
        reason = f"no process can be started: {error.strerror or error}"
        return _broken(reason, "Look at the limits of processes and memory (ulimit -u, the container's).")
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(seconds) else None
    except EOFError:
        child.join(5)
        return _broken(
            f"a child process died while it imported {module} (exit code {child.exitcode})",
            "Look at the memory limit: a process that is killed for memory ends with -9.",
        )
    finally:
        child.kill()
        child.join(5)
        ours.close()
    took = time.perf_counter() - started
    if answer is None:
        return _broken(
            f"a child process did not import {module} within {seconds:g} s",
            "Look at the load of the machine, and at the disk that Python is installed on.",
        )
    if answer:
        return _broken(f"a child process cannot import {module}: {answer}", "Install the program again.")
    return Check(FEATURE, "child", "ok", f"one started and imported {module} in {took:.1f} s", needed=True)


def _broken(reason: str, remedy: str) -> Check:
    return Check(FEATURE, "child", "broken", reason, remedy, needed=True)


def _import(connection: Connection, module: str) -> None:
    """Answer ``""``, or why the import failed."""
    try:
        importlib.import_module(module)
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
    else:
        connection.send("")
