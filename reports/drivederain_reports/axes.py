"""Axes of the charts: where ticks are and what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tick:
    """A line of the grid, in user units of the drawing."""

    position: float
    label: str


def round_scale(low: float, high: float) -> tuple[float, float, float]:
    """Ends and step of an axis with round ticks, about five of them. Equal ends are moved apart."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        around = max(0.05 * abs(high), 1e-3)
        low, high = low - around, high + around
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def decimals_of(step: float) -> int:
    """Places after the point that ticks so far apart need."""
    scaled = ((places, step * 10**places) for places in range(12))
    return next((places for places, value in scaled if abs(value - round(value)) < 1e-6 * value), 12)


def round_logarithms(low: float, high: float) -> list[float]:
    """Round values of a logarithmic axis between two positive ends: 1, 2 and 5 of each power of ten, or the powers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 4 else (1,)
    return [factor * 10.0**power for power in powers for factor in factors if low <= factor * 10.0**power <= high]
