"""Options of RESCAN."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RESCANOptions(BaseModel):
    """``--set rescan.NAME=VALUE``; what a checkpoint's tensors tell is read off them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["GRU", "LSTM", "RNN", "Conv"] = Field(
        "GRU", description="what remembers between stages; Conv: nothing"
    )
    frame: Literal["Full", "Add"] = Field(
        "Full", description="Full: each stage finds all of the rain; Add: what the stages before left. No file tells"
    )
    depth: int = Field(
        7, ge=4, le=10, description="layers, three of them at the end; dilations double from the second on"
    )
    channels: int = Field(24, ge=1, le=256, description="of every layer")
    stages: int = Field(4, ge=1, le=16, description="passes; no file tells")
    squeeze: bool = Field(True, description="squeeze-and-excitation behind each layer")
