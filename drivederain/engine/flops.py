"""Floating-point operations of a pass: convolutions, matrix products and attention, a multiply-add counted as two.

Torch's own counter (``torch.utils.flop_counter``) sees each operation on its way to the device; what is cheap beside
those (activations, norms, additions) is not counted, as in the papers' figures.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")

COUNTER_MODULES = ("torch.utils.flop_counter", "torch.utils.module_tracker")


def counted(work: Callable[[], Result]) -> tuple[Result, int]:
    """Run ``work`` and count its operations. Runs without gradients, but not in inference mode.

    Under ``torch.inference_mode`` operations such as ``linear`` reach the counter by other ways than in training;
    ``no_grad`` is what the counter is tested with.
    """
    # Imported by workers alone: it takes a fifth of a second, and the run itself counts nothing.
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        result = work()
    return result, int(counter.get_total_flops())


def raised_while_counting(error: BaseException) -> bool:
    """Whether the counter had its hands in what raised ``error``; else it is the method's own error."""
    return any(
        frame.f_globals.get("__name__") in COUNTER_MODULES for frame, _ in traceback.walk_tb(error.__traceback__)
    )
