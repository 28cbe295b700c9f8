"""What the charts are drawn of, and that their SVG is text and shapes alone whatever is in names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivederain.results.statistics import ScoreMatrix
from drivederain_reports.charts.curves import quality_curve
from drivederain_reports.charts.distributions import distribution_chart
from drivederain_reports.charts.figure import Figure, page_svg, png_file, svg_file
from drivederain_reports.charts.gains import gain_chart
from drivederain_reports.charts.paired_differences import paired_chart
from drivederain_reports.charts.pareto import Cost, front, pareto_chart
from drivederain_reports.run_about import MetricAbout

PSNR = MetricAbout(name="psnr", variant="rgb", direction="higher", unit="dB")
LPIPS = MetricAbout(name="lpips", variant="alex", direction="lower", decimals=4)
HOSTILE = "</svg><script>alert(1)</script>\"'\n\u202e&amp;"
STYLES = {"unet": 0, HOSTILE: 1, "restormer": 2}


def titles(figure: Figure | None) -> list[str]:
    """The words of the marks, in the order of drawing."""
    assert figure is not None
    root = ElementTree.fromstring(str(page_svg(figure, 0)))
    return [str(each.text) for each in root.iter() if each.tag.endswith("title")]


def summary(**gains: float) -> pd.DataFrame:
    base = {"intensity": "all", "region": "image", "metric": "psnr", "variant": "rgb"}
    return pd.DataFrame(
        [
            base | {"method": name, "difference": gain, "difference_low": gain - 1, "difference_high": gain + 1}
            for name, gain in gains.items()
        ]
    )


def scores(images: int = 40, methods: tuple[str, ...] = ("identity", "unet", HOSTILE)) -> pd.DataFrame:
    noise = np.random.Generator(np.random.PCG64(1))
    return pd.DataFrame(
        [
            {
                "dataset": "d", "image": f"p{n:02d}", "scene": f"s{n // 2}", "intensity": ("light", "heavy")[n % 2],
                "method": method, "region": "image", "metric": "psnr", "variant": "rgb",
                "value": 30 - 0.2 * n + 3 * place + float(noise.random()),
            }
            for n in range(images)
            for place, method in enumerate(methods)
        ]
    )  # fmt: skip


def every_figure() -> list[Figure]:
    own = scores()
    rain = pd.DataFrame({"dataset": "d", "image": [f"p{n:02d}" for n in range(40)], "rain_rate_mm_h": np.arange(40.0)})
    names = ["identity", "unet", HOSTILE]
    wide = own.pivot(index="image", columns="method", values="value")
    matrix = ScoreMatrix(wide[names].to_numpy(), list(wide.index), np.arange(40), names)
    found = [
        gain_chart(summary(**{"unet": 3.0, HOSTILE: 1.0}), PSNR, ["all"], STYLES, "k"),
        distribution_chart(own, PSNR, ["light", "heavy"], names, STYLES, "k"),
        quality_curve(own, rain, "rain_rate_mm_h", PSNR, names, STYLES, "k"),
        paired_chart(matrix, PSNR, "identity", names, STYLES, "k"),
        pareto_chart([Cost("unet", 30, 29, 31, 5.0), Cost(HOSTILE, 31, 30, 32, 50.0)], PSNR, HOSTILE, STYLES, "k"),
    ]
    assert None not in found
    return [figure for figure in found if figure is not None]


@pytest.mark.parametrize("number", range(5), ids=["gains", "distribution", "curve", "paired", "pareto"])
def test_a_figure_is_a_picture_and_nothing_else(number: int) -> None:
    figure = every_figure()[number]
    svg = str(page_svg(figure, 3))
    root = ElementTree.fromstring(svg)
    tags = {each.tag for each in root.iter()}
    assert tags <= {"svg", "g", "path", "line", "rect", "text", "tspan", "title", "defs", "clipPath"}
    names = {name for each in root.iter() for name in each.attrib}
    assert not any(name.startswith("on") or "href" in name or name == "style" for name in names)
    assert root.get("role") == "img" and root.get("aria-label") == figure.words
    assert "var(--soft)" in svg and "#566474" not in svg
    assert page_svg(figure, 3) == page_svg(figure, 3)
    assert HOSTILE in figure.methods


def test_a_figure_is_a_file_with_its_title_and_legend() -> None:
    figure = every_figure()[0]
    text = " ".join(str(each.text) for each in ElementTree.fromstring(svg_file(figure)).iter() if each.text)
    assert figure.title in text and "unet" in text and "alert(1)" in text
    assert "var(" not in svg_file(figure)
    assert png_file(figure, scale=1)[:8] == b"\x89PNG\r\n\x1a\n"


def test_gains_are_turned_so_that_above_zero_is_better() -> None:
    rows = summary(unet=-0.25).assign(metric="lpips", variant="alex")
    assert titles(gain_chart(rows, LPIPS, ["all"], STYLES, "k")) == ["unet, all: +0.2500 (−0.7500 to 1.2500)"]


def test_a_method_that_changes_nothing_has_a_chart() -> None:
    assert titles(gain_chart(summary(unet=0.0), PSNR, ["all"], STYLES, "k")) == ["unet, all: 0.00 dB (−1.00 to 1.00)"]
    assert gain_chart(summary(unet=float("nan")), PSNR, ["all"], STYLES, "k") is None


def test_curves_are_means_of_groups_of_equal_size() -> None:
    rain = pd.DataFrame({"dataset": "d", "image": [f"p{n:02d}" for n in range(40)], "coverage": np.arange(40) / 100})
    own = scores(methods=("unet",)).assign(value=lambda frame: 30.0 - np.arange(40) // 5)
    found = titles(quality_curve(own, rain, "coverage", PSNR, ["unet"], STYLES, "k"))
    assert len(found) == 8
    assert found[0].startswith("unet at 2: 30.00 dB") and found[-1].startswith("unet at 37: 23.00 dB")


def test_a_curve_needs_three_groups_of_known_and_different_rain() -> None:
    def curve(rain: Any, images: int = 40) -> Figure | None:
        known = pd.DataFrame({"dataset": "d", "image": [f"p{n:02d}" for n in range(images)], "coverage": rain})
        return quality_curve(scores(images), known, "coverage", PSNR, ["unet"], STYLES, "k")

    assert curve(np.full(40, np.nan)) is None
    assert curve(np.full(40, 0.2)) is None
    assert curve(np.arange(14.0), 14) is None
    assert curve(np.arange(15.0), 15) is not None


def test_boxes_are_quantiles() -> None:
    own = scores(methods=("unet",)).assign(value=np.arange(40.0), intensity="light")
    figure = distribution_chart(own, PSNR, ["light"], ["unet"], STYLES, "k")
    assert titles(figure) == ["unet, light: median 19.50, half of the images from 9.75 to 29.25"]
    assert distribution_chart(own.head(4), PSNR, ["light"], ["unet"], STYLES, "k") is None


def test_paired_differences_need_a_reference_with_scores() -> None:
    values = np.stack([np.arange(10.0), np.arange(10.0) + 1], axis=1)
    matrix = ScoreMatrix(values, [str(n) for n in range(10)], np.arange(10), ["identity", "unet"])
    assert paired_chart(matrix, PSNR, "identity", ["identity", "unet"], STYLES, "k") is not None
    assert paired_chart(matrix, PSNR, "missing", ["identity", "unet"], STYLES, "k") is None


def test_the_front_holds_what_no_other_one_beats() -> None:
    fast, good, slow = Cost("fast", 25, 24, 26, 1.0), Cost("good", 30, 29, 31, 10.0), Cost("slow", 29, 28, 30, 20.0)
    assert front([slow, good, fast], 1) == [fast, good]
    assert front([slow, good, fast], -1) == [fast]
    assert pareto_chart([fast], PSNR, "CPU", STYLES, "k") is None


def test_identifiers_are_the_figure_s_own() -> None:
    figure = every_figure()[2]
    first, second = (set(re.findall(r' id="([^"]+)"', str(page_svg(figure, number)))) for number in (1, 2))
    assert not first & second
