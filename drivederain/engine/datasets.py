"""From ``--data`` to sample sets, and the decision whether all of the data is test or must be split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.sample import DataContext, Dataset, Problem, Sample, SampleSet, Split
from drivederain.data.sources import parse_source
from drivederain.engine.settings import RunSettings
from drivederain.errors import DataError
from drivederain.implementation import load_implementation
from drivederain.registry import Registry


@dataclass(frozen=True)
class RunData:
    """What is scored and, where something must be trained, what on."""

    tested: tuple[tuple[str, SampleSet], ...]
    """Each with the ``--data`` value that it came from."""
    training: tuple[Sample, ...]
    trained_on: str
    problems: tuple[Problem, ...]


def gather(settings: RunSettings, registry: Registry, *, must_train: Sequence[str]) -> RunData:
    """Find the data of a run.

    Where something must be trained and no ``--train-data`` says on what, each data set is split and only its test part
    is scored, for every method.

    Raises:
        DataError: nothing to score, bad files (without ``--skip-bad``), or the same picture in training and test data.
    """
    split: Split = "test" if must_train and settings.train_data is None else "all"
    tested, training, problems = [], list[Sample](), list[Problem]()
    for text in settings.data:
        dataset, context = _open(text, settings, registry)
        tested += [(text, sample_set) for sample_set in dataset.sample_sets(split)]
        if split == "test":
            training += _with_truth(dataset.sample_sets("train"))
        problems += context.problems
    trained_on = f"the train split of {', '.join(settings.data)}" if split == "test" else ""
    if settings.train_data is not None:
        dataset, context = _open(settings.train_data, settings, registry)
        same = settings.train_data in settings.data
        training = _with_truth(dataset.sample_sets("train" if same else _training_split(settings.train_data)))
        problems += context.problems
        trained_on = f"--train-data {settings.train_data}"
    tested = [(text, sample_set) for text, sample_set in tested if sample_set.samples]
    if not tested:
        raise DataError(f"there is nothing to score in {', '.join(settings.data)} at the intensities {', '.join(settings.intensities)}")
    if must_train and not training:
        raise DataError(
            f"{', '.join(must_train)} must be trained, and there are no clear pictures to train on. Say on what with "
            "--train-data SPEC, give --weights METHOD=PATH, or forbid training with --no-train."
        )
    _refuse_overlap(training, [sample for _, sample_set in tested for sample in sample_set.samples])
    return RunData(tuple(tested), tuple(training), trained_on, tuple(dict.fromkeys(problems)))


def _open(text: str, settings: RunSettings, registry: Registry) -> tuple[Dataset, DataContext]:
    source = parse_source(text, registry.datasets)
    context = DataContext(
        cache=Path(settings.cache),
        size=settings.size,
        seed=settings.seed,
        intensities=settings.intensities,
        limit=settings.limit,
        skip_bad=settings.skip_bad,
        options=settings.data_options,
    )
    implementation = load_implementation(source.spec.implementation, owner=f"data set {source.spec.name}")
    dataset: Dataset = implementation(source.location, context)
    return dataset, context


def _training_split(text: str) -> Split:
    """V40 has a train split of its own; other folders that are named for training are all for training."""
    return "train" if text.startswith(("v40", "scenes")) else "all"


def _with_truth(sample_sets: Sequence[SampleSet]) -> list[Sample]:
    return [sample for sample_set in sample_sets if sample_set.has_truth for sample in sample_set.samples]


def _refuse_overlap(training: Sequence[Sample], tested: Sequence[Sample]) -> None:
    trained = {sample.content: sample for sample in training if sample.content}
    for sample in tested:
        if sample.content in trained:
            raise DataError(
                f"{sample.source_file} is in the test data, and the same picture is trained on "
                f"({trained[sample.content].source_file}). Take it out of one of them."
            )
