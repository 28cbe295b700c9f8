"""``show`` of data: its samples, the crops that training makes of them, and how many there are of what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from drivederain.cli.console import console
from drivederain.data.fresh_rain import has_drawn_rain
from drivederain.data.png import encode_png
from drivederain.data.sample import DataContext, Dataset, Sample, SampleSet
from drivederain.data.sources import parse_source
from drivederain.data.splits import PARTS
from drivederain.engine.datasets import open_dataset
from drivederain.errors import DataError, OptionError
from drivederain.names import did_you_mean
from drivederain.registry import Registry
from drivederain.results.run_folder import write_atomically
from drivederain.specs import INTENSITIES
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.sheets import sheet

DRAWS = 8
"""Crops in ``augmentation.png``."""

Pixels = NDArray[np.uint8]
Scene = dict[str, Sample]
"""The samples of one clear picture, at most one of an intensity."""


@dataclass(frozen=True)
class Wanted:
    """What ``show`` was asked for. ``sizes``: none for native, several are drawn from for the crops."""

    text: str
    cache: Path
    out: Path | None = None
    count: int = 4
    crop: int | None = None
    sizes: tuple[int, ...] = ()
    seed: int = 0
    skip_bad: bool = False
    data_options: Mapping[str, str] = field(default_factory=dict)

    def hyperparameters(self) -> Hyperparameters:
        """Those of a training that are shown.

        Raises:
            OptionError: a crop or a size that no training can have.
        """
        changes: dict[str, Any] = {} if self.crop is None else {"crop": self.crop}
        if self.sizes:
            changes["size"] = self.sizes if len(self.sizes) > 1 else self.sizes[0]
        return Hyperparameters().changed(changes, "--")


def show_data(wanted: Wanted, registry: Registry) -> None:
    """Write ``samples.png`` and, where training can use the data, ``augmentation.png``; print what there is.

    Raises:
        DataError: nothing usable there, or bad files without ``--skip-bad``.
        OptionError: options that do not fit.
    """
    hyperparameters, source = wanted.hyperparameters(), parse_source(wanted.text, registry.datasets)
    _check_options(wanted.data_options, source.spec.name)
    out = wanted.out or Path("show") / _name(source.spec.name, source.location)
    if out.is_file() or (out.suffix.lower() in (".png", ".svg") and not out.is_dir()):
        raise OptionError(f"--out {out}: data give several pictures, so give a folder")
    context = DataContext(
        cache=wanted.cache,
        size=wanted.sizes[0] if len(wanted.sizes) == 1 else None,
        seed=wanted.seed,
        skip_bad=wanted.skip_bad,
        options=wanted.data_options,
    )
    with console.status("looking at the data"):
        dataset = open_dataset(wanted.text, registry, context)
        shown = dataset.sample_sets("all")
        parts, unsplit = _parts(dataset, shown)
    console.print(_table(parts))
    for problem in context.problems:
        _say(f"note: {problem.file}: {problem.reason}")
    if unsplit:
        _say(f"note: it is not split: {unsplit}")
    with console.status("drawing samples"):
        samples = _samples_sheet(shown, wanted.count)
    write_atomically(out / "samples.png", encode_png(samples))
    _say(f"samples: {out / 'samples.png'}")
    trained = [sample for each in parts for sample in each.samples if each.split in ("train", "all") and sample.clear]
    if not trained:
        _say("no augmentation.png: there is no clear picture to train on")
        return
    with console.status("drawing crops"):
        crops = _crops_sheet(trained, hyperparameters, wanted)
    write_atomically(out / "augmentation.png", encode_png(crops))
    anew = hyperparameters.fresh_rain and any(has_drawn_rain(sample) for sample in trained)
    _say(
        f"crops of training: {out / 'augmentation.png'} ({hyperparameters.crop} pixels, flip {hyperparameters.flip:g}, "
        f"jitter {hyperparameters.jitter:g}{', rain drawn anew each time' if anew else ''})"
    )


def _check_options(options: Mapping[str, str], kind: str) -> None:
    """Options named ``v40.clear`` are passed over by other data sets, so a misspelt owner is found here."""
    for key in options:
        owner, dot, _ = key.rpartition(".")
        if dot and owner != kind:
            raise OptionError(f"--data-option {key}: this is about {kind}, not {owner}.{did_you_mean(owner, [kind])}")


def _name(kind: str, location: str) -> str:
    last = Path(location).expanduser().resolve().name if location.strip() else ""
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{kind}-{last}").strip("-")


def _parts(dataset: Dataset, whole: Sequence[SampleSet]) -> tuple[list[SampleSet], str]:
    """Train, val and test parts, or the whole and why it has no parts."""
    try:
        found = [sample_set for part in PARTS for sample_set in dataset.sample_sets(part)]
    except DataError as error:
        return list(whole), str(error)
    return [sample_set for sample_set in found if sample_set.samples], ""


def _table(sample_sets: Iterable[SampleSet]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("data set", "split", "samples", *INTENSITIES, "scenes", "size"):
        table.add_column(name, justify="left" if name in ("data set", "split") else "right", overflow="fold")
    for each in sample_sets:
        numbers = Counter(sample.intensity for sample in each.samples)
        sizes = ", ".join(sorted({sample.size for sample in each.samples}))
        cells = [str(numbers[name]) for name in INTENSITIES]
        scenes = len({sample.scene for sample in each.samples})
        table.add_row(escape(each.name), each.split, str(len(each.samples)), *cells, str(scenes), sizes)
    return table


def _samples_sheet(sample_sets: Sequence[SampleSet], count: int) -> Pixels:
    """Clear pictures beside their rainy ones: a column for each intensity where scenes have several, else one."""
    scenes = [(each.name, scene) for each in sample_sets for scene in _scenes(each.samples, count)]
    several = any(len(scene) > 1 for _, scene in scenes)
    present = [name for name in INTENSITIES if any(name in scene for _, scene in scenes)]
    rows = []
    for name, scene in scenes:
        samples = list(scene.values())
        first, heaviest = samples[0], samples[-1]
        rainy = [scene[each].rainy.load() if each in scene else None for each in present] if several else None
        pictures = [
            first.clear.load() if first.clear else None,
            *(rainy or [first.rainy.load()]),
            heaviest.mask.load() if heaviest.mask else None,
        ]
        height, width = next(picture for picture in pictures if picture is not None).shape[:2]
        rows.append((" | ".join((name, first.source_file, f"{width}x{height}", _words(samples))), pictures))
    titles = [
        "clear",
        *([f"rainy, {name}" for name in present] if several else ["rainy"]),
        "drops of the heaviest" if several else "drops",
    ]
    filled = [place for place in range(len(titles)) if any(pictures[place] is not None for _, pictures in rows)]
    return sheet(
        [(label, [pictures[place] for place in filled]) for label, pictures in rows],
        [titles[place] for place in filled],
    )


def _scenes(samples: Sequence[Sample], count: int) -> list[Scene]:
    """At most ``count`` scenes of lowest content hash, as ``--limit`` chooses them, lightest rain first."""
    found: dict[str, list[Scene]] = {}
    for sample in sorted(samples, key=lambda sample: (sample.content, sample.image)):
        scenes = found.setdefault(sample.content, [{}])
        if sample.intensity in scenes[-1]:
            scenes.append({})
        scenes[-1][sample.intensity] = sample
    chosen = [scene for scenes in found.values() for scene in scenes][:count]
    return [{name: scene[name] for name in INTENSITIES if name in scene} for scene in chosen]


def _words(samples: Sequence[Sample]) -> str:
    """Intensities, and where they are from if they were not recorded."""
    sources = {"recorded": "", "pair": " (by the pair)", "estimated": " (estimated)"}
    return ", ".join(f"{sample.intensity}{sources[sample.intensity_source]}" for sample in samples)


def _crops_sheet(samples: Sequence[Sample], hyperparameters: Hyperparameters, wanted: Wanted) -> Pixels:
    """Crops as a training makes them of the samples, drawn by this seed, rainy above clear."""
    from drivederain.training.crops import Crops
    from drivederain.training.data import Part, TrainingData
    from drivederain.training.draws import Draw, Order

    ordered = sorted(samples, key=lambda sample: (sample.rainy.fingerprint, sample.source_file))
    data = TrainingData((Part(wanted.text, tuple(ordered)),))
    crops, order = Crops(data, hyperparameters, seed=wanted.seed), Order(wanted.seed, [len(ordered)])
    draws = [Draw(*order.at(number), number, hyperparameters.crop) for number in range(DRAWS)]
    made = [crops[draw] for draw in draws]
    rows = [
        (f"{name}, {hyperparameters.crop}x{hyperparameters.crop}", [_eight_bit(each[name]) for each in made])
        for name in ("rainy", "clear")
    ]
    return sheet(rows, [ordered[draw.picture].image for draw in draws])


def _eight_bit(crop: Any) -> Pixels:
    """A 3 x H x W tensor in [0, 1] as H x W x 3."""
    return np.asarray(np.rint(255 * crop.numpy().transpose(1, 2, 0)), np.uint8)


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
