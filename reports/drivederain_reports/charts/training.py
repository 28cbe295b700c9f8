"""The charts of a training: PSNR and loss by epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from drivederain.specs import INTENSITIES
from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure, LineKey
from drivederain_reports.charts.looks import COLOURS, INK, SOFT
from drivederain_reports.figures import number
from drivederain_reports.run_about import EpochAbout, TrainingAbout

MARKED = 40
"""Up to so many epochs each has a mark with its figures."""
LOGARITHMIC, SMALLEST = 10.0, 1e-12
"""Losses whose highest is so many times their lowest are drawn on a logarithmic axis, unless one is next to nothing."""

LOOKS = {
    "all": ("ink", INK, [1, 0]),
    "light": ("s5", COLOURS[5], [7, 4]),
    "medium": ("s4", COLOURS[4], [2, 3]),
    "heavy": ("s1", COLOURS[1], [9, 3, 2, 3]),
    "training": ("ink", INK, [1, 0]),
    "validation": ("s0", COLOURS[0], [7, 4]),
}
"""Class of the style sheet, colour and dashes of each line."""
EXPECTED, RAINY, BEST = COLOURS[2], [12, 5], [1, 4]

Value = Callable[[EpochAbout], float | None]
Points = list[tuple[int, float | None]]
"""Epochs and values, ``None`` where one is missing; epochs in which it was not measured by plan are not among them."""


def psnr_chart(training: TrainingAbout, name: str = "training") -> Figure | None:
    """PSNR of the validation pictures by epoch beside what the plan expects; ``None`` with fewer than two values."""
    if sum(row.psnr is not None for row in training.history) < 2:
        return None
    lines = psnr_lines(training)
    rainy, best = training.rainy.psnr, training.best_epoch
    expected = [
        {"from": left, "to": right, "low": low, "high": high, "words": label}
        for (left, right), (low, high, label) in zip(
            thirds(training), training.expected_psnr[: len(thirds(training))], strict=True
        )
    ]

    def draw(standalone: bool) -> Any:
        import altair as alt

        x, scale = _across(training), alt.Scale(zero=False)
        layers = []
        if expected:
            base = alt.Chart(alt.Data(values=expected)).encode(x=_across(training, "from"))
            layers.append(
                base.mark_rect(color=EXPECTED, opacity=0.2).encode(
                    x2="to:Q", y=alt.Y("low:Q", scale=scale), y2="high:Q", description="words:N"
                )
            )
        if rainy is not None:
            level = alt.Chart(alt.Data(values=[{"y": rainy}])).mark_rule(color=SOFT, strokeDash=RAINY, size=1.6)
            layers.append(level.encode(y=alt.Y("y:Q", scale=scale)))
        layers += _lines(lines, x, alt.Y("y:Q", title="PSNR, dB", scale=scale), best, " dB", 2, standalone)
        if expected:
            layers.append(
                base.mark_text(align="left", baseline="top", dx=4, dy=4, fontSize=10, color=INK).encode(
                    y=alt.Y("high:Q", scale=scale), text="words:N"
                )
            )
        return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)

    keys = _keys(lines)
    keys += [LineKey(f"rainy input, {number(rainy, 2)} dB", "soft", "12 5")] if rainy is not None else []
    keys += [LineKey("best epoch", "soft", "1 4")] if best is not None else []
    keys += [LineKey("what the plan expects", "expected", area=True)] if expected else []
    return Figure(
        name=f"{name}-psnr",
        title="PSNR of the validation pictures by epoch, dB",
        caption="",
        words=_words("PSNR in dB", training.history, lambda row: row.psnr, 2),
        draw=draw,
        keys=tuple(keys),
    )


def loss_chart(training: TrainingAbout, name: str = "training") -> Figure | None:
    """Total loss of training and validation by epoch; ``None`` with fewer than two values of the training."""
    if sum(row.train_loss is not None for row in training.history) < 2:
        return None
    lines = loss_lines(training)
    logarithmic, best = is_logarithmic(lines), training.best_epoch

    def draw(standalone: bool) -> Any:
        import altair as alt

        scale = alt.Scale(type="log") if logarithmic else alt.Scale(zero=False)
        y = alt.Y("y:Q", title="loss", scale=scale)
        layers = _lines(lines, _across(training), y, best, "", 4, standalone)
        return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)

    return Figure(
        name=f"{name}-loss",
        title="Loss by epoch, as it was weighted in training",
        caption="The axis is logarithmic." if logarithmic else "",
        words=_words("Training loss", training.history, lambda row: row.train_loss, 4),
        draw=draw,
        keys=tuple(_keys(lines) + ([LineKey("best epoch", "soft", "1 4")] if best is not None else [])),
    )


def psnr_lines(training: TrainingAbout) -> dict[str, Points]:
    """By intensity and over ``all`` of them."""
    return _known(training, [(name, _psnr_of(name)) for name in INTENSITIES] + [("all", lambda row: row.psnr)])


def loss_lines(training: TrainingAbout) -> dict[str, Points]:
    """Of ``validation`` and ``training``."""
    return _known(training, [("validation", lambda row: row.validation_loss), ("training", lambda row: row.train_loss)])


def is_logarithmic(lines: dict[str, Points]) -> bool:
    """Whether losses lie so far apart that they need a logarithmic axis."""
    values = [value for points in lines.values() for _, value in points if value is not None]
    return min(values) >= SMALLEST and max(values) / min(values) >= LOGARITHMIC


def last_epoch(training: TrainingAbout) -> int:
    """The end of the axis: as long as the training was planned, where that is known."""
    return max([training.planned_epochs or 0, *(row.epoch for row in training.history)])


def thirds(training: TrainingAbout) -> list[tuple[float, float]]:
    """The axis in as many equal parts as the plan has expectations."""
    parts = len(training.expected_psnr)
    return list(pairwise(last_epoch(training) * part / max(parts, 1) for part in range(parts + 1)))


def _known(training: TrainingAbout, named: Sequence[tuple[str, Value]]) -> dict[str, Points]:
    """Lines with any value. Validation may be done every few epochs only, which is no gap."""
    lines = {
        name: [(row.epoch, value(row)) for row in training.history if row.validated or name == "training"]
        for name, value in named
    }
    return {name: points for name, points in lines.items() if any(value is not None for _, value in points)}


def _psnr_of(intensity: str) -> Value:
    return lambda row: getattr(row, f"psnr_{intensity}")


def _across(training: TrainingAbout, column: str = "epoch") -> Any:
    import altair as alt

    axis = alt.Axis(grid=False, tickMinStep=1, format="d")
    return alt.X(f"{column}:Q", title="epoch", scale=alt.Scale(domain=[0, last_epoch(training)], nice=False), axis=axis)


def _lines(
    lines: dict[str, Points], x: Any, y: Any, best: int | None, unit: str, decimals: int, standalone: bool
) -> list[Any]:
    import altair as alt

    values = [
        {
            "line": name,
            "epoch": epoch,
            "y": value,
            "words": f"epoch {epoch}, {name}: {number(value, decimals)}{unit}",
        }
        for name, points in lines.items()
        for epoch, value in points
    ]
    names = list(lines)
    legend = alt.Legend(title=None) if standalone else None
    colour = alt.Color("line:N", scale=alt.Scale(domain=names, range=[LOOKS[name][1] for name in names]), legend=legend)
    dashes = alt.StrokeDash(
        "line:N", scale=alt.Scale(domain=names, range=[LOOKS[name][2] for name in names]), legend=legend
    )
    base = alt.Chart(alt.Data(values=values)).encode(x=x, y=y, color=colour)
    layers = []
    if best is not None:
        rule = alt.Chart(alt.Data(values=[{"epoch": best}])).mark_rule(color=SOFT, strokeDash=BEST, size=1.6)
        layers.append(rule.encode(x=x))
    layers.append(base.mark_line(size=1.8).encode(strokeDash=dashes))
    if max(len(points) for points in lines.values()) <= MARKED:
        marks = base.transform_filter("isValid(datum.y)").mark_point(filled=True, size=26, opacity=1)
        layers.append(marks.encode(description="words:N", shape=alt.value("circle")))
    return layers


def _keys(lines: dict[str, Points]) -> list[LineKey]:
    return [
        LineKey(name, LOOKS[name][0], " ".join(map(str, LOOKS[name][2])) if LOOKS[name][2] != [1, 0] else "")
        for name in reversed(lines)
    ]


def _words(what: str, history: Sequence[EpochAbout], value: Value, decimals: int) -> str:
    points = [(row.epoch, found) for row in history if (found := value(row)) is not None]
    (first, begin), (last, end) = points[0], points[-1]
    return f"{what}: {number(begin, decimals)} in epoch {first}, {number(end, decimals)} in epoch {last}"
