"""The diffusion refiner as a method: a bridge in pixels, or InstructPix2Pix with adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from drivederain.method import LoadedWeights, Refiner
from drivederain.training.recipe import Recipe
from drivederain_methods.diffusion.bridge_model import BridgeModel
from drivederain_methods.diffusion.options import DiffusionOptions

if TYPE_CHECKING:
    from drivederain_methods.diffusion.instruct.model import InstructModel


class Diffusion(Refiner):
    """Refines the estimate of the stage before it."""

    architecture: ClassVar[tuple[str, ...]] = (
        "model", "channels", "layers", "pixel_shuffle", "bridge_noise", "blend",
        "base", "revision", "prompt", "see_rainy", "strength", "fidelity",
    )  # fmt: skip
    options: DiffusionOptions
    model: BridgeModel | InstructModel

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        if self.options.model == "bridge":
            self.model = BridgeModel(self.options, weights, device)
            return
        # transformers and peft take seconds to import, and a bridge needs neither.
        from drivederain_methods.diffusion.instruct.model import InstructModel

        self.model = InstructModel(self.options, weights, device, may_download=self.may_download)

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        refined = self.model.refine(rainy, estimate, self.generators)
        return estimate + self.options.blend * (refined - estimate)

    def training(self) -> Recipe:
        return self.model.training()

    def state(self) -> dict[str, Tensor]:
        return self.model.state()

    def header(self) -> dict[str, str]:
        return self.model.header()

    def facts(self) -> dict[str, str | int | float | bool]:
        return self.model.facts()

    def networks(self) -> list[nn.Module]:
        return self.model.networks()

    def close(self) -> None:
        del self.model
