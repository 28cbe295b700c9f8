"""A plugin for tests: a metric with one variant for each way to cost more than its own scores."""

from __future__ import annotations

import ctypes
import time

import torch
from torch import Tensor

from drivederain.errors import MetricError
from drivederain.hookspecs import hookimpl
from drivederain.metrics.metric import Metric
from drivederain.specs import MetricSpec


class Deadly(Metric):
    def load(self, device: torch.device) -> None:
        if self.variant == "cannot-load":
            raise MetricError("its weights are nowhere")

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        if self.variant == "dies":
            ctypes.string_at(0)
        if self.variant == "hangs":
            time.sleep(60)
        if self.variant == "loses-the-device":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if self.variant == "picky":
            raise MetricError("these pictures are not for it")
        return {"image": torch.zeros(len(output))}


@hookimpl
def drivederain_metrics() -> list[MetricSpec]:
    variants = ("dies", "hangs", "loses-the-device", "cannot-load", "picky", "works")
    return [MetricSpec("deadly", "costs processes", f"{__name__}:Deadly", variants, "higher")]
