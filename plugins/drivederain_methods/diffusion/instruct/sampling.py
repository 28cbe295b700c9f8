"""Sampling: from the latents of the estimate, noised, to those of the refined picture.

Any of diffusers' schedulers does the steps. With ``strength`` below 1 the walk begins at the estimate with as much
noise as there is at that share of the schedule (SDEdit, Meng et al., ICLR 2022), so that most of the estimate stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from torch import Tensor

from drivederain.specs import TILE_OVERLAP
from drivederain.tiling import by_tiles
from drivederain_methods.diffusion.instruct.autoencoder import LATENT
from drivederain_methods.diffusion.options import MULTIPLE

SchedulerName = Literal["ddim", "euler", "dpm++"]
_SCHEDULE = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
    "steps_offset",
)
"""Of a base's settings those that it was trained with. It comes with others of some solver, which may draw noise of its
own, clip latents, or take no times."""
_SCHEDULERS: dict[str, tuple[Any, dict[str, Any]]] = {
    # The solver of order 1 is DDIM (Lu et al., DPM-Solver++, 2022) and takes any times; diffusers' DDIM steps evenly.
    "ddim": (DPMSolverMultistepScheduler, {"solver_order": 1}),
    "euler": (EulerDiscreteScheduler, {}),
    "dpm++": (DPMSolverMultistepScheduler, {}),
}


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    Args:
        config: the schedule that the base was trained with.
        scheduler: who makes the steps.
        steps: 1 to 50.
        strength: share of the schedule that is walked, in (0, 1].
    """

    config: Any
    scheduler: SchedulerName
    steps: int
    strength: float

    def start(self) -> tuple[Any, Tensor]:
        """A scheduler set to where the walk begins, and the times of its steps, largest first.

        A whole walk (``strength`` 1) has the times that the pipeline of diffusers has. Others begin exactly at their
        share of the schedule and go down to its end in equal steps.
        """
        schedule = {name: self.config[name] for name in _SCHEDULE if name in self.config}
        if self.strength == 1:
            kind, settings = _SCHEDULERS[self.scheduler]
            if self.scheduler == "ddim":
                kind, settings = DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": False}
            scheduler = kind.from_config(schedule, timestep_spacing="leading", **settings)
            scheduler.set_timesteps(self.steps)
            return scheduler, scheduler.timesteps
        kind, settings = _SCHEDULERS[self.scheduler]
        scheduler = kind.from_config(schedule, **settings)
        begin = self.strength * scheduler.config.num_train_timesteps
        times = [max(round(begin * (self.steps - step) / self.steps) - 1, 0) for step in range(self.steps)]
        scheduler.set_timesteps(timesteps=sorted(set(times), reverse=True))
        return scheduler, scheduler.timesteps

    def walk(self, latents: Tensor, noise: Tensor, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The latents at the end.

        Args:
            latents: of the estimate, scaled, B x 4 x H x W; what the walk begins with where ``strength`` is below 1.
            noise: standard normal, of their shape.
            predict: from noisy latents and a time to what the network makes of them.
        """
        scheduler, times = self.start()
        times = times.to(latents.device)
        if self.strength == 1:
            state = noise * scheduler.init_noise_sigma
        else:
            state = scheduler.add_noise(latents, noise, times[:1].repeat(len(latents)))
        for time in times:
            predicted = predict(scheduler.scale_model_input(state, time), time)
            state = scheduler.step(predicted, time, state, return_dict=False)[0]
        return state


def guided(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor],
    prompt: Tensor,
    nothing: Tensor,
    *,
    guidance: float,
    image_guidance: float,
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """``predict`` with the two guidance scales of InstructPix2Pix (its equation 3).

    It takes three passes; two where the pictures are not guided, whose third cancels out; one without guidance.
    What is returned takes noisy latents, those of the pictures, and a time.

    Args:
        predict: from noisy latents with their pictures in the channels, B x 8 (or 12) x h x w, a time, and the text,
            B x 77 x C, to B x 4 x h x w.
        guidance: of the instruction; 1: none.
        image_guidance: of the pictures; 1: none.
    """

    def both_scales(state: Tensor, pictures: Tensor, time: Tensor) -> Tensor:
        count = len(state)
        if guidance == 1 and image_guidance == 1:
            return predict(torch.cat([state, pictures], 1), time, prompt.expand(count, -1, -1))
        if image_guidance == 1:
            twice = torch.cat([state, pictures], 1).repeat(2, 1, 1, 1)
            text = torch.cat([each.expand(count, -1, -1) for each in (prompt, nothing)])
            told, untold = predict(twice, time, text).chunk(2)
            return untold + guidance * (told - untold)
        stacked = torch.cat([state.repeat(3, 1, 1, 1), torch.cat([pictures, pictures, torch.zeros_like(pictures)])], 1)
        text = torch.cat([each.expand(count, -1, -1) for each in (prompt, nothing, nothing)])
        both, picture, neither = predict(stacked, time, text).chunk(3)
        return neither + guidance * (both - picture) + image_guidance * (picture - neither)

    return both_scales


def tiled(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor], pictures: Tensor, tile: int | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """``predict`` for pictures of any size: what has a side above ``tile`` pixels goes through it by tiles.

    The tiles of a step are blended before the next (MultiDiffusion, Bar-Tal et al., ICML 2023), so that all of them
    walk in one state, with one noise.
    """

    def anywhere(state: Tensor, time: Tensor) -> Tensor:
        if tile is None or max(state.shape[-2:]) <= tile // LATENT:
            return predict(state, pictures, time)
        return by_tiles(
            lambda part, seen: predict(part, seen, time),
            [state, pictures],
            tile // LATENT,
            TILE_OVERLAP // LATENT,
            multiple=MULTIPLE // LATENT,
        ).to(state)

    return anywhere
