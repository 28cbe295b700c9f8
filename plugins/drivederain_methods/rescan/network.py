"""The network of RESCAN: dilated convolutions with memory take rain layers off in stages (Li et al., ECCV 2018).

Module names are those of the official checkpoints, so that these load as they are.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

SQUEEZED = 6
"""Channels in the middle of squeeze-and-excitation."""
UnitName = Literal["GRU", "LSTM", "RNN", "Conv"]
State: TypeAlias = "Tensor | tuple[Tensor, Tensor] | None"
GATES: dict[UnitName, str] = {"GRU": "zrn", "LSTM": "fioj", "RNN": "", "Conv": ""}


class SqueezeExcitation(nn.Module):
    """Weighs channels by what is in the whole picture (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, SQUEEZED), nn.ReLU(), nn.Linear(SQUEEZED, channels), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        weights: Tensor = self.fc(features.mean((2, 3)))
        return features * weights[:, :, None, None]


class Layer(nn.Module):
    """A dilated convolution that remembers what it found in the stage before."""

    def __init__(self, channels_in: int, channels: int, dilation: int, unit: UnitName, *, squeeze: bool) -> None:
        super().__init__()
        self.unit = unit

        def of_input() -> nn.Conv2d:
            return nn.Conv2d(channels_in, channels, 3, padding=dilation, dilation=dilation)

        def of_memory() -> nn.Conv2d:
            return nn.Conv2d(channels, channels, 3, padding=1)

        if unit == "Conv":
            self.conv = of_input()
        elif unit == "RNN":
            self.conv_x, self.conv_h = of_input(), of_memory()
        for gate in GATES[unit]:
            setattr(self, f"conv_x{gate}", of_input())
        for gate in GATES[unit]:
            setattr(self, f"conv_h{gate}", of_memory())
        self.se = SqueezeExcitation(channels) if squeeze else nn.Identity()
        self.relu = nn.LeakyReLU(0.2)

    def forward(self, seen: Tensor, state: State) -> tuple[Tensor, State]:
        """The features, and what is remembered of them; ``state`` is None in the first stage."""
        if self.unit == "Conv":
            return self._out(self.conv(seen)), None
        if self.unit == "RNN":
            assert state is None or isinstance(state, Tensor)
            found = self._out(torch.tanh(self.conv_x(seen) + (0 if state is None else self.conv_h(state))))
            return found, found
        if self.unit == "GRU":
            assert state is None or isinstance(state, Tensor)
            found = self._out(self._gru(seen, state))
            return found, found
        assert state is None or isinstance(state, tuple)
        found, cell = self._lstm(seen, state)
        found = self._out(found)
        return found, (found, cell)

    def _out(self, features: Tensor) -> Tensor:
        found: Tensor = self.relu(self.se(features))
        return found

    def _gru(self, seen: Tensor, hidden: Tensor | None) -> Tensor:
        if hidden is None:
            return torch.sigmoid(self.conv_xz(seen)) * torch.tanh(self.conv_xn(seen))
        update = torch.sigmoid(self.conv_xz(seen) + self.conv_hz(hidden))
        reset = torch.sigmoid(self.conv_xr(seen) + self.conv_hr(hidden))
        new = torch.tanh(self.conv_xn(seen) + self.conv_hn(reset * hidden))
        return (1 - update) * hidden + update * new

    def _lstm(self, seen: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        if state is None:
            cell = torch.sigmoid(self.conv_xi(seen)) * torch.tanh(self.conv_xj(seen))
            # The official code has no tanh here, in the first stage alone.
            return torch.sigmoid(self.conv_xo(seen)) * cell, cell
        hidden, cell = state
        forget = torch.sigmoid(self.conv_xf(seen) + self.conv_hf(hidden))
        enter = torch.sigmoid(self.conv_xi(seen) + self.conv_hi(hidden))
        leave = torch.sigmoid(self.conv_xo(seen) + self.conv_ho(hidden))
        cell = forget * cell + enter * torch.tanh(self.conv_xj(seen) + self.conv_hj(hidden))
        return leave * torch.tanh(cell), cell


class RESCAN(nn.Module):
    """Restores B x 3 x H x W in [0, 1]; the official weights want BGR.

    Args:
        unit: what remembers between stages.
        add: each stage adds to the rain that the stage before found; otherwise it finds all of it anew.
        depth: layers with the three that the paper counts at the end.
        channels: of every layer.
        stages: passes.
        squeeze: squeeze-and-excitation.
    """

    def __init__(
        self,
        *,
        unit: UnitName = "GRU",
        add: bool = False,
        depth: int = 7,
        channels: int = 24,
        stages: int = 4,
        squeeze: bool = True,
    ) -> None:
        super().__init__()
        self.add, self.stages = add, stages
        dilations = [1, *(2**level for level in range(depth - 3))]
        self.rnns = nn.ModuleList(
            Layer(channels if number else 3, channels, dilation, unit, squeeze=squeeze)
            for number, dilation in enumerate(dilations)
        )
        self.dec = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            SqueezeExcitation(channels) if squeeze else nn.Identity(),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 3, 1),
        )

    def forward(self, rainy: Tensor) -> Tensor:
        return rainy - self.rain(rainy)[-1]

    def rain(self, rainy: Tensor) -> list[Tensor]:
        """The rain as each stage knows it, rainy picture minus clear one (the paper's R).

        Args:
            rainy: B x 3 x H x W, [0, 1].

        Returns:
            One tensor a stage, of the shape of ``rainy``, about [-1, 1].
        """
        found: list[Tensor] = []
        seen, states = rainy, [None] * len(self.rnns)
        for _ in range(self.stages):
            kept = []
            for layer, state in zip(self.rnns, states, strict=True):
                seen, state = layer(seen, state)
                kept.append(state)
            rain = self.dec(seen)
            if self.add and found:
                rain = rain + found[-1].detach()
            found.append(rain)
            seen, states = rainy - rain, kept
        return found
