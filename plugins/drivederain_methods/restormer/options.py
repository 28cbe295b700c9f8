"""Options of Restormer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Blocks = Annotated[int, Field(ge=1, le=32)]
Heads = Annotated[int, Field(ge=1, le=32)]


class RestormerOptions(BaseModel):
    """The network's configuration when it is trained here; that of a checkpoint is read off the checkpoint.

    The official deraining configuration is dim 48, blocks 4 6 6 8, refinement 4, ffn 2.66 (26,126,644 parameters).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: int = Field(16, ge=8, le=96, multiple_of=2, description="channels of the first level")
    blocks: tuple[Blocks, Blocks, Blocks, Blocks] = Field((1, 1, 1, 2), description="transformer blocks a level")
    refinement: int = Field(1, ge=1, le=8, description="refinement blocks")
    heads: tuple[Heads, Heads, Heads, Heads] = Field((1, 2, 4, 8), description="attention heads a level")
    ffn: float = Field(2.0, gt=1, le=4, description="expansion of the feed-forward network")

    @model_validator(mode="after")
    def _heads_share_the_channels(self) -> RestormerOptions:
        for level, heads in enumerate(self.heads):
            if self.dim * 2**level % heads:
                raise ValueError(
                    f"level {level + 1} has {self.dim * 2**level} channels, which {heads} heads cannot share"
                )
        return self
