"""A chain in memory: its stages loaded and run one after another, as a run would, without a cache."""

from __future__ import annotations

from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from drivederain.engine.device import DeviceRunner
from drivederain.engine.stages import ReadyStage
from drivederain.errors import MethodError


class LoadedChain:
    """Restores pictures. Between stages the estimate is an 8-bit picture, so that the results are those of a run."""

    def __init__(self, stage: ReadyStage) -> None:
        """Load every stage of the chain that ends with ``stage``.

        Raises:
            MethodError: a stage cannot be used; the message has the reason.
            DriveDeRainError: weights that do not fit.
        """
        if not stage.usable:
            raise MethodError(f"{stage.chain.name} cannot be used: {stage.reason}")
        stages = []
        current: ReadyStage | None = stage
        while current is not None:
            stages.insert(0, current)
            current = current.before
        self._runners: list[DeviceRunner] = [each.load() for each in stages]

    def __enter__(self) -> LoadedChain:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for runner in self._runners:
            runner.method.close()

    def restore(self, name: str, rainy: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Restore one picture, H x W x 3 RGB 8 bit. ``name`` seeds the noise of stochastic methods.

        Raises:
            MethodError: a stage broke its contract.
        """
        estimate = rainy
        for runner in self._runners:
            if runner.spec.kind == "refiner":
                estimate = runner.restore([name], [rainy], [estimate])[0].pixels
            else:
                estimate = runner.restore([name], [estimate], None)[0].pixels
        return estimate
