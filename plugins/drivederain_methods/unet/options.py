"""Options of the U-Net."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class UNetOptions(BaseModel):
    """``--set unet.NAME=VALUE``. What decides the network is stored with trained weights and read back with them.

    Weights that were stored before an option existed get its default, so each default is what the network was before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: Literal["smp", "custom"] = Field(
        "smp", description="smp: segmentation-models-pytorch; custom: the plan's own network, with tanh on [-1, 1]"
    )
    encoder: str = Field(
        "resnet34",
        pattern=r"^[A-Za-z0-9_.\-]+$",
        description="smp: encoder of segmentation-models-pytorch; tu-NAME for one of timm's",
    )
    depth: int = Field(5, ge=3, le=5, description="smp: encoder stages, 3 to 5; custom: levels, 4 or 5")
    decoder_channels: tuple[int, ...] = Field(
        (256, 128, 64, 32, 16), description="smp: channels of the decoder, deepest first; one a stage"
    )
    encoder_weights: str = Field(
        "imagenet", description="smp: start of training: imagenet (from the cache, or with --download), none, or a file"
    )
    residual: bool = Field(
        True, description="the network predicts what to add to the rainy picture; false: the picture itself"
    )
    width: int = Field(
        64, ge=8, le=128, description="custom: channels of the first level, doubled at each; the plan has 64 and 32"
    )
    downsampling: Literal["maxpool", "stride"] = Field(
        "maxpool", description="custom: maxpool, or stride: a 2x2 convolution of stride 2"
    )
    upsampling: Literal["transposed", "upsample"] = Field(
        "transposed", description="custom: transposed convolution, or upsample: bilinear, then a 3x3 convolution"
    )
    dropout: float = Field(
        0.0, ge=0, le=0.5, description="custom: dropout of channels at the bottom in training; the plan's range is 0-.3"
    )

    @field_validator("depth")
    @classmethod
    def _custom_has_four_or_five(cls, depth: int, given: ValidationInfo) -> int:
        if depth == 3 and given.data.get("architecture") == "custom":
            raise ValueError("architecture=custom has 4 or 5 levels; 3 is for architecture=smp")
        return depth

    @property
    def custom_channels(self) -> tuple[int, ...]:
        """Channels of each level of ``architecture=custom``, the finest first."""
        return tuple(self.width * 2**level for level in range(self.depth))
