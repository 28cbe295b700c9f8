"""Score the network on validation pictures, as the benchmark scores it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from numpy.typing import NDArray
from torch import Tensor

from drivederain.data.sample import Sample
from drivederain.errors import MetricError
from drivederain.metrics.fidelity import PSNR
from drivederain.metrics.structural import SSIM
from drivederain.results.training_history import Scores
from drivederain.specs import INTENSITIES
from drivederain.training.crops import reflected_outwards
from drivederain.training.data import Estimate

Pixels = NDArray[np.uint8]
Restore = Callable[[Sample], Pixels]
"""The method as it is used: from a sample to its restored picture, H x W x 3, 8 bit."""

SEED = 20_011
"""Of what a module draws while it is validated (the times of a bridge); always the same."""


class Validator:
    """Scores the same pictures again and again. With several devices each scores its share of them.

    Args:
        restore: the method as it is used.
        crop: side of the middle crops whose loss is taken; ``batch_size`` of them at a time.
        estimate: for a refiner.
        world: processes that share the work; ``rank`` is set when they are there.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        restore: Restore,
        *,
        crop: int,
        batch_size: int,
        estimate: Estimate | None = None,
        world: int = 1,
    ) -> None:
        self.samples = [sample for sample in samples if sample.clear is not None]
        self.restore, self.crop, self.batch_size, self.estimate = restore, crop, batch_size, estimate
        self.rank, self.world = 0, world

    @torch.no_grad()
    def scores(self, module: LightningModule, gather: Callable[[Any], Sequence[Any]]) -> Scores:
        """Score ``module`` in evaluation mode.

        Args:
            gather: from what one process has to what all have, in the order of their ranks.
        """
        losses: list[tuple[int, float]] = []
        training = module.training
        module.eval()
        try:
            own = range(self.rank, len(self.samples), self.world)
            for start in range(0, len(own), self.batch_size):
                losses += self._losses(module, own[start : start + self.batch_size])
            rows = [(number, *metrics_of(self.samples[number], self.restore)) for number in own]
        finally:
            module.train(training)
        # In the order of the pictures, so that sums do not depend on the number of devices.
        every = sorted(row for part in gather(rows) for row in part)
        loss = [value for _, value in sorted(row for part in gather(losses) for row in part)]
        return _means([self.samples[number].intensity for number, *_ in every], [row[1:] for row in every], fmean(loss))

    def _losses(self, module: LightningModule, numbers: Sequence[int]) -> list[tuple[int, float]]:
        """The loss of the middle crops; where a module does not say its losses, the mean absolute error."""
        if not hasattr(module, "training_losses"):
            return [(number, self._error(self.samples[number])) for number in numbers]
        batch = {name: torch.stack(rows).to(module.device) for name, rows in self._crops(numbers).items()}
        torch.manual_seed(SEED)
        value = float(module.training_losses(batch)["loss"])
        return [(number, value) for number in numbers]

    def _error(self, sample: Sample) -> float:
        assert sample.clear is not None
        restored, truth = (picture.astype(np.float64) for picture in (self.restore(sample), sample.clear.load()))
        return float(np.abs(restored - truth).mean() / 255)

    def _crops(self, numbers: Sequence[int]) -> dict[str, list[Tensor]]:
        crops: dict[str, list[Tensor]] = {}
        for number in numbers:
            sample = self.samples[number]
            assert sample.clear is not None
            pictures = {"rainy": sample.rainy.load(), "clear": sample.clear.load()}
            if self.estimate is not None:
                pictures["estimate"] = self.estimate(sample)
            for name, picture in pictures.items():
                crops.setdefault(name, []).append(_middle(picture, self.crop))
        return crops


def scores_of(samples: Sequence[Sample], restore: Restore) -> Scores:
    """The scores of pictures without a loss, which is NaN: of the rainy pictures themselves, for one."""
    known = [sample for sample in samples if sample.clear is not None]
    return _means([sample.intensity for sample in known], [metrics_of(sample, restore) for sample in known], math.nan)


def metrics_of(sample: Sample, restore: Restore) -> tuple[float, float]:
    """PSNR in dB and SSIM (RGB, as the benchmark has them) of one picture; SSIM is NaN where it is too small for it."""
    assert sample.clear is not None
    restored, truth = restore(sample), sample.clear.load()
    tensors = [torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] for picture in (restored, truth)]
    psnr = float(PSNR("rgb").score(tensors[0], tensors[1], None)["image"])
    try:
        ssim = float(SSIM("rgb").score(tensors[0], tensors[1], None)["image"])
    except MetricError:
        ssim = math.nan
    return psnr, ssim


def _means(intensities: Sequence[str], rows: Sequence[Sequence[float]], loss: float) -> Scores:
    psnr, ssim = ([row[place] for row in rows] for place in (0, 1))
    return Scores(
        loss=loss,
        psnr=fmean(psnr),
        ssim=fmean(ssim),
        psnr_by_intensity=_by_intensity(list(zip(intensities, psnr, strict=True))),
        ssim_by_intensity=_by_intensity(list(zip(intensities, ssim, strict=True))),
    )


def _by_intensity(rows: Sequence[tuple[str, float]]) -> Mapping[str, float]:
    values = {name: [value for intensity, value in rows if intensity == name] for name in INTENSITIES}
    return {name: fmean(found) for name, found in values.items() if found}


def _middle(picture: Pixels, crop: int) -> Tensor:
    """The middle square as float32 3 x crop x crop in [0, 1]; smaller pictures are reflected outwards."""
    picture = reflected_outwards(picture, crop)
    top, left = ((side - crop) // 2 for side in picture.shape[:2])
    square = picture[top : top + crop, left : left + crop].astype(np.float32) / 255
    return torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))
