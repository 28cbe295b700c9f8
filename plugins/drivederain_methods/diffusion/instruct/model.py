"""InstructPix2Pix with adapters as a refiner."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.recipe import Recipe
from drivederain_methods.diffusion.instruct.adapters import (
    NAME,
    adapter_header,
    adapter_state,
    add_adapters,
    load_adapters,
)
from drivederain_methods.diffusion.instruct.autoencoder import LATENT
from drivederain_methods.diffusion.instruct.base import load_base
from drivederain_methods.diffusion.instruct.conditioning import see_rainy
from drivederain_methods.diffusion.instruct.fidelity import keep_detail
from drivederain_methods.diffusion.instruct.sampling import Sampling, guided, tiled
from drivederain_methods.diffusion.instruct.training import InstructModule
from drivederain_methods.diffusion.options import DiffusionOptions

RAINY = "conv_in.rainy.weight"
"""The convolution of the rainy picture in a file, where there is one."""
HYPERPARAMETERS = Hyperparameters(
    crop=256, batch_size=4, learning_rate=1e-4, weight_decay=1e-2, ema=0.999, schedule="cosine", jitter=0.0
)


class InstructModel:
    """The loaded base with its adapters.

    Raises:
        WeightsError: the base cannot be had, or the weights are no adapters of it.
    """

    def __init__(
        self, options: DiffusionOptions, weights: LoadedWeights | None, device: torch.device, *, may_download: bool
    ) -> None:
        self.options = options
        self._check_strength(weights)
        self.base = load_base(options.base, prompt=options.prompt, revision=options.revision, may_download=may_download)
        unet = self.base.unet
        if weights is None:
            self.trained = add_adapters(unet, rank=options.rank, alpha=options.alpha, targets=options.targets)
        else:
            self.trained = load_adapters(unet, weights, beside=(RAINY,) if options.see_rainy else ())
        self.rainy = see_rainy(unet) if options.see_rainy else None
        if self.rainy is not None:
            self.trained.append(self.rainy.weight)
            if weights is not None:
                self._load_rainy(self.rainy, weights)
        if options.gradient_checkpointing:
            unet.enable_gradient_checkpointing()
        self.base.to(device)

    def _check_strength(self, weights: LoadedWeights | None) -> None:
        """What was trained on pixels knows one time, where the walk of that strength begins."""
        stored = dict(weights.metadata.get("architecture") or {}) if weights is not None else {}
        strength = stored.get("strength", self.options.strength)
        if weights is not None and self.options.train_on == "pixels" and strength != self.options.strength:
            raise WeightsError(
                f"{weights.path}: trained on pixels with strength {strength:g}, and knows no other. "
                f"Leave --set diffusion.strength={self.options.strength:g} out."
            )

    @staticmethod
    def _load_rainy(rainy: nn.Conv2d, weights: LoadedWeights) -> None:
        found = weights.tensors.get(RAINY)
        if found is None or found.shape != rainy.weight.shape:
            raise WeightsError(
                f"{weights.path}: its adapters were trained without the rainy picture. "
                "Leave --set diffusion.see_rainy=true out."
            )
        with torch.no_grad():
            rainy.weight.copy_(found)

    @torch.no_grad()
    def refine(
        self, rainy: Tensor, estimate: Tensor, generators: Sequence[torch.Generator], tile: int | None
    ) -> Tensor:
        """The refined pictures, the mean of the samples that are asked for; arguments as ``BridgeModel.refine``."""
        options = self.options
        encoded = self.base.encode(estimate, tile=tile)
        pictures = [encoded] if self.rainy is None else [encoded, self.base.encode(rainy, tile=tile)]
        sampling = Sampling(self.base.scheduler, options.scheduler, options.sampling_steps, options.strength)
        predict = guided(
            self.base.predict,
            self.base.prompt,
            self.base.nothing,
            guidance=options.guidance,
            image_guidance=options.image_guidance,
        )
        anywhere = tiled(predict, torch.cat(pictures, 1), tile)
        round_trip = self.base.decode(encoded, tile=tile) if options.fidelity == "difference" else None
        refined = torch.zeros_like(estimate)
        for _ in range(options.average):
            # Drawn on the CPU, so that devices agree.
            drawn = [torch.randn(encoded.shape[1:], generator=generator) for generator in generators]
            latents = sampling.walk(encoded * self.base.scaling, torch.stack(drawn).to(encoded), anywhere)
            decoded = self.base.decode(latents / self.base.scaling, tile=tile)
            refined += keep_detail(estimate, decoded, round_trip, options.fidelity)
        return refined / options.average

    def training(self) -> Recipe:
        """Adapters alone are trained."""
        folded = 2 ** (len(self.base.unet.config.down_block_types) - 1)
        module = InstructModule(self.base, self.trained, self.options)
        own_loss = "the noise in the latents" if self.options.train_on == "noise" else ""
        return Recipe(module, HYPERPARAMETERS, crop_multiple=LATENT * folded, own_loss=own_loss)

    def state(self) -> dict[str, Tensor]:
        """The adapters in diffusers' layout, and the convolution of the rainy picture where there is one."""
        own = {} if self.rainy is None else {RAINY: self.rainy.weight}
        return adapter_state(self.base.unet) | own

    def header(self) -> dict[str, str]:
        """What diffusers wants to know of the adapters."""
        return adapter_header(self.base.unet)

    def facts(self) -> dict[str, str | int | float | bool]:
        """What the report says of the network and of how it samples."""
        options, config = self.options, self.base.unet.peft_config[NAME]
        return {
            "network": f"InstructPix2Pix {options.base}, LoRA rank {config.r}, alpha {config.lora_alpha:g}",
            "sampling": f"{options.scheduler}, {options.sampling_steps} steps from strength {options.strength:g}",
            "safety checker": "off",
            "parameters": sum(parameter.numel() for network in self.networks() for parameter in network.parameters()),
            "trained parameters": sum(parameter.numel() for parameter in self.trained),
        }

    def networks(self) -> list[nn.Module]:
        """The networks whose parameters and operations are counted."""
        return [self.base.vae, self.base.unet]
