"""What a row says of an exception: its status and its reason. Methods and metrics are other people's code."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

from drivederain.engine.time_limit import PictureTimeout
from drivederain.errors import DriveDeRainError, MethodError
from drivederain.results.schema import Status

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate")
"""What allocators of the CPU, of MPS and of OpenCV say, which raise plain RuntimeErrors."""

MethodCodeError = (Exception, SystemExit, PictureTimeout)
"""What may come out of a plugin's code: everything but the user's own Ctrl-C."""


class StageFailed(MethodError):
    """A stage failed, and what a row says of it is known: its status, and the message."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def describe(error: BaseException) -> tuple[Status, str]:
    """The status and the reason of a row, from what was raised."""
    text = " ".join(str(error).split())
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "oom", f"out of memory: {text}" if text else "out of memory"
    if isinstance(error, PictureTimeout):
        return "timeout", text
    if isinstance(error, StageFailed):
        return error.status, str(error)
    if isinstance(error, DriveDeRainError):
        return "failed", str(error)
    if any(words in text.lower() for words in OUT_OF_MEMORY):
        return "oom", f"out of memory: {text}"
    if isinstance(error, SystemExit):
        return "failed", f"it tried to end the program (SystemExit: {error.code})"
    return "failed", f"{type(error).__name__}: {text}" if text else type(error).__name__


def is_device_lost(error: BaseException) -> bool:
    """Whether a CUDA error was raised after which the process gets no more work done on the device.

    An illegal access or a failed assertion of a kernel leaves the context broken; a lack of memory does not.
    """
    return describe(error)[0] == "failed" and isinstance(error, RuntimeError) and "CUDA error" in str(error)


def traceback_of(error: BaseException) -> str:
    """The traceback for the report; the user's home folder is written as ``~``."""
    text = "".join(traceback.format_exception(error))
    home = str(Path.home())
    return text.replace(home + "/", "~/") if len(home) > 1 else text
