"""The best setting as a file, and the command that trains with it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from drivederain.engine.options import TRAINING, value_of
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.engine.tuning.settings import TuneSettings
from drivederain.engine.tuning.study import Findings
from drivederain.specs import INTENSITIES

SHORT = ("milestones", "plateau_patience", "patience")
"""Hyperparameters that count epochs: what fits a short training need not fit a long one."""


def command(settings: TuneSettings, findings: Findings) -> tuple[str, ...]:
    """The words of ``drivederain-bench train`` with the best setting; the budget is left to the preset or the user."""
    base = settings.base
    last = base.method.rpartition("+")[2].strip()
    options = {**base.options, last: findings.best.options}
    words = ["drivederain-bench", "train", base.method, *_data(base)]
    for method, typed in options.items():
        for name, text in typed.items():
            words += ["--set", f"{name if name.startswith(TRAINING) and method == last else f'{method}.{name}'}={text}"]
    return tuple(words)


def as_toml(settings: TuneSettings, findings: Findings) -> str:
    """What was found, the best setting beside the method's defaults and the preset, and the command."""
    best, baseline = findings.best, findings.baseline
    typed = {name: value_of(text) for name, text in best.options.items()}
    training = {name.removeprefix(TRAINING): value for name, value in typed.items() if name.startswith(TRAINING)}
    options = {name: value for name, value in typed.items() if not name.startswith(TRAINING)}
    lines = [
        f"# The best setting of {settings.base.method} that tune found in trainings of {settings.base.budget}.",
        *_fields(
            {
                "method": settings.base.method,
                "preset": settings.base.preset,
                "psnr": best.psnr,
                "psnr_baseline": baseline.psnr,
                "psnr_rainy": findings.rainy_psnr,
                "seed_noise": findings.noise,
                "seeds": len(best.results),
                "command": shlex.join(command(settings, findings)),
            }
        ),
        "",
        "[options]",
        *_fields(options),
        "",
        "[training]",
        *(f"# {name} counts epochs: longer trainings may need more." for name in SHORT if name in training),
        *_fields(training),
    ]
    return "\n".join(lines) + "\n"


def _fields(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # TOML has inf and nan, JSON has not
    return '"none"' if value is None else json.dumps(value, ensure_ascii=False)


def _data(base: TrainSettings) -> Iterator[str]:
    """The options of ``train`` that say on what."""
    for text in base.data:
        yield from ("--data", text)
    if base.mix:
        yield from ("--mix", ",".join(f"{share:g}" for share in base.mix))
    for text in base.val_data:
        yield from ("--val-data", text)
    if base.val_limit is not None:
        yield from ("--val-limit", str(base.val_limit))
    if base.real is not None:
        yield from ("--real", base.real)
    if base.preset:
        yield from ("--preset", base.preset)
    for method, path in base.weights.items():
        yield from ("--weights", f"{method}={path}")
    if base.intensities != INTENSITIES:
        yield from ("--intensity", ",".join(base.intensities))
    if base.precision != "auto":
        yield from ("--precision", base.precision)
    for name, text in base.data_options.items():
        yield from ("--data-option", f"{name}={text}")
    if base.skip_bad:
        yield "--skip-bad"
    if base.download:
        yield "--download"
