"""A chain in memory: its stages loaded and run one after another, as a run would, without a cache."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.stages import ReadyStage
from drivederain.errors import MethodError


class LoadedChain:
    """Restores pictures. Between stages the estimate is an 8-bit picture, so that the results are those of a run."""

    def __init__(self, stage: ReadyStage) -> None:
        """Load every stage of the chain that ends with ``stage``.

        Raises:
            MethodError: a stage cannot be used; the message has the reason.
        """
        if not stage.usable:
            raise MethodError(f"{stage.chain.name} cannot be used: {stage.problem[1]}")
        self._runners: list[DeviceRunner] = []
        try:
            for each in stage.all_stages:
                self._runners.append(each.load())
        except MethodCodeError as error:
            self.close()
            raise MethodError(f"{stage.chain.name} cannot be used: {describe(error)[1]}") from error

    def __enter__(self) -> LoadedChain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """What each stage says of itself, by its name."""
        return {runner.spec.name: dict(runner.method.facts()) for runner in self._runners}

    def close(self) -> None:
        """Free all stages."""
        while self._runners:
            self._runners.pop().method.close()

    def restore(self, rainy: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Restore one picture, H x W x 3 RGB 8 bit.

        Raises:
            MethodError: a stage raised, broke its contract or ran out of memory.
        """
        noise, estimate = noise_name(rainy), rainy
        for runner in self._runners:
            try:
                if runner.spec.kind == "refiner":
                    estimate = runner.restore([noise], [rainy], [estimate])[0].pixels
                else:
                    estimate = runner.restore([noise], [estimate], None)[0].pixels
            except MethodCodeError as error:
                raise MethodError(f"{runner.spec.name} failed: {describe(error)[1]}") from error
        return estimate
