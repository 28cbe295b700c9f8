"""Installed packages against what the program's own metadata requires, without importing any."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from drivederain.engine.doctor.check import Check
from drivederain.implementation import install_hint

DISTRIBUTION = "drivederain"
NOT_FEATURES = ("all", "dev")
"""Extras that stand for others, or are for those who change the program."""

InstalledVersion = Callable[[str], str]


def unmet(requirements: Iterable[Requirement], installed: InstalledVersion = version) -> list[str]:
    """In words, each requirement that is not installed or of another version."""
    problems = []
    for requirement in requirements:
        try:
            there = installed(requirement.name)
        except PackageNotFoundError:
            problems.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(there, prereleases=True):
            problems.append(f"{requirement.name} is {there}, {requirement.specifier} is wanted")
    return problems


def check_packages(requirements: Iterable[Requirement], installed: InstalledVersion = version) -> Check:
    """The packages that the program needs anyway."""
    wanted = list(requirements)
    problems = unmet(wanted, installed)
    if problems:
        remedy = f"Install the program again: {install_hint(DISTRIBUTION, '')}"
        return Check("packages", "required", "broken", "; ".join(problems), remedy, needed=True)
    return Check("packages", "required", "ok", f"all {len(wanted)} as wanted", needed=True)


def check_extra(extra: str, requirements: Iterable[Requirement], installed: InstalledVersion = version) -> Check:
    """The packages of one optional feature."""
    wanted = list(requirements)
    problems = unmet(wanted, installed)
    name = f"extra {extra}"
    if problems:
        remedy = f"If you want it: {install_hint(DISTRIBUTION, extra)}"
        return Check("packages", name, "missing", "; ".join(problems), remedy)
    return Check("packages", name, "ok", ", ".join(requirement.name for requirement in wanted))


def core_requirements() -> list[Requirement]:
    """What the program requires here without any extra."""
    return [each for each in _requirements() if each.marker is None or each.marker.evaluate({"extra": ""})]


def extras() -> dict[str, list[Requirement]]:
    """Each optional feature that needs packages of its own, and those packages."""
    found = {}
    for extra in metadata(DISTRIBUTION).get_all("Provides-Extra") or []:
        own = [
            each
            for each in _requirements()
            if each.marker is not None
            and each.marker.evaluate({"extra": extra})
            and not each.marker.evaluate({"extra": ""})
            and canonicalize_name(each.name) != DISTRIBUTION
        ]
        if own and extra not in NOT_FEATURES:
            found[extra] = own
    return found


def _requirements() -> list[Requirement]:
    return [Requirement(text) for text in requires(DISTRIBUTION) or []]
