"""The round trip through the autoencoder of a latent diffusion: what every plain decode of it loses."""

from __future__ import annotations

import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Method
from drivederain_methods.diffusion.instruct.autoencoder import decode, encode
from drivederain_methods.diffusion.instruct.base import load_vae
from drivederain_methods.vae.options import VAEOptions


class VAERoundTrip(Method):
    """Encodes its input (the mode of the latents) and decodes it."""

    options: VAEOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        options = self.options
        self.tile = options.tile
        self.vae = load_vae(options.base, revision=options.revision, may_download=self.may_download).to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        return decode(self.vae, encode(self.vae, rainy, tile=self.tile), tile=self.tile)

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"autoencoder of {self.options.base}",
            "parameters": sum(parameter.numel() for parameter in self.vae.parameters()),
        }
