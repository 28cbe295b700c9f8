"""What a training runs on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Devices:
    """What a training runs on. ``workers``: processes that make crops; ``None``: as many as pay on this machine."""

    device: torch.device
    precision: Precision = "fp32"
    count: int = 1
    nodes: int = 1
    workers: int | None = None
    strategy: str = "ddp"
    """Of several devices, by Lightning's name."""

    @property
    def loaders(self) -> int:
        """Processes that make crops. On a CPU they would take cores from the training itself, where there are few."""
        if self.workers is not None:
            return self.workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        spare = cores // max(self.count, 1) - 1
        return min(max(spare, 0), 8) if self.device.type != "cpu" else 0
