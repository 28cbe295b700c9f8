"""Which plugins are installed: the entry points of the group ``drivederain`` and the distributions they come from."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass
from importlib.metadata import EntryPoint

GROUP = "drivederain"
DISTRIBUTION = "drivederain"
"""The distribution whose plugins are the built-in ones."""


@dataclass(frozen=True)
class DamagedDistribution:
    """A distribution whose own list of entry points cannot be read."""

    name: str
    version: str
    reason: str


def distribution_of(entry_point: EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution that ``entry_point`` comes from, as far as its metadata tells."""
    try:
        found = entry_point.dist
        return (found.name or "unknown", found.version or "unknown") if found is not None else ("unknown", "unknown")
    except Exception:
        return "unknown", "unknown"


def order(entry_point: EntryPoint) -> tuple[bool, str, str]:
    """Sort key: the built-in ones first, the others by distribution and name."""
    name = re.sub(r"[-_.]+", "-", distribution_of(entry_point)[0]).lower()
    return name != DISTRIBUTION, name, entry_point.name


def installed_entry_points() -> tuple[list[EntryPoint], list[DamagedDistribution]]:
    """Return the installed entry points of the group, and the distributions that could not be asked."""
    try:
        return list(importlib.metadata.entry_points(group=GROUP)), []
    except Exception:
        # One distribution with a damaged entry_points.txt fails the call for all: ask each by itself.
        return _entry_points_one_by_one()


def _entry_points_one_by_one() -> tuple[list[EntryPoint], list[DamagedDistribution]]:
    found: dict[str, list[EntryPoint]] = {}
    damaged: list[DamagedDistribution] = []
    for distribution in importlib.metadata.distributions():
        name, version = "unknown", "unknown"
        try:
            name, version = distribution.name or name, distribution.version or version
            if name not in found:
                found[name] = list(distribution.entry_points.select(group=GROUP))
        except Exception as error:
            damaged.append(DamagedDistribution(name, version, f"its list of entry points cannot be read: {error}"))
    return [entry_point for entry_points in found.values() for entry_point in entry_points], damaged
