"""Options of the baselines."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MedianOptions(BaseModel):
    """``--set median.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Literal[3, 5] = Field(5, description="side of the window, pixels")


class GuidedOptions(BaseModel):
    """``--set guided.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    radius: int = Field(4, ge=1, le=64, description="of the window, pixels")
    epsilon: float = Field(
        0.002, gt=0, le=1, description="variance of values in [0, 1] below which a window is smoothed"
    )


class InpaintOptions(BaseModel):
    """``--set inpaint.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drops: Literal["estimated", "mask"] = Field(
        "estimated",
        description="where drops are: estimated from the rainy picture, or the masks of the data, which no method "
        "knows elsewhere",
    )
    algorithm: Literal["telea", "navier-stokes"] = Field("telea", description="OpenCV's algorithm")
    radius: int = Field(3, ge=1, le=32, description="of the neighbourhood that a pixel is filled from")
    threshold: float = Field(0.1, gt=0, lt=1, description="drops=mask: opacity above which a pixel is of a drop")

    @property
    def uses_masks(self) -> bool:
        """Whether outputs depend on the masks of the data."""
        return self.drops == "mask"
