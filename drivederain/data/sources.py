"""``--data NAME:LOCATION`` as typed, to a kind of data set and its location."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drivederain.errors import DataError
from drivederain.specs import DatasetSpec

_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Source:
    """A kind of data set and where it is."""

    spec: DatasetSpec
    location: str


def parse_source(text: str, specs: Mapping[str, DatasetSpec]) -> Source:
    """Read one ``--data`` value. A location may be left out where the spec's ``location`` starts with ``[``.

    Raises:
        DataError: no such kind of data set, or no location; the message says what can be written.
    """
    if _WINDOWS_PATH.match(text):
        raise DataError(f"--data {text} does not say what lies there. {_kinds(text)}")
    name, colon, location = text.partition(":")
    spec = specs.get(name.strip())
    if spec is None:
        raise DataError(_unknown(text, name.strip(), colon, specs))
    if not location.strip() and not spec.location.startswith("["):
        raise DataError(f"--data {text} names no location: write --data {spec.name}:{spec.location}")
    return Source(spec, location)


def _unknown(text: str, name: str, colon: str, specs: Mapping[str, DatasetSpec]) -> str:
    near = difflib.get_close_matches(name.lower(), specs, n=1)
    if near:
        return f"--data {text}: there is no data set {name!r}. Did you mean {near[0]!r}?"
    if text and not colon and (Path(text).expanduser().exists() or "/" in text or "\\" in text):
        return f"--data {text} does not say what lies there. {_kinds(text)}"
    return f"--data {text}: there is no data set {name!r}. Write NAME:LOCATION with one of: {', '.join(sorted(specs))}"


def _kinds(path: str) -> str:
    return (
        f"Write synthetic:{path} for clear photos to draw rain on, paired:{path} for rainy pictures with their truth, "
        f"or real:{path} for rainy photos without truth."
    )
