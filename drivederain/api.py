"""What the commands do, from Python: ``from drivederain import train, tune, run, derain, restore, open_data``.

Values are Python values: lists, dicts, paths. They are checked by the code of the commands, so errors are those of the
command line, as exceptions (``DriveDeRainError``) that name the option. Nothing is printed: what a command would note
is a Python warning, unless a ``display`` takes it. Nothing heavy is imported before a function needs it.
"""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from drivederain.engine.display import Display, Silent
from drivederain.errors import DataError, OptionError
from drivederain.training.observer import Unobserved

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivederain.data.sample import Sample, Split
    from drivederain.engine.training_run.run import TrainDisplay, TrainOutcome
    from drivederain.engine.tuning.run import TuneDisplay, TuneOutcome
    from drivederain.results.run_folder import RunFolder

    Pixels = NDArray[np.uint8]
    Picture = Pixels | Sample | str | Path

Texts = str | Sequence[str]
Options = Mapping[str, Mapping[str, Any]]
"""Method -> option -> value, as ``{"unet": {"width": 32}}``."""
Weights = str | Path | Mapping[str, str | Path]
"""A file for each method, as ``{"unet": "best.safetensors"}``; the file alone where there is one method."""

_DisplayT = TypeVar("_DisplayT", bound=Display)


def train(
    method: str,
    data: Texts = (),
    *,
    mix: Sequence[float] = (),
    val_data: Texts = (),
    val_limit: int | None = None,
    real: str | Path | None = None,
    out: str | Path | None = None,
    resume: str | Path | bool = False,
    preset: str = "",
    joint: bool = False,
    folds: int | None = None,
    options: Options | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    weights: Weights | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    intensities: Texts = (),
    device: str = "auto",
    precision: str | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    workers: int | None = None,
    validate_every: int | None = None,
    checkpoint_every: int | None = None,
    samples_every: int | None = None,
    real_every: int | None = None,
    save_seconds: float = 60.0,
    save_steps: int | None = None,
    events: bool = True,
    skip_bad: bool = False,
    data_options: Mapping[str, Any] | None = None,
    download: bool = False,
    cache: str | Path | None = None,
    display: TrainDisplay | None = None,
) -> TrainOutcome:
    """Train a method, as ``drivederain-bench train``; its ``--help`` says what each parameter is and its default.

    Args:
        data: one or several, as ``"synthetic:PHOTOS"``. May be left out where a training is resumed.
        out: the folder; by default ``runs/METHOD``.
        resume: a folder to go on in; or ``True``: go on in ``out`` if a training was kept there, else begin there.
        options: of the method and those before it, by method.
        hyperparameters: those of the training that differ from the method's own or the preset's (``--set training.``).
        seed: and others that are ``None``: what a resumed training was begun with, else the command's default.
        display: told how it goes; ``drivederain.cli.training_display.TrainingDisplay`` is the command's own.

    Returns:
        Its folder, its record and the scores of the rainy pictures. Ctrl-C ends it after the step at hand, with
        ``record.interrupted``.

    Raises:
        DriveDeRainError: names, options, data or folder that are not usable, or a loss that exploded.
    """
    given = dict(locals())
    from drivederain.cli import train as verb
    from drivederain.cli.console import quiet_libraries
    from drivederain.registry import Registry

    quiet_libraries()
    given["out"], given["resume"] = _where(method, out, resume)
    typed = _typed(given)
    settings = verb.train_settings(typed, _command("train", verb.train, typed))
    registry = Registry.discover()
    registry.chain(method)
    from drivederain.engine.training_run.run import train_method

    with _shown(display) as shown:
        return train_method(settings, registry, shown)


def tune(
    method: str,
    data: Texts,
    *,
    mix: Sequence[float] = (),
    val_data: Texts = (),
    val_limit: int | None = None,
    val_size: int | str | None = None,
    real: str | Path | None = None,
    out: str | Path | None = None,
    only: Texts = (),
    grid: str | Path | None = None,
    tries: Mapping[str, Sequence[Any]] | None = None,
    seeds: int = 3,
    margin: float = 2.0,
    preset: str = "",
    options: Options | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    weights: Weights | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    intensities: Texts = (),
    device: str = "auto",
    precision: str | None = None,
    workers: int | None = None,
    validate_every: int | None = None,
    retry_failed: bool = False,
    keep_weights: bool = False,
    skip_bad: bool = False,
    data_options: Mapping[str, Any] | None = None,
    download: bool = False,
    cache: str | Path | None = None,
    display: TuneDisplay | None = None,
) -> TuneOutcome:
    """Tune a method one variable at a time, as ``drivederain-bench tune``; a study in ``out`` goes on.

    Args:
        tries: values by variable, as ``{"training.learning_rate": [1e-4, 3e-4]}`` (``--try``).
        only: variables of the grid, in this order.
        grid: a TOML file of variables instead of the method's own.
        display: told how it goes; ``drivederain.cli.tuning_display.TuningDisplay`` is the command's own.

    Returns:
        What was found, the files that tell it, and the command that trains with the best setting.

    Raises:
        DriveDeRainError: names, options, data or folder that are not usable, or a baseline that cannot be trained.
    """
    given = dict(locals())
    from drivederain.cli import tune as verb
    from drivederain.cli.console import quiet_libraries
    from drivederain.registry import Registry

    quiet_libraries()
    given["try_"] = [f"{name}={_values(name, values)}" for name, values in (tries or {}).items()] or None
    typed = _typed(given)
    registry = Registry.discover()
    registry.chain(method)
    settings = verb.tune_settings(typed, _command("tune", verb.tune, typed), registry)
    from drivederain.engine.tuning.run import tune_method

    with _shown(display) as shown:
        return tune_method(settings, registry, shown)


def run(
    methods: Texts | None = None,
    data: Texts = (),
    *,
    out: str | Path | None = None,
    suite: str | Path = "demo",
    device: str = "auto",
    precision: str | None = None,
    size: int | str | None = None,
    seed: int | None = None,
    samples: int | None = None,
    limit: int | None = None,
    clear_input: int | None = None,
    metrics: Texts | None = None,
    intensities: Texts = (),
    weights: Weights | None = None,
    options: Options | None = None,
    train: bool | None = None,
    train_data: str | None = None,
    budget: str | None = None,
    overwrite: str = "never",
    timeout: float | None = 3600,
    method_timeout: float | None = None,
    memory_limit: str | None = None,
    batch: int = 1,
    tile: int | None = None,
    lower_precision: bool = False,
    isolate: bool = True,
    skip_bad: bool = False,
    shard: str | None = None,
    data_options: Mapping[str, Any] | None = None,
    download: bool = False,
    cache: str | Path | None = None,
    display: Display | None = None,
) -> RunFolder:
    """Run the benchmark and write its report, as ``drivederain-bench run``; its ``--help`` says what each parameter is.

    Args:
        methods: chains, as ``["unet", "unet+diffusion"]``. What is ``None`` or empty is what the suite says.
        data: one or several, as ``"paired:RAINY:CLEAR"``.
        out: the folder; by default ``runs/SUITE``, or ``runs/`` and the name of the data.
        size: shorter side in pixels before rain is drawn, or ``"native"``.
        timeout: seconds for one picture; ``None``: any time.
        shard: ``"2/8"``: that part of the test data; ``merge`` joins the parts.
        display: told how it goes; ``drivederain.cli.progress.LiveDisplay`` is the command's own.

    Returns:
        The run's folder: ``results()``, ``report_html``, and ``about()`` with the ``exit_status``, 1 where a chain lost
        a picture.

    Raises:
        DriveDeRainError: before anything is computed: names, options, data or devices that are not usable.
    """
    given = dict(locals())
    from drivederain.cli import run as verb
    from drivederain.cli.console import quiet_libraries
    from drivederain.cli.report import write_report
    from drivederain.registry import Registry

    quiet_libraries()
    given["timeout"] = timeout or 0
    typed = _typed(given)
    registry = Registry.discover()
    settings = verb.run_settings(typed, _command("run", verb.run, typed), registry)
    from drivederain.engine.run import run_benchmark

    with _shown(display) as shown:
        folder = run_benchmark(settings, registry, shown).folder
        write_report(folder, registry, shown.warn)
    return folder


def derain(
    source: str | Path,
    target: str | Path,
    *,
    method: str = "unet+diffusion",
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
    weights: Weights | None = None,
    options: Options | None = None,
    tile: int | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    cache: str | Path | None = None,
    display: Display | None = None,
) -> list[Path]:
    """Take the rain off a picture, a folder of pictures or a video, as ``drivederain-bench derain``.

    Args:
        source: a picture, a video, or a folder of pictures.
        target: a file, or a folder, which is made if needed.
        method: a chain.
        tile: side of the tiles that larger pictures are cut into; by default the method's own.
        skip_bad: go on after a picture that cannot be read; it is warned of.

    Returns:
        The files that were written.

    Raises:
        DriveDeRainError: a chain that cannot be loaded, or files that cannot be read or written.
    """
    given = dict(locals())
    from drivederain.cli import derain as verb
    from drivederain.cli.console import quiet_libraries
    from drivederain.cli.derain_files import derain_files, plan_files
    from drivederain.cli.derain_video import derain_video, is_video, plan_video
    from drivederain.registry import Registry

    quiet_libraries()
    typed = _typed(given)
    registry = Registry.discover()
    chain = registry.chain(method)
    if is_video(Path(source)):
        path = plan_video(Path(source), Path(target), overwrite=overwrite)
        settings = verb.derain_settings(typed, chain)
        with _shown(display) as shown:
            return [derain_video(Path(source), path, chain, settings, registry, shown).path]
    jobs, left_out = plan_files(Path(source), Path(target), overwrite=overwrite, skip_bad=skip_bad)
    settings = verb.derain_settings(typed, chain)
    with _shown(display) as shown:
        return derain_files(jobs, left_out, chain, settings, registry, shown)


@overload
def restore(  # type: ignore[overload-overlap]  # a text is an iterable of texts too, and means one path
    pictures: Picture, method: str = ..., *, device: str = ..., precision: str = ..., seed: int = ...,
    weights: Weights | None = ..., options: Options | None = ..., tile: int | None = ...,
    cache: str | Path | None = ..., display: Display | None = ...,
) -> Pixels: ...  # fmt: skip
@overload
def restore(
    pictures: Iterable[Picture], method: str = ..., *, device: str = ..., precision: str = ..., seed: int = ...,
    weights: Weights | None = ..., options: Options | None = ..., tile: int | None = ...,
    cache: str | Path | None = ..., display: Display | None = ...,
) -> list[Pixels]: ...  # fmt: skip
def restore(
    pictures: Picture | Iterable[Picture],
    method: str = "unet+diffusion",
    *,
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
    weights: Weights | None = None,
    options: Options | None = None,
    tile: int | None = None,
    cache: str | Path | None = None,
    display: Display | None = None,
) -> Pixels | list[Pixels]:
    """Take the rain off pictures in memory. They come out as ``run`` and ``derain`` make them, at their own size.

    Args:
        pictures: one or several. Each is an array H x W x 3, RGB, uint8; or the path of a file; or a sample of
            ``open_data``, whose rainy picture is taken.
        method: a chain.
        weights: as ``outcome.folder.best`` after ``train``; by default the shipped ones.
        tile: side of the tiles that larger pictures are cut into; by default the method's own.
        display: told which picture is at hand, and of licences.

    Returns:
        One array H x W x 3, RGB, uint8, or a list of them where several were given.

    Raises:
        DriveDeRainError: a chain that cannot be loaded, a picture that cannot be read, or a method that failed on one.
    """
    given = dict(locals())
    import numpy as np

    from drivederain.cli import derain as verb
    from drivederain.cli.console import quiet_libraries
    from drivederain.cli.derain_files import load_chain
    from drivederain.data.sample import Sample
    from drivederain.registry import Registry

    quiet_libraries()
    alone = isinstance(pictures, str | Path | np.ndarray | Sample)
    listed: list[Any] = [pictures] if alone else list(pictures)  # type: ignore[arg-type]
    typed = _typed(given | {"target": Path(), "skip_bad": False})
    registry = Registry.discover()
    chain = registry.chain(method)
    restored = []
    with _shown(display) as shown, load_chain(chain, verb.derain_settings(typed, chain), registry, shown) as loaded:
        shown.begin(f"restore with {chain.name}", len(listed))
        for number, picture in enumerate(listed, start=1):
            restored.append(loaded.restore(_pixels(picture, number)))
            shown.advance(number)
        shown.end()
    return restored[0] if alone else restored


def open_data(
    spec: str,
    *,
    split: Split = "all",
    size: int | str | None = None,
    seed: int = 0,
    intensities: Texts = (),
    limit: int | None = None,
    skip_bad: bool = False,
    data_options: Mapping[str, Any] | None = None,
    cache: str | Path | None = None,
) -> list[Sample]:
    """The samples of a data set, as ``--data`` names it. Nothing is decoded or drawn before ``sample.rainy.load()``.

    Args:
        split: ``train``, ``val`` or ``test``, or ``all``.
        size: shorter side in pixels before rain is drawn, or ``"native"``.
        limit: at most so many clear photos, pairs or photos a test set.
        skip_bad: leave out files that cannot be used, with a warning for each.

    Raises:
        DataError: no such data, or nothing usable there.
        OptionError: values that are not usable.
    """
    from drivederain.cli import values
    from drivederain.data.sample import DataContext
    from drivederain.engine.datasets import open_dataset
    from drivederain.registry import Registry
    from drivederain.specs import INTENSITIES

    context = DataContext(
        cache=values.cache_folder(_path(cache)),
        size=values.size("native" if size is None else str(size)),
        seed=seed,
        intensities=values.intensities(_joined(intensities) or ",".join(INTENSITIES)),
        limit=values.at_least("--limit", limit, 1),
        skip_bad=skip_bad,
        options=values.pairs("--data-option", _data_options(data_options)),
    )
    part: Any = values.one_of("split", split, ("all", "train", "val", "test"))
    dataset = open_dataset(spec, Registry.discover(), context)
    samples = [sample for sample_set in dataset.sample_sets(part) for sample in sample_set.samples]
    for problem in context.problems:
        warnings.warn(f"left out {problem.file}: {problem.reason}", stacklevel=2)
    return samples


def _where(method: str, out: str | Path | None, resume: str | Path | bool) -> tuple[Path | None, Path | None]:
    """``--out`` and ``--resume``, of which one at most is given."""
    from drivederain.cli.train import default_folder
    from drivederain.results.training_folder import TrainingFolder

    if not isinstance(resume, bool):
        return _path(out), _path(resume)
    folder = _path(out) or default_folder(method)
    return (None, folder) if resume and TrainingFolder(folder).state.exists() else (_path(out), None)


def _typed(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the parameters of the command have it: their names, texts for lists and dicts."""
    typed = {name: value for name, value in given.items() if name not in _RENAMED and name != "display"}
    for name in ("data", "val_data"):
        if name in typed:
            typed[name] = [typed[name]] if isinstance(typed[name], str) else list(map(str, typed[name])) or None
    for name in ("methods", "metrics", "mix", "only"):
        if name in typed:
            typed[name] = _joined(typed[name])
    for name in ("source", "target", "out", "resume", "cache", "grid"):
        if name in typed:
            typed[name] = _path(typed[name])
    for name in ("real", "size", "suite", "val_size"):
        if typed.get(name) is not None:
            typed[name] = str(typed[name])
    if "intensities" in given:
        typed["intensity"] = _joined(given["intensities"])
    typed["data_option"] = _data_options(given.get("data_options")) or None
    typed["set_"] = _set(given.get("options"), given.get("hyperparameters")) or None
    typed["weights"] = _weights(given.get("weights"), given.get("method") or given.get("methods")) or None
    return typed


_RENAMED = ("intensities", "options", "hyperparameters", "data_options", "tries")
"""Parameters that the commands call otherwise, as they take one text of each entry."""


def _joined(entries: str | Sequence[Any] | None) -> str | None:
    """``light,heavy`` of a list; a text as it is; ``None`` of nothing."""
    return entries if isinstance(entries, str) else ",".join(map(str, entries or ())) or None


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given).expanduser()


def _data_options(options: Mapping[str, Any] | None) -> list[str]:
    return [f"{name}={_value(name, value)}" for name, value in (options or {}).items()]


def _set(options: Options | None, hyperparameters: Mapping[str, Any] | None) -> list[str]:
    """The words after ``--set``."""
    words = []
    for method, chosen in (options or {}).items():
        if not isinstance(chosen, Mapping):
            raise OptionError(
                f'options: {method}={chosen!r} is no dict. Write them by method: {{"unet": {{"width": 32}}}}'
            )
        words += [f"{method}.{name}={_value(f'{method}.{name}', value)}" for name, value in chosen.items()]
    return words + [f"training.{name}={_value(name, value)}" for name, value in (hyperparameters or {}).items()]


def _value(name: str, value: Any) -> str:
    """As it would be typed: a text as it is, anything else as JSON."""
    if isinstance(value, str | Path):
        return str(value)
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        raise OptionError(
            f"{name}={value!r}: give a number, a text, a truth value, or a list or dict of them"
        ) from None


def _values(name: str, values: Sequence[Any]) -> str:
    """The words after ``--try NAME=``."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise OptionError(f'tries: {name}={values!r} is no list of values. Write {{"{name}": [1, 2]}}')
    return ",".join(_value(name, value) for value in values)


def _weights(weights: Weights | None, methods: Texts | None) -> list[str]:
    """The words after ``--weights``."""
    if isinstance(weights, str | Path):
        alone = methods if isinstance(methods, str) else methods[0] if methods and len(methods) == 1 else ""
        if not alone or set(alone) & set("+,"):
            raise OptionError(
                f'weights={str(weights)!r}: say of which method they are, as in {{"unet": {str(weights)!r}}}'
            )
        weights = {alone: weights}
    return [f"{name}={path}" for name, path in (weights or {}).items()]


_POSITIONAL = ("method", "source", "target")
"""Parameters that the commands take without an option before them."""


def _command(name: str, verb: Callable[..., None], typed: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that ask for the same on the command line, for the record."""
    positional, words = [], list[str]()
    for parameter in inspect.signature(verb).parameters.values():
        value, option = typed[parameter.name], parameter.name.strip("_").replace("_", "-")
        if parameter.name in _POSITIONAL:
            positional.append(str(value))
        elif isinstance(value, bool) and value != parameter.default:
            words.append(f"--{option}" if value else f"--no-{option}")
        elif value != parameter.default:
            for each in value if isinstance(value, list) else [value]:
                words += [f"--{option}", str(each)]
    return ("drivederain-bench", name, *positional, *words)


class _Quiet(Silent, Unobserved):
    """Shows nothing, and keeps what it is warned of."""

    def trial_begins(self, *told: object) -> None:
        """A trial's own folder tells of it."""

    def trial_ended(self, *told: object, before: bool = False) -> None:
        """The study's table tells of it."""

    def decided(self, *told: object) -> None:
        """The study's table tells of it."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def warn(self, message: str) -> None:
        self.notes.append(message)

    def note(self, words: str) -> None:
        self.notes.append(words)


@contextmanager
def _shown(display: _DisplayT | None) -> Iterator[_DisplayT | _Quiet]:
    """``display``; without one, what is to be known becomes Python warnings at the end.

    At the end, as warnings are off while a training runs.
    """
    if display is not None:
        yield display
        return
    quiet = _Quiet()
    try:
        yield quiet
    finally:
        for note in dict.fromkeys(quiet.notes):
            warnings.warn(note, stacklevel=4)  # of the caller: this, contextlib, the function of the API


def _pixels(picture: Picture, number: int) -> Pixels:
    """H x W x 3, RGB, uint8."""
    import numpy as np

    from drivederain.data.decode import decode
    from drivederain.data.sample import Sample

    if isinstance(picture, Sample):
        return picture.rainy.load()
    if isinstance(picture, str | Path):
        try:
            return decode(Path(picture).expanduser().read_bytes(), str(picture))
        except OSError as error:
            raise DataError(
                f"{picture}: {error.strerror}. Give the path of a picture; for folders there is derain."
            ) from error
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        known = f"{picture.dtype} {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
        raise DataError(f"picture {number} is {known}: give an array H x W x 3, RGB, uint8, a path, or a sample")
    return picture
