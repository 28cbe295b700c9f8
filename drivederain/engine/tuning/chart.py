"""The chart of a study: what each value gained over the setting before it, in dB, beside the noise of seeds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivederain.engine.tuning.decide import Verdict
from drivederain.engine.tuning.settings import TuneSettings
from drivederain.engine.tuning.study import Findings, Tried
from drivederain.results.chart_file import BLUE, GREEN, GRID, INK, ORANGE, SOFT, VERMILION, chart_file, drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAND = "#e3eaf1"
_LOOKS: Final[dict[Verdict, tuple[str, str]]] = {
    "base": ("D", INK),
    "kept": ("*", GREEN),
    "overtaken": ("o", BLUE),
    "within noise": ("o", ORANGE),
    "not better": ("o", "#8a95a1"),
    "failed": ("x", VERMILION),
}
_WORDS: Final[dict[Verdict, str]] = {
    "base": "setting so far",
    "kept": "better, kept",
    "overtaken": "better, but another more so",
    "within noise": "above, but within noise",
    "not better": "not better",
    "failed": "failed",
}

_TITLE = "Validation PSNR over the setting so far with the same seeds, dB"

_WIDTH = 12.0
_ROW, _TOP, _BOTTOM = 0.27, 1.2, 1.0
"""Inches: of a row, above the axes and below them."""
_LEFT, _RIGHT = 0.34, 0.82
"""Edges of the axes, shares of the width."""
_COLUMNS = (("mean", 1.015), ("difference", 1.115), ("seeds", 1.265))
"""Figures right of the axes: head, and left edge in widths of the axes."""
_VALUE, _REASON = 50, 76
"""Characters of a value and of a reason."""
_FAR = 4.0
"""What is worse by more than so many times the noise, and than the best is better, is drawn at the edge: a setting that
cannot learn would press all others together."""


def title_of(settings: TuneSettings) -> str:
    """The head of the chart."""
    preset = f" ({settings.base.preset})" if settings.base.preset else ""
    return f"{settings.base.method}{preset}, one variable at a time, {settings.base.budget} a training"


def draw_chart(findings: Findings, path: Path, *, title: str) -> None:
    """Write a picture 1200 pixels wide to ``path``: SVG where it ends so, PNG otherwise; higher the more was tried.

    The same findings give the same bytes with the same version of matplotlib.

    Raises:
        OSError: ``path`` cannot be written.
    """
    rows = _rows(findings)
    height = _TOP + _BOTTOM + _ROW * max(len(rows), 3)
    with chart_file(path, _WIDTH, height) as figure:
        axes = figure.add_axes((_LEFT, _BOTTOM / height, _RIGHT - _LEFT, 1 - (_TOP + _BOTTOM) / height))
        _Chart(figure, axes, findings, rows, height).draw(title)


@dataclass(frozen=True)
class _Row:
    """A line of the chart: a value, or without one the name of a variable."""

    variable: str
    tried: Tried | None = None


def _rows(findings: Findings) -> list[_Row]:
    rows: list[_Row] = []
    for variable, group in groupby(findings.tried[1:], key=lambda tried: tried.variable):
        rows += [_Row(variable), *(_Row(variable, tried) for tried in group)]
    return rows


@dataclass(frozen=True)
class _Chart:
    figure: Figure
    axes: Axes
    findings: Findings
    rows: list[_Row]
    height: float

    def draw(self, title: str) -> None:
        self._head(title)
        self._settle()
        low, high = self._reach()
        self.axes.set_xlim(low, high)
        for place, row in enumerate(self.rows):
            if row.tried is None:
                self._beside(-0.99, place, row.variable, weight="bold")
                self._band(place)
            else:
                self._value(place, row.tried, low, high)
        if not self.rows:
            self.axes.text(0.5, 0.5, "no variable is tuned yet", color=SOFT, ha="center", transform=self.axes.transAxes)
        self._legend()

    def _head(self, title: str) -> None:
        baseline, best = self.findings.baseline, self.findings.best
        gain = _signed(best.psnr - baseline.psnr, 2)
        facts = (
            f"Baseline {baseline.psnr:.2f} dB, best setting {best.psnr:.2f} dB ({gain}), "
            f"rainy input {self.findings.rainy_psnr:.2f} dB. Seed noise {self.findings.noise:.3f} dB; "
            f"means of {len(baseline.results)} seeds where a value looked better."
        )
        lines = ((0.14, drawable(title), 15, INK, "bold"), (0.47, facts, 10.5, INK, "normal"))
        for below, words, size, colour, weight in lines:
            # A name may hold dollar signs, which are no formula.
            place = 1 - below / self.height
            self.figure.text(
                0.022, place, words, size=size, color=colour, weight=weight, va="top", parse_math=False,
            )  # fmt: skip

    def _settle(self) -> None:
        axes = self.axes
        axes.set_ylim(max(len(self.rows), 3) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_title(_TITLE, loc="left", fontsize=11.5, color=INK, pad=6)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        if self.rows:
            axes.axvline(0, color=SOFT, linewidth=1.2, zorder=2)
        for spine in axes.spines.values():
            spine.set_color(SOFT)
        axes.tick_params(colors=INK, labelsize=9.5)
        for words, x in _COLUMNS:
            axes.annotate(
                words, (x, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", color=SOFT, size=9.5
            )

    def _reach(self) -> tuple[float, float]:
        tried = [row.tried for row in self.rows if row.tried is not None]
        seeds = [gain for each in tried for gain in _gains(each)]
        band = max([each.needed for each in tried], default=0.0)
        right = max([*seeds, band, 0.05])
        left = min([*seeds, -band, -0.05])
        left = max(left, -max(_FAR * band, 1.5 * right))
        air = 0.04 * (right - left)
        return left - air, right + air

    def _band(self, place: int) -> None:
        """From the variable's name down to its last value: the differences that seeds alone may make."""
        group = [row.tried for row in self.rows if row.tried is not None and row.variable == self.rows[place].variable]
        width = group[0].needed
        top, bottom = place - 0.5, place + len(group) + 0.5
        self.axes.fill_between([-width, width], top, bottom, color=_BAND, linewidth=0, zorder=1)
        self.axes.axhline(top, color=GRID, linewidth=0.8, zorder=1)

    def _value(self, place: int, tried: Tried, low: float, high: float) -> None:
        mark, colour = _LOOKS[tried.verdict]
        self._beside(
            -0.96, place, _short(tried.label, _VALUE), color=INK if tried.verdict in ("base", "kept") else SOFT
        )
        if not tried.results:
            across = self.axes.get_yaxis_transform()
            self.axes.plot([0.02], [place], mark, color=colour, markersize=7, markeredgewidth=1.8, transform=across)
            self.axes.text(
                0.04, place, _short(tried.reason, _REASON), color="#a34700", size=9, va="center", parse_math=False,
                transform=across, zorder=7, bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
            )  # fmt: skip
            return
        seeds = _gains(tried)
        if len(seeds) > 1 and tried.verdict != "base":
            self.axes.plot(
                seeds,
                [place] * len(seeds),
                "|",
                color=colour,
                markersize=9,
                markeredgewidth=1.3,
                zorder=4,
                clip_on=True,
            )
        there = tried.difference >= low
        self.axes.plot(
            [tried.difference if there else low], [place], mark if there else "<", color=colour,
            markersize=15 if mark == "*" else 7.5 if there else 10, markeredgecolor="white", zorder=6, clip_on=False,
        )  # fmt: skip
        words = (f"{tried.psnr:.2f}", "" if tried.verdict == "base" else _signed(tried.difference, 3), f"{len(seeds)}")
        for text, (_, x) in zip(words, _COLUMNS, strict=True):
            self.axes.text(
                x, place, text, transform=self.axes.get_yaxis_transform(), va="center", size=9.5,
                color=INK if tried.verdict in ("base", "kept") else SOFT,
            )  # fmt: skip

    def _beside(self, left: float, place: int, words: str, color: str = INK, weight: str = "normal") -> None:
        """Words left of the axes; ``left`` in shares of the margin, from -1."""
        x = left * (_LEFT - 0.022) / (_RIGHT - _LEFT)
        self.axes.text(
            x, place, words, transform=self.axes.get_yaxis_transform(), va="center", size=9.5, color=color,
            weight=weight, parse_math=False,
        )  # fmt: skip

    def _legend(self) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        there = {row.tried.verdict for row in self.rows if row.tried is not None}
        handles: list[Line2D | Patch] = [
            Line2D(
                [], [], marker=mark, color=colour, linestyle="none", markersize=12 if mark == "*" else 7,
                markeredgecolor=colour if mark == "x" else "white", markeredgewidth=1.8 if mark == "x" else 1.0,
                label=_WORDS[verdict],
            )
            for verdict, (mark, colour) in _LOOKS.items()
            if verdict in there
        ]  # fmt: skip
        handles.append(Line2D([], [], marker="|", color=SOFT, linestyle="none", markersize=9, label="single seeds"))
        handles.append(Patch(facecolor=_BAND, label="no more than noise"))
        self.axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.022, 0.55 / self.height),
            bbox_transform=self.figure.transFigure, ncols=5, fontsize=9, frameon=False, handlelength=1.6,
            columnspacing=1.6, borderaxespad=0,
        )  # fmt: skip


def _gains(tried: Tried) -> list[float]:
    """Of each seed over the same seed of the setting before, dB."""
    return [score - base for score, base in zip(tried.scores, tried.base_scores, strict=False)]


def _signed(decibels: float, decimals: int) -> str:
    return f"{decibels:+.{decimals}f}".replace("-", "−")


def _short(text: str, most: int) -> str:
    words = drawable(text)
    return words if len(words) <= most else f"{words[: most - 1]}…"
