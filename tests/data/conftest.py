"""Small drawn pictures for the tests of data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from drivederain.data.sample import DataContext

Pixels = NDArray[np.uint8]


@pytest.fixture
def drawn() -> Callable[..., Pixels]:
    """``drawn(number, height, width)``: a smooth picture, another one for each number."""

    def draw(number: int = 0, height: int = 24, width: int = 32) -> Pixels:
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
        channels = [(rows * (3 + number) + columns * (2 + c) + 37 * number + 60 * c) % 256 for c in range(3)]
        return np.stack(channels, axis=2).astype(np.uint8)

    return draw


@pytest.fixture
def save(drawn: Callable[..., Pixels]) -> Callable[..., Path]:
    """``save(path, number)`` or ``save(path, pixels=...)``: write a picture in the format of the suffix."""

    def write(path: Path, number: int = 0, height: int = 24, width: int = 32, pixels: Pixels | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn(number, height, width) if pixels is None else pixels).save(path)
        return path

    return write


@pytest.fixture
def context(tmp_path: Path) -> DataContext:
    return DataContext(cache=tmp_path / "cache")


@pytest.fixture
def known_strata(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Strata from the mean of the rainy picture (bright: heavy); the list fills with each estimate made."""
    from drivederain.data import strata

    made: list[str] = []

    def stratum(rainy: Pixels, source: str) -> strata.Stratum:
        made.append(source)
        mean = float(rainy.mean())
        intensity = "light" if mean < 85 else "medium" if mean < 170 else "heavy"
        evidence = {"coverage": 0.2}
        return strata.Stratum(intensity, borderline=80 < mean < 90, source=source, evidence=evidence)  # type: ignore[arg-type]

    monkeypatch.setattr(strata, "pair_intensity", lambda rainy, clear, mask: stratum(rainy, "pair"))
    monkeypatch.setattr(strata, "photo_intensity", lambda rainy: stratum(rainy, "estimated"))
    return made
