"""Winograd convolution against PyTorch's in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from drivederain.metrics import winograd
from drivederain.metrics.winograd import WinogradConv2d, replace_convolutions, transforms


def convolution(size: int, padding: int, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(5)
    return nn.Conv2d(6, 9, size, padding=padding, bias=bias).requires_grad_(False)


@settings(deadline=None, max_examples=60)
@given(
    size=st.sampled_from([3, 5]),
    padding=st.integers(0, 2),
    height=st.integers(5, 23),
    width=st.integers(5, 23),
    bias=st.booleans(),
    channels_last=st.booleans(),
)
def test_is_the_convolution(size: int, padding: int, height: int, width: int, bias: bool, channels_last: bool) -> None:
    plain = convolution(size, padding, bias)
    picture = torch.randn(1, 6, height, width, generator=torch.Generator().manual_seed(height * width))
    if channels_last:
        picture = picture.to(memory_format=torch.channels_last)
    expected = plain.double()(picture.double())
    found = WinogradConv2d(plain.float())(picture)
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = WinogradConv2d(convolution(3, 1))
    picture = torch.randn(1, 6, 45, 30, generator=torch.Generator().manual_seed(1))
    whole = layer(picture)
    monkeypatch.setattr(winograd, "BAND", 1)
    assert torch.allclose(layer(picture), whole, atol=1e-6)


@pytest.mark.parametrize("size", [3, 5])
def test_transforms_are_exact(size: int) -> None:
    evaluate, kernel, spread = transforms(4, size)
    taps, values = torch.arange(1.0, size + 1).double().numpy(), torch.arange(3.0, size + 6).double().numpy() ** 2
    correlation = [sum(taps[k] * values[i + k] for k in range(size)) for i in range(4)]
    assert evaluate @ ((kernel @ taps) * (spread @ values)) == pytest.approx(correlation, rel=1e-12)


def test_replaces_only_what_it_can() -> None:
    kept = [
        nn.Conv2d(3, 4, 11, stride=4, padding=2),
        nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 4, 3, stride=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, (3, 5)),
    ]
    network = nn.Sequential(*kept, nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)), nn.Conv2d(4, 4, 5))
    replace_convolutions(network)
    assert list(network)[:6] == kept
    assert isinstance(network[6][1], WinogradConv2d)
    assert isinstance(network[7], WinogradConv2d)
