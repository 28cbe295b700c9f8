"""The bridge as a refiner, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from drivederain.method import LoadedWeights
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.diffusion.bridge import Bridge
from drivederain_methods.diffusion.options import DiffusionOptions

SHARE_AT_ONE = 0.8
"""Most of the training is at t = 1, where sampling starts and nothing is known of the clear picture, the rest uniform.
Below 1 the state tells most of the answer: with a half, 500 steps gained 4 dB at t = 0.5 and none at t = 1."""
CROP = 256
"""Pixels. A veil over the picture is told by what is far apart, and a step needs several pictures to learn of it."""
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


class BridgeModel:
    """A loaded bridge.

    Raises:
        WeightsError: the weights are of another architecture.
    """

    def __init__(self, options: DiffusionOptions, weights: LoadedWeights | None, device: torch.device) -> None:
        self.options = options
        self.bridge = Bridge(
            options.channels,
            layers=options.layers,
            pixel_shuffle=options.pixel_shuffle,
            detail=options.detail,
            norm=options.norm,
            noise=options.bridge_noise,
        )
        if weights is not None:
            load_state(self.bridge, weights)
        self.bridge.eval().to(device)

    def refine(
        self, rainy: Tensor, estimate: Tensor, generators: Sequence[torch.Generator], tile: int | None
    ) -> Tensor:
        """The refined pictures, the mean of the samples that are asked for.

        Args:
            rainy: B x 3 x H x W in [0, 1], H and W multiples of ``MULTIPLE``.
            estimate: of the stage before, as ``rainy``.
            generators: one a picture; a picture's noise does not depend on its batch.
            tile: pictures with a side above so many pixels go through by tiles.
        """

        def sample() -> Tensor:
            return self.bridge.sample(
                estimate,
                rainy,
                steps=self.options.sampling_steps,
                eta=self.options.eta,
                generators=generators,
                tile=tile,
            )

        refined = sample()
        for _ in range(1, self.options.average):
            refined = refined + sample()
        return refined / self.options.average

    def training(self) -> Recipe:
        """All of the bridge is trained."""
        recipe = Hyperparameters(crop=CROP, batch_size=6, learning_rate=7e-4, ema=0.998)
        return Recipe(BridgeModule(self.bridge), recipe, crop_multiple=self.bridge.multiple)

    def state(self) -> dict[str, Tensor]:
        """The bridge's tensors."""
        return self.bridge.state_dict()

    def header(self) -> dict[str, str]:
        """Nothing: no other program reads a bridge."""
        return {}

    def facts(self) -> dict[str, str | int | float | bool]:
        """What the report says of the network."""
        return {
            "network": f"bridge, channels {'-'.join(str(channels) for channels in self.options.channels)}",
            "steps": self.options.sampling_steps,
            "parameters": sum(parameter.numel() for parameter in self.bridge.parameters()),
        }

    def networks(self) -> list[nn.Module]:
        """The network whose parameters and operations are counted."""
        return [self.bridge]
