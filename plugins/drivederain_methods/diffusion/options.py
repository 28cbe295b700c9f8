"""Options of the diffusion refiner."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DiffusionOptions(BaseModel):
    """``--set diffusion.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["bridge"] = Field("bridge", description="bridge: a small diffusion in pixels that starts from the estimate")
    channels: tuple[int, ...] = Field((32, 64, 96, 128), description="channels a level of diffusers' UNet2DModel")
    layers: int = Field(1, ge=1, le=4, description="residual blocks a level")
    pixel_shuffle: int = Field(2, ge=1, le=4, description="pictures are folded by this factor, without loss")
    bridge_noise: float = Field(0.08, ge=0, le=1, description="noise of the bridge while training")
    steps: int = Field(2, ge=1, le=50, description="sampling steps; 1 is plain regression, more is diffusion")
    eta: float = Field(0.0, ge=0, le=1, description="share of the bridge's noise added while sampling; 0 is deterministic")
    blend: float = Field(1.0, ge=0, le=1, description="share of the refinement that is added to the estimate")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate of training here")
    crop: int = Field(160, ge=32, le=1024, description="training crops, pixels")
    batch_size: int = Field(8, ge=1, le=256, description="training batch")
    ssim_weight: float = Field(0.2, ge=0, description="weight of 1 - SSIM beside L1")
