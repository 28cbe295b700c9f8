"""What happens to pictures on the host before a method sees them: padding, channel order, stacking, pinning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.specs import Needs

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class HostBatch:
    """Pictures of one size, ready to be copied to the device.

    ``inputs`` are the rainy pictures and, for a refiner, the estimates, for a method that uses them the drop masks:
    each uint8 B x 3 x H x W, padded, in the method's channel order. ``height`` and ``width`` are those before padding.
    """

    inputs: tuple[Tensor, ...]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def padded_size(self) -> tuple[int, int]:
        height, width = self.inputs[0].shape[-2:]
        return int(height), int(width)


def to_host_batch(
    rainy: Sequence[Pixels],
    estimates: Sequence[Pixels] | None,
    needs: Needs,
    *,
    pinned: bool,
    masks: Sequence[Pixels] | None = None,
) -> HostBatch:
    """Pad and stack H x W x 3 RGB 8-bit pictures of one size, and H x W masks.

    ``pinned``: into page-locked memory, from which CUDA copies while it computes.
    """
    given = [rainy] if estimates is None else [rainy, estimates]
    if masks is not None:
        given.append([np.repeat(mask[..., None], 3, axis=2) for mask in masks])
    height, width = rainy[0].shape[:2]
    return HostBatch(tuple(_stacked(pictures, needs, pinned=pinned) for pictures in given), height, width)


def _stacked(pictures: Sequence[Pixels], needs: Needs, *, pinned: bool) -> Tensor:
    stacked = np.stack([pad(picture, needs) for picture in pictures])
    if needs.channel_order == "BGR":
        stacked = stacked[..., ::-1]
    if needs.channels_last:
        # Pictures come with their channels last, so the order in memory stays and only the view changes.
        tensor = torch.from_numpy(np.ascontiguousarray(stacked)).permute(0, 3, 1, 2)
    else:
        tensor = torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
    return tensor.pin_memory() if pinned else tensor


def pad(picture: Pixels, needs: Needs) -> Pixels:
    """Pad on the right and below to ``needs.minimum`` and to a multiple of ``needs.multiple``."""
    height, width = (padded(side, needs) for side in picture.shape[:2])
    below, right = height - picture.shape[0], width - picture.shape[1]
    if not below and not right:
        return picture
    # numpy reflects as often as it takes, also where the picture is smaller than the padding.
    return np.pad(picture, ((0, below), (0, right), (0, 0)), mode="reflect" if needs.padding == "reflect" else "edge")


def padded(pixels: int, needs: Needs) -> int:
    """The next length of a side that the method takes."""
    return -(-max(pixels, needs.minimum) // needs.multiple) * needs.multiple
