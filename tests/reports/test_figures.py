from __future__ import annotations

import math

import pytest

from drivederain_reports.figures import count, interval, number, plural, seconds, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.005, "1.00"),
        (-3.14159, "−3.14"),
        (-0.001, "0.00"),
        (12345.6, "12\u202f345.60"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_signs_intervals_and_counts() -> None:
    assert [signed(value) for value in (1.0, -1.0, 0.001)] == ["+1.00", "−1.00", "0.00"]
    assert interval(-1.0, 2.0) == "−1.00 to 2.00"
    assert interval(math.nan, math.nan) == ""
    assert count(24_430_097) == "24\u202f430\u202f097"
    assert count(math.nan) == "–"
    assert [seconds(value) for value in (3.25, 321.5, 7322.0)] == ["3.2 s", "5 min 22 s", "2 h 2 min"]
    assert [plural(1, "image"), plural(3, "image")] == ["1 image", "3 images"]
