"""Options of PReNet."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PReNetOptions(BaseModel):
    """``--set prenet.NAME=VALUE``; whether there is a memory and how many blocks is read off a checkpoint.

    The official network for real photos is ``memory=behind``, ``add=false``, ``recurrences=4``. Its files have the same
    tensors as those of PReNet, so that nothing tells them apart but their user.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recurrences: int = Field(6, ge=1, le=32, description="passes through the one network; 4 for real photos")
    memory: Literal["before", "behind", "none"] = Field(
        "before", description="where the LSTM stands, from the blocks: behind for real photos, none in PRN"
    )
    shared_block: bool = Field(False, description="one residual block five times, as PReNet_r has it, instead of five")
    add: bool = Field(
        True, description="a pass adds to the rainy picture; false: it is the picture, as for real photos"
    )
