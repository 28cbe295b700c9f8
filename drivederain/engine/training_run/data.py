"""From ``--data`` and ``--val-data`` to what is trained on and what is validated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivederain.data.sample import DataContext, Problem, Sample, Split
from drivederain.data.sources import parse_source
from drivederain.engine.datasets import OWN_SPLITS, check_data_options, open_dataset, refuse_overlap
from drivederain.engine.keys import key_of
from drivederain.engine.training_run.settings import Size, TrainSettings
from drivederain.errors import DataError, OptionError
from drivederain.registry import Registry
from drivederain.specs import INTENSITIES
from drivederain.training.data import Part, TrainingData
from drivederain.training.folds import folds_of
from drivederain.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class FoundData:
    """The samples, where they came from in words, and the files that were left out."""

    data: TrainingData
    trained_on: str
    validated_on: str
    problems: tuple[Problem, ...]

    def fingerprint(self, *, photos: bool) -> str:
        """SHA-256 of all pictures that are trained or validated on, of ``photos`` too if they train.

        Where they lie does not count; the order of the data sets does, as it decides which picture is drawn when.
        """
        parts = [[part.weight, sorted(_fingerprints(part.samples))] for part in self.data.parts]
        trained = _fingerprints(self.data.photos) if photos else []
        return key_of([parts, sorted(_fingerprints(self.data.validation)), trained])


def find_data(settings: TrainSettings, hyperparameters: Hyperparameters, registry: Registry) -> FoundData:
    """Find the data of a training.

    Without ``--val-data`` each data set is split, trained on its train part and validated on its val part; its test
    part stays unseen. With it, data sets without splits of their own are trained on whole.

    Raises:
        DataError: nothing to train on, bad files (without ``--skip-bad``), or a picture in both parts.
        OptionError: as many shares in ``--mix`` as data sets are needed.
    """
    if settings.mix and len(settings.mix) != len(settings.data):
        raise OptionError(f"--mix has {len(settings.mix)} shares for {len(settings.data)} data sets: give one to each")
    real = [settings.photos] if settings.photos is not None else []
    check_data_options(settings.data_options, registry, [*settings.data, *settings.val_data, *real])
    problems: list[Problem] = []
    parts, validation = [], list[Sample]()
    for number, text in enumerate(settings.data):
        own_splits = parse_source(text, registry.datasets).spec.name in OWN_SPLITS
        split: Split = "train" if own_splits or not settings.val_data or text in settings.val_data else "all"
        samples = _samples(text, split, settings, _training_size(hyperparameters), registry, problems)
        if not samples:
            raise DataError(f"--data {text} has no rainy pictures with their clear ones to train on. Leave it out.")
        parts.append(Part(text, tuple(samples), settings.mix[number] if settings.mix else None))
    for text in settings.val_data or settings.data:
        own_splits = parse_source(text, registry.datasets).spec.name in OWN_SPLITS
        split = "val" if own_splits or text in settings.data else "all"
        size = validation_size(settings, hyperparameters)
        found = _samples(text, split, settings, None if size == "native" else size, registry, problems)
        if settings.val_data and not found:
            raise DataError(f"--val-data {text} has no rainy pictures with their clear ones. Give others, or none.")
        validation += found
    validation = _limited(validation, settings.val_limit)
    photos = _photos(settings.photos, settings, registry, problems) if settings.photos is not None else []
    if settings.left_out is not None:
        parts = _without_fold(parts, *settings.left_out)
    data = TrainingData(tuple(parts), tuple(validation), tuple(photos))
    refuse_overlap(data.samples, validation)
    part = "" if settings.val_data else "the train part of "
    return FoundData(
        data=data,
        trained_on=f"{part}{', '.join(_named(settings.data, registry))}",
        validated_on=f"{'' if settings.val_data else 'the val part of '}"
        f"{', '.join(_named(settings.val_data or settings.data, registry))}"
        if validation
        else "",
        problems=tuple(dict.fromkeys(problems)),
    )


def _without_fold(parts: Sequence[Part], fold: int, count: int) -> list[Part]:
    folds = folds_of([sample for part in parts for sample in part.samples], count)
    kept = [replace(part, samples=tuple(each for each in part.samples if folds.of(each) != fold)) for part in parts]
    return [part for part in kept if part.samples]


def _samples(
    text: str,
    split: Split,
    settings: TrainSettings,
    size: int | None,
    registry: Registry,
    problems: list[Problem],
) -> list[Sample]:
    context = _context(settings, size)
    sample_sets = open_dataset(text, registry, context).sample_sets(split)
    problems += context.problems
    samples = [sample for each in sample_sets if each.has_truth for sample in each.samples]
    # In an order of their own: what is trained must not depend on that of files.
    return sorted(samples, key=lambda sample: (sample.rainy.fingerprint, sample.source_file))


def _photos(text: str, settings: TrainSettings, registry: Registry, problems: list[Problem]) -> list[Sample]:
    context = replace(_context(settings, None), intensities=INTENSITIES)
    photos = [
        sample
        for each in open_dataset(text, registry, context).sample_sets("test")
        if not each.has_truth
        for sample in each.samples
    ]
    problems += context.problems
    if not photos:
        raise DataError(f"--real {settings.real} holds no rainy photos without truth")
    return sorted(photos, key=lambda photo: (photo.rainy.fingerprint, photo.source_file))


def _context(settings: TrainSettings, size: int | None) -> DataContext:
    return DataContext(
        cache=settings.cache,
        size=size,
        seed=settings.seed if settings.data_seed is None else settings.data_seed,
        intensities=settings.intensities,
        skip_bad=settings.skip_bad,
        options=settings.data_options,
    )


def _training_size(hyperparameters: Hyperparameters) -> int | None:
    """One size is that of the data set, so that rain that is not drawn anew is drawn after shrinking too."""
    return hyperparameters.size if isinstance(hyperparameters.size, int) else None


def validation_size(settings: TrainSettings, hyperparameters: Hyperparameters) -> Size:
    """The size of the validation pictures: as asked for, else the size trained at; of several the one in the middle."""
    if settings.val_size is not None:
        return settings.val_size
    if isinstance(hyperparameters.size, tuple):
        return sorted(hyperparameters.size)[len(hyperparameters.size) // 2]
    return hyperparameters.size


def _limited(samples: Sequence[Sample], limit: int | None) -> list[Sample]:
    """At most ``limit`` clear pictures, chosen by content hash, each at all its intensities."""
    if limit is None:
        return list(samples)
    contents = sorted({sample.content or sample.rainy.fingerprint for sample in samples})[:limit]
    return [sample for sample in samples if (sample.content or sample.rainy.fingerprint) in contents]


def _named(texts: Sequence[str], registry: Registry) -> list[str]:
    """Data sets without the folders of this machine: their kind and the last part of their location."""
    sources = [parse_source(text, registry.datasets) for text in texts]
    return [f"{source.spec.name}:{source.location.rstrip('/').rpartition('/')[2]}".rstrip(":") for source in sources]


def _fingerprints(samples: Sequence[Sample]) -> list[list[str]]:
    return [[sample.rainy.fingerprint, sample.clear.fingerprint if sample.clear else ""] for sample in samples]
