"""What is typed for a value, and whether a setting has it already."""

from __future__ import annotations

from typing import Any

import pytest

from drivederain.engine.options import hyperparameters_typed, method_options, value_of
from drivederain.engine.tuning.setting import changed, is_set, label_of, typed_text, values_now
from drivederain.engine.tuning.trial import Trial
from drivederain.specs import MethodSpec
from drivederain.training.hyperparameters import Hyperparameters


@pytest.mark.parametrize(
    "value",
    [4, 5e-05, 0.0, True, "resnet34", "true", "4", [256, 128], [7], [0.9, 0.99], [], [{"until": 1.0, "crop": 64}]],
)
def test_what_is_typed_reads_back_as_it_was(value: Any) -> None:
    assert value_of(typed_text(value)) == value
    assert value_of(typed_text(tuple(value) if isinstance(value, list) else value)) == value


def test_every_value_of_the_default_grid_is_understood(unet: MethodSpec) -> None:
    for variable in unet.tuning:
        for value in variable.values:
            setting = changed(changed({}, variable.when, {}), value, {"l1": 1.0})
            options = method_options(unet, setting).model_dump()
            training = Hyperparameters().changed(hyperparameters_typed(setting), "").model_dump()
            known = options | {f"training.{name}": each for name, each in training.items()}
            known |= {f"training.losses.{name}": weight for name, weight in training["losses"].items()}
            assert {name: known[name] for name in value} == dict(value)


def test_one_loss_term_is_changed_and_the_others_stay() -> None:
    losses = {"l1": 1.0, "vgg": 0.1, "ssim": 0.1}
    setting = changed({"depth": "4"}, {"training.losses.vgg": 0.3}, losses)
    assert setting["depth"] == "4"
    assert hyperparameters_typed(setting) == {"losses": "l1:1,vgg:0.3,ssim:0.1"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"depth": 5}, True),
        ({"depth": 4}, False),
        ({"decoder_channels": (256, 128, 64, 32, 16)}, True),
        ({"decoder_channels": [256, 128, 64, 32]}, False),
        ({"depth": 5, "encoder": "resnet50"}, False),
        ({"training.learning_rate": 1e-4}, True),
        ({"training.learning_rate": "0.0001"}, True),
        ({"training.learning_rate": 2e-4}, False),
        ({"training.size": 256, "training.crop": 160}, True),
        ({"training.size": "256,512"}, False),
        ({"training.losses.ssim": 0.2}, True),
        ({"training.losses.vgg": 0.0}, True),
        ({"training.losses.vgg": 0.1}, False),
        ({"training.losses": "ssim:0.2,l1:1"}, True),
        ({"training.losses": "l1:1"}, False),
        ({"training.milestones": (3,), "training.schedule": "step"}, False),
        ({"depth": "deep"}, False),
    ],
)
def test_whether_a_setting_has_a_value_already(bench: Any, changes: dict[str, Any], expected: bool) -> None:
    typed = {"training.learning_rate": "1e-4", "training.size": "256"}
    assert is_set(changes, bench.result(Trial("baseline", "", typed, 0), 26.0), bench.unet) is expected


def test_values_in_words_and_as_they_are(bench: Any) -> None:
    changes = {"depth": 4, "decoder_channels": (64, 32), "training.losses.vgg": 0.3, "training.crop": 64}
    assert label_of(changes) == "depth=4, decoder_channels=64,32, losses.vgg=0.3, crop=64"
    now = values_now(changes, bench.result(Trial("baseline", "", {}, 0), 26.0))
    assert label_of(now) == "depth=5, decoder_channels=256,128,64,32,16, losses.vgg=0.0, crop=160"
