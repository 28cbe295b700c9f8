"""A setting is what is typed after ``--set METHOD.``; a value changes some of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from drivederain.engine.options import TRAINING, value_of
from drivederain.engine.tuning.trial import TrialResult
from drivederain.errors import OptionError
from drivederain.implementation import load_implementation
from drivederain.specs import MethodSpec
from drivederain.training.hyperparameters import Hyperparameters

Changes = Mapping[str, Any]
"""As in ``VariableSpec.values``: ``{"depth": 4, "training.learning_rate": 1e-4, "training.losses.vgg": 0.3}``."""

LOSSES = f"{TRAINING}losses"
TERM = f"{LOSSES}."
"""What a change goes on with for the weight of one loss term; the other terms stay as they are."""


def typed_text(value: Any) -> str:
    """What is typed for a value, so that ``value_of`` reads it back."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value if value_of(value) == value else json.dumps(value)
    if isinstance(value, list | tuple) and len(value) > 1 and all(type(part) is int for part in value):
        return ",".join(map(str, value))
    return json.dumps(value)


def changed(options: Mapping[str, str], changes: Changes, losses: Mapping[str, float]) -> dict[str, str]:
    """The setting ``options`` with ``changes``.

    Args:
        losses: weights of the loss terms that the setting has, typed or by default.
    """
    terms = {name.removeprefix(TERM): weight for name, weight in changes.items() if name.startswith(TERM)}
    plain = {name: typed_text(value) for name, value in changes.items() if not name.startswith(TERM)}
    if terms:
        plain[LOSSES] = ",".join(f"{name}:{weight:g}" for name, weight in ({**losses, **terms}).items())
    return {**options, **plain}


def label_of(changes: Changes) -> str:
    """The changes in words: ``depth=4, decoder_channels=256,128,64,32``."""
    shown = {name.removeprefix(TRAINING): typed_text(value) for name, value in changes.items()}
    return ", ".join(f"{name}={text}" for name, text in shown.items())


def values_now(names: Changes, result: TrialResult) -> dict[str, Any]:
    """What the setting of a training has for what ``names`` would change."""
    weights = result.hyperparameters["losses"]
    return {
        name: weights.get(name.removeprefix(TERM), 0.0)
        if name.startswith(TERM)
        else result.hyperparameters.get(name.removeprefix(TRAINING))
        if name.startswith(TRAINING)
        else result.options.get(name)
        for name in names
    }


def is_set(changes: Changes, result: TrialResult, spec: MethodSpec) -> bool:
    """Whether the setting of a training has these values already, typed or by default."""
    options = {name: value for name, value in changes.items() if not name.startswith(TRAINING)}
    training = {
        name.removeprefix(TRAINING): value
        for name, value in changes.items()
        if name.startswith(TRAINING) and not name.startswith(TERM)
    }
    terms = {name.removeprefix(TERM): value for name, value in changes.items() if name.startswith(TERM)}
    if terms:
        training["losses"] = {**result.hyperparameters["losses"], **terms}
    return _has_options(options, result, spec) and _has_hyperparameters(training, result)


def _has_options(options: Changes, result: TrialResult, spec: MethodSpec) -> bool:
    if not options:
        return True
    if not spec.options:
        return False
    model: type[BaseModel] = load_implementation(spec.options, owner=f"method {spec.name}, options")
    try:
        after = model(**(dict(result.options) | dict(options))).model_dump(mode="json")
    except ValidationError:
        return False
    return all(name in after and after[name] == result.options.get(name) for name in options)


def _has_hyperparameters(training: dict[str, Any], result: TrialResult) -> bool:
    try:
        before = Hyperparameters(**result.hyperparameters)
        after = before.changed(training, "")
    except OptionError:
        return False
    return all(_plain(after, name) == _plain(before, name) for name in training)


def _plain(hyperparameters: Hyperparameters, name: str) -> Any:
    value = getattr(hyperparameters, name)
    return {term: weight for term, weight in value.items() if weight} if name == "losses" else value
