"""Options that several commands have in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Mix = Annotated[str | None, typer.Option(help="Shares of several data, as 2,1.", show_default="by their pictures")]
ValData = Annotated[
    list[str] | None,
    typer.Option("--val-data", metavar="SPEC", help="What to validate on.", show_default="a part of --data"),
]
ValLimit = Annotated[
    int | None, typer.Option(help="At most so many clear pictures to validate on.", show_default="all")
]
Intensity = Annotated[str | None, typer.Option(help="Some of light,medium,heavy.", show_default="all three")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.", show_default="auto")]
Workers = Annotated[int | None, typer.Option(help="Processes that draw rain and crops.", show_default="what pays")]
ValidateEvery = Annotated[int | None, typer.Option(help="Epochs between validations.", show_default="1")]
DataOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="An option of the data, as v40.clear=my_clear.", show_default="none"),
]
Download = Annotated[
    bool, typer.Option("--download", help="Allow downloads (encoder weights); otherwise no network is used.")
]
Cache = Annotated[
    Path | None,
    typer.Option(help="Folder of outputs and weights.", show_default="DRIVEDERAIN_CACHE, else the user's"),
]
