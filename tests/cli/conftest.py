"""The command line in this process: exit status, what was printed, and tiny data to run on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivederain.cli import main as cli


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What the user reads of an error, on one line."""
        return " ".join(self.err.split())


Command = Callable[..., Ended]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``command("run", "--methods", "identity")``, as typed after ``drivederain-bench``."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["drivederain-bench", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        else:
            status = 0
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return call


def photo(number: int, height: int = 40, width: int = 56) -> np.ndarray:
    rng = np.random.default_rng(number)
    coarse = (rng.random((5, 6, 3)) * 220 + 10).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def write_photo(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


@pytest.fixture(scope="session")
def make_photos() -> Callable[..., Path]:
    """``make_photos(folder, 3, first=0)``: a folder of small photographs."""

    def make(folder: Path, count: int = 3, *, first: int = 0) -> Path:
        for number in range(first, first + count):
            write_photo(folder / f"photo{number}.png", photo(number))
        return folder

    return make


@pytest.fixture(scope="session")
def make_pairs(make_photos: Callable[..., Path]) -> Callable[..., Path]:
    """``make_pairs(folder, 3)``: rainy/ and clear/ with recorded intensities."""

    def make(root: Path, count: int = 3, *, first: int = 0) -> Path:
        make_photos(root / "clear", count, first=first)
        for number in range(first, first + count):
            write_photo(root / "rainy" / f"photo{number}.png", photo(number) // 2 + 60)
        names = ("light", "medium", "heavy")
        lines = [f"photo{number},{names[number % 3]}" for number in range(first, first + count)]
        (root / "intensity.csv").write_text("\n".join(["image,intensity", *lines]))
        return root

    return make


@pytest.fixture
def photos(tmp_path: Path, make_photos: Callable[..., Path]) -> Path:
    return make_photos(tmp_path / "photos")


@pytest.fixture
def pairs(tmp_path: Path, make_pairs: Callable[..., Path]) -> Path:
    return make_pairs(tmp_path / "pairs")
