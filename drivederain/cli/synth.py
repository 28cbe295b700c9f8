"""``drivederain-bench synth``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


def synth(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="A folder of clear photographs.")],
    out: Annotated[Path, typer.Option(help="A new folder for rainy/, clear/, masks/ and parameters.parquet.")],
    intensity: Annotated[str, typer.Option(help="Some of light,medium,heavy.")] = "light,medium,heavy",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    size: Annotated[str, typer.Option(help="native, or the shorter side in pixels before rain is drawn.")] = "native",
    limit: Annotated[int | None, typer.Option(help="At most so many photos.", show_default="all")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out unusable files and name them at the end.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of the cache.", show_default="DRIVEDERAIN_CACHE, else the user's")
    ] = None,
) -> None:
    """Draw windshield rain over clear photographs; `run --data paired:OUT` reads what it writes."""
    from drivederain.cli import values
    from drivederain.cli.console import console
    from drivederain.cli.progress import LiveDisplay
    from drivederain.data.sample import DataContext
    from drivederain.data.synth import write_synthetic

    context = DataContext(
        cache=values.cache_folder(cache), size=values.size(size), seed=seed, intensities=values.intensities(intensity),
        limit=values.at_least("--limit", limit, 1), skip_bad=skip_bad,
    )  # fmt: skip
    done = 0
    with LiveDisplay() as display:
        for drawn in write_synthetic(str(photos), out, context, score):
            if done == 0:
                display.begin(f"draw rain on {photos}", drawn.total)
            done = drawn.done
            display.advance(drawn.done)
        display.end()
    for problem in context.problems:
        console.print(f"skipped {problem.file}: {problem.reason}", markup=False, soft_wrap=True)
    console.print(
        f"{done} pictures in {out}/rainy, their truth in clear/, drops in masks/, all parameters in parameters.parquet",
        soft_wrap=True,
    )


def score(clear: NDArray[np.uint8], rainy: NDArray[np.uint8]) -> Mapping[str, float]:
    """PSNR and SSIM (RGB, as the metrics have them) of the rainy picture; SSIM is NaN where it is too small for it."""
    import numpy as np
    import torch

    from drivederain.errors import MetricError
    from drivederain.metrics.fidelity import PSNR
    from drivederain.metrics.structural import SSIM

    def tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]

    values = {"input_psnr": float(PSNR("rgb").score(tensor(rainy), tensor(clear), None)["image"])}
    try:
        values["input_ssim"] = float(SSIM("rgb").score(tensor(rainy), tensor(clear), None)["image"])
    except MetricError:
        values["input_ssim"] = float("nan")
    return values
