"""Filters that know nothing of rain: what removes drops by chance, they remove too."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Method
from drivederain_methods.baselines.options import GuidedOptions, MedianOptions
from drivederain_methods.guided_filter import guided_filter


class Median(Method):
    """The median of each channel over a square window (OpenCV's ``medianBlur``, edges repeated)."""

    options: MedianOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor) -> Tensor:
        pictures = rainy.float().permute(0, 2, 3, 1).cpu().numpy()
        smooth = np.stack([cv2.medianBlur(np.ascontiguousarray(each), self.options.size) for each in pictures])
        return torch.from_numpy(smooth).permute(0, 3, 1, 2).to(rainy.device)

    def facts(self) -> dict[str, str | int | float | bool]:
        return {"network": f"none: median of {self.options.size} x {self.options.size} pixels", "parameters": 0}


class Guided(Method):
    """The guided filter with the picture as its own guide."""

    options: GuidedOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor) -> Tensor:
        return guided_filter(rainy, self.options.radius, self.options.epsilon)

    def facts(self) -> dict[str, str | int | float | bool]:
        words = f"none: guided filter, radius {self.options.radius}, epsilon {self.options.epsilon:g}"
        return {"network": words, "parameters": 0}
