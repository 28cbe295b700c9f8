"""Convolution by Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks",
CVPR 2016), in float32 on a CPU, where PyTorch has only the direct algorithm for it.

A tile of m x m results needs n x n values, n = m + r - 1 for a kernel of r x r. With the matrices A^T, G and B^T of
Cook and Toom a tile is ``A^T [(G g G^T) * (B^T d B)] A``, summed over the channels between the transforms: n^2 products
a channel in place of (m r)^2, which is 36 for 144 at r = 3 and 64 for 400 at r = 5 (m = 4).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

TILE: Final = 4
"""Results of a tile along each side. Larger tiles save little more and lose precision."""

POINTS: Final = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
"""Where the polynomials are evaluated, besides infinity; enough for kernels of up to 5 x 5."""

BAND: Final = 2**22
"""Products held at once, so that they stay near the processor and a large photograph takes no more memory."""


class WinogradConv2d(nn.Module):
    """Replaces a ``Conv2d`` of stride 1 with a square kernel. Takes and gives one picture, 1 x C x H x W; the result's
    channels come last in memory.

    Results differ from the direct algorithm's by its rounding: about 1e-6 of the largest result. They are the same in
    every call on pictures of one size with one number of threads.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight, bias = convolution.weight.detach(), convolution.bias
        outputs, inputs, size, _ = weight.shape
        evaluate, kernel, spread = transforms(TILE, size)
        by_place = weight.double().permute(2, 3, 1, 0).reshape(size * size, inputs * outputs)
        self.kernel_size = size
        self.padding = int(convolution.padding[0])
        self.register_buffer("weight", (_both_sides(kernel) @ by_place).float().reshape(-1, inputs, outputs))
        self.register_buffer("bias", torch.zeros(outputs) if bias is None else bias.detach())
        self.register_buffer("spread", _both_sides(spread).float())
        self.register_buffer("evaluate", _both_sides(evaluate).float())

    def forward(self, picture: Tensor) -> Tensor:
        """1 x O x H' x W', float32."""
        weight, spread, evaluate = (self.get_buffer(name) for name in ("weight", "spread", "evaluate"))
        places, inputs, outputs = weight.shape
        n = self.kernel_size + TILE - 1
        height, width = (side + 2 * self.padding - self.kernel_size + 1 for side in picture.shape[-2:])
        down, across = -(-height // TILE), -(-width // TILE)
        padded = picture.new_zeros(down * TILE + n - TILE, across * TILE + n - TILE, inputs)
        inner = (
            slice(self.padding, self.padding + picture.shape[-2]),
            slice(self.padding, self.padding + picture.shape[-1]),
        )
        padded[inner] = picture[0].permute(1, 2, 0)
        tiles = padded.unfold(0, n, TILE).unfold(1, n, TILE).permute(3, 4, 0, 1, 2)
        result = picture.new_empty(down, TILE, across, TILE, outputs)
        rows = max(1, BAND // (places * across * max(inputs, outputs)))
        for top in range(0, down, rows):
            band = tiles[:, :, top : top + rows]
            count = band.shape[2]
            spectrum = torch.mm(spread, band.reshape(places, -1)).view(places, count * across, inputs)
            product = torch.bmm(spectrum, weight)
            values = torch.mm(evaluate, product.view(places, -1)).view(TILE, TILE, count, across, outputs)
            result[top : top + rows] = values.permute(2, 0, 3, 1, 4)
        flat = result.view(down * TILE, across * TILE, outputs)[:height, :width]
        return flat.add_(self.get_buffer("bias")).permute(2, 0, 1)[None]


def replace_convolutions(network: nn.Module) -> None:
    """Put a :class:`WinogradConv2d` in the place of every convolution in ``network`` of stride 1 with a 3 x 3 or 5 x 5
    kernel, undilated and ungrouped."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.Conv2d):
            plain = child.stride == child.dilation == (1, 1) and child.groups == 1
            if plain and child.kernel_size in ((3, 3), (5, 5)):
                setattr(network, name, WinogradConv2d(child))
        else:
            replace_convolutions(child)


def transforms(tile: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """A^T (tile x n), G (n x size) and B^T (n x n) for ``tile`` results of a correlation with ``size`` taps;
    n = tile + size - 1."""
    n = tile + size - 1
    points = np.array(POINTS[: n - 1])
    evaluate, kernel, spread = np.zeros((tile, n)), np.zeros((n, size)), np.zeros((n, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        evaluate[:, i] = point ** np.arange(tile)
        kernel[i] = point ** np.arange(size) / np.prod(point - others)
        spread[i, :-1] = np.poly(others)[::-1]
    evaluate[-1, -1] = kernel[-1, -1] = 1
    spread[-1] = np.poly(points)[::-1]
    return evaluate, kernel, spread


def _both_sides(matrix: NDArray[np.float64]) -> Tensor:
    """The matrix that does to a flattened square what ``matrix`` does to its rows and to its columns."""
    return torch.from_numpy(np.kron(matrix, matrix))
