"""Tensors that the package carries beside its code, and that metrics and losses are worked out with."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from drivederain.errors import WeightsError


def carried_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Tensors by name, of a safetensors file that must be the very one that was shipped.

    Raises:
        WeightsError: it is missing, or not of that SHA-256; the message names it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}; install drivederain again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{path} is damaged: its SHA-256 is not {sha256}; install drivederain again")
    tensors: dict[str, Tensor] = load(content)
    return tensors
