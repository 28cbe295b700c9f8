"""A limit on how long a method may take for one picture."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class PictureTimeout(BaseException):
    """The time for one picture is over. A BaseException, which a method's own ``except Exception`` does not eat."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise ``PictureTimeout`` in the block when it takes longer than ``seconds``; ``None``: no limit.

    The alarm is heard between two steps of Python: a single operation of torch is not cut short but is over the limit
    when it returns. Systems without alarms (Windows), and threads other than the main one, have no limit.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        raise PictureTimeout(f"it took longer than {seconds:g} s for one picture (--timeout)")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
