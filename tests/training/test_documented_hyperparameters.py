"""docs/training.md names every hyperparameter and every loss term, with default and description."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.errors import OptionError
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.names import TERMS


def shown(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{weight:g}" for name, weight in value.items())
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_hyperparameter_is_in_the_table(repository: Path) -> None:
    page = (repository / "docs" / "training.md").read_text(encoding="utf-8")
    section = page.partition("| Hyperparameter |")[2].partition("\n\n")[0]
    documented = [line for line in section.splitlines() if line.startswith("| `")]
    fields = Hyperparameters.model_fields
    assert documented == [
        f"| `{name}` | {shown(field.default)} | {field.description} |" for name, field in fields.items()
    ]
    terms = page.partition("| Term |")[2].partition("\n\n")[0]
    assert [line for line in terms.splitlines() if line.startswith("| `")] == [
        f"| `{name}` | {summary} |" for name, summary in TERMS.items()
    ]


def test_values_are_read_as_they_are_typed() -> None:
    typed = {"losses": "l1:1, vgg:.1", "size": "360,480", "patience": "none", "milestones": [30, 50], "crop": 64}
    read = Hyperparameters(patience=3).changed(typed, "")
    assert read.losses == {"l1": 1.0, "vgg": 0.1}
    assert (read.size, read.patience, read.milestones, read.crop) == ((360, 480), None, (30, 50), 64)
    assert Hyperparameters().changed({"size": 256}, "").size == 256


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"size": "big"}, r"training\.size=big: not usable\. It is: shorter side"),
        ({"losses": "l1"}, r"training\.losses=l1: write weights of loss terms as l1:1,vgg:0\.1"),
        ({"losses": "l1:0"}, r"training\.losses=l1:0"),
        ({"schedule": "step"}, "schedule=step needs milestones"),
        ({"milestones": [3, 2]}, "do not rise"),
        ({"warm_up": 0.6, "hold": 0.6}, "more than the whole budget"),
        ({"progressive": [{"until": 0.5, "crop": 64, "batch_size": 1}]}, "must rise and end at 1"),
        ({"jiter": 0}, r"training\.jiter: no such hyperparameter\. Did you mean 'jitter'\?"),
        ({"ema": 1.0}, r"training\.ema=1\.0: Input should be less than 1"),
    ],
)
def test_unusable_values_name_themselves(typed: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Hyperparameters().changed(typed, "training.")
