"""Fit the rain mask that ``diffusion.paste=predicted`` pastes by: a logistic regression on drawn rain.

    python benchmarks/fit_rain_mask.py synthetic:TRAIN synthetic:CHOOSE --limit 40

Prints the weights for ``drivederain_methods/diffusion/rain_mask.py``, fitted on the first data set, and how well both
masks find the drops of the second, which nothing is fitted on. The estimates are those of the U-Net that ships.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain import open_data, restore
from drivederain_methods.diffusion import rain_mask

DROP = 0.1
"""Alpha above which a pixel is of a drop, as the metrics' regions have it."""
PIXELS = 4000
"""Of each picture, drawn at random."""
SIZE = 480


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", help="as --data has it, with drop masks")
    parser.add_argument("choose", help="likewise, of other photographs")
    parser.add_argument("--limit", type=int, default=40, help="photographs of each")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    inputs, wanted = [], []
    for rainy, estimate, drops in _pictures(asked.train, asked.limit):
        found = rain_mask.features(rainy, estimate)[0].flatten(1).T
        chosen = torch.from_numpy(rng.choice(len(found), min(PIXELS, len(found)), replace=False))
        inputs.append(found[chosen])
        wanted.append(drops.flatten()[chosen])
    weights, bias = _fitted(torch.cat(inputs), torch.cat(wanted).float())
    rain_mask.WEIGHTS, rain_mask.BIAS = tuple(round(value, 3) for value in weights), round(bias, 3)
    print(f"WEIGHTS = {rain_mask.WEIGHTS}\nBIAS = {rain_mask.BIAS}")
    masks = {"difference": rain_mask.difference_mask, "predicted": rain_mask.predicted_mask}
    scores: dict[str, list[tuple[float, float, float]]] = {name: [] for name in masks}
    for rainy, estimate, drops in _pictures(asked.choose, asked.limit):
        for name, mask in masks.items():
            scores[name].append(_scores(mask(rainy, estimate)[0, 0] > 0.5, drops))
    for name, rows in scores.items():
        precision, recall, overlap = np.mean(rows, axis=0)
        print(f"{name}: precision {precision:.3f}, recall {recall:.3f}, IoU {overlap:.3f} ({len(rows)} pictures)")


def _pictures(data: str, limit: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    samples = [sample for sample in open_data(data, size=SIZE, limit=limit) if sample.mask is not None]
    rainy = [sample.rainy.load() for sample in samples]
    made = restore(rainy, "unet", device="cpu")
    masks = [torch.from_numpy(sample.mask.load() > 255 * DROP) for sample in samples if sample.mask is not None]
    return [(_tensor(one), _tensor(two), mask) for one, two, mask in zip(rainy, made, masks, strict=True)]


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


def _fitted(inputs: Tensor, wanted: Tensor) -> tuple[list[float], float]:
    """Logistic regression by L-BFGS, with a slight pull towards zero."""
    scale = inputs.std(0)
    weights, bias = torch.zeros(inputs.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = inputs / scale @ weights + bias
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted) + 1e-4 * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    logits = (inputs / scale @ weights + bias).detach()
    # Most pixels are of no drop, so that the likeliest answer misses half of the drops: the cut is put where the
    # overlap of both is largest.
    cuts = torch.quantile(logits[:: max(len(logits) // 100_000, 1)], torch.linspace(0.5, 0.99, 99))
    cut = max(cuts.tolist(), key=lambda cut: _scores(logits > cut, wanted > 0)[2])
    return (weights.detach() / scale).tolist(), float(bias.detach()) - cut


def _scores(mask: Tensor, drops: Tensor) -> tuple[float, float, float]:
    both = float((mask & drops).sum())
    return (
        both / max(float(mask.sum()), 1),
        both / max(float(drops.sum()), 1),
        both / max(float((mask | drops).sum()), 1),
    )


if __name__ == "__main__":
    main()
