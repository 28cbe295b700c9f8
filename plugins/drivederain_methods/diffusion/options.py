"""Options of the diffusion refiner."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MULTIPLE = 16
"""Pictures come padded to a multiple of this."""
GROUPS = 8
"""Groups of the normalisation layers."""


class DiffusionOptions(BaseModel):
    """``--set diffusion.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["bridge"] = Field(
        "bridge", description="bridge: a small diffusion in pixels that starts from the estimate"
    )
    channels: tuple[int, ...] = Field(
        (32, 64, 96, 128), min_length=1, description="channels a level of diffusers' UNet2DModel, multiples of 8"
    )
    layers: int = Field(1, ge=1, le=4, description="residual blocks a level")
    pixel_shuffle: int = Field(2, ge=1, le=4, description="pictures are folded by this factor, without loss")
    bridge_noise: float = Field(0.08, ge=0, le=1, description="noise of the bridge while training")
    steps: int = Field(2, ge=1, le=50, description="sampling steps; 1 is plain regression, more is diffusion")
    eta: float = Field(
        0.0, ge=0, le=1, description="share of the bridge's noise added while sampling; 0 is deterministic"
    )
    blend: float = Field(1.0, ge=0, le=1, description="share of the refinement that is added to the estimate")

    @model_validator(mode="after")
    def _fits_together(self) -> DiffusionOptions:
        if any(channels < GROUPS or channels % GROUPS for channels in self.channels):
            raise ValueError(f"channels {self.channels}: each must be a multiple of {GROUPS}")
        multiple = self.pixel_shuffle * 2 ** (len(self.channels) - 1)
        if MULTIPLE % multiple:
            raise ValueError(
                f"pixel_shuffle {self.pixel_shuffle} with {len(self.channels)} levels needs pictures in multiples of "
                f"{multiple}, which must divide {MULTIPLE}: fewer channels, or pixel_shuffle 1, 2 or 4"
            )
        return self
