"""Options, typed as ``--set command.NAME=VALUE``."""

from __future__ import annotations

import shlex

from pydantic import BaseModel, ConfigDict, Field, field_validator

INPUTS, OUTPUTS = ("{input}", "{input_dir}"), ("{output}", "{output_dir}")


class CommandOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field(
        "cp {input} {output}", description="the program with its arguments; {input} and {output} are PNG files"
    )
    timeout: float = Field(600.0, gt=0, description="seconds that it may take for a picture")

    @field_validator("run")
    @classmethod
    def _names_both(cls, value: str) -> str:
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"it cannot be split into words ({error})") from error
        if not words:
            raise ValueError("it is empty")
        for places in (INPUTS, OUTPUTS):
            if not any(place in value for place in places):
                raise ValueError(f"it names neither {places[0]} nor {places[1]}")
        return value
