"""Methods run as the core runs them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drivederain.engine.device import DeviceRunner
from drivederain.method import LoadedWeights, Method
from drivederain.registry import Registry

MakeRunner = Callable[..., DeviceRunner]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.discover()


@pytest.fixture(scope="session")
def make_runner(registry: Registry) -> MakeRunner:
    """Load ``method`` and wrap it in the core's runner on the CPU; ``name`` is the method's in the registry."""

    def make(name: str, method: Method, weights: LoadedWeights | None = None, **more: int) -> DeviceRunner:
        method.load(weights, torch.device("cpu"))
        return DeviceRunner(method, registry.method(name), torch.device("cpu"), precision="fp32", seed=0, **more)

    return make


@pytest.fixture(scope="session")
def make_picture() -> Callable[..., NDArray[np.uint8]]:
    """Maker of a smooth 8-bit H x W x 3 picture from a seed."""

    def make(seed: int, height: int = 64, width: int = 80) -> NDArray[np.uint8]:
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        coarse = rng.random((-(-height // 8), -(-width // 8), 3))
        picture = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width]
        return (picture * 220 + rng.random((height, width, 3)) * 30).astype(np.uint8)

    return make
