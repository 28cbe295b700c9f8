"""``drivederain-bench show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drivederain.registry import Registry
    from drivederain.results.training_folder import TrainingFolder

LARGEST = 4096
"""Shorter side that a training takes, pixels."""


def show(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="The folder of a training, or data, as in synthetic:PHOTOS.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the pictures.", show_default="the training's, or show/DATA"),
    ] = None,
    count: Annotated[
        int | None, typer.Option(help="Data: scenes in samples.png, chosen by content.", show_default="4")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(help="Data: side of the training crops, pixels.", show_default="training's own")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Data: native, or shorter side, pixels; 360,480: drawn anew.", show_default="native"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Data: seed of rain and crops.", show_default="0")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Data: leave out unusable files and name them.")] = False,
    data_option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Data: an option, as v40.clear=my_clear.", show_default="none"),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of the cache.", show_default="DRIVEDERAIN_CACHE, else the user's")
    ] = None,
) -> None:
    """Draw the curves of a training, or the samples of data and the crops that training makes of them."""
    from drivederain.cli import values
    from drivederain.cli.console import quiet_libraries
    from drivederain.errors import OptionError
    from drivederain.registry import Registry

    registry = Registry.discover()
    folder = _training(what, registry)
    for_data: dict[str, Any] = {
        "--count": values.at_least("--count", count, 1),
        "--crop": crop,
        "--size": size,
        "--seed": values.at_least("--seed", seed, 0),
        "--skip-bad": skip_bad or None,
        "--data-option": data_option,
    }
    if folder is not None:
        given = [option for option, value in for_data.items() if value is not None]
        if given:
            raise OptionError(f"{given[0]} is about data, and {what} is a training. Leave it out.")
        from drivederain.cli.show_training import show_training

        show_training(folder, out)
        return
    quiet_libraries()
    from drivederain.cli.show_data import Wanted, show_data

    wanted = Wanted(
        text=what,
        cache=values.cache_folder(cache),
        out=out,
        count=4 if count is None else count,
        crop=crop,
        sizes=_sizes(size or "native"),
        seed=seed or 0,
        skip_bad=skip_bad,
        data_options=values.pairs("--data-option", data_option or ()),
    )
    show_data(wanted, registry)


def _sizes(text: str) -> tuple[int, ...]:
    """``native`` (none), a shorter side, or several.

    Raises:
        OptionError: anything else.
    """
    from drivederain.cli import values
    from drivederain.errors import OptionError

    sizes = [values.size(part) for part in values.names(text) or (text,)]
    known = tuple(size for size in sizes if size is not None)
    if (known and len(known) < len(sizes)) or any(size > LARGEST for size in known):
        raise OptionError(f"--size {text}: write native alone, or sides up to {LARGEST} pixels, as in 360,480")
    return known


def _training(what: str, registry: Registry) -> TrainingFolder | None:
    """The training that is meant; ``None`` for data.

    Raises:
        DataError: it is neither.
    """
    from drivederain.errors import DataError
    from drivederain.names import did_you_mean
    from drivederain.results.training_folder import TrainingFolder

    folder = TrainingFolder(Path(what).expanduser())
    if folder.record.is_file():
        return folder
    kind = what.partition(":")[0].strip()
    if kind in registry.datasets:
        return None
    if folder.path.is_dir():
        raise DataError(
            f"{what} holds no training (no training.json). If it holds pictures, say which: synthetic:{what} for clear "
            f"photos, paired:{what} for rainy and clear ones, real:{what} for rainy photos, v40:{what} for V40."
        )
    if folder.path.is_file():
        raise DataError(f"{what} is a file. Give the folder of a training, or data, as in synthetic:PHOTOS.")
    kinds = ", ".join(sorted(registry.datasets))
    raise DataError(
        f"{what} is neither the folder of a training nor data.{did_you_mean(kind, registry.datasets)} "
        f"Give a folder that `train --out` wrote, or NAME:LOCATION with one of: {kinds}."
    )
