"""The averaged weights that a training keeps (Polyak & Juditsky 1992; the decay warms up)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class Averages(WeightAveraging):
    """Exponential moving average whose decay warms up, so that short trainings do not keep their random start."""

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=True, multi_avg_fn=self._move)
        self.decay, self.updates = decay, 0

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        if stage == "fit":
            # Lightning lays the averages where the module lies, and moves the module to the device only afterwards.
            self._device = trainer.strategy.root_device
        super().setup(trainer, module, stage)
        if self._average_model is not None:
            # torch looks at its count at every update; on the device that would wait for all work so far.
            self._average_model.n_averaged = torch.zeros_like(self._average_model.n_averaged, device="cpu")

    @torch.no_grad()
    def _move(self, averages: list[Tensor], currents: list[Tensor], updates: Tensor | int) -> None:
        """What never changes (a frozen VGG) stays exactly as it is; counts of batches are taken over."""
        if not averages[0].is_floating_point():
            torch._foreach_copy_(averages, currents)
            return
        # Counted here: torch's own count lies on the device, and reading it would wait for the device every step.
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(averages, currents, 1 - decay)

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step > self._latest_update_step:
            super().on_train_batch_end(trainer, module, outputs, batch, batch_idx)
            self.updates += 1

    @contextmanager
    def in_place(self, module: LightningModule) -> Iterator[None]:
        """Inside, the module has the averaged weights."""
        self._swap_models(module)
        try:
            yield
        finally:
            self._swap_models(module)

    def state(self) -> dict[str, Tensor]:
        """The averaged weights by name."""
        assert self._average_model is not None
        state: dict[str, Tensor] = self._average_model.state_dict()
        return {name.removeprefix("module."): value for name, value in state.items()}

    def load(self, state: Mapping[str, Tensor], updates: int) -> None:
        """Go on from what ``state`` and ``updates`` were; names that are not there are left as they are."""
        assert self._average_model is not None
        own = {f"module.{name}" if name != "n_averaged" else name: value for name, value in state.items()}
        self._average_model.load_state_dict(own, strict=False)
        self.updates = updates
