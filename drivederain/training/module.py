"""The Lightning module that trains any network of the form output = f(rainy[, estimate])."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn

from drivederain.training.losses import RestorationLoss
from drivederain.training.progress import Progress

WARM_UP = 0.03
"""Share of the training over which the learning rate rises linearly, from 1 % of its peak."""
FINAL = 0.01
"""Learning rate at the end, as a share of its peak (cosine decay)."""


class RestorationModule(LightningModule):
    """AdamW with warm-up and cosine decay over the budget, whether that is given in steps or in minutes.

    Sub-classes override ``predict`` (what the network makes of a batch) or ``training_losses``.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        loss: RestorationLoss | None = None,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        gradient_clip: float = 1.0,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss or RestorationLoss()
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.budget_progress = Progress()
        """How much of the budget is used; the core puts a running one here."""

    def hyperparameters(self) -> dict[str, float]:
        """What decides the training beside the data and the budget, for the provenance of the weights."""
        return {
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "gradient_clip": self.gradient_clip,
            **{f"loss_{name}": weight for name, weight in self.loss.weights.items()},
        }

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the network's output for ``batch["rainy"]``, float32 B x 3 x H x W."""
        output: Tensor = self.network(batch["rainy"])
        return output

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss terms by name with their sum as ``loss``."""
        terms: dict[str, Tensor] = self.loss(self.predict(batch), batch["clear"])
        return terms

    def training_step(self, batch: Mapping[str, Tensor], batch_index: int) -> Tensor:
        """One step; every term is logged under ``train/<name>``."""
        terms = self.training_losses(batch)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()}, batch_size=len(batch["clear"])
        )
        return terms["loss"]

    def rate(self, step: int) -> float:
        """Learning rate at ``step`` as a share of its peak."""
        done = self.budget_progress.fraction(step)
        if done < WARM_UP:
            return max(done / WARM_UP, 1e-2)
        return FINAL + (1 - FINAL) * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW; biases and normalisation weights are not decayed."""
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        groups = [
            {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
