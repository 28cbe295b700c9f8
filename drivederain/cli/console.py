"""The terminal, and keeping other libraries from writing to it."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

WIDE = 140
"""Characters a line in files and pipes, which have no width of their own."""


def _console(*, stderr: bool = False) -> Console:
    # Without emoji: the data set real:x: would be shown as a red cross.
    there = Console(stderr=stderr, emoji=False)
    return there if there.is_terminal or "COLUMNS" in os.environ else Console(stderr=stderr, emoji=False, width=WIDE)


console = _console()
errors = _console(stderr=True)


def go_on() -> str:
    """What to say when work that is kept was stopped: how to go on."""
    return f"what is done is kept. Go on with: {shlex.join(['drivederain-bench', *sys.argv[1:]])}"


@contextmanager
def stoppable(words: str) -> Iterator[None]:
    """Ctrl-C is no error: say what becomes of the work, and end with the exit status 130.

    So is SIGTERM, which schedulers send before they end a job; the exit status is 143.
    """
    here = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _terminate) if here else None
    try:
        yield
    except KeyboardInterrupt as interrupt:
        errors.print(f"stopped: {words}", style="yellow", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(143 if isinstance(interrupt, Terminated) else 130) from None
    finally:
        if here:
            signal.signal(signal.SIGTERM, before)


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def quiet_libraries() -> None:
    """No advice of libraries between our lines, and no network unless the user asked for it."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch|spandrel.*|timm.*|diffusers.*")
    for name in ("diffusers", "transformers", "timm", "lightning", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
