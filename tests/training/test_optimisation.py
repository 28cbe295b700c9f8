"""Optimisers and schedules of the learning rate."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torch import nn

from drivederain.errors import OptionError
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.optimisation import make_optimizer, make_plateau, make_schedules, rate_of


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 1))


def rates(hyperparameters: Hyperparameters, epochs: int, steps: int = 10) -> list[float]:
    """The rate after each of ``epochs`` of ``steps`` steps."""
    optimizer = make_optimizer(network(), hyperparameters)
    schedules = make_schedules(optimizer, hyperparameters, lambda step: step / (epochs * steps))
    found = []
    for _ in range(epochs):
        for _ in range(steps):
            optimizer.step()
            for schedule in schedules:
                if schedule["interval"] == "step":
                    schedule["scheduler"].step()
        for schedule in schedules:
            if schedule["interval"] == "epoch":
                schedule["scheduler"].step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_biases_and_normalisation_are_not_decayed() -> None:
    optimizer = make_optimizer(network(), Hyperparameters(weight_decay=0.3))
    assert {len(group["params"]): group["weight_decay"] for group in optimizer.param_groups} == {2: 0.3, 4: 0.0}


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_optimisers_by_name(name: str, kind: type) -> None:
    optimizer = make_optimizer(network(), Hyperparameters(optimizer=name, learning_rate=0.02))  # type: ignore[arg-type]
    assert type(optimizer) is kind and optimizer.param_groups[0]["lr"] == 0.02


def test_cosine_warms_up_holds_and_ends_at_its_final_share() -> None:
    plan = Hyperparameters(warm_up=0.1, hold=0.3, final=0.05)
    assert rate_of(0, plan) == pytest.approx(0.01)
    assert rate_of(0.05, plan) == pytest.approx(0.5)
    assert rate_of(0.1, plan) == rate_of(0.4, plan) == pytest.approx(1)
    assert rate_of(0.7, plan) == pytest.approx(0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * 0.5)))
    assert rate_of(1, plan) == pytest.approx(0.05)


def test_the_schedules_by_step_and_epoch() -> None:
    cosine = rates(Hyperparameters(learning_rate=1.0, warm_up=0.0, final=0.0), epochs=4)
    assert cosine == pytest.approx([0.5 * (1 + math.cos(math.pi * share)) for share in (0.25, 0.5, 0.75, 1)])
    step = rates(Hyperparameters(learning_rate=1.0, schedule="step", milestones=(2, 3), factor=0.2), epochs=4)
    assert step == pytest.approx([1, 0.2, 0.04, 0.04])
    assert rates(Hyperparameters(learning_rate=1.0, schedule="constant", warm_up=0.0), epochs=2) == [1.0, 1.0]


def test_plateau_goes_by_the_validation_loss() -> None:
    plan = Hyperparameters(learning_rate=1.0, schedule="plateau", plateau_patience=1)
    optimizer = make_optimizer(network(), plan)
    plateau = make_plateau(optimizer, plan)
    assert plateau is not None and make_schedules(optimizer, plan, float) == []
    found = []
    for loss in (1.0, 0.9, 0.95, 0.95, 0.8):
        plateau.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    assert found == [1, 1, 1, 0.5, 0.5]
    assert make_plateau(optimizer, Hyperparameters()) is None


def test_eight_bit_moments_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(OptionError, match="pip install bitsandbytes"):
        make_optimizer(network(), Hyperparameters(optimizer="adamw8bit"))


def test_eight_bit_moments_take_a_byte_each() -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    wide = nn.Linear(64, 128)
    optimizer = make_optimizer(wide, Hyperparameters(optimizer="adamw8bit", learning_rate=1e-2))
    pictures = torch.rand(16, 64, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(5):
        loss = wide(pictures).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert optimizer.state[wide.weight]["state1"].dtype == torch.uint8
