"""Ages and sizes as they are typed and shown: 30d, 12h, 20GB."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from drivederain.errors import OptionError

_AGES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SIZES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*")


def read_age(text: str) -> timedelta:
    """``30d``: minutes (m), hours (h), days (d) or weeks (w).

    Raises:
        OptionError: anything else.
    """
    match = _QUANTITY.fullmatch(text)
    unit = _AGES.get(match[2].lower()) if match else None
    try:
        if match and unit:
            return float(match[1]) * unit
    except OverflowError:
        raise OptionError(f"--older-than {text}: longer than any cache has lain. Write an age, as in 30d.") from None
    raise OptionError(f"--older-than {text}: write a number and m, h, d or w, as in 12h or 30d")


def read_size(text: str) -> int:
    """``20GB``: bytes in powers of ten (KB, MB, GB, TB) or of two (KiB, MiB, GiB, TiB).

    Raises:
        OptionError: anything else.
    """
    match = _QUANTITY.fullmatch(text)
    unit = _SIZES.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise OptionError(f"--max-size {text}: write a number and MB, GB, TB (or MiB, GiB, TiB), as in 20GB")
    return int(float(match[1]) * unit)


def size_words(count: int) -> str:
    """``1.5 MB``."""
    size = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def moment_words(seconds: float) -> str:
    """Seconds since 1970 as local time, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
