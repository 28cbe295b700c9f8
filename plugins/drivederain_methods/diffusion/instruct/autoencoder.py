"""Through the autoencoder of a latent diffusion and back, for pictures of any size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor

from drivederain.specs import TILE_OVERLAP
from drivederain.tiling import by_tiles
from drivederain_methods.diffusion.options import MULTIPLE

LATENT = 8
"""Pixels of a side of one latent."""


def encode(vae: AutoencoderKL, pictures: Tensor, *, tile: int | None = None, sample: bool = False) -> Tensor:
    """Latents, float32 B x 4 x H/8 x W/8, not scaled: the mode of their distribution, or a sample of it.

    Args:
        pictures: B x 3 x H x W in [0, 1], H and W multiples of 8; of 64 where they are larger than ``tile``.
        tile: pictures with a side above so many pixels go through by tiles.
    """

    def whole(part: Tensor) -> Tensor:
        parameters: Tensor = vae.encode(part * 2 - 1).latent_dist.parameters
        return parameters

    distribution = DiagonalGaussianDistribution(_by_tiles(whole, pictures, tile, 1, Fraction(1, LATENT)))
    latents: Tensor = distribution.sample() if sample else distribution.mode()
    return latents.float()  # also where the network ran in bf16: schedulers step in what they get


def decode(vae: AutoencoderKL, latents: Tensor, *, tile: int | None = None) -> Tensor:
    """Pictures, float32 B x 3 x H x W about in [0, 1], of latents that are not scaled; ``tile``: as for ``encode``."""

    def whole(part: Tensor) -> Tensor:
        decoded: Tensor = vae.decode(part, return_dict=False)[0]
        return decoded.float() / 2 + 0.5

    return _by_tiles(whole, latents, tile, LATENT, Fraction(LATENT))


def _by_tiles(run: Callable[[Tensor], Tensor], whole: Tensor, tile: int | None, unit: int, scale: Fraction) -> Tensor:
    """``run`` on what has ``unit`` pixels a step, by tiles of ``tile`` pixels where it is larger.

    Not diffusers' tiling of the autoencoder: its tiles lie elsewhere than those of the sampler, and there would be
    twice as many lines to see.
    """
    if tile is None or max(whole.shape[-2:]) * unit <= tile:
        return run(whole)
    return by_tiles(run, [whole], tile // unit, TILE_OVERLAP // unit, multiple=MULTIPLE // unit, scale=scale)
