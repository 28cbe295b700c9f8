"""The Lightning module that trains any network of the form output = f(rainy[, estimate])."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.restoration import RestorationLoss
from drivederain.training.optimisation import make_optimizer, make_plateau, make_schedules
from drivederain.training.progress import Progress


class RestorationModule(LightningModule):
    """Trains a network by the hyperparameters that the core gives it.

    Sub-classes override ``predict`` (what the network makes of a batch) or ``training_losses``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.terms: dict[str, Tensor] = {}
        """Loss terms of the last step, detached."""
        self.plateau: ReduceLROnPlateau | None = None
        """The schedule that goes by the validation loss, where the hyperparameters ask for it."""
        self.prepare(Hyperparameters(), Progress())

    def prepare(self, hyperparameters: Hyperparameters, progress: Progress) -> None:
        """Take loss, optimiser and schedule from ``hyperparameters``; ``progress`` knows what of the budget is used.

        Called by the core before the training.
        """
        self.hyperparameters, self.progress = hyperparameters, progress
        self.loss = RestorationLoss(**hyperparameters.losses).to(self.device)

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the network's output for ``batch["rainy"]``, float32 B x 3 x H x W."""
        output: Tensor = self.network(batch["rainy"])
        return output

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss terms by name with their sum as ``loss``."""
        terms: dict[str, Tensor] = self.loss(self.predict(batch), batch["clear"])
        return terms

    def consistency(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean absolute difference of what the network makes of two views of one photo, the first as the wanted one."""
        with torch.no_grad():
            wanted = self.predict({"rainy": batch["photo"]}) * batch["gain"]
        return (self.predict({"rainy": batch["photo_flipped"]}).flip(-1) - wanted).abs().mean()

    def training_step(self, batch: Mapping[str, Tensor], batch_index: int) -> Tensor:
        """One step; its terms are in ``terms``."""
        if self.hyperparameters.channels_last:
            batch = {name: _channels_last(value) for name, value in batch.items()}
        terms = self.training_losses(batch)
        loss = terms["loss"]
        if "photo" in batch:
            terms["consistency"] = self.hyperparameters.consistency * self.consistency(batch)
            loss = terms["loss"] = loss + terms["consistency"]
        self.terms = {name: value.detach() for name, value in terms.items()}
        return loss

    def configure_optimizers(self) -> Any:
        """As the hyperparameters have it."""
        optimizer = make_optimizer(self.network, self.hyperparameters)
        self.plateau = make_plateau(optimizer, self.hyperparameters)
        return [optimizer], make_schedules(optimizer, self.hyperparameters, self.progress.fraction)

    def validated(self, loss: float) -> None:
        """The validation loss after an epoch, which the schedule ``plateau`` goes by."""
        if self.plateau is not None:
            self.plateau.step(loss)


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
