"""Charts as files: the same look and the same bytes whatever the user's matplotlibrc says."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivederain.results.run_folder import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK: Final = "#16202b"
SOFT: Final = "#5d6875"
GRID: Final = "#dde3e9"

# Okabe and Ito's colours, which colour-blind readers tell apart. Lines and marks differ in their shape too.
BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
ORANGE: Final = "#e69f00"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
PURPLE: Final = "#b3508f"

_DPI = 100


@contextmanager
def chart_file(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches, 100 pixels each, written to ``path`` at the end of the block.

    It becomes an SVG where the name ends so and a PNG otherwise; the same drawing gives the same bytes with the same
    version of matplotlib. Of matplotlib's global state only the settings are used, and they are put back. Where the
    block raises, nothing is written.

    Raises:
        OSError: ``path`` cannot be written.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The user's own matplotlibrc must not decide what the picture looks like; an SVG's ids are drawn without a salt.
    with matplotlib.style.context(["default", {"svg.hashsalt": "drivederain", "font.size": 10.0}]):
        figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        yield figure
        file = io.BytesIO()
        if path.suffix.lower() == ".svg":
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(file, format="png", metadata={"Software": None})
    write_atomically(path, file.getvalue())


def drawable(text: str) -> str:
    """``text`` on one line; characters that the charts' font does not have are written as ``\\u65e5``."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(
        letter if ord(letter) in known else letter.encode("unicode_escape").decode()
        for letter in " ".join(text.split())
    )
