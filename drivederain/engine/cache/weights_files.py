"""Weights trained here, as far as they can be read without torch: the header of a safetensors file."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

METADATA_KEY = "drivederain"
"""As ``drivederain.weights`` has it, which imports torch."""


def header_problem(path: Path) -> str:
    """Why the file cannot be read; "" where its header is whole and it is as long as that says."""
    try:
        with safe_open(path, framework="numpy") as file:
            return "" if list(file.keys()) else "it holds no tensors"
    except (SafetensorError, OSError, ValueError) as error:
        return f"damaged, or not in the safetensors layout ({' '.join(str(error).split())[:120]})"


def trained_chain(path: Path) -> str:
    """The chain whose last stage has these weights: ``unet+diffusion`` for a refiner trained behind ``unet``."""
    method, behind = path.parent.name, ""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
    except (SafetensorError, OSError, ValueError):
        return method
    if isinstance(about, dict):
        behind = str(about.get("behind") or "")
    return f"{behind}+{method}" if behind else method
