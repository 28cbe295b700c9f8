"""All checks, in the order in which one thing stands on the other."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import metadata
from pathlib import Path

from drivederain.engine.accelerators import accelerators, torch_build
from drivederain.engine.doctor.accelerator import check_accelerator, check_computes, check_precision, convolve
from drivederain.engine.doctor.check import Check
from drivederain.engine.doctor.packages import DISTRIBUTION, check_extra, check_packages, core_requirements, extras
from drivederain.engine.doctor.plugins import check_default_methods, check_method, check_plugins
from drivederain.engine.doctor.processes import check_child
from drivederain.engine.doctor.python import check_import, check_python
from drivederain.engine.doctor.storage import check_links, check_locks, check_space, check_writable
from drivederain.engine.doctor.weights import check_all_of, check_file, check_lpips_heads
from drivederain.engine.environment import nearest_folder
from drivederain.implementation import install_hint, missing_modules
from drivederain.registry import Registry
from drivederain.weights_library import WeightsLibrary


def examine(registry: Registry, cache: Path, out: Path, default_methods: Sequence[str]) -> Iterator[Check]:
    """Look at everything.

    Args:
        cache: the folder of outputs and weights.
        out: the folder that runs are written to.
        default_methods: names of the methods of the default run; what they need is needed.
    """
    yield check_python(platform.python_version(), metadata(DISTRIBUTION)["Requires-Python"])
    torch = check_import("torch", install_hint("torch", ""))
    yield torch
    yield check_packages(core_requirements())
    for extra, requirements in extras().items():
        yield check_extra(extra, requirements)
    yield from _storage(cache, out)
    yield from check_plugins(registry.plugins)
    yield check_default_methods(default_methods, list(registry.methods))
    if torch.status == "ok":  # nothing of what follows can be looked at without it
        for spec in registry.methods.values():
            yield check_method(spec, registry.owner("method", spec.name), needed=spec.name in default_methods)
        yield from _weights(registry, WeightsLibrary(cache), default_methods)
        yield from _accelerator()
        yield check_child()


def _accelerator() -> Iterator[Check]:
    devices = accelerators()
    yield check_accelerator(torch_build(), devices)
    if devices:
        yield check_computes(devices[0]["device"], convolve)
    yield check_precision(devices)


def _storage(cache: Path, out: Path) -> Iterator[Check]:
    yield check_writable("cache", cache, "Check its permissions, or give another with --cache or DRIVEDERAIN_CACHE.")
    yield check_space("cache space", cache, shutil.disk_usage(nearest_folder(cache)).free)
    yield check_writable("output", out, "Start in a folder that you may write to, or give one with --out.")
    yield check_space("output space", out, shutil.disk_usage(nearest_folder(out)).free)
    yield check_locks(cache)
    yield check_links(cache, out)


def _weights(registry: Registry, library: WeightsLibrary, default_methods: Sequence[str]) -> Iterator[Check]:
    for spec in registry.methods.values():
        needed = spec.name in default_methods and not missing_modules(spec.requires)
        yield from check_all_of(spec, library, needed=needed)
    # These modules import torch; what they need besides was looked at among the packages.
    try:
        from drivederain.metrics.perceptual import TRUNK, TRUNK_SHA256
        from drivederain.training.losses.perceptual import VGG_FILE, VGG_SHA256
    except Exception as error:
        reason = f"the metrics and losses cannot be imported: {type(error).__name__}: {error}"
        remedy = f"Install the program again: {install_hint(DISTRIBUTION, '')}"
        yield Check("weights", "carried networks", "broken", reason, remedy, needed=True)
        return
    yield check_file("LPIPS trunk", TRUNK, TRUNK_SHA256, needed=True)
    yield check_lpips_heads()
    yield check_file("VGG16 of the perceptual loss", VGG_FILE, VGG_SHA256, needed=False)
