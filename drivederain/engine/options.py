"""From ``--set METHOD.option=value`` to a method's validated options."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from drivederain.errors import OptionError
from drivederain.implementation import load_implementation
from drivederain.names import did_you_mean
from drivederain.specs import MethodSpec
from drivederain.weights import sha256_of

MODEL_INDEX = "model_index.json"
"""Lies in the folder of a model in diffusers' layout."""
TRAINING = "training."
"""What ``--set METHOD.`` goes on with for a hyperparameter of its training."""


def hyperparameters_typed(given: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters among what the user typed of a method, ``training.NAME=VALUE``."""
    return {name.removeprefix(TRAINING): value_of(text) for name, text in given.items() if name.startswith(TRAINING)}


def method_options(spec: MethodSpec, given: Mapping[str, str], stored: Mapping[str, Any] | None = None) -> Any:
    """The spec's options model, or ``None`` for a method without options. Hyperparameters are passed over.

    Args:
        given: what the user typed; values are read as JSON where they are JSON (``[1, 2]``, ``true``), else as text.
        stored: options that came with the weights; they win over defaults, not over ``given``.

    Raises:
        OptionError: unknown names (with the nearest known one) or unusable values.
    """
    given = {name: text for name, text in given.items() if not name.startswith(TRAINING)}
    if not spec.options:
        if given:
            raise OptionError(f"{spec.name} has no options, and --set names {', '.join(sorted(given))}")
        return None
    model: type[BaseModel] = load_implementation(spec.options, owner=f"method {spec.name}, options")
    for name in given:
        if name not in model.model_fields:
            known = ", ".join(model.model_fields)
            raise OptionError(
                f"--set {spec.name}.{name}: no such option.{did_you_mean(name, model.model_fields)} Options: {known}."
            )
    values = {name: value for name, value in (stored or {}).items() if name in model.model_fields}
    values |= {name: value_of(text) for name, text in given.items()}
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        words = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:  # options that do not go together
            where = ", ".join(f"{spec.name}.{name}" for name in given)
            where = f"--set {where}" if given else f"{spec.name}, the options stored with its weights"
            raise OptionError(f"{where}: {words}") from error
        name = ".".join(str(part) for part in first["loc"])
        typed = str(first["loc"][0]) in given
        where = f"--set {spec.name}.{name}" if typed else f"{spec.name}, the option {name} stored with its weights"
        raise OptionError(f"{where}={_shown(first.get('input'))}: {words}") from error


def key_options(options: Any) -> dict[str, Any]:
    """Options as they stand in keys. A file, or the folder of a model, counts by its content, not by where it lies."""
    values: dict[str, Any] = {} if options is None else options.model_dump(mode="json")
    return {name: _content(value) or value for name, value in values.items()}


def _content(value: Any) -> str:
    """A hash of the file, or of the model in diffusers' layout, that ``value`` names; "" where it names none."""
    try:
        if not isinstance(value, str) or not value:
            return ""
        path = Path(value).expanduser()
        if path.is_file():
            return f"file {sha256_of(path)}"
        if not (path / MODEL_INDEX).is_file():
            return ""
    except (OSError, ValueError, RuntimeError):
        return ""
    # Parts of a model may be links to other folders.
    walked = (Path(root) / name for root, _, names in os.walk(path, followlinks=True) for name in names)
    files = sorted(each for each in walked if each.is_file() and not _is_hidden(each, path))
    stats = [(each, each.stat()) for each in files]
    return _model(path, tuple((str(each), stat.st_size, stat.st_mtime_ns) for each, stat in stats))


def _is_hidden(file: Path, folder: Path) -> bool:
    """What a download leaves beside the model (``.cache``, ``.gitattributes``) is no part of it."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


@lru_cache(maxsize=16)
def _model(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    """Reading some gigabytes takes seconds, so it is done again only where sizes or times differ."""
    content = hashlib.sha256()
    for name, _, _ in files:
        content.update(f"{Path(name).relative_to(folder).as_posix()} {sha256_of(Path(name))}\n".encode())
    return f"model {content.hexdigest()}"


def given_architecture(given: Mapping[str, str], architecture: tuple[str, ...]) -> dict[str, Any]:
    """Those of the typed options that decide the network."""
    return {name: value_of(text) for name, text in given.items() if name in architecture}


def agrees(stored: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    """Whether weights stored with ``stored`` options fit what the user typed of the network."""
    return all(name not in stored or _plain(stored[name]) == _plain(value) for name, value in typed.items())


def value_of(text: str) -> Any:
    """A value as typed: JSON where it is JSON (``[1, 2]``, ``true``), numbers between commas, else the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        parts = [part.strip() for part in text.split(",")]
        if len(parts) > 1 and all(part.lstrip("-").isdigit() for part in parts):
            return [int(part) for part in parts]  # 128,64,32 as well as [128,64,32]
        return text


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
