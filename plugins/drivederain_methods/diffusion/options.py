"""Options of the diffusion refiner."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from drivederain_methods.diffusion.base_name import as_whole_path

MULTIPLE = 64
"""Pictures come padded to a multiple of this, and are cut into tiles at multiples of it: a network that folds its input
sees each pixel at the same place of its grid as in the whole."""
MINIMUM = 64
"""Smallest height and width of a picture."""
GROUPS = 8
"""Groups of the normalisation layers."""


STEPS = {"bridge": 2, "instruct-pix2pix": 4}
"""Sampling steps by default; one of what was trained on pixels, which knows no other."""

GATES = {"bridge": 0.05, "instruct-pix2pix": 0.0}
"""By default, where a training did not fit it."""

TILES = {"bridge": 2048, "instruct-pix2pix": 768}
"""Sides of tiles by default, pixels: what InstructPix2Pix was trained on is 256 and 512."""


class DiffusionOptions(BaseModel):
    """``--set diffusion.NAME=VALUE``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["bridge", "instruct-pix2pix"] = Field(
        "bridge",
        description="bridge: a small diffusion in pixels that starts from the estimate; instruct-pix2pix: LoRA",
    )
    steps: int | None = Field(
        None,
        ge=1,
        le=50,
        description="sampling steps; none: 2 of bridge, 4 of instruct-pix2pix, 1 of what was trained on pixels; "
        "1 of a bridge is plain regression",
    )
    average: int = Field(1, ge=1, le=64, description="samples with noise of their own that are averaged to one output")
    blend: float = Field(1.0, ge=0, le=1, description="share of the refinement that is added to the estimate")
    gate: float | None = Field(
        None,
        ge=0,
        le=1,
        description="mean change by the stage before, of 1, from which on the whole refinement is added; below half of "
        "it nothing, in between in proportion; 0: always all; none: 0.05 of bridge, 0 of instruct-pix2pix",
    )
    paste: Literal["none", "difference", "predicted"] = Field(
        "none",
        description="change only where rain was: what the stage before took off tells, or a prediction of drops",
    )
    tile: int | None = Field(
        None,
        ge=256,
        multiple_of=64,
        description="larger pictures are cut into tiles within each step, pixels; none: 2048 of bridge, 768 of "
        "instruct-pix2pix",
    )

    channels: tuple[int, ...] = Field(
        (48, 64, 96, 128, 160),
        min_length=1,
        description="bridge: channels a level of diffusers' UNet2DModel, multiples of 8",
    )
    layers: int = Field(1, ge=1, le=4, description="bridge: residual blocks a level")
    pixel_shuffle: int = Field(4, ge=1, le=4, description="bridge: pictures are folded by this factor, without loss")
    detail: int = Field(
        16, ge=0, le=128, multiple_of=2, description="bridge: channels of its convolutions at full resolution; 0: none"
    )
    norm: Literal["group", "layer"] = Field(
        "group", description="bridge: group: by statistics of the whole picture; layer: of each pixel's channels"
    )
    bridge_noise: float = Field(
        0.08, ge=0, le=1, description="bridge: its noise in training, and in sampling where eta is above 0"
    )
    eta: float = Field(
        0.0, ge=0, le=1, description="bridge: share of its noise added while sampling; 0 is deterministic"
    )

    base: str = Field(
        "timbrooks/instruct-pix2pix",
        min_length=1,
        description="instruct-pix2pix: folder in the diffusers layout, or name on the hub",
    )
    revision: str = Field(
        "",
        description="instruct-pix2pix: of a name on the hub, to pin it; empty: the newest, or what was fetched before",
    )
    prompt: str = Field("remove rain artifacts, enhance image quality", description="instruct-pix2pix: the instruction")
    rank: int = Field(8, ge=1, le=512, description="instruct-pix2pix: of new adapters; those of a file have their own")
    alpha: float = Field(8, gt=0, description="instruct-pix2pix: new adapters are scaled by alpha / rank")
    targets: tuple[str, ...] = Field(
        ("to_q", "to_k", "to_v", "to_out.0"),
        min_length=1,
        description="instruct-pix2pix: layers that get new adapters, between commas",
    )
    see_rainy: bool = Field(
        False, description="instruct-pix2pix: the rainy picture as a third input; plain diffusers refuses such files"
    )
    scheduler: Literal["ddim", "euler", "dpm++"] = Field("ddim", description="instruct-pix2pix: who makes the steps")
    strength: float = Field(
        0.3, gt=0, le=1, description="instruct-pix2pix: share of the schedule that is walked; 1 starts from noise"
    )
    guidance: float = Field(1.0, ge=1, le=30, description="instruct-pix2pix: of the instruction; 1: none")
    image_guidance: float = Field(1.0, ge=1, le=10, description="instruct-pix2pix: of the pictures; 1: none")
    fidelity: Literal["difference", "low-frequency", "plain"] = Field(
        "difference", description="instruct-pix2pix: what of the estimate is kept beside what the VAE gives"
    )
    train_on: Literal["noise", "pixels"] = Field(
        "noise",
        description="instruct-pix2pix: predict noise, or restore the picture through the VAE in the one step that is "
        "sampled then",
    )
    dropout: float = Field(
        0.05,
        ge=0,
        le=0.3,
        description="instruct-pix2pix: conditions dropped in training on noise, which guidance needs",
    )
    snr_gamma: float | None = Field(
        5.0, gt=0, description="instruct-pix2pix: min-SNR weighting in training on noise; none: all times alike"
    )
    gradient_checkpointing: bool = Field(True, description="instruct-pix2pix: less memory in training, more time")

    @property
    def tile_side(self) -> int:
        """Pixels of a side of a tile."""
        return self.tile if self.tile is not None else TILES[self.model]

    @property
    def gate_change(self) -> float:
        """The gate that is used."""
        return self.gate if self.gate is not None else GATES[self.model]

    @property
    def deterministic(self) -> bool:
        """Whether no noise is drawn: a bridge draws some between two steps, and only if asked to."""
        return self.model == "bridge" and (self.eta == 0 or self.sampling_steps == 1)

    @property
    def ceiling(self) -> tuple[str, dict[str, str | int]] | None:
        """The method, with its options, whose output of the clear picture a plain decode cannot better."""
        if self.model == "bridge":
            return None
        return "vae", {"base": self.base, "revision": self.revision, "tile": self.tile_side}

    @property
    def sampling_steps(self) -> int:
        """The steps that are made."""
        if self.steps is not None:
            return self.steps
        return 1 if self.model == "instruct-pix2pix" and self.train_on == "pixels" else STEPS[self.model]

    @field_validator("steps", "tile", "gate", "snr_gamma", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "none" else value

    @field_validator("paste", mode="before")
    @classmethod
    def _of_old_records(cls, value: object) -> object:
        """As it was before there was a choice: yes or no."""
        return ("difference" if value else "none") if isinstance(value, bool) else value

    @field_validator("targets", mode="before")
    @classmethod
    def _parts(cls, value: object) -> object:
        """As typed: names between commas."""
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("base")
    @classmethod
    def _where(cls, value: str) -> str:
        return as_whole_path(value)

    @model_validator(mode="after")
    def _fits_together(self) -> DiffusionOptions:
        if any(channels < GROUPS or channels % GROUPS for channels in self.channels):
            raise ValueError(f"channels {self.channels}: each must be a multiple of {GROUPS}")
        if self.average > 1 and self.deterministic:
            raise ValueError(
                f"average {self.average}: no noise is drawn, so all samples are alike. Give eta above 0 and 2 steps or "
                "more, or leave average out."
            )
        if self.model == "instruct-pix2pix" and self.train_on == "pixels":
            if self.strength == 1:
                raise ValueError("train_on pixels restores in one step, and strength 1 starts from noise: give less")
            if self.sampling_steps > 1:
                raise ValueError(f"steps {self.steps}: what is trained on pixels knows one step. Leave steps out.")
            if max(self.guidance, self.image_guidance) > 1:
                raise ValueError("guidance needs conditions that were dropped in training: not with train_on pixels")
        if self.model == "instruct-pix2pix" and self.strength == 1 and self.sampling_steps == 1:
            raise ValueError("strength 1 starts from noise, which one step cannot clear: 2 steps or more")
        if self.see_rainy and any(target.split(".")[-1] == "conv_in" for target in self.targets):
            raise ValueError("see_rainy changes conv_in, which can have no adapter then: leave it out of targets")
        multiple = self.pixel_shuffle * 2 ** (len(self.channels) - 1)
        if MULTIPLE % multiple:
            raise ValueError(
                f"pixel_shuffle {self.pixel_shuffle} with {len(self.channels)} levels needs pictures in multiples of "
                f"{multiple}, which must divide {MULTIPLE}: fewer channels, or pixel_shuffle 1, 2 or 4"
            )
        return self
