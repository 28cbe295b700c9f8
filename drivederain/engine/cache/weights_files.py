"""Weights trained here, as far as they can be read without torch."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from drivederain.weights_metadata import about_in, checksum_problem


def weights_problem(path: Path) -> str:
    """Why the file is not what was written; "" where it is, or where it is gone."""
    try:
        with safe_open(path, framework="numpy") as file:
            if not list(file.keys()):
                return "it holds no tensors"
        return checksum_problem(path)
    except FileNotFoundError:
        return ""
    except (SafetensorError, OSError, ValueError) as error:
        return f"damaged, or not in the safetensors layout ({' '.join(str(error).split())[:120]})"


def trained_chain(path: Path) -> str:
    """The chain whose last stage has these weights: ``unet+diffusion`` for a refiner trained behind ``unet``."""
    method = path.parent.name
    try:
        with safe_open(path, framework="numpy") as file:
            behind = str(about_in(file.metadata()).get("behind") or "")
    except (SafetensorError, OSError, ValueError):
        return method
    return f"{behind}+{method}" if behind else method
