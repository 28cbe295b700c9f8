"""A bridge between the estimate and the clear picture (InDI / I2SB), in pixel-unshuffled space.

At time t the state is x_t = (1 - t) x_0 + t y + s sqrt(t (1 - t)) n: the clear picture x_0 at t = 0, the estimate y at
t = 1. The network predicts x_0 from x_t, y, the rainy picture and t. Sampling goes from t = 1 to 0:
x_r = (r / t) x_t + (1 - r / t) x_0(x_t, t) + eta s sqrt(r (t - r) / t) n for the next time r (the step of Delbracio &
Milanfar 2023 with the noise of a Brownian bridge, as in Liu et al. 2023). With one step it is plain regression; more
steps trade fidelity for realism.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn
from torch.nn import functional

from drivederain.specs import TILE_OVERLAP
from drivederain.tiling import by_tiles
from drivederain_methods.diffusion.normalisation import by_pixel
from drivederain_methods.diffusion.options import GROUPS, MINIMUM, MULTIPLE

COLOURS = 3

Norm = Literal["group", "layer"]


class Bridge(nn.Module):
    """Predicts the clear picture. All pictures are float32 B x 3 x H x W in [0, 1]; t is B values in (0, 1].

    A U-Net sees the pictures folded, which gives it a wide view at a small price: veil and mist are told from a dull
    scene by much of the picture. What it finds goes to ``detail``, a few convolutions at full resolution that see
    state, estimate and rainy picture again. The last convolution starts at zero: before training the output is the
    estimate.

    H and W are multiples of ``pixel_shuffle * 2 ** (levels - 1)``; of ``MULTIPLE`` where they are cut into tiles.

    Args:
        channels: of each level, the finest first.
        layers: residual blocks a level.
        pixel_shuffle: pictures are folded by it, without loss.
        detail: channels at full resolution; 0: the U-Net's output is unfolded as it is.
        norm: of the U-Net. ``group`` takes statistics of all that it sees, so that a tile and the whole differ;
            ``layer`` of each pixel's channels (Ba et al., arXiv:1607.06450, as in Restormer).
        noise: s of the bridge.
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        layers: int = 1,
        pixel_shuffle: int = 2,
        detail: int = 0,
        norm: Norm = "group",
        noise: float = 0.08,
    ) -> None:
        super().__init__()
        self.fold, self.noise = pixel_shuffle, noise
        found = detail // 2 if detail else COLOURS
        self.network = UNet2DModel(
            in_channels=3 * COLOURS * pixel_shuffle**2,
            out_channels=found * pixel_shuffle**2,
            block_out_channels=tuple(channels),
            layers_per_block=layers,
            down_block_types=("DownBlock2D",) * len(channels),
            up_block_types=("UpBlock2D",) * len(channels),
            norm_num_groups=GROUPS,
            add_attention=False,
        )
        if norm == "layer":
            by_pixel(self.network)
        self.detail: nn.Module | None = None
        last = self.network.conv_out
        if detail:
            last = nn.Conv2d(detail, COLOURS, 3, padding=1)
            self.detail = nn.Sequential(
                nn.Conv2d(3 * COLOURS + found, detail, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(detail, detail, 3, padding=1),
                nn.SiLU(),
                last,
            )
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, state: Tensor, estimate: Tensor, rainy: Tensor, time: Tensor) -> Tensor:
        """x_0 as predicted from the state at ``time``."""
        seen = torch.cat([state, estimate, rainy], 1) * 2 - 1
        found = self.network(functional.pixel_unshuffle(seen, self.fold), time * 1000).sample
        change = functional.pixel_shuffle(found, self.fold)
        if self.detail is not None:
            change = self.detail(torch.cat([seen, change], 1))
        predicted: Tensor = estimate + change
        return predicted

    def noisy_state(self, clear: Tensor, estimate: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """x_t for training; ``noise`` is standard normal, of the pictures' shape."""
        t = time.view(-1, 1, 1, 1)
        return (1 - t) * clear + t * estimate + self.noise * (t * (1 - t)).sqrt() * noise

    @property
    def multiple(self) -> int:
        """What heights and widths are a multiple of."""
        return self.fold * 2 ** (len(self.network.config.block_out_channels) - 1)

    def predict(self, state: Tensor, estimate: Tensor, rainy: Tensor, now: float, tile: int | None) -> Tensor:
        """x_0 at the time ``now``; of pictures with a side above ``tile`` by tiles that are blended."""

        def whole(state: Tensor, estimate: Tensor, rainy: Tensor) -> Tensor:
            return self(state, estimate, rainy, torch.full((len(state),), now, device=state.device))

        if tile is None or max(state.shape[-2:]) <= tile:
            return whole(state, estimate, rainy)
        return by_tiles(whole, [state, estimate, rainy], tile, TILE_OVERLAP, multiple=MULTIPLE, minimum=MINIMUM)

    def sample(
        self,
        estimate: Tensor,
        rainy: Tensor,
        *,
        steps: int,
        eta: float,
        generators: Sequence[torch.Generator],
        tile: int | None = None,
    ) -> Tensor:
        """Walk from the estimate to the clear picture in ``steps`` equal steps.

        Pictures with a side above ``tile`` pixels go through the network by tiles, which are blended in every step.

        ``generators``: one a picture, used only where ``eta > 0``; a picture's noise does not depend on its batch.

        Raises:
            ValueError: noise is asked for, and there are more or fewer generators than pictures.
        """
        if eta > 0 and len(generators) != len(estimate):
            raise ValueError(f"{len(generators)} generators for {len(estimate)} pictures: one a picture is needed")
        times = torch.linspace(1, 0, steps + 1).tolist()
        state = estimate
        for now, then in pairwise(times):
            clear = self.predict(state, estimate, rainy, now, tile)
            state = clear + (then / now) * (state - clear)  # where nothing changes, the estimate stays bit for bit
            if eta > 0 and then > 0:
                noise = torch.stack(
                    [torch.randn(estimate.shape[1:], generator=generator) for generator in generators]
                ).to(estimate)  # drawn on the CPU, so that devices agree
                state = state + eta * self.noise * math.sqrt(then * (now - then) / now) * noise
        return state
