"""Options of the round trip."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from drivederain_methods.diffusion.base_name import as_whole_path
from drivederain_methods.diffusion.options import TILES


class VAEOptions(BaseModel):
    """``--set vae.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(
        "timbrooks/instruct-pix2pix",
        min_length=1,
        description="folder in the diffusers layout, or name on the hub, of the model that the autoencoder is of",
    )
    revision: str = Field("", description="of a name on the hub, to pin it; empty: the newest, or what was fetched")

    tile: int = Field(
        TILES["instruct-pix2pix"], ge=256, multiple_of=64, description="larger pictures go through by tiles, pixels"
    )

    @field_validator("base")
    @classmethod
    def _where(cls, value: str) -> str:
        return as_whole_path(value)
