"""Fitted regression trees as plain arrays, evaluated with NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TreeEnsemble:
    """A sum of binary regression trees whose nodes stand one after another in flat arrays.

    A sample at node ``k`` goes to ``left[k]`` when ``x[feature[k]] <= threshold[k]``, else to ``right[k]``; a leaf
    points to itself both ways, so that every tree can be walked for ``depth`` steps at once.
    """

    features: tuple[str, ...]
    """Names of the inputs, in order."""
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    """First node of each tree."""
    depth: int
    base: float
    """Added to the sum over the trees."""
    error: float
    """Median absolute error of the prediction on photographs not used to fit, in the unit of the prediction."""

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum the leaves that each row falls into.

        Args:
            rows: n x ``len(features)`` float32.

        Returns:
            n predictions.
        """
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        row = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            goes_left = rows[row, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return np.asarray(self.base + self.value[node].sum(axis=1, dtype=np.float64))


@cache
def load_trees(name: str) -> TreeEnsemble:
    """Read the trees ``NAME.npz`` that ship beside this module; nothing in the file is ever unpickled."""
    with (files(__package__) / f"{name}.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return TreeEnsemble(
            features=tuple(str(feature) for feature in arrays["features"]),
            feature=arrays["feature"].astype(np.int16),
            threshold=arrays["threshold"].astype(np.float32),
            left=arrays["left"].astype(np.int32),
            right=arrays["right"].astype(np.int32),
            value=arrays["value"].astype(np.float32),
            roots=arrays["roots"].astype(np.int32),
            depth=int(arrays["depth"]),
            base=float(arrays["base"]),
            error=float(arrays["error"]),
        )
