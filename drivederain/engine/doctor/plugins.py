"""Plugins that are installed but cannot be used, and methods whose modules are missing or fail to import."""

from __future__ import annotations

from collections.abc import Sequence

from drivederain.engine.doctor.check import Check
from drivederain.entry_points import DISTRIBUTION
from drivederain.errors import SpecError
from drivederain.implementation import install_hint, load_implementation, missing_modules
from drivederain.registry import PluginStatus
from drivederain.specs import MethodSpec


def check_plugins(plugins: Sequence[PluginStatus]) -> list[Check]:
    """How many work, and each that does not. A built-in one is needed, a stranger's is not."""
    working = [plugin.entry_point for plugin in plugins if plugin.status == "ok"]
    checks = [Check("plugins", "working", "ok", ", ".join(working) or "none")]
    for plugin in plugins:
        if plugin.status == "failed":
            built_in = plugin.distribution == DISTRIBUTION
            remedy = f"Mend, update or remove it: python -m pip uninstall {plugin.distribution}"
            checks.append(
                Check(
                    "plugins",
                    plugin.name,
                    "broken",
                    plugin.reason,
                    f"Install the program again: {install_hint(DISTRIBUTION, '')}" if built_in else remedy,
                    needed=built_in,
                )
            )
    return checks


def check_method(spec: MethodSpec, distribution: str, *, needed: bool) -> Check:
    """Whether the method's implementation can be imported here. A missing extra is a note."""
    missing = missing_modules(spec.requires)
    hint = install_hint(distribution, spec.extra)
    if missing:
        reason = f"{' and '.join(missing)} not installed"
        return Check("methods", spec.name, "missing", reason, f"If you want it: {hint}")
    try:
        load_implementation(spec.implementation, owner=f"method {spec.name}", distribution=distribution)
    except SpecError as error:
        return Check("methods", spec.name, "broken", str(error), f"Install it again: {hint}", needed=needed)
    licence = f"NON-COMMERCIAL: {spec.licence}" if spec.non_commercial else spec.licence
    return Check("methods", spec.name, "ok", licence or "it names no licence", needed=needed)


def check_default_methods(wanted: Sequence[str], installed: Sequence[str]) -> Check:
    """``wanted``: the methods of the default run."""
    lost = [name for name in wanted if name not in installed]
    if lost:
        reason = f"there is no method {' and no '.join(lost)}"
        remedy = f"Install the program again: {install_hint(DISTRIBUTION, '')}"
        return Check("methods", "default run", "missing", reason, remedy, needed=True)
    return Check("methods", "default run", "ok", ", ".join(wanted), needed=True)
