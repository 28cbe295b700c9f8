"""Geometry of the charts of a training: PSNR and loss by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from drivederain.specs import INTENSITIES
from drivederain_reports.axes import Tick, decimals_of, round_logarithms, round_scale
from drivederain_reports.figures import number
from drivederain_reports.run_about import EpochAbout, TrainingAbout

WIDTH, HEIGHT = 560.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 14.0, 34.0
MARKED = 40
"""Up to so many epochs each has a mark with its figures."""
LOGARITHMIC, SMALLEST = 10.0, 1e-12
"""Losses whose highest is so many times their lowest are drawn on a logarithmic axis, unless one is next to nothing."""

LOOKS = {
    "all": ("ink", ""),
    "light": ("s5", "7 4"),
    "medium": ("s4", "2 3"),
    "heavy": ("s1", "9 3 2 3"),
    "training": ("ink", ""),
    "validation": ("s0", "7 4"),
}
"""Colour of the style sheet and dashes of each line."""

Value = Callable[[EpochAbout], float | None]


@dataclass(frozen=True)
class Mark:
    x: float
    y: float
    text: str
    """What a pointer gets."""


@dataclass(frozen=True)
class Line:
    """Values by epoch; where one is missing the line has a gap."""

    label: str
    look: str
    """Class of the style sheet that gives the colour."""
    dashes: str
    path: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Band:
    """What is expected in a part of the training."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class TrainingChart:
    """One drawing, in user units."""

    title: str
    note: str
    words: str
    """The drawing for those who do not see it."""
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    epochs: tuple[Tick, ...]
    bands: tuple[Band, ...] = ()
    level: Tick | None = None
    """Of the rainy input."""
    best: float | None = None
    """Where the best epoch is."""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def psnr_chart(training: TrainingAbout) -> TrainingChart | None:
    """PSNR of the validation pictures by epoch beside what the plan expects; ``None`` with fewer than two values."""
    named: list[tuple[str, Value]] = [(name, _psnr_of(name)) for name in INTENSITIES]
    named.append(("all", lambda row: row.psnr))
    across = _Across(training)
    lines = across.lines(named)
    if across.count(lambda row: row.psnr) < 2:
        return None
    rainy = training.rainy.psnr
    values = [value for _, value_of in named for row in training.history if (value := value_of(row)) is not None]
    values += [end for low, high, _ in training.expected_psnr for end in (low, high)]
    values += [rainy] if rainy is not None else []
    low, high, step = round_scale(min(values), max(values))
    y = _linear(low, high)
    thirds = across.thirds(len(training.expected_psnr))
    return TrainingChart(
        title="PSNR of the validation pictures by epoch, dB.",
        note="",
        words=_words("PSNR in dB", training.history, lambda row: row.psnr, 2),
        lines=tuple(across.drawn(lines, y, " dB", 2)),
        ticks=_ticks(low, high, step, y),
        epochs=across.ticks(),
        bands=tuple(
            Band(left, y(top), round(right - left, 2), round(y(bottom) - y(top), 2), label)
            for (left, right), (bottom, top, label) in zip(thirds, training.expected_psnr, strict=True)
        ),
        level=Tick(y(rainy), f"{number(rainy, 2)} dB") if rainy is not None else None,
        best=across.x(training.best_epoch) if training.best_epoch is not None else None,
    )


def loss_chart(training: TrainingAbout) -> TrainingChart | None:
    """Total loss of training and validation by epoch; ``None`` with fewer than two values of the training."""
    across = _Across(training)
    lines = across.lines([("validation", lambda row: row.validation_loss), ("training", lambda row: row.train_loss)])
    if across.count(lambda row: row.train_loss) < 2:
        return None
    values = [value for _, points in lines for _, value in points if value is not None]
    low, high = min(values), max(values)
    logarithmic = low >= SMALLEST and high / low >= LOGARITHMIC
    if logarithmic:
        air = (high / low) ** 0.05
        low, high = low / air, high * air
        y = _logarithmic(low, high)
        ticks = tuple(Tick(y(value), f"{value:g}") for value in round_logarithms(low, high))
    else:
        low, high, step = round_scale(low, high)
        y = _linear(low, high)
        ticks = _ticks(low, high, step, y)
    return TrainingChart(
        title="Loss by epoch, as it was weighted in training.",
        note="The axis is logarithmic." if logarithmic else "",
        words=_words("Training loss", training.history, lambda row: row.train_loss, 4),
        lines=tuple(across.drawn(lines, y, "", 4)),
        ticks=ticks,
        epochs=across.ticks(),
        best=across.x(training.best_epoch) if training.best_epoch is not None else None,
    )


Points = list[tuple[int, float | None]]
"""Epochs and values; epochs in which a value was not measured by plan are not among them."""


class _Across:
    """The axis of epochs, as long as the training was planned, where that is known."""

    def __init__(self, training: TrainingAbout) -> None:
        self.history = training.history
        self.last = max([training.planned_epochs or 0, *(row.epoch for row in training.history)])

    def x(self, epoch: float) -> float:
        return round(LEFT + epoch / self.last * (WIDTH - LEFT - RIGHT), 2)

    def thirds(self, parts: int) -> list[tuple[float, float]]:
        """The axis in equal parts."""
        edges = [self.x(self.last * part / max(parts, 1)) for part in range(parts + 1)]
        return list(pairwise(edges))

    def ticks(self) -> tuple[Tick, ...]:
        _, _, step = round_scale(0, self.last)
        step = max(math.ceil(step), 1)
        return tuple(Tick(self.x(epoch), number(epoch, 0)) for epoch in range(0, self.last + 1, step) if epoch)

    def count(self, value: Value) -> int:
        return sum(value(row) is not None for row in self.history)

    def lines(self, named: Sequence[tuple[str, Value]]) -> list[tuple[str, Points]]:
        """Lines with any value. Validation may be done every few epochs only, which is no gap."""
        lines = [
            (name, [(row.epoch, value(row)) for row in self.history if row.validated or name == "training"])
            for name, value in named
        ]
        return [(name, points) for name, points in lines if any(value is not None for _, value in points)]

    def drawn(
        self, lines: Sequence[tuple[str, Points]], y: Callable[[float], float], unit: str, decimals: int
    ) -> list[Line]:
        drawn = []
        for name, points in lines:
            path, pen = [], "M"
            for epoch, value in points:
                if value is None:
                    pen = "M"
                    continue
                path.append(f"{pen}{self.x(epoch)} {y(value)}")
                pen = "L"
            marks = [
                Mark(self.x(epoch), y(value), f"epoch {epoch}, {name}: {number(value, decimals)}{unit}")
                for epoch, value in points
                if value is not None and len(self.history) <= MARKED
            ]
            drawn.append(Line(name, *LOOKS[name], "".join(path), tuple(marks)))
        return drawn


def _psnr_of(intensity: str) -> Value:
    return lambda row: getattr(row, f"psnr_{intensity}")


def _linear(low: float, high: float) -> Callable[[float], float]:
    return lambda value: round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 2)


def _logarithmic(low: float, high: float) -> Callable[[float], float]:
    linear = _linear(math.log10(low), math.log10(high))
    return lambda value: linear(math.log10(value))


def _ticks(low: float, high: float, step: float, y: Callable[[float], float]) -> tuple[Tick, ...]:
    places = range(round(low / step), round(high / step) + 1)
    return tuple(Tick(y(place * step), number(place * step, decimals_of(step))) for place in places)


def _words(what: str, history: Sequence[EpochAbout], value: Value, decimals: int) -> str:
    points = [(row.epoch, found) for row in history if (found := value(row)) is not None]
    (first, begin), (last, end) = points[0], points[-1]
    return f"{what}: {number(begin, decimals)} in epoch {first}, {number(end, decimals)} in epoch {last}"
