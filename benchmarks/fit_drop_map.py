"""Fit the map of drops that ``inpaint`` fills: a logistic regression on drawn rain.

    python benchmarks/fit_drop_map.py synthetic:TRAIN synthetic:CHOOSE --limit 40

Prints the weights for ``drivederain_methods/baselines/drop_map.py``, fitted on the first data set, and how well the map
finds the drops of the second, which nothing is fitted on: with the estimated coverage, and with the true one.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from drivederain import open_data
from drivederain_methods.baselines import drop_map

DROP = 0.1
"""Alpha above which a pixel is of a drop, as the metrics' regions have it."""
PIXELS = 2000
"""Of each picture, drawn at random."""
SIZE = 480

Pixels = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", help="as --data has it, with drop masks")
    parser.add_argument("choose", help="likewise, of other photographs")
    parser.add_argument("--limit", type=int, default=40, help="photographs of each")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    inputs, wanted = [], []
    for rainy, mask in _pictures(asked.train, asked.limit):
        found = drop_map.features(rainy)
        drops = cv2.resize(mask, found.shape[1::-1], interpolation=cv2.INTER_AREA) > 255 * DROP
        chosen = rng.choice(drops.size, min(PIXELS, drops.size), replace=False)
        inputs.append(found.reshape(drops.size, -1)[chosen])
        wanted.append(drops.ravel()[chosen])
    every = np.concatenate(inputs)
    scale = every.std(0)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(every / scale, np.concatenate(wanted))
    weights = tuple(round(float(value), 3) for value in fitted.coef_[0] / scale)
    print(f"WEIGHTS = {weights}")
    setattr(drop_map, "WEIGHTS", weights)  # noqa: B010 (a constant of the module)
    rows = []
    for rainy, mask in _pictures(asked.choose, asked.limit):
        drops = mask > 255 * DROP
        found_by_coverage = drop_map.likelihood(rainy)
        known = found_by_coverage > np.quantile(found_by_coverage, 1 - drops.mean())
        rows.append((*_scores(drop_map.drops_in(rainy), drops), *_scores(known, drops), drops.mean()))
    means = np.mean(rows, axis=0)
    print(f"coverage estimated: precision {means[0]:.3f}, recall {means[1]:.3f}, IoU {means[2]:.3f}")
    print(f"coverage known: precision {means[3]:.3f}, recall {means[4]:.3f}, IoU {means[5]:.3f}")
    print(f"by chance: precision {means[6]:.3f} ({len(rows)} pictures)")


def _pictures(data: str, limit: int) -> list[tuple[Pixels, Pixels]]:
    samples = open_data(data, size=SIZE, limit=limit)
    return [(sample.rainy.load(), sample.mask.load()) for sample in samples if sample.mask is not None]


def _scores(mask: NDArray[np.bool_], drops: NDArray[np.bool_]) -> tuple[float, float, float]:
    both = float((mask & drops).sum())
    return both / max(mask.sum(), 1), both / max(drops.sum(), 1), both / max((mask | drops).sum(), 1)


if __name__ == "__main__":
    main()
