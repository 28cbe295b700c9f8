"""Charts as files."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from drivederain.results.chart_file import chart_file, drawable


def draw(path: Path) -> bytes:
    with chart_file(path, 2.0, 1.0) as figure:
        figure.add_axes((0.2, 0.2, 0.7, 0.7)).plot([0, 1], [0, 1], label="a line")
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["svg", "PNG"])
def test_the_users_settings_change_nothing_and_stay_as_they_are(tmp_path: Path, ending: str) -> None:
    plain = draw(tmp_path / f"plain.{ending}")
    with mpl.rc_context({"lines.linewidth": 9.0, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        assert draw(tmp_path / f"other.{ending}") == plain
        assert mpl.rcParams["lines.linewidth"] == 9.0
    assert plain.startswith(b"<?xml" if ending == "svg" else b"\x89PNG")


def test_a_drawing_that_fails_leaves_the_chart_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    before = draw(path)
    with pytest.raises(ZeroDivisionError), chart_file(path, 2.0, 1.0):
        _ = 1 / 0
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["chart.png"]


def test_letters_without_a_glyph_are_written_as_escapes() -> None:
    assert drawable(" Überfahrt\n日 ") == r"Überfahrt \u65e5"
