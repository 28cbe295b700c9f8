"""The curves of a training as a picture: losses, PSNR beside what the plan expects, SSIM and learning rate."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivederain.results.chart_file import (
    BLUE,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SOFT,
    VERMILION,
    chart_file,
    drawable,
)
from drivederain.results.training_history import EpochRecord, Scores, best_of
from drivederain.specs import INTENSITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLAN_PSNR: Final = ((19.0, 21.0, "about 20 dB"), (25.0, 28.0, "25 to 28 dB"), (28.0, 30.0, "28 to 30 dB"))
"""Validation PSNR that the plan expects in the first, second and last third of a training."""
PLAN_TARGET_PSNR: Final = 28.0
PLAN_TARGET_SSIM: Final = 0.85

Point = tuple[float, float]
Series = tuple[str, str, str, float, list[Point]]
"""Label, colour, dashes, width of the line, and epochs with values."""

_PLAN = "#00543d"
_OF_INTENSITY = {"light": (SKY, "-"), "medium": (ORANGE, "--"), "heavy": (VERMILION, "-.")}
_OF_TERMS = (SKY, ORANGE, GREEN, PURPLE, VERMILION, "#a87400", "#5a5a5a")

_SIZE = (12.0, 10.6)
_MARKED = 40
"""Up to so many epochs each is marked by a dot; lines of a single point would not be seen otherwise."""
_MANY = 300
"""Epochs from which on lines are thinner."""
_CHARACTERS = 150
"""A line of the head."""


def draw_curves(
    history: Sequence[EpochRecord],
    path: Path,
    *,
    title: str,
    stop_reason: str = "",
    epochs: int | None = None,
    target_psnr: float | None = None,
    target_ssim: float | None = None,
    rainy: Scores | None = None,
    before: tuple[str, Scores] | None = None,
) -> None:
    """Write a picture of 1200 x 1060 pixels to ``path``: SVG where it ends so, PNG otherwise.

    The same history gives the same bytes with the same version of matplotlib. Values that are not finite are crosses at
    the upper edge; a 0 is a gap on a logarithmic axis.

    Args:
        stop_reason: why the training ended; "" while it goes on.
        epochs: how many the training is to have, if that is known: the axes reach so far, and the plan's thirds are
            those of it. By default of the epochs that there are.
        target_psnr: the training's own target, dB, drawn beside the plan's.
        target_ssim: likewise.
        rainy: scores of the rainy validation pictures themselves, drawn as levels; their loss is not looked at.
        before: of a refiner, the name and the scores of the chain before it, likewise.

    Raises:
        OSError: ``path`` cannot be written.
    """
    with chart_file(path, *_SIZE) as figure:
        chart = _Chart(figure, history, max([epochs or 0, *(record.epoch for record in history)]) or 1)
        chart.head(title, stop_reason)
        chart.losses(_place(figure, 0, 0))
        inputs = [(name, scores) for name, scores in (("rainy input", rainy), *([before] if before else [])) if scores]
        chart.psnr(_place(figure, 0, 1), target_psnr, inputs)
        chart.ssim(_place(figure, 1, 0), target_ssim, inputs)
        chart.learning_rate(_place(figure, 1, 1))


def _place(figure: Figure, row: int, column: int) -> Axes:
    return figure.add_axes((0.062 + 0.495 * column, 0.545 - 0.435 * row, 0.432, 0.3))


@dataclass(frozen=True)
class _Chart:
    """The history on a figure. ``last`` is the epoch at which the axes end."""

    figure: Figure
    history: Sequence[EpochRecord]
    last: int

    @property
    def scores(self) -> list[tuple[int, Scores]]:
        return [(record.epoch, record.scores) for record in self.history if record.scores is not None]

    def head(self, title: str, stop_reason: str) -> None:
        self._text(0.984, _lines(title, 1, _CHARACTERS * 3 // 5), 15, INK, weight="bold")
        self._text(0.954, _facts(self.history), 10.5, INK)
        self._text(0.934, _lines(f"Ended: {stop_reason}" if stop_reason else "", 2), 10.5, SOFT)

    def losses(self, axes: Axes) -> None:
        terms = list(dict.fromkeys(name for record in self.history for name in record.losses if name != "loss"))
        looks = [(colour, dashes) for dashes in ("-", "--", ":") for colour in _OF_TERMS]
        series: list[Series] = [
            (name, *looks[number % len(looks)], 0.9, self._trained(name)) for number, name in enumerate(terms)
        ]
        series.append(("training, total", INK, "-", 2.0, self._trained("loss")))
        series.append(("validation, total", BLUE, "--", 2.0, [(epoch, scores.loss) for epoch, scores in self.scores]))
        # A term that was 0 all the time has no place on a logarithmic axis, and nothing to tell.
        series = [each for each in series if any(value for _, value in each[4])]
        self._settle(axes, "Loss, weighted as trained with", steps=True)
        self._draw(axes, series)
        _logarithmic(axes, [value for *_, points in series for _, value in points])
        self._finish(axes, "" if self.history else "no epoch is over yet")

    def psnr(self, axes: Axes, target: float | None, inputs: Sequence[tuple[str, Scores]]) -> None:
        self._settle(axes, "PSNR of the validation pictures, dB", steps=True)
        for third, (low, high, words) in enumerate(PLAN_PSNR):
            left, right = self.last * third / 3, self.last * (third + 1) / 3
            axes.fill_between([left, right], low, high, color=GREEN, alpha=0.14, linewidth=0)
            self._note(axes, left + self.last * 0.01, high - 0.2, f"plan: {words}", color=_PLAN, va="top")
        values = _levels(axes, PLAN_TARGET_PSNR, target, [(name, scores.psnr) for name, scores in inputs], "{:.4g} dB")
        values += self._scored(axes, "psnr")
        _reach(axes, [*values, PLAN_PSNR[0][0] - 1, PLAN_PSNR[-1][1] + 1])
        best = best_of(self.history)
        if best is not None and best.scores is not None and math.isfinite(best.scores.psnr):
            axes.plot(
                [best.epoch], [best.scores.psnr], "*", color=INK, markersize=13, markeredgecolor="white", zorder=6,
                label=f"best: epoch {best.epoch}", clip_on=False, linestyle="none",
            )  # fmt: skip
        self._finish(axes, self._without_scores)

    def ssim(self, axes: Axes, target: float | None, inputs: Sequence[tuple[str, Scores]]) -> None:
        self._settle(axes, "SSIM of the validation pictures", steps=False)
        values = _levels(axes, PLAN_TARGET_SSIM, target, [(name, scores.ssim) for name, scores in inputs], "{:.3g}")
        values += self._scored(axes, "ssim")
        _reach(axes, [*values, PLAN_TARGET_SSIM - 0.03, PLAN_TARGET_SSIM + 0.03])
        self._finish(axes, self._without_scores)

    def learning_rate(self, axes: Axes) -> None:
        points: list[Point] = [(record.epoch, record.learning_rate) for record in self.history]
        self._settle(axes, "Learning rate at the end of the epoch", steps=False)
        self._draw(axes, [("", INK, "-", 1.6, points)])
        _logarithmic(axes, [value for _, value in points])
        self._finish(axes, "" if self.history else "no epoch is over yet")

    @property
    def _without_scores(self) -> str:
        if self.scores:
            return ""
        return "nothing was validated" if self.history else "no epoch is over yet"

    def _trained(self, name: str) -> list[Point]:
        return [(record.epoch, record.losses[name]) for record in self.history if name in record.losses]

    def _scored(self, axes: Axes, metric: str) -> list[float]:
        """Draw a metric of all pictures and by intensity; its values."""
        series: list[Series] = []
        for name in INTENSITIES:
            each = [(epoch, getattr(scores, f"{metric}_by_intensity")) for epoch, scores in self.scores]
            points = [(float(epoch), float(values[name])) for epoch, values in each if name in values]
            series.append((name, *_OF_INTENSITY[name], 1.3, points))
        series.append(("all", INK, "-", 2.0, [(epoch, getattr(scores, metric)) for epoch, scores in self.scores]))
        series = [each for each in series if each[4]]
        self._draw(axes, series)
        return [value for *_, points in series for _, value in points]

    def _draw(self, axes: Axes, series: Iterable[Series]) -> None:
        crosses: list[float] = []
        for label, colour, dashes, width, points in series:
            if not points:
                continue
            width *= 0.6 if len(points) > _MANY else 1.0
            there = [value if math.isfinite(value) else math.nan for _, value in points]
            axes.plot(
                [epoch for epoch, _ in points], there, dashes, color=colour, linewidth=width, label=label, zorder=3,
                marker="o" if len(points) <= _MARKED else "", markersize=1.5 + 1.2 * width,
            )  # fmt: skip
            crosses += [epoch for epoch, value in points if not math.isfinite(value)]
        if crosses:
            axes.plot(
                crosses, [0.96] * len(crosses), "x", color=INK, markersize=7, markeredgewidth=1.8, zorder=5,
                transform=axes.get_xaxis_transform(), label="not finite",
            )  # fmt: skip

    def _settle(self, axes: Axes, title: str, *, steps: bool) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        axes.set_xlim(0, self.last * 1.02)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 2.5, 5, 10]))
        axes.set_title(title, loc="left", fontsize=11.5, color=INK, pad=24 if steps else 6)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_color(SOFT)
        axes.tick_params(colors=INK, labelsize=9.5)
        axes.set_xlabel("epoch", fontsize=9.5, color=SOFT, loc="right", labelpad=1)
        ratio = max((record.step / record.epoch for record in self.history), default=0.0)
        if steps and ratio > 0:
            there_and_back = (lambda epoch: np.multiply(epoch, ratio), lambda step: np.divide(step, ratio))
            above = axes.secondary_xaxis("top", functions=there_and_back)
            above.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 2.5, 5, 10]))
            above.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
            above.tick_params(colors=SOFT, labelsize=8.5, pad=1, length=2)
            above.spines["top"].set_visible(False)
            axes.text(1.0, 1.085, "steps", color=SOFT, size=8.5, ha="right", transform=axes.transAxes)

    def _finish(self, axes: Axes, instead: str) -> None:
        """Mark the best epoch and explain the lines below them; ``instead`` is said where there are none."""
        best = best_of(self.history)
        if best is not None:
            axes.axvline(best.epoch, color=SOFT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=2)
        if instead:
            self._note(axes, self.last * 0.51, 0.4, instead, ha="center", transform=axes.get_xaxis_transform())
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            axes.legend(
                handles, labels, loc="upper left", bbox_to_anchor=(-0.02, -0.1), ncols=4 if len(handles) > 8 else 3,
                fontsize=9, frameon=False, handlelength=2.6, labelspacing=0.35, columnspacing=1.4, borderaxespad=0.2,
            )  # fmt: skip

    def _note(self, axes: Axes, x: float, y: float, words: str, **settings: Any) -> None:
        """Words that can be read where a line crosses them."""
        ground = {"facecolor": "white", "alpha": 0.55, "linewidth": 0, "pad": 1.5}
        axes.text(x, y, words, **{"size": 9.5, "color": SOFT, "zorder": 4, "bbox": ground, **settings})

    def _text(self, height: float, words: str, size: float, colour: str, weight: str = "normal") -> None:
        # A name may hold dollar signs, which are no formula.
        self.figure.text(
            0.062 - 0.04, height, words, size=size, color=colour, weight=weight, va="top", parse_math=False,
        )  # fmt: skip


def _facts(history: Sequence[EpochRecord]) -> str:
    if not history:
        return "No epoch is over yet."
    end, best = history[-1], best_of(history)
    minutes = end.seconds / 60
    time = f"{minutes:.1f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
    words = f"{end.epoch:,} epoch{'' if end.epoch == 1 else 's'}, {end.step:,} steps, {time} of training."
    if best is None or best.scores is None:
        return words
    return f"{words} Best epoch: {best.epoch:,}, with {best.scores.psnr:.2f} dB and SSIM {best.scores.ssim:.4f}."


def _lines(text: str, most: int, width: int = _CHARACTERS) -> str:
    """``text`` in at most so many lines."""
    lines = textwrap.wrap(drawable(text), width)
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][: width - 2]} …"])


def _levels(axes: Axes, plan: float, own: float | None, inputs: Sequence[tuple[str, float]], shown: str) -> list[float]:
    """Draw what the scores are held against; the values."""
    levels = [(name, value, SOFT, "--" if number == 0 else "-.") for number, (name, value) in enumerate(inputs)] + [
        ("plan's target", plan, _PLAN, ":")
    ]
    if own is not None and own != plan:
        levels.append(("own target", own, PURPLE, ":"))
    for name, value, colour, dashes in levels:
        if math.isfinite(value):
            axes.axhline(value, color=colour, linewidth=1.2, linestyle=dashes, label=f"{name}: {shown.format(value)}")
    return [value for _, value, _, _ in levels]


def _reach(axes: Axes, values: Iterable[float]) -> None:
    """Let the axis show all finite values, with a little air."""
    finite = [value for value in values if math.isfinite(value)]
    air = 0.04 * (max(finite) - min(finite))
    axes.set_ylim(min(finite) - air, max(finite) + air)


def _logarithmic(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers, unless a value is below 0."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    finite = [value for value in values if math.isfinite(value)]
    positive = [value for value in finite if value > 0]
    if not positive or min(finite) < 0:
        return
    axes.set_yscale("log", nonpositive="mask")
    low, high = min(positive), max(positive)
    decades = math.log10(high / low)
    air = max(0.05 * decades, 0.05)
    axes.set_ylim(low / 10**air, high * 10**air)
    several = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0) if decades < 0.7 else (1.0, 2.0, 5.0)
    axes.yaxis.set_major_locator(LogLocator(subs=several if decades < 3 else (1.0,), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("e-0", "e-")))
    axes.yaxis.set_minor_locator(NullLocator())
