"""Stages that are trained together."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.joint import BEFORE, JointModule, Link
from drivederain.training.module import RestorationModule
from drivederain.training.progress import Progress


class Gain(nn.Module):
    """Multiplies by one number."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, picture: Tensor) -> Tensor:
        return picture * self.gain


class Stage(RestorationModule):
    """A stage that keeps what it was shown."""

    def __init__(self, gain: float) -> None:
        super().__init__(Gain(gain))
        self.seen: list[dict[str, Tensor]] = []

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        self.seen.append(dict(batch))
        output: Tensor = self.network(batch["rainy"])
        return output


class Refiner(Stage):
    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        self.seen.append(dict(batch))
        output: Tensor = self.network(batch["estimate"])
        return output


def joint(*links: tuple[RestorationModule, bool]) -> JointModule:
    module = JointModule([Link(*link) for link in links])
    module.prepare(Hyperparameters(losses={"l1": 1.0}), Progress())
    return module


BATCH = {"rainy": torch.full((2, 3, 16, 16), 0.5), "clear": torch.full((2, 3, 16, 16), 0.9)}


def test_each_stage_sees_what_it_sees_in_use() -> None:
    first, second, refiner = Stage(1.2), Stage(4.0), Refiner(0.5)
    module = joint((first, False), (second, False), (refiner, True))
    outputs = module.outputs(BATCH)
    assert [round(float(output.mean()), 4) for output in outputs] == [0.6, 2.4, 0.5]
    assert float(second.seen[0]["rainy"].mean()) == pytest.approx(0.6), "a stage has the output before it for rainy"
    assert float(refiner.seen[0]["estimate"].mean()) == 1.0, "an estimate in use is clamped"
    assert torch.equal(refiner.seen[0]["rainy"], BATCH["rainy"]), "a refiner sees the rainy picture itself"


def test_the_loss_at_the_end_reaches_the_stage_before() -> None:
    stage, refiner = Stage(1.2), Refiner(1.1)
    losses = joint((stage, False), (refiner, True)).training_losses(BATCH)
    # Outputs .6 and .66 of .9: L1 of .24 at the end and of .3 before it.
    assert float(losses["l1"]) == pytest.approx(0.24) and float(losses["before"]) == pytest.approx(BEFORE * 0.3)
    assert float(losses["loss"]) == pytest.approx(0.24 + BEFORE * 0.3)
    losses["loss"].backward()
    # d/d(gain of the stage): -.5 * 1.1 of the output and -.5 BEFORE of the estimate; of the refiner -.6.
    assert float(stage.network.gain.grad) == pytest.approx(-0.55 - 0.5 * BEFORE)  # type: ignore[arg-type, union-attr]
    assert float(refiner.network.gain.grad) == pytest.approx(-0.6)  # type: ignore[arg-type, union-attr]


def test_each_network_is_known_by_one_name_and_trained() -> None:
    module = joint((Stage(1.2), False), (Refiner(1.1), True))
    assert list(module.network.state_dict()) == ["0.gain", "1.gain"]
    assert [name for name in module.state_dict() if "gain" in name] == ["network.0.gain", "network.1.gain"]
    (optimizer,), _ = module.configure_optimizers()
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 2
