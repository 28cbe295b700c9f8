"""Fit the parameters of ``niqe[road]`` to the clear road photographs that may be redistributed.

    python benchmarks/fit_niqe.py DATA/clear_road --out drivederain/metrics/weights/niqe-road.safetensors

As the paper has it (section 2): mean and covariance of 36 statistics of patches of 96 x 96 pixels, of each photograph
those whose sharpness is above three quarters of its sharpest one's. Needs ``pyiqa`` (extra ``noref``).
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
import torch
from pyiqa.archs.func_util import normalize_img_with_gauss
from pyiqa.archs.niqe_arch import compute_feature
from pyiqa.matlab_utils import blockproc, fspecial, imfilter, imresize
from pyiqa.utils.color_util import to_y_channel
from safetensors.torch import save_file
from torch import Tensor

from drivederain.data.pictures import FilePicture
from drivederain.metrics.niqe import PATCH
from shipped_data import redistributable

WIDTH = 960
"""Photographs are made so wide, about the size that methods are compared at; smaller ones stay as they are."""
SHARPNESS = 0.75
"""Of a photograph's sharpest patch: patches below it are left out (the paper's T)."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("photos", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    photos = redistributable(options.photos)
    kept = []
    for photo in photos:
        picture = FilePicture(photo.path, hashlib.sha256(photo.path.read_bytes()).hexdigest()).load()
        kept.append(sharp_patches(luma(picture)))
    patches = torch.cat(kept)
    patches = patches[patches.isfinite().all(dim=1)]
    mean, covariance = patches.mean(dim=0), torch.cov(patches.T)
    save_file({"mean": mean, "covariance": covariance}, options.out)
    print(f"{len(photos)} photographs, {len(patches)} patches")
    print(hashlib.sha256(options.out.read_bytes()).hexdigest())


def luma(picture: np.ndarray) -> Tensor:
    """1 x 1 x H x W, 0 to 255, rounded as pyiqa does."""
    height, width = picture.shape[:2]
    if width > WIDTH:
        picture = cv2.resize(picture, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    batch = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    return to_y_channel(batch, 255, "yiq").round().double()


def sharp_patches(picture: Tensor) -> Tensor:
    """36 statistics of each patch that is sharp enough, float64."""
    rows, columns = (side // PATCH for side in picture.shape[-2:])
    picture = picture[..., : rows * PATCH, : columns * PATCH]
    kernel = fspecial(7, 7 / 6, 1).to(picture)
    mean = imfilter(picture, kernel, padding="replicate")
    deviation = (imfilter(picture**2, kernel, padding="replicate") - mean**2).abs().sqrt()
    sharpness = torch.nn.functional.avg_pool2d(deviation, PATCH)[0, 0].T.flatten()  # patches lie column by column
    half = imresize(picture / 255.0, scale=0.5, antialiasing=True) * 255.0
    statistics = [
        blockproc(normalize_img_with_gauss(scaled, padding="replicate"), [side, side], fun=compute_feature)[0]
        for scaled, side in ((picture, PATCH), (half, PATCH // 2))
    ]
    return torch.cat(statistics, dim=1)[sharpness > SHARPNESS * sharpness.max()]


if __name__ == "__main__":
    main()
