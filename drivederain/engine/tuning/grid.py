"""What is tried: the method's own variables, those of a file, and those that were typed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from drivederain.engine.options import TRAINING, hyperparameters_typed, method_options, value_of
from drivederain.engine.tuning.setting import LOSSES, TERM, changed, label_of
from drivederain.errors import OptionError, SpecError
from drivederain.names import did_you_mean
from drivederain.specs import MethodSpec, PresetSpec, VariableSpec
from drivederain.training.hyperparameters import Hyperparameters


def choose(
    spec: MethodSpec, *, file: Path | None = None, tried: Sequence[str] = (), only: Sequence[str] = ()
) -> tuple[VariableSpec, ...]:
    """The variables of a study, in the order in which they are tuned.

    They are those of ``file``, else the method's own; ``only`` picks some of them, in its order. Each of ``tried`` is
    one more variable, or other values of one. With ``tried`` and neither ``file`` nor ``only`` it is these alone.

    Args:
        tried: as typed, ``training.learning_rate=1e-4,3e-4`` or ``METHOD.option=a,b``.

    Raises:
        OptionError: an unknown name, a file that cannot be used, or nothing to try.
    """
    typed = [_typed(text, spec) for text in tried]
    chosen = list(spec.tuning if file is None else read_grid(file, spec))
    if only:
        chosen = list(_picked(chosen, only))
    elif typed and file is None:
        chosen = []
    for variable in typed:
        places = [place for place, known in enumerate(chosen) if known.name == variable.name]
        chosen = [known for known in chosen if known.name != variable.name]
        chosen.insert(places[0] if places else len(chosen), variable)
    if not chosen:
        raise OptionError(
            f"{spec.name} brings no variables to tune. Give --try training.learning_rate=1e-4,3e-4, or --grid FILE."
        )
    return tuple(chosen)


def check(
    variables: Iterable[VariableSpec], spec: MethodSpec, typed: Mapping[str, str], preset: PresetSpec | None
) -> None:
    """Find out before the first training that each value can be read. Whether a network is built of it is seen later.

    Args:
        typed: the setting of the baseline.

    Raises:
        OptionError: the variable, its value, and what is wrong with it.
    """
    stored = dict(preset.options) if preset else {}
    recipe = Hyperparameters().changed(dict(preset.training) if preset else {}, "preset ")
    for variable in variables:
        for value in variable.values:
            there = changed(typed, dict(variable.when), {})
            losses = recipe.changed(hyperparameters_typed(there), "--set training.").losses
            setting = changed(there, value, losses)
            try:
                method_options(spec, setting, stored)
                recipe.changed(hyperparameters_typed(setting), TRAINING)
            except OptionError as error:
                raise OptionError(f"variable {variable.name}, {label_of(value)}: {error}") from error


def read_grid(file: Path, spec: MethodSpec) -> list[VariableSpec]:
    """The variables of a TOML file, in its order: ``learning_rate = [{ training.learning_rate = 1e-4 }, ...]``.

    Raises:
        OptionError: it cannot be read, or holds something else.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"--grid {file} is not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--grid {file} cannot be read ({error}). Give a TOML file.") from error
    variables = []
    for name, values in content.items():
        if not isinstance(values, list) or not values or not all(isinstance(value, dict) and value for value in values):
            raise OptionError(
                f"--grid {file}: {name} must be a list of tables, as in "
                "learning_rate = [{ training.learning_rate = 1e-4 }, { training.learning_rate = 3e-4 }]"
            )
        where = f"--grid {file}: {name}"
        changes = tuple(
            {_target(target, spec, where): each for target, each in _flat(value).items()} for value in values
        )
        variables.append(_variable(name, changes, where))
    return variables


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """TOML reads a dotted key as a table in a table."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


def _typed(text: str, spec: MethodSpec) -> VariableSpec:
    target, equals, values = text.partition("=")
    where = f"--try {text}"
    if not (target.strip() and equals and values.strip()):
        raise OptionError(f"{where}: write NAME=VALUE,VALUE, as in --try training.learning_rate=1e-4,3e-4")
    name = _target(target.strip(), spec, where)
    if name == LOSSES and not values.lstrip().startswith("{"):
        raise OptionError(f"{where}: give the weights of one term, as in --try {TERM}vgg=0,0.1,0.3")
    parts = tuple({name: value_of(part)} for part in _parts(values))
    return _variable(name.removeprefix(TRAINING).replace(".", "_"), parts, where)


def _variable(name: str, changes: tuple[dict[str, Any], ...], where: str) -> VariableSpec:
    try:
        return VariableSpec(name, tuple(_with_numbers(change) for change in changes))
    except (SpecError, ValueError, TypeError) as error:
        raise OptionError(f"{where}: {error}") from error


def _with_numbers(change: dict[str, Any]) -> dict[str, Any]:
    """The weights of loss terms are put together with others, so they must be numbers and not texts."""
    return {name: float(value) if name.startswith(TERM) else value for name, value in change.items()}


def _target(name: str, spec: MethodSpec, where: str) -> str:
    """``METHOD.option`` or ``training.NAME`` as variables have it: the method's name is left out."""
    owner, dot, rest = name.partition(".")
    if f"{owner}." == TRAINING or not dot:
        return name
    if owner != spec.name:
        raise OptionError(f"{where}: {name} is of another method. Write {spec.name}.OPTION or {TRAINING}NAME.")
    return rest


def _parts(text: str) -> Iterator[str]:
    """Split at commas that are in no brackets."""
    depth, begin = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            yield text[begin:place].strip()
            begin = place + 1
    yield text[begin:].strip()


def _picked(variables: Sequence[VariableSpec], only: Sequence[str]) -> Iterator[VariableSpec]:
    known = list(dict.fromkeys(variable.name for variable in variables))
    for name in dict.fromkeys(only):
        if name not in known:
            there = f"There are: {', '.join(known)}." if known else "There are none."
            raise OptionError(f"--only {name}: no such variable.{did_you_mean(name, known)} {there}")
        # One name may stand for several, each for another network.
        yield from (variable for variable in variables if variable.name == name)
