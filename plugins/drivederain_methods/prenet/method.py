"""PReNet as a method."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.file_options import with_what_the_file_tells
from drivederain_methods.prenet.checkpoint import FOR_REAL_PHOTOS, by_our_names, read_off
from drivederain_methods.prenet.network import PReNet
from drivederain_methods.prenet.options import PReNetOptions


class PReNetMethod(Method):
    """Restores in several passes through one network."""

    architecture: ClassVar[tuple[str, ...]] = ("recurrences", "memory", "shared_block", "add")
    options: PReNetOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        if weights is not None:
            weights, for_real_photos = by_our_names(weights)
            # That a network is for real photos its names suggest; whoever types another order of work knows better.
            typed = self.options.model_fields_set
            told = read_off(weights)
            known = typed | told.keys()
            meant = {name: value for name, value in FOR_REAL_PHOTOS.items() if for_real_photos and name not in known}
            if "memory" not in told and self.options.memory == "none":
                raise WeightsError(
                    f"{weights.path}: it holds a network with an LSTM, and memory=none was asked for. Leave the option "
                    "out, or train another with --train."
                )
            self.options = with_what_the_file_tells(self.options.model_copy(update=meant), told, weights.path)
        self.network = PReNet(**self.options.model_dump())
        if weights is not None:
            load_state(self.network, weights)
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def training(self) -> Recipe:
        return Recipe(RestorationModule(self.network), Hyperparameters(crop=100, batch_size=6))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        network = self.network
        blocks = "one block five times" if network.shared_block else "five blocks"
        memory = "no memory" if network.memory == "none" else f"LSTM {network.memory} them"
        return {
            "network": f"{network.recurrences} passes, {blocks}, {memory}",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network
