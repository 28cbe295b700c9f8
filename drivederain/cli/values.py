"""Reading the values of options: lists, METHOD=PATH, METHOD.option=value, sizes. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from drivederain.errors import OptionError
from drivederain.names import did_you_mean
from drivederain.specs import INTENSITIES, Intensity

if TYPE_CHECKING:
    from drivederain.engine.shards import Shard


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


def size(text: str, option: str = "--size") -> int | None:
    """``native``, or the shorter side in pixels.

    Raises:
        OptionError: anything else, or below 16.
    """
    if text == "native":
        return None
    if not text.isdigit() or int(text) < 16:
        raise OptionError(f"{option} {text}: write native, or the shorter side in pixels, 16 or more")
    return int(text)


def seconds(option: str, value: float | None) -> float | None:
    """A limit of time, or ``None`` for none.

    Raises:
        OptionError: below zero, zero, or not finite.
    """
    if value is not None and not 0 < value < float("inf"):
        raise OptionError(f"{option} {value:g}: write seconds, more than 0")
    return value


def at_least(option: str, value: int | None, least: int) -> int | None:
    """A number that is at least ``least``, or ``None``.

    Raises:
        OptionError: it is below.
    """
    if value is not None and value < least:
        raise OptionError(f"{option} {value}: write {least} or more")
    return value


def memory_limit(text: str | None) -> int:
    """Bytes that the process of a method may hold: as typed (``8GB``), else 90 % of what this machine allows.

    Raises:
        OptionError: not a number of bytes.
    """
    from drivederain.engine.cache.quantities import read_size
    from drivederain.engine.hardware import memory_limit_bytes

    if text is None:
        return memory_limit_bytes() * 9 // 10
    try:
        return read_size(text)
    except OptionError as error:
        raise OptionError(f"--memory-limit {text}: write a number and a unit, as in 8GB or 8GiB") from error


def shard(text: str | None) -> Shard | None:
    """``2/8``, or ``None``: all.

    Raises:
        OptionError: anything else, or a part that there is none of.
    """
    from drivederain.engine.shards import Shard

    return Shard.parse(text) if text is not None else None


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


def training_settings(entries: Iterable[str], chain: str) -> dict[str, dict[str, str]]:
    """``METHOD.option=value`` entries; ``training.NAME=value`` is of the training of the chain's last method.

    Raises:
        OptionError: an entry that is not of that form.
    """
    last = chain.rpartition("+")[2].strip()
    found = method_settings(entries)
    own = found.pop("training", {})
    if own:
        found.setdefault(last, {}).update({f"training.{name}": value for name, value in own.items()})
    return found


def shares(option: str, text: str | None) -> tuple[float, ...] | None:
    """Positive numbers between commas, or ``None``.

    Raises:
        OptionError: anything else.
    """
    if text is None:
        return None
    try:
        found = tuple(float(part) for part in names(text))
    except ValueError:
        found = ()
    if not found or not all(0 < share < float("inf") for share in found):
        raise OptionError(f"{option} {text}: write positive numbers, as in 2,1")
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
