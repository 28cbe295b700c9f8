"""The diffusion refiner as a method: a bridge in pixels, or InstructPix2Pix with adapters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from drivederain.method import LoadedWeights, Pixels, Refiner
from drivederain.training.recipe import Recipe
from drivederain_methods.diffusion.bridge_model import BridgeModel
from drivederain_methods.diffusion.options import DiffusionOptions
from drivederain_methods.diffusion.rain_mask import difference_mask, predicted_mask
from drivederain_methods.diffusion.share import BLENDS, GATES, by_rain, fitted

if TYPE_CHECKING:
    from drivederain_methods.diffusion.instruct.model import InstructModel


OF_BRIDGE = ("channels", "layers", "pixel_shuffle", "detail", "norm", "bridge_noise")
OF_INSTRUCT = ("base", "revision", "prompt", "see_rainy", "strength", "fidelity", "train_on")


class Diffusion(Refiner):
    """Refines the estimate of the stage before it."""

    architecture: ClassVar[tuple[str, ...]] = ("model", "blend", "gate", *OF_BRIDGE, *OF_INSTRUCT)
    fitted_as: ClassVar[Mapping[str, float]] = {"blend": 1.0, "gate": 0.0}
    options: DiffusionOptions
    model: BridgeModel | InstructModel

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.tile = self.options.tile_side
        if self.options.model == "bridge":
            self.model = BridgeModel(self.options, weights, device)
            return
        # transformers and peft take seconds to import, and a bridge needs neither.
        from drivederain_methods.diffusion.instruct.model import InstructModel

        self.model = InstructModel(self.options, weights, device, may_download=self.may_download)

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        refined = self.model.refine(rainy, estimate, self.generators, self.tile)
        share = self.options.blend * by_rain(rainy, estimate, self.options.gate_change)
        if self.options.paste != "none":
            mask = predicted_mask if self.options.paste == "predicted" else difference_mask
            share = share * mask(rainy, estimate)
        return estimate + share * (refined - estimate)

    def fit(self, pictures: Iterable[tuple[Pixels, Pixels, Pixels, Pixels]]) -> dict[str, float]:
        """Blend and gate with the highest mean PSNR; one that was typed is in the pictures, or stays, as it is."""
        blends = BLENDS if self.options.blend == self.fitted_as["blend"] else (1.0,)
        gates = GATES if self.options.gate == self.fitted_as["gate"] else (0.0,)
        blend, gate = fitted(pictures, blends=blends, gates=gates)
        return {"blend": blend, "gate": gate}

    def network_options(self) -> dict[str, Any]:
        others = OF_INSTRUCT if self.options.model == "bridge" else OF_BRIDGE
        return {name: value for name, value in super().network_options().items() if name not in others}

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
