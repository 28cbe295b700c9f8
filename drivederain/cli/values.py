"""Reading the values of options: lists, METHOD=PATH, METHOD.option=value, sizes. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_cache_path

from drivederain.errors import OptionError
from drivederain.names import did_you_mean
from drivederain.specs import INTENSITIES, Intensity


def cache_folder(given: Path | None) -> Path:
    """``--cache``, else DRIVEDERAIN_CACHE, else the user's cache folder."""
    return given or Path(os.environ.get("DRIVEDERAIN_CACHE") or user_cache_path("drivederain", appauthor=False))


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list without empty entries."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def intensities(text: str) -> tuple[Intensity, ...]:
    """``light,medium,heavy`` or some of them, in that order.

    Raises:
        OptionError: an unknown one, or none.
    """
    asked = names(text)
    for name in asked:
        if name not in INTENSITIES:
            hint = did_you_mean(name, INTENSITIES)
            raise OptionError(f"--intensity {name}: no such intensity.{hint} Write some of light,medium,heavy.")
    if not asked:
        raise OptionError("--intensity names none. Write some of light,medium,heavy.")
    return tuple(intensity for intensity in INTENSITIES if intensity in asked)


def size(text: str) -> int | None:
    """``native``, or the shorter side in pixels.

    Raises:
        OptionError: anything else, or below 16.
    """
    if text == "native":
        return None
    if not text.isdigit() or int(text) < 16:
        raise OptionError(f"--size {text}: write native, or the shorter side in pixels, 16 or more")
    return int(text)


def timeout(seconds: float | None) -> float | None:
    """A positive number of seconds.

    Raises:
        OptionError: zero or below.
    """
    if seconds is not None and not seconds > 0:
        raise OptionError(f"--timeout {seconds:g}: write seconds, more than 0")
    return seconds


def limit(count: int | None) -> int | None:
    """A positive number of photos.

    Raises:
        OptionError: zero or below.
    """
    if count is not None and count < 1:
        raise OptionError(f"--limit {count}: write 1 or more")
    return count


def one_of(option: str, value: str, choices: tuple[str, ...]) -> str:
    """``value`` if it is one of ``choices``.

    Raises:
        OptionError: it is not.
    """
    if value not in choices:
        raise OptionError(f"{option} {value}: write one of {', '.join(choices)}.{did_you_mean(value, choices)}")
    return value


def weights(entries: Iterable[str]) -> dict[str, Path]:
    """``METHOD=PATH`` entries.

    Raises:
        OptionError: an entry without '=' or with an empty side.
    """
    found = {}
    for entry in entries:
        method, equals, path = entry.partition("=")
        if not (method.strip() and equals and path.strip()):
            raise OptionError(f"--weights {entry}: write METHOD=PATH, as in --weights restormer=deraining.pth")
        found[method.strip()] = Path(path.strip()).expanduser()
    return found


def method_settings(entries: Iterable[str]) -> dict[str, dict[str, str]]:
    """``METHOD.option=value`` entries.

    Raises:
        OptionError: an entry that is not of that form.
    """
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        target, equals, value = entry.partition("=")
        method, dot, option = target.strip().partition(".")
        if not (method and dot and option and equals):
            raise OptionError(f"--set {entry}: write METHOD.option=value, as in --set diffusion.steps=4")
        found.setdefault(method, {})[option] = value.strip()
    return found


def pairs(option: str, entries: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` entries.

    Raises:
        OptionError: an entry that is not of that form.
    """
    found = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not (name.strip() and equals):
            raise OptionError(f"{option} {entry}: write NAME=VALUE")
        found[name.strip()] = value.strip()
    return found
