"""Numbers as the page shows them: fixed decimals, a true minus sign, thin gaps between thousands."""

from __future__ import annotations

import math

MISSING = "–"


def number(value: float | None, decimals: int = 2) -> str:
    """``value`` with ``decimals`` places; ``inf`` as the infinity sign, what is missing as a dash."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}".replace(",", "\u202f")
    return text.replace("-", "−") if float(f"{value:.{decimals}f}") != 0 else text.lstrip("-")


def signed(value: float | None, decimals: int = 2) -> str:
    """``value`` with its sign."""
    text = number(value, decimals)
    return (
        f"+{text}"
        if value is not None and value > 0 and text != MISSING and float(f"{value:.{decimals}f}") != 0
        else text
    )


def interval(low: float | None, high: float | None, decimals: int = 2) -> str:
    """``low to high``, empty where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    return f"{number(low, decimals)} to {number(high, decimals)}"


def count(value: int | float | None) -> str:
    """A whole number."""
    return MISSING if value is None or math.isnan(value) else f"{int(value):,}".replace(",", "\u202f")


def seconds(value: float | None) -> str:
    """A duration as a reader says it."""
    if value is None:
        return MISSING
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def plural(amount: int, word: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{count(amount)} {word}{'' if amount == 1 else 's'}"


def p_value(value: float) -> str:
    """A p value with two significant digits, ``< 0.001`` where it is smaller."""
    if math.isnan(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.2g}"
