"""Options that a file of weights tells, against those that were typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from drivederain.errors import WeightsError

Options = TypeVar("Options", bound=BaseModel)


def with_what_the_file_tells(options: Options, told: Mapping[str, Any], path: Path) -> Options:
    """The options with the values that were read off the tensors of ``path``.

    Raises:
        WeightsError: another value was typed; the network would not be what the user asked for.
    """
    for name, value in told.items():
        typed = getattr(options, name)
        if name in options.model_fields_set and typed != value:
            raise WeightsError(
                f"{path}: it holds a network with {name}={value}, and {name}={typed} was asked for. It is read off the "
                "file, so leave the option out, or train another with --train."
            )
    return options.model_copy(update=dict(told))
