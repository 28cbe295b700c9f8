"""The network of PReNet: one small network that looks at its own output again and again (Ren et al., CVPR 2019).

Module names are those of the official checkpoints, so that these load as they are.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 32
BLOCKS = 5

Memory = Literal["before", "behind", "none"]


def _conv(channels_in: int, channels_out: int, *after: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), *after)


class PReNet(nn.Module):
    """Restores B x 3 x H x W in [0, 1], RGB.

    In each pass it sees the rainy picture and what it made of it so far; a convolutional LSTM remembers between passes.

    Args:
        recurrences: passes.
        memory: where the LSTM stands: before the residual blocks (PReNet), behind them (the network for real photos),
            or nowhere (PRN of the same paper).
        shared_block: one residual block is used five times (PReNet_r, PRN_r).
        add: a pass's output is added to the rainy picture; otherwise it is the picture.
    """

    def __init__(
        self, *, recurrences: int = 6, memory: Memory = "before", shared_block: bool = False, add: bool = True
    ) -> None:
        super().__init__()
        self.recurrences, self.shared_block, self.add = recurrences, shared_block, add
        self.memory: Memory = memory
        self.conv0 = _conv(2 * 3, CHANNELS, nn.ReLU())
        for number in range(1, 2 if shared_block else BLOCKS + 1):
            block = nn.Sequential(*_conv(CHANNELS, CHANNELS, nn.ReLU()), *_conv(CHANNELS, CHANNELS, nn.ReLU()))
            setattr(self, f"res_conv{number}", block)
        if memory != "none":
            self.conv_i = _conv(2 * CHANNELS, CHANNELS, nn.Sigmoid())
            self.conv_f = _conv(2 * CHANNELS, CHANNELS, nn.Sigmoid())
            self.conv_g = _conv(2 * CHANNELS, CHANNELS, nn.Tanh())
            self.conv_o = _conv(2 * CHANNELS, CHANNELS, nn.Sigmoid())
        self.conv = _conv(CHANNELS, 3)

    def forward(self, rainy: Tensor) -> Tensor:
        return self.passes(rainy)[-1]

    def passes(self, rainy: Tensor) -> list[Tensor]:
        """The picture after each pass.

        Args:
            rainy: B x 3 x H x W, [0, 1].

        Returns:
            One tensor a pass, of the shape of ``rainy``; not clamped to [0, 1].
        """
        found = []
        restored = rainy
        hidden = cell = rainy.new_zeros(len(rainy), CHANNELS, *rainy.shape[2:])
        for _ in range(self.recurrences):
            seen = self.conv0(torch.cat([rainy, restored], 1))
            if self.memory == "before":
                hidden, cell = self._remembered(seen, hidden, cell)
                seen = self._blocks(hidden)
            elif self.memory == "behind":
                hidden, cell = self._remembered(self._blocks(seen), hidden, cell)
                seen = hidden
            else:
                seen = self._blocks(seen)
            restored = self.conv(seen)
            if self.add:
                restored = restored + rainy
            found.append(restored)
        return found

    def _remembered(self, seen: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.cat([seen, hidden], 1)
        cell = self.conv_f(both) * cell + self.conv_i(both) * self.conv_g(both)
        return self.conv_o(both) * torch.tanh(cell), cell

    def _blocks(self, found: Tensor) -> Tensor:
        for number in range(1, BLOCKS + 1):
            block: nn.Module = getattr(self, f"res_conv{1 if self.shared_block else number}")
            found = functional.relu(block(found) + found)
        return found
