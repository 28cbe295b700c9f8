"""Scenes as no network has seen them: turned, in other colours, darker, brighter, harder, before rain is drawn on them.

A network that is trained on few photographs knows them after a while and fills in from memory what is behind a drop.
That shows in training scores that new photographs do not reach. And where they have less contrast than what it will
meet, it takes what it should restore for dull, and leaves a part of the veil. So contrast is only ever raised:
a flat scene is what a veil makes. The rain is drawn afterwards, so its drops hang down and bend light as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from drivederain.data.fresh_rain import has_drawn_rain
from drivederain.data.sample import Sample
from drivederain.training.hyperparameters import Hyperparameters

_ORDERS = tuple(permutations(range(3)))[1:]
"""Of the colour channels; the first one is no change."""
VARIATIONS = ("vertical_flip", "channel_shuffle", "gamma", "contrast")
"""Hyperparameters that are 0 where scenes stay as they are."""


def varied(clear: NDArray[np.uint8], hyperparameters: Hyperparameters, rng: np.random.Generator) -> NDArray[np.uint8]:
    """``clear``, H x W x 3 RGB, as the hyperparameters and ``rng`` have it: itself where nothing is to be changed."""
    flips, shuffles, order, exponent = rng.random(4)
    if flips < hyperparameters.vertical_flip:
        clear = clear[::-1]
    if shuffles < hyperparameters.channel_shuffle:
        clear = clear[..., _ORDERS[int(order * len(_ORDERS))]]
    if hyperparameters.gamma:
        levels = np.linspace(0, 1, 256) ** 2 ** (hyperparameters.gamma * (2 * exponent - 1))
        clear = np.rint(255 * levels).astype(np.uint8)[clear]
    if hyperparameters.contrast:
        clear = _bent_away(clear, 2 ** (hyperparameters.contrast * rng.random()))
    return np.ascontiguousarray(clear)


def idle_variations(hyperparameters: Hyperparameters, samples: Iterable[Sample]) -> list[str]:
    """The hyperparameters that ask for varied scenes where none is ever varied: no rain is drawn anew."""
    asked = [name for name in VARIATIONS if getattr(hyperparameters, name)]
    varies = hyperparameters.fresh_rain and any(has_drawn_rain(sample) for sample in samples)
    return [] if varies else asked


def _bent_away(clear: NDArray[np.uint8], slope: float) -> NDArray[np.uint8]:
    """Levels bent away from the picture's mean, where they have this slope; black and white stay, and nothing is cut.

    The gain curve of Schlick (Graphics Gems IV, 1994) in its form by powers. A straight line that cuts taught networks
    to make black of all that is dark.
    """
    levels, middle = np.linspace(0, 1, 256), np.clip(clear.mean() / 255, 1e-3, 1 - 1e-3)
    darker = middle * (np.minimum(levels, middle) / middle) ** slope
    brighter = 1 - (1 - middle) * ((1 - np.maximum(levels, middle)) / (1 - middle)) ** slope
    bent: NDArray[np.uint8] = np.rint(255 * (darker + brighter - middle)).astype(np.uint8)[clear]
    return bent
