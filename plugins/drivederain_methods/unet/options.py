"""Options of the U-Net."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class UNetOptions(BaseModel):
    """``--set unet.NAME=VALUE``. What decides the network is stored with trained weights and read back with them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: Literal["smp", "custom"] = Field(
        "smp", description="smp: segmentation-models-pytorch; custom: the plan's 64-128-256-512-1024 network with tanh"
    )
    encoder: str = Field(
        "resnet34",
        pattern=r"^[A-Za-z0-9_.\-]+$",
        description="smp: encoder of segmentation-models-pytorch; tu-NAME for one of timm's",
    )
    depth: int = Field(5, ge=3, le=5, description="smp: encoder stages")
    decoder_channels: tuple[int, ...] = Field(
        (256, 128, 64, 32, 16), description="smp: channels of the decoder, deepest first; one a stage"
    )
    encoder_weights: str = Field(
        "imagenet", description="smp: start of training: imagenet (from the cache, or with --download), none, or a file"
    )
    residual: bool = Field(
        True, description="the network predicts what to add to the rainy picture; False with architecture=custom"
    )
    width: int = Field(64, ge=8, le=128, description="custom: channels of the first level, doubled at each")
    dropout: float = Field(0.0, ge=0, le=0.5, description="custom: dropout at the bottom")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate of training here")
    crop: int = Field(160, ge=32, le=1024, multiple_of=32, description="training crops, pixels")
    batch_size: int = Field(8, ge=1, le=256, description="training batch")
    ssim_weight: float = Field(0.2, ge=0, description="weight of 1 - SSIM beside L1")
    vgg_weight: float = Field(
        0.0, ge=0, description="weight of the VGG16 perceptual term beside L1; the plan's range is .1-.5"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_planned(cls, given: Any) -> Any:
        """The plan's network puts out the picture itself, by its tanh; asking for ``residual`` overrides that."""
        if isinstance(given, dict) and given.get("architecture") == "custom":
            return {"residual": False} | given
        return given
