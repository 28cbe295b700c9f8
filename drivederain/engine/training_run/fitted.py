"""Options that are fitted on the validation pictures when a training has ended, such as a refiner's blend weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.errors import MethodError
from drivederain.method import Method, Refiner
from drivederain.results.run_folder import write_atomically
from drivederain.training.data import Estimate
from drivederain.weights import read_weights, serialise

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Fitter:
    """Fits options of a refiner's weights and stores them with the weights, where they win over the defaults.

    Args:
        samples: the validation pictures, with their truth.
        typed: names of the options that the user gave: they stay as they are.
        make: a method with some of its options replaced, not loaded.
        load: loads a method with the weights of a file.
        restore: a loaded method's output of a sample.
        estimate: what the chain before a refiner makes of a sample.
    """

    samples: tuple[Sample, ...]
    typed: frozenset[str]
    make: Callable[[dict[str, Any]], Method]
    load: Callable[[Method, Path], None]
    restore: Callable[[Method], Callable[[Sample], Pixels]]
    estimate: Estimate | None

    def fit(self, path: Path) -> dict[str, Any]:
        """Fit the options of the weights at ``path`` and write them there; what was fitted, by option.

        Raises:
            MethodError: what the method fitted is not finite.
        """
        plain = self.make({})
        if not isinstance(plain, Refiner) or not self.samples or self.estimate is None:
            return {}
        fitted_as = {name: value for name, value in plain.fitted_as.items() if name not in self.typed}
        if not fitted_as:
            return {}
        method = self.make(fitted_as)
        assert isinstance(method, Refiner)
        self.load(method, path)
        try:
            found = {name: value for name, value in method.fit(self._pictures(method)).items() if name in fitted_as}
        finally:
            method.close()
        for name, value in found.items():
            if not math.isfinite(value):
                raise MethodError(f"{name} was fitted to {value} on the validation pictures")
        weights = read_weights(path)
        about = dict(weights.metadata)
        about["architecture"] = dict(about.get("architecture") or {}) | found
        about["fitted"] = {"options": found, "pictures": len(self.samples)}
        write_atomically(path, serialise(weights.tensors, about, header=weights.header))
        return found

    def _pictures(self, method: Method) -> Iterator[tuple[Pixels, Pixels, Pixels, Pixels]]:
        restore = self.restore(method)
        for sample in self.samples:
            assert sample.clear is not None and self.estimate is not None
            yield sample.rainy.load(), self.estimate(sample), restore(sample), sample.clear.load()
