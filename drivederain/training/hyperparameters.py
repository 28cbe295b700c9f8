"""What decides a training beside the data, the budget and the seed. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from drivederain.errors import OptionError
from drivederain.names import did_you_mean
from drivederain.training.losses.names import DEFAULT, check_weights

Side = Annotated[int, Field(ge=16, le=4096)]
Share = Annotated[float, Field(ge=0, le=1)]


class Stage(BaseModel):
    """One leg of progressive training (Zamir et al., Restormer, section 4): until ``until`` of the budget is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    until: float = Field(gt=0, le=1)
    crop: int = Field(ge=16, le=4096)
    batch_size: int = Field(ge=1, le=4096)


class Hyperparameters(BaseModel):
    """The recipe of a training. A method brings its own values; presets and ``training.NAME=VALUE`` override them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Data
    crop: int = Field(160, ge=16, le=4096, description="side of the square training crops, pixels")
    batch_size: int = Field(8, ge=1, le=4096, description="crops a batch, on each device")
    size: Literal["native"] | Side | tuple[Side, ...] = Field(
        "native",
        description="shorter side that pictures are shrunk to before rain and crops; several: drawn anew each time",
    )
    flip: float = Field(0.5, ge=0, le=1, description="probability of a horizontal flip")
    jitter: float = Field(
        0.15, ge=0, lt=1, description="brightness is scaled by up to this share, each colour by a third of it"
    )
    vertical_flip: float = Field(
        0.0, ge=0, le=1, description="probability that a scene is turned upside down before rain is drawn anew over it"
    )
    channel_shuffle: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability that its colour channels are put into another order before that rain is drawn",
    )
    gamma: float = Field(
        0.0,
        ge=0,
        le=2,
        description="its levels are raised to a power between 2^-gamma and 2^gamma before that rain is drawn; 0: 1",
    )
    contrast: float = Field(
        0.0,
        ge=0,
        le=2,
        description="its levels are bent away from its mean before that rain, with a slope there of up to 2^contrast",
    )
    fresh_rain: bool = Field(True, description="drawn rain is drawn anew each epoch; false: that of the data set")
    epoch_steps: int | None = Field(None, ge=1, description="batches an epoch; none: each picture once")
    progressive: tuple[Stage, ...] = Field((), description="crop and batch by share of the budget, as Restormer has it")

    # Loss
    losses: dict[str, float] = Field(
        dict(DEFAULT), description="weights of the loss terms, as l1:1,vgg:0.1,ssim:0.1", validate_default=True
    )
    consistency: float = Field(
        0.0, ge=0, description="weight of the agreement of two views of rainy photos without truth; 0: not used"
    )

    # Optimisation
    optimizer: Literal["adam", "adamw", "adamw8bit", "sgd"] = Field(
        "adamw", description="adamw8bit needs bitsandbytes; SGD has Nesterov momentum 0.9"
    )
    learning_rate: float = Field(1e-3, gt=0, le=10, description="the peak")
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="of Adam and AdamW")
    weight_decay: float = Field(1e-4, ge=0, description="not on biases and normalisation")
    schedule: Literal["cosine", "plateau", "step", "constant"] = Field("cosine", description="of the learning rate")
    warm_up: Share = Field(
        0.03, description="cosine, constant: share of the budget over which the rate rises to its peak"
    )
    hold: Share = Field(0.0, description="cosine: share of the budget at the peak, after the warm-up")
    final: Share = Field(0.01, description="cosine: the last rate as a share of the peak")
    factor: float = Field(0.5, gt=0, lt=1, description="plateau, step: the rate is multiplied by it")
    plateau_patience: int = Field(5, ge=0, description="plateau: validations without a lower loss")
    milestones: tuple[int, ...] = Field((), description="step: epochs after which the rate falls, as 30,50,80")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient; none: not clipped")
    accumulate: int = Field(1, ge=1, description="batches whose gradients make one step")
    ema: float = Field(0.995, ge=0, lt=1, description="decay of the averaged weights that are kept; 0: no average")
    compile: bool = Field(False, description="torch.compile the network")
    channels_last: bool = Field(False, description="memory format of pictures and network")

    # Stopping
    patience: int | None = Field(
        None, ge=1, description="epochs without a lower validation loss after which to stop; none: never"
    )
    target_psnr: float | None = Field(None, gt=0, description="stop when validation PSNR is above, dB")
    target_ssim: float | None = Field(None, gt=0, lt=1, description="stop when validation SSIM is above")
    overfitting: Literal["stop", "warn", "ignore"] = Field(
        "stop", description="when the validation loss rises while the training loss falls"
    )
    overfitting_patience: int = Field(10, ge=2, description="validations that it must go on for")
    explosion: float = Field(
        10.0, gt=1, description="stop when the loss is so many times its running mean, three steps in a row"
    )

    @model_validator(mode="before")
    @classmethod
    def _nones(cls, given: Any) -> Any:
        """``none``, as it is typed, where there may be none."""
        optional = ("epoch_steps", "gradient_clip", "patience", "target_psnr", "target_ssim")
        if not isinstance(given, dict):
            return given
        return {name: None if value == "none" and name in optional else value for name, value in given.items()}

    @field_validator("losses", mode="before")
    @classmethod
    def _terms(cls, given: Any) -> Any:
        """``l1:1,vgg:0.1`` as well as a mapping."""
        if not isinstance(given, str):
            return given
        pairs = [part.partition(":") for part in given.split(",") if part.strip()]
        try:
            return {name.strip(): float(weight) for name, _, weight in pairs}
        except ValueError as error:
            raise ValueError("write weights of loss terms as l1:1,vgg:0.1,ssim:0.1") from error

    @field_validator("losses")
    @classmethod
    def _known_terms(cls, weights: dict[str, float]) -> dict[str, float]:
        return check_weights(weights)

    @field_validator("size", "milestones", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        """``360,480`` as well as a list."""
        if isinstance(given, str) and given != "native":
            parts = [part.strip() for part in given.split(",") if part.strip()]
            return parts if len(parts) != 1 else int(parts[0]) if parts[0].isdigit() else given
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> Hyperparameters:
        if self.schedule == "step" and not self.milestones:
            raise ValueError("schedule=step needs milestones, as in milestones=30,50,80")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {self.milestones} do not rise")
        if self.warm_up + self.hold > 1:
            raise ValueError(f"warm_up {self.warm_up:g} and hold {self.hold:g} are more than the whole budget")
        ends = [stage.until for stage in self.progressive]
        if self.progressive and (ends != sorted(set(ends)) or ends[-1] != 1):
            raise ValueError(f"progressive: until={ends} must rise and end at 1")
        return self

    @property
    def smallest_crop(self) -> int:
        """The smallest crop that the training will see."""
        return min((self.crop, *(stage.crop for stage in self.progressive)))

    def at(self, share: float) -> tuple[int, int]:
        """Crop and batch size when ``share`` of the budget is used."""
        for stage in self.progressive:
            if share < stage.until:
                return stage.crop, stage.batch_size
        if self.progressive:
            return self.progressive[-1].crop, self.progressive[-1].batch_size
        return self.crop, self.batch_size

    def changed(self, overrides: dict[str, Any], owner: str) -> Hyperparameters:
        """These with some replaced; ``owner`` names in messages where the new ones come from.

        Raises:
            OptionError: an unknown name (with the nearest known one) or an unusable value.
        """
        fields = type(self).model_fields
        for name in overrides:
            if name not in fields:
                known = ", ".join(fields)
                raise OptionError(
                    f"{owner}{name}: no such hyperparameter.{did_you_mean(name, fields)} There are: {known}."
                )
        try:
            return type(self)(**(self.model_dump() | overrides))
        except ValidationError as error:
            first, *more = error.errors()
            words = first["msg"].removeprefix("Value error, ")
            if not first["loc"]:
                raise OptionError(f"{owner.rstrip('.')}: {words}") from error
            name = str(first["loc"][0])
            if any(other["loc"][:1] == first["loc"][:1] for other in more):
                # One complaint for each kind of value that it might have been.
                words = f"not usable. It is: {fields[name].description}"
            raise OptionError(f"{owner}{name}={overrides.get(name)}: {words}") from error
