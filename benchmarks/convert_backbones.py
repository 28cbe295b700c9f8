"""Convert the two ImageNet backbones that the package carries from float32 to float16.

Usage: ``python benchmarks/convert_backbones.py FOLDER``, where FOLDER holds ``alexnet-features.safetensors`` and
``vgg16-features-relu3_3.safetensors`` in float32 (torchvision's key names). Sources whose SHA-256 is another are
refused. Writes the same names under ``drivederain/metrics/weights`` (LPIPS) and ``drivederain/training/weights``
(perceptual loss) and prints the SHA-256 of both sides and the largest change of a tensor (norm of the difference over
norm).
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from safetensors.torch import load, save

PACKAGE = Path(__file__).resolve().parents[1] / "drivederain"

BACKBONES = {
    "alexnet-features.safetensors": (
        PACKAGE / "metrics" / "weights",
        "9f97fd313f4da83dbe6bbfbe6effca1241de9edfcd7c53386261ed9697286dd9",
    ),
    "vgg16-features-relu3_3.safetensors": (
        PACKAGE / "training" / "weights",
        "fa8588ecbeef981f7565410276821c9f1154dd3b861064ca9da4b31d16d07ca7",
    ),
}
"""File name -> folder it goes to, SHA-256 of the float32 source."""


def to_half(content: bytes) -> tuple[bytes, float]:
    """A safetensors file with every tensor rounded to float16, and the largest relative change of a tensor."""
    tensors = load(content)
    rounded = {name: tensor.to(torch.float16) for name, tensor in tensors.items()}
    changes = [float((rounded[name].float() - tensor).norm() / tensor.norm()) for name, tensor in tensors.items()]
    if not all(bool(tensor.isfinite().all()) for tensor in rounded.values()):
        raise SystemExit("a weight does not fit float16")
    return save(rounded), max(changes)


def main() -> None:
    """Convert both backbones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the two float32 files")
    folder: Path = parser.parse_args().folder
    for name, (target, expected) in BACKBONES.items():
        source = (folder / name).read_bytes()
        found = hashlib.sha256(source).hexdigest()
        if found != expected:
            raise SystemExit(f"{folder / name}: SHA-256 {found}, expected {expected}")
        converted, change = to_half(source)
        target.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(converted)
        print(
            f"{name}: {found} -> {hashlib.sha256(converted).hexdigest()}, {len(converted)} bytes, change {change:.1e}"
        )


if __name__ == "__main__":
    main()
