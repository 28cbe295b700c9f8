"""Training the adapters: on the noise that they are to predict, or through the whole path on the picture itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr
from torch import Tensor, nn

from drivederain.training.module import RestorationModule
from drivederain_methods.diffusion.instruct.base import Base
from drivederain_methods.diffusion.instruct.conditioning import dropped
from drivederain_methods.diffusion.instruct.fidelity import keep_detail
from drivederain_methods.diffusion.instruct.sampling import Sampling
from drivederain_methods.diffusion.options import DiffusionOptions


class InstructModule(RestorationModule):
    """Trains the adapters of a frozen base on the outputs of the frozen stage before it.

    Only what is trained is part of the module, so that averages and checkpoints do not hold the base.
    """

    def __init__(self, base: Base, trained: Sequence[nn.Parameter], options: DiffusionOptions) -> None:
        super().__init__(nn.ParameterList(trained))
        self.base, self.options = base, options
        self.schedule = DDPMScheduler.from_config(base.scheduler)

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of ``train_on=noise`` one term, ``noise``; of ``pixels`` those of the hyperparameters."""
        if self.options.train_on == "pixels":
            terms: dict[str, Tensor] = self.loss(self._in_one_step(batch).float(), batch["clear"])
            return terms
        loss = self._of_noise(batch)
        return {"noise": loss, "loss": loss}

    def _pictures(self, batch: Mapping[str, Tensor]) -> Tensor:
        names = ("estimate", "rainy") if self.options.see_rainy else ("estimate",)
        return torch.cat([self.base.encode(batch[name]) for name in names], 1)

    def _of_noise(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The loss of InstructPix2Pix, weighted by min-SNR (Hang et al., ICCV 2023) where that is asked for."""
        count, device = len(batch["clear"]), batch["clear"].device
        with torch.no_grad():
            latents = self.base.encode(batch["clear"], sample=True) * self.base.scaling
            pictures = self._pictures(batch)
        noise = torch.randn_like(latents)
        times = torch.randint(0, self.schedule.config.num_train_timesteps, (count,), device=device)
        noisy = self.schedule.add_noise(latents, noise, times)
        no_text, no_picture = dropped(count, self.options.dropout, device)
        text = torch.where(no_text.view(-1, 1, 1), self.base.nothing, self.base.prompt)
        pictures = torch.where(no_picture.view(-1, 1, 1, 1), torch.zeros_like(pictures), pictures)
        predicted = self.base.predict(torch.cat([noisy, pictures], 1), times, text)
        velocity = self.schedule.config.prediction_type == "v_prediction"
        wanted = self.schedule.get_velocity(latents, noise, times) if velocity else noise
        each = (predicted.float() - wanted.float()).square().mean((1, 2, 3))
        return (each * self._weights(times, velocity=velocity)).mean()

    def _weights(self, times: Tensor, *, velocity: bool) -> Tensor:
        gamma = self.options.snr_gamma
        if gamma is None:
            return torch.ones_like(times, dtype=torch.float32)
        ratio = compute_snr(self.schedule, times).float()
        return ratio.clamp(max=gamma) / (ratio + 1 if velocity else ratio)

    def _in_one_step(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The refined pictures as a single step from the time where sampling begins gives them, with gradients."""
        with torch.no_grad():
            pictures = self._pictures(batch)
            encoded = pictures[:, : self.base.latent_channels]
            round_trip = self.base.decode(encoded) if self.options.fidelity == "difference" else None
        options = self.options
        sampling = Sampling(self.base.scheduler, options.scheduler, options.sampling_steps, options.strength)
        times = sampling.start()[1][:1].long().to(encoded.device).repeat(len(encoded))
        noise = torch.randn_like(encoded)
        latents = self.schedule.add_noise(encoded * self.base.scaling, noise, times)
        prompt = self.base.prompt.expand(len(encoded), -1, -1)
        predicted = self.base.predict(torch.cat([latents, pictures], 1), times, prompt)
        kept = self.schedule.alphas_cumprod.to(latents)[times].view(-1, 1, 1, 1)
        if self.schedule.config.prediction_type == "v_prediction":
            clear = kept.sqrt() * latents - (1 - kept).sqrt() * predicted
        else:
            clear = (latents - (1 - kept).sqrt() * predicted) / kept.sqrt()
        decoded = self.base.decode(clear / self.base.scaling)
        return keep_detail(batch["estimate"], decoded, round_trip, self.options.fidelity)
