"""Load a method with a file, to see that it is one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.options import method_options
from drivederain.engine.stages import make_method, plain_facts
from drivederain.errors import DriveDeRainError, WeightsError
from drivederain.specs import MethodSpec
from drivederain.weights import given, read_weights


def try_weights(spec: MethodSpec, path: Path, options: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the method says of itself when it is loaded with the file, on the CPU.

    Args:
        spec: the method.
        path: the file.
        options: as typed behind ``--set METHOD.``, by name: what no file of the method tells.

    Raises:
        OptionError: options that are not usable.
        WeightsError: the file is missing, damaged, or of another method.
    """
    if not spec.needs_weights:
        raise WeightsError(f"{spec.name} takes no weights.")
    found = given(path)
    method = make_method(spec, method_options(spec, options or {}, found.architecture), may_download=False)
    try:
        method.load(read_weights(path), torch.device("cpu"))
        facts = plain_facts(method)
        method.close()
    except DriveDeRainError:
        raise
    except MethodCodeError as error:
        raise WeightsError(f"{path}: {spec.name} cannot be loaded with it: {describe(error)[1]}") from error
    return facts
