"""Options of MPRNet."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MPRNetOptions(BaseModel):
    """The network's configuration when it is trained here; that of a checkpoint is read off the checkpoint.

    The official deraining configuration is channels 40, growth 20, full_growth 16, blocks 8 (3,637,249 parameters).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: int = Field(16, ge=4, le=96, description="features at full resolution")
    growth: int = Field(8, ge=1, le=96, description="more of them at each coarser level of the first two stages")
    full_growth: int = Field(8, ge=1, le=96, description="more of them in the third stage, at full resolution")
    blocks: int = Field(4, ge=1, le=16, description="channel attention blocks in each group of the third stage")
    reduction: int = Field(4, ge=1, le=16, description="of the channel attention")

    @model_validator(mode="after")
    def _attention_has_channels(self) -> MPRNetOptions:
        if self.channels % self.reduction:
            raise ValueError(f"{self.channels} channels cannot be reduced by {self.reduction}")
        return self
