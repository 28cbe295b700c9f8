"""Estimates of crops with fresh rain, made anew in every step by the frozen prefix of a refiner.

A refiner that always sees the same estimates learns them by heart: its validation score falls while its training loss
falls too. So where rain is drawn, the prefix restores every crop with its fresh rain. It sees some pixels around the
crop, for a network knows less at the edge of what it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.training.data import Prefix

MARGIN = 32
"""Pixels around a crop that the prefix sees too."""


class FreshEstimates:
    """Makes batches with ``rainy``, ``clear`` and ``estimate`` of batches whose crops have a margin.

    In the process that trains, where the prefix is; the crops may come from other processes.

    Args:
        prefixes: the frozen prefix; of several (cross-fitting) that of each fold, which has not seen the fold's scenes.
        pause: entered for the first batch, at which the prefix is loaded: that is not training.
    """

    def __init__(
        self, prefixes: Sequence[Prefix], pause: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._prefixes, self._pause = prefixes, pause
        self._loaded = False

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """From B x 3 x (crop + 2 margin) x (crop + 2 margin) and ``corner`` (B x 2) to B x 3 x crop x crop."""
        side = batch["rainy"].shape[-1]
        crop = side - 2 * MARGIN
        pixels = (batch["rainy"] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        with nullcontext() if self._loaded else self._pause():
            restored = self._restored(list(pixels), batch.get("fold"))
        self._loaded = True
        estimates = torch.from_numpy(restored).permute(0, 3, 1, 2).float() / 255
        corners = [(int(top), int(left)) for top, left in batch["corner"]]

        def cut(pictures: Tensor) -> Tensor:
            parts = zip(pictures, corners, strict=True)
            return torch.stack([each[:, top : top + crop, left : left + crop] for each, (top, left) in parts])

        return {"rainy": cut(batch["rainy"]), "clear": cut(batch["clear"]), "estimate": cut(estimates)}

    def _restored(self, rainy: list[NDArray[np.uint8]], folds: Tensor | None) -> NDArray[np.uint8]:
        numbers = [0] * len(rainy) if folds is None else folds.tolist()
        restored: dict[int, NDArray[np.uint8]] = {}
        for number in sorted(set(numbers)):
            places = [place for place, each in enumerate(numbers) if each == number]
            made = self._prefixes[number]([rainy[place] for place in places])
            restored.update(zip(places, made, strict=True))
        return np.stack([restored[place] for place in range(len(rainy))])
