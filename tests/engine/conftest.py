"""Runs of a made-up plugin (``fakes.py``) on tiny pictures."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.engine.display import Silent
from drivederain.engine.run import Outcome, run_benchmark
from drivederain.engine.settings import RunSettings
from drivederain.entry_points import installed_entry_points
from drivederain.registry import Registry
from drivederain.training.progress import Budget

NAME = "drivederain_test_fakes"


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module of test methods, under a name that specs can give and that other processes can import."""
    folder = tmp_path_factory.mktemp("fakes")
    shutil.copyfile(Path(__file__).with_name("fakes.py"), folder / f"{NAME}.py")
    sys.path.append(str(folder))
    yield importlib.import_module(NAME)
    sys.path.remove(str(folder))


@pytest.fixture
def calls(fakes: ModuleType) -> Iterator[Any]:
    """How often each test method was loaded and asked, from zero."""
    fakes.CALLS.clear()
    yield fakes.CALLS
    fakes.CALLS.clear()


@pytest.fixture(scope="session")
def registry(fakes: ModuleType) -> Registry:
    """What is installed, and the test methods."""
    found = Registry.discover([*installed_entry_points()[0], EntryPoint("fakes", NAME, "drivederain")])
    assert not [plugin for plugin in found.plugins if plugin.status == "failed" and plugin.entry_point == "fakes"]
    return found


def picture(number: int, height: int = 24, width: int = 32, *, strength: float = 0.0) -> np.ndarray:
    """A picture of its own for each number; ``strength`` adds a pattern that a method could take off."""
    rng = np.random.default_rng(number)
    coarse = (rng.random((4, 4, 3)) * 200 + 20).astype(np.uint8)
    clear = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(float)
    pattern = strength * ((np.arange(width) // 3 % 2)[None, :, None] * 2.0 - 1)
    return np.clip(np.rint(clear + pattern), 0, 255).astype(np.uint8)


def write_picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes())


Pairs = Callable[..., Path]


@pytest.fixture(scope="session")
def make_pairs() -> Pairs:
    """Writes pairs of pictures with recorded intensities: ``make_pairs(folder, 3, first=0, odd=(1,))``."""

    def make(root: Path, count: int = 3, *, first: int = 0, odd: tuple[int, ...] = (), masks: bool = False) -> Path:
        lines = ["image,intensity"]
        for number in range(first, first + count):
            width = 40 if number in odd else 32
            write_picture(root / "clear" / f"p{number:03d}.png", picture(number, width=width))
            write_picture(root / "rainy" / f"p{number:03d}.png", picture(number, width=width, strength=12 + number % 5))
            if masks:
                mask = np.zeros((24, width), np.uint8)
                mask[:8, :8] = 255
                write_picture(root / "masks" / f"p{number:03d}.png", mask)
            lines.append(f"p{number:03d},{('light', 'medium', 'heavy')[number % 3]}")
        (root / "intensity.csv").write_text("\n".join(lines) + "\n")
        return root

    return make


class Bench:
    """Runs with one cache; ``phases``, ``warnings`` and ``ends`` are what the display was told in the last run."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry, self.number = folder, registry, 0
        self.display = Notes()

    def settings(self, methods: str, *data: str, **more: Any) -> RunSettings:
        self.number += 1
        settings = RunSettings(
            methods=tuple(methods.split(",")),
            data=data,
            out=self.folder / f"out{self.number}" / "run",
            cache=self.folder / "cache",
            metrics=("psnr", "mse"),
            device="cpu",
            budget=Budget(steps=3),
            isolate=False,
        )
        return replace(settings, **more)

    def __call__(self, methods: str, *data: str, display: Any = None, **more: Any) -> Outcome:
        self.display = display or Notes()
        return run_benchmark(self.settings(methods, *data, **more), self.registry, self.display)

    @property
    def warnings(self) -> str:
        return "\n".join(self.display.warnings)

    @property
    def phases(self) -> list[str]:
        return self.display.phases


class Notes(Silent):
    """A display that remembers."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.warnings: list[str] = []

    def begin(self, phase: str, total: int) -> None:
        self.phases.append(phase)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class StopsAt(Notes):
    """Ctrl-C at the n-th step of a phase whose name begins so."""

    def __init__(self, phase: str, step: int) -> None:
        super().__init__()
        self.phase, self.step, self.steps = phase, step, 0

    def advance(self, done: float, words: str = "") -> None:
        if self.phases[-1].startswith(self.phase):
            self.steps += 1
            if self.steps == self.step:
                raise KeyboardInterrupt


@pytest.fixture
def stops_at() -> type[StopsAt]:
    return StopsAt


@pytest.fixture
def bench(tmp_path: Path, registry: Registry, calls: Any) -> Bench:
    return Bench(tmp_path, registry)


@pytest.fixture
def pairs(tmp_path: Path, make_pairs: Pairs) -> Path:
    """Three pairs of 24 x 32 pixels, one of each intensity."""
    return make_pairs(tmp_path / "pairs")
