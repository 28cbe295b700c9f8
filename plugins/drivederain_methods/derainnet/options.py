"""Options of DerainNet."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DerainNetOptions(BaseModel):
    """``--set derainnet.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    activation: Literal["relu", "tanh"] = Field("relu", description="relu: of the released weights; tanh: of the paper")
