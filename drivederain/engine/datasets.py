"""From ``--data`` to sample sets, and the decision whether all of the data is test or must be split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drivederain.data.sample import DataContext, Dataset, Problem, Sample, SampleSet, Split
from drivederain.data.sources import parse_source
from drivederain.engine.clear_inputs import clear_inputs
from drivederain.engine.settings import RunSettings
from drivederain.engine.shards import part_of
from drivederain.errors import DataError, OptionError
from drivederain.implementation import load_implementation
from drivederain.names import did_you_mean
from drivederain.registry import Registry
from drivederain.results.run_folder import folder_name

OWN_SPLITS = ("v40", "scenes")
"""Data sets that have a train part of their own; other folders that are named for training are all for training."""


@dataclass(frozen=True)
class RunData:
    """What is scored and, where something must be trained, what on."""

    tested: tuple[tuple[str, SampleSet], ...]
    """Each with the ``--data`` value that it came from."""
    training: tuple[Sample, ...]
    trained_on: str
    problems: tuple[Problem, ...]
    whole: tuple[tuple[str, SampleSet], ...] = ()
    """Of a shard, the test sets that it is a part of."""


def gather(settings: RunSettings, registry: Registry, *, must_train: Sequence[str]) -> RunData:
    """Find the data of a run.

    Where something must be trained and no ``--train-data`` says on what, each data set is split and only its test part
    is scored, for every method. ``--limit`` is about what is scored and never about what is trained on.

    Raises:
        DataError: nothing to score, two test sets of one name, bad files (without ``--skip-bad``), the same picture
            in training and test data, or more shards than scenes.
        OptionError: an option of a data set that this run does not use.
    """
    texts = tuple(dict.fromkeys(settings.data))
    train_text = settings.train_data
    check_data_options(settings.data_options, registry, [*texts, *([train_text] if train_text is not None else [])])
    tested: list[tuple[str, SampleSet]] = []
    training: list[Sample] = []
    trained_names: list[str] = []
    problems: list[Problem] = []
    for text in texts:
        dataset, context = _open(text, settings, registry, settings.limit)
        split: Split = "test" if (must_train and train_text is None) or text == train_text else "all"
        tested += [(text, sample_set) for sample_set in dataset.sample_sets(split) if sample_set.samples]
        if must_train and train_text is None:
            for sample_set in _with_truth(dataset.sample_sets("train")):
                training += sample_set.samples
                trained_names.append(sample_set.name)
        problems += context.problems
    if train_text is not None:
        dataset, context = _open(train_text, settings, registry, None)
        own_split = train_text in texts or parse_source(train_text, registry.datasets).spec.name in OWN_SPLITS
        for sample_set in _with_truth(dataset.sample_sets("train" if own_split else "all")):
            training += sample_set.samples
            trained_names.append(sample_set.name)
        problems += context.problems
    if not tested:
        raise DataError(
            f"there is nothing to score in {', '.join(texts)} at the intensities {', '.join(settings.intensities)}"
        )
    if must_train and not training:
        raise DataError(
            f"{', '.join(must_train)} must be trained, and there are no clear pictures to train on. Say on what with "
            "--train-data SPEC, give --weights METHOD=PATH, fetch official ones (`drivederain-bench weights list`), "
            "or forbid training with --no-train."
        )
    _refuse_one_name(tested)
    refuse_overlap(training, [sample for _, sample_set in tested for sample in sample_set.samples])
    tested += _with_clear_inputs(tested, settings.clear_input)
    words = f"{'the train part of ' if train_text is None else ''}{', '.join(dict.fromkeys(trained_names))}"
    # In an order of their own: what is trained must not depend on the order of --data.
    training.sort(key=lambda sample: (sample.rainy.fingerprint, sample.source_file))
    found = RunData(tuple(tested), tuple(training), words if training else "", tuple(dict.fromkeys(problems)))
    if settings.shard is None:
        return found
    parts = {part.name: part for part in part_of([sample_set for _, sample_set in tested], settings.shard)}
    own = tuple((text, parts[sample_set.name]) for text, sample_set in tested if sample_set.name in parts)
    return replace(found, tested=own, whole=found.tested)


def open_dataset(text: str, registry: Registry, context: DataContext) -> Dataset:
    """The data set of a ``--data`` value.

    Raises:
        DataError: no such kind of data set, or nothing usable at its location.
    """
    source = parse_source(text, registry.datasets)
    implementation = load_implementation(source.spec.implementation, owner=f"data set {source.spec.name}")
    dataset: Dataset = implementation(source.location, context)
    return dataset


def _open(text: str, settings: RunSettings, registry: Registry, limit: int | None) -> tuple[Dataset, DataContext]:
    context = DataContext(
        cache=Path(settings.cache),
        size=settings.size,
        seed=settings.seed,
        intensities=settings.intensities,
        limit=limit,
        skip_bad=settings.skip_bad,
        options=settings.data_options,
    )
    return open_dataset(text, registry, context), context


def check_data_options(options: Mapping[str, str], registry: Registry, texts: Sequence[str]) -> None:
    """Options named ``v40.clear`` are passed over by other data sets, so a misspelt owner is found here.

    Args:
        texts: the data sets that there are.

    Raises:
        OptionError: an option is named after none of them.
    """
    used = [parse_source(text, registry.datasets).spec.name for text in texts]
    for key in options:
        owner, dot, _ = key.rpartition(".")
        if dot and owner not in used:
            hint = did_you_mean(owner, used)
            raise OptionError(
                f"--data-option {key}: there is no data set {owner!r}.{hint} There is: {', '.join(used)}."
            )


def _with_truth(sample_sets: Sequence[SampleSet]) -> list[SampleSet]:
    return [sample_set for sample_set in sample_sets if sample_set.has_truth]


def _with_clear_inputs(tested: Sequence[tuple[str, SampleSet]], most: int) -> list[tuple[str, SampleSet]]:
    return [(text, clear_inputs(each, most)) for text, each in tested if each.has_truth and most]


def _refuse_one_name(tested: Sequence[tuple[str, SampleSet]]) -> None:
    """Rows and pictures are told apart by the names of the test sets."""
    first: dict[str, str] = {}
    for text, sample_set in tested:
        name = folder_name(sample_set.name).casefold()
        if name in first:
            raise DataError(
                f"--data {first[name]} and --data {text} would both be called {sample_set.name} in the results. "
                "Rename one of the folders, or run them one by one, each with an --out of its own."
            )
        first[name] = text


def refuse_overlap(training: Sequence[Sample], tested: Sequence[Sample]) -> None:
    """Refuse to test on what is trained on.

    Raises:
        DataError: a picture is in both; the message names it.
    """
    trained = {sample.content: sample for sample in training if sample.content}
    for sample in tested:
        if sample.content in trained:
            raise DataError(
                f"{sample.source_file} of {sample.dataset} is in the test data, and the same picture is trained on "
                f"({trained[sample.content].source_file} of {trained[sample.content].dataset}). "
                "Take it out of one of them."
            )
