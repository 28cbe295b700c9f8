"""``drivederain-bench derain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def derain(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A picture, or a folder of pictures.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A picture file, or a folder (made if needed).")],
    method: Annotated[str, typer.Option(help="A chain, as in unet or unet+diffusion.")] = "unet+diffusion",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of stochastic methods.")] = 0,
    weights: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD=PATH", help="A weights file; again for more.", show_default="shipped"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="METHOD.option=value", help="An option of a method; again for more.", show_default="none"
        ),
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on after a picture that cannot be read.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace pictures that are there already.")] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of weights.", show_default="DRIVEDERAIN_CACHE, else the user's")
    ] = None,
) -> None:
    """Take the rain off a picture or a folder of pictures; sizes are kept."""
    from drivederain.cli import values
    from drivederain.cli.console import console, quiet_libraries, stoppable

    quiet_libraries()
    from drivederain.registry import Registry

    registry = Registry.discover()
    chain = registry.chain(method)
    from drivederain.cli.derain_files import plan_files

    jobs, left_out = plan_files(source, target, overwrite=overwrite, skip_bad=skip_bad)
    with console.status("loading torch"):
        from drivederain.cli.derain_files import derain_files
        from drivederain.engine.settings import RunSettings
    settings = RunSettings(
        methods=(chain.name,),
        data=(),
        out=target,
        cache=values.cache_folder(cache),
        device=values.one_of("--device", device, ("auto", "cpu", "cuda", "mps")),
        precision=values.one_of("--precision", precision, ("auto", "fp32", "bf16", "fp16")),  # type: ignore[arg-type]
        seed=seed,
        weights=values.weights(weights or ()),
        options=values.method_settings(set_ or ()),
        train=False,
        skip_bad=skip_bad,
    )
    with stoppable("what is written stays; --overwrite writes it again"):
        status = derain_files(jobs, left_out, chain, settings, registry)
    raise typer.Exit(status)
