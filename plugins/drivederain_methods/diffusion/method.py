"""The diffusion refiner as a method, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Refiner
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.diffusion.bridge import Bridge
from drivederain_methods.diffusion.options import DiffusionOptions

SHARE_AT_ONE = 0.5
"""Half of the training is at t = 1, where sampling starts; the rest is uniform (better than uniform alone)."""
EARLIEST = 0.02
"""The smallest time trained at; at 0 the state is the clear picture itself."""


class BridgeModule(RestorationModule):
    """Trains a ``Bridge`` on the outputs of the frozen stage before it."""

    network: Bridge

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        """x_0 predicted at a random time of the bridge."""
        clear, estimate = batch["clear"], batch["estimate"]
        uniform = torch.rand(2, len(clear), device=clear.device)
        time = torch.where(uniform[0] < SHARE_AT_ONE, torch.ones_like(uniform[0]), uniform[1].clamp(min=EARLIEST))
        state = self.network.noisy_state(clear, estimate, time, torch.randn_like(clear))
        return self.network(state, estimate, batch["rainy"], time)


class Diffusion(Refiner):
    """Refines the estimate of the stage before it."""

    architecture: ClassVar[tuple[str, ...]] = ("model", "channels", "layers", "pixel_shuffle", "bridge_noise", "blend")
    options: DiffusionOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        options = self.options
        self.bridge = Bridge(
            options.channels, layers=options.layers, pixel_shuffle=options.pixel_shuffle, noise=options.bridge_noise
        )
        if weights is not None:
            load_state(self.bridge, weights)
        self.bridge.eval().to(device)

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        refined = self.bridge.sample(
            estimate, rainy, steps=self.options.steps, eta=self.options.eta, generators=self.generators
        )
        return estimate + self.options.blend * (refined - estimate)

    def training(self) -> Recipe:
        return Recipe(BridgeModule(self.bridge))

    def state(self) -> dict[str, Tensor]:
        return self.bridge.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"bridge, channels {'-'.join(str(channels) for channels in self.options.channels)}",
            "steps": self.options.steps,
            "parameters": sum(parameter.numel() for parameter in self.bridge.parameters()),
        }

    def close(self) -> None:
        del self.bridge
