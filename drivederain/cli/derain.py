"""``drivederain-bench derain``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drivederain.chain_expression import ChainSpec
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry


def derain(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A picture, a video, or a folder of pictures.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A file, or a folder (made if needed).")],
    method: Annotated[str, typer.Option(help="A chain, as in unet or unet+diffusion.")] = "unet+diffusion",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of stochastic methods.")] = 0,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD=PATH",
            help="A file, or a name in your library; again for more.",
            show_default="shipped",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="METHOD.option=value", help="An option of a method; again for more.", show_default="none"
        ),
    ] = None,
    tile: Annotated[
        int | None, typer.Option(help="Cut larger pictures into tiles of this side.", show_default="the method's own")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on after a picture that cannot be read.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace pictures that are there already.")] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of weights.", show_default="DRIVEDERAIN_CACHE, else the user's")
    ] = None,
) -> None:
    """Take the rain off a picture, a folder of pictures or a video; sizes, frame rate and sound are kept."""
    typed = dict(locals())  # all of the options, before there are other names
    from drivederain.cli.console import console, quiet_libraries, stoppable

    quiet_libraries()
    from drivederain.registry import Registry

    registry = Registry.discover()
    chain = registry.chain(method)
    from drivederain.cli.derain_video import is_video

    if is_video(source):
        _derain_video(typed, chain, registry)
        return
    from drivederain.cli.derain_files import plan_files

    jobs, left_out = plan_files(source, target, overwrite=overwrite, skip_bad=skip_bad)
    settings = derain_settings(typed, chain)
    with console.status("loading torch"):
        from drivederain.cli.derain_files import derain_files
        from drivederain.cli.progress import LiveDisplay
    with stoppable("what is written stays; --overwrite writes it again"), LiveDisplay() as display:
        written = derain_files(jobs, left_out, chain, settings, registry, display)
    total = len(jobs) + len(left_out)
    where = jobs[0].target if len(jobs) == 1 else target
    console.print(f"{len(written)} of {total} pictures written to {where}", soft_wrap=True, markup=False)
    raise typer.Exit(int(len(written) < total))


def _derain_video(typed: Mapping[str, Any], chain: ChainSpec, registry: Registry) -> None:
    from drivederain.cli.console import console, stoppable
    from drivederain.cli.derain_video import plan_video

    path = plan_video(typed["source"], typed["target"], overwrite=typed["overwrite"])
    settings = derain_settings(typed, chain)
    with console.status("loading torch"):
        from drivederain.cli.derain_video import derain_video
        from drivederain.cli.progress import LiveDisplay
    with stoppable("nothing was written"), LiveDisplay() as display:
        done = derain_video(typed["source"], path, chain, settings, registry, display)
    console.print(
        f"{done.frames} frames written to {path}, {done.frames_per_second:.2f} frames/s",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    raise typer.Exit(int(done.left_out > 0))


def derain_settings(typed: Mapping[str, Any], chain: ChainSpec) -> RunSettings:
    """The settings that ``chain`` is used with.

    Args:
        typed: a value for each parameter of ``derain``.

    Raises:
        OptionError: values that are not usable.
    """
    from drivederain.cli import values
    from drivederain.engine.settings import RunSettings

    return RunSettings(
        methods=(chain.name,),
        data=(),
        out=typed["target"],
        cache=values.cache_folder(typed["cache"]),
        device=values.one_of("--device", typed["device"], ("auto", "cpu", "cuda", "mps")),
        precision=values.one_of("--precision", typed["precision"], ("auto", "fp32", "bf16", "fp16")),  # type: ignore[arg-type]
        seed=typed["seed"],
        weights=values.weights(typed["weights"] or ()),
        options=values.method_settings(typed["set_"] or ()),
        tile=values.at_least("--tile", typed["tile"], 64),
        train=False,
        skip_bad=typed["skip_bad"],
    )
