"""The fit: budgets, schedule, averages, determinism, failures."""

from __future__ import annotations

import copy
import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drivederain.data.sample import Sample
from drivederain.errors import MethodError, OptionError
from drivederain.training.averages import Averages
from drivederain.training.data import Part, TrainingData
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.perceptual import PerceptualLoss
from drivederain.training.module import RestorationModule
from drivederain.training.observer import Unobserved
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord

MakeSamples = Callable[..., list[Sample]]
CPU = Devices(torch.device("cpu"))


class Tiny(nn.Module):
    """One convolution, with the layers that are hard to keep deterministic or to average."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.1))
        self.head = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, rainy: Tensor) -> Tensor:
        change: Tensor = self.head(self.body(rainy))
        return rainy + change


def recipe(module: type[RestorationModule] = RestorationModule, **more: Any) -> Recipe:
    torch.manual_seed(0)
    values: dict[str, Any] = {"crop": 32, "batch_size": 2, "learning_rate": 1e-2}
    return Recipe(module(Tiny()), Hyperparameters(**(values | more)))


def train(chosen: Recipe, samples: list[Sample], budget: Budget, *, seed: int = 7, **more: Any) -> TrainingRecord:
    return fit(chosen, TrainingData.of(samples), budget=budget, seed=seed, devices=CPU, **more)


class Told(Unobserved):
    """Keeps what it is told of steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, str]] = []

    def step(self, share: float, words: str) -> None:
        self.steps.append((share, words))


def test_same_seed_same_weights_whatever_ran_before(make_samples: MakeSamples) -> None:
    results = []
    for disturbance in range(2):
        chosen = recipe()
        torch.rand(1 + disturbance)
        train(chosen, make_samples(), Budget(steps=4))
        results.append({name: value.clone() for name, value in chosen.module.state_dict().items()})
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])
    other = recipe()
    train(other, make_samples(), Budget(steps=4), seed=8)
    assert not torch.equal(other.module.state_dict()["network.head.weight"], results[0]["network.head.weight"])


def test_steps_are_counted_and_the_loss_falls(make_samples: MakeSamples) -> None:
    chosen = recipe(losses={"l1": 1.0, "ssim": 0.1})
    first = train(chosen, make_samples(), Budget(steps=1))
    last = train(chosen, make_samples(), Budget(steps=25))
    assert (first.steps, last.steps, last.budget) == (1, 25, "25 steps")
    assert (last.samples, last.scenes, last.crop, last.batch_size, last.seed) == (3, 3, 32, 2, 7)
    assert set(last.losses) == {"l1", "ssim", "loss"}
    assert last.hyperparameters["losses"]["ssim"] == 0.1 and last.hyperparameters["learning_rate"] == 1e-2
    assert last.losses["l1"] < 0.85 * first.losses["l1"]
    assert [record.epoch for record in last.history] == list(range(1, 14)), "two steps an epoch, and one more"
    assert (last.epochs, last.stop_reason) == (12, "the budget is used up")
    assert not chosen.module.training


def test_minutes_end_by_the_clock_without_the_time_to_load(
    make_samples: MakeSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, estimated = [0.0], []
    monkeypatch.setattr("drivederain.training.progress.time", SimpleNamespace(monotonic=lambda: now[0]))

    class Slow(RestorationModule):
        def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
            now[0] += 12
            return super().predict(batch)

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        now[0] += 1000
        estimated.append(sample.image)
        return sample.rainy.load()

    record = train(recipe(Slow, batch_size=3), make_samples(), Budget(minutes=1), estimate=estimate)
    assert (record.steps, record.budget) == (5, "1 minute")
    assert sorted(estimated) == sorted(set(estimated)), "each estimate is made once"


def test_shares_decide_how_often_each_data_set_is_drawn(make_samples: MakeSamples) -> None:
    seen: list[float] = []

    class Watched(RestorationModule):
        def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
            seen.extend((batch["clear"] - batch["rainy"]).mean(dim=(1, 2, 3)).tolist())
            return super().training_losses(batch)

    rainy = make_samples(4)
    dry = [replace(sample, rainy=sample.clear) for sample in make_samples(2) if sample.clear is not None]
    data = TrainingData((Part("rainy", tuple(rainy), 1.0), Part("dry", tuple(dry), 3.0)))
    fit(recipe(Watched), data, budget=Budget(steps=32), seed=7, devices=CPU)
    share = sum(difference == 0 for difference in seen) / len(seen)
    assert abs(share - 0.75) < 0.1


def test_the_network_is_compiled_where_that_is_asked_for(
    make_samples: MakeSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    for wanted in (False, True):
        chosen = recipe(compile=wanted)
        train(chosen, make_samples(), Budget(steps=1))
        assert compiled == ([chosen.module.network] if wanted else [])


def test_progress_is_reported_up_to_the_end(make_samples: MakeSamples) -> None:
    told = Told()
    train(recipe(), make_samples(), Budget(steps=5), observer=told)
    shares = [share for share, _ in told.steps]
    assert shares == sorted(shares) and shares[0] == 0.2 and shares[-1] == 1.0
    last = told.steps[-1][1]
    assert last.startswith("step 5: ") and "loss 0." in last and last.endswith(" images/s")


def test_a_loss_that_is_not_finite_stops_the_training(make_samples: MakeSamples) -> None:
    class Broken(RestorationModule):
        def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
            return super().predict(batch) * float("nan")

    message = r"training stopped at step 1: .* is nan\. Try a smaller learning rate: training\.learning_rate=0\.003"
    with pytest.raises(MethodError, match=message):
        train(recipe(Broken), make_samples(), Budget(steps=9))


def test_weights_that_end_not_finite_are_refused(make_samples: MakeSamples) -> None:
    class Poisoned(RestorationModule):
        def on_train_end(self) -> None:
            with torch.no_grad():
                self.network.head.bias.fill_(math.inf)

    with pytest.raises(MethodError, match=r"network\.head\.bias not finite"):
        train(recipe(Poisoned), make_samples(), Budget(steps=1))


def test_gradients_are_clipped(make_samples: MakeSamples) -> None:
    norms = []

    class Watched(RestorationModule):
        def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: value * 1e4 for name, value in super().training_losses(batch).items()}

        def on_before_zero_grad(self, optimizer: object) -> None:
            gradients = [p.grad.flatten() for p in self.network.parameters() if p.grad is not None]
            if gradients:
                norms.append(float(torch.cat(gradients).norm()))

    train(recipe(Watched, gradient_clip=0.5), make_samples(), Budget(steps=3))
    assert norms and max(norms) <= 0.5 + 1e-4


def test_a_module_that_is_not_ours_is_trained_too(make_samples: MakeSamples) -> None:
    from lightning import LightningModule

    class Plain(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 1)

        def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
            return (self.layer(batch["rainy"]) - batch["clear"]).abs().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    assert train(Recipe(Plain(), Hyperparameters(crop=32, batch_size=1)), make_samples(), Budget(steps=2)).steps == 2


def test_average_warms_up_keeps_constants_and_takes_counts_over() -> None:
    average = Averages(0.995)
    averages = [torch.zeros(3), torch.full((3,), 0.1234567)]
    currents = [torch.ones(3), torch.full((3,), 0.1234567)]
    average.updates = 1
    average._move(averages, currents, 1)
    assert torch.allclose(averages[0], torch.full((3,), 9 / 11))
    assert torch.equal(averages[1], currents[1])
    average.updates = 100_000
    for _ in range(5):
        average._move(averages, currents, 1)
    assert torch.allclose(averages[0], torch.full((3,), 1 - (2 / 11) * 0.995**5))
    counts = [torch.tensor(3)]
    average._move(counts, [torch.tensor(8)], 5)
    assert counts[0] == 8


def test_the_weights_end_as_the_average_not_as_the_last_step(make_samples: MakeSamples) -> None:
    trajectory: list[dict[str, Tensor]] = []

    class Followed(RestorationModule):
        def on_train_batch_end(self, *arguments: object) -> None:
            trajectory.append(copy.deepcopy(self.network.state_dict()))

    chosen = recipe(Followed, learning_rate=0.05)
    module = chosen.module
    train(chosen, make_samples(), Budget(steps=4))
    expected = {name: value.clone() for name, value in trajectory[0].items()}
    for count, state in enumerate(trajectory[1:], start=1):
        decay = (1 + count) / (10 + count)
        for name, value in state.items():
            expected[name] = decay * expected[name] + (1 - decay) * value if value.is_floating_point() else value
    for name, value in module.network.state_dict().items():
        assert torch.allclose(value, expected[name], atol=1e-6), name
    assert not torch.equal(module.network.state_dict()["head.weight"], trajectory[-1]["head.weight"])


def test_training_leaves_no_file_and_no_setting_behind(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGINT)
    train(recipe(), make_samples(), Budget(steps=1))
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is handler
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.fixture
def listening_to_ctrl_c() -> Iterator[None]:
    """A shell starts what it puts in the background with Ctrl-C ignored, and pytest would inherit that."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.usefixtures("listening_to_ctrl_c")
def test_interrupting_a_training_interrupts_the_program(make_samples: MakeSamples) -> None:
    """Lightning would exit without a word, and ignore Ctrl-C from then on."""
    handler = signal.getsignal(signal.SIGINT)

    class Interrupted(RestorationModule):
        def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
            os.kill(os.getpid(), signal.SIGINT)
            return super().predict(batch)

    with pytest.raises(KeyboardInterrupt):
        train(recipe(Interrupted), make_samples(), Budget(steps=3))
    assert signal.getsignal(signal.SIGINT) is handler


def test_bf16_trains_with_float32_weights(make_samples: MakeSamples) -> None:
    chosen = recipe()
    in_bf16 = Devices(torch.device("cpu"), "bf16")
    record = fit(chosen, TrainingData.of(make_samples()), budget=Budget(steps=2), seed=7, devices=in_bf16)
    assert record.precision == "bf16"
    assert {value.dtype for value in chosen.module.network.parameters()} == {torch.float32}


def test_a_frozen_vgg_comes_out_of_training_bit_for_bit(make_samples: MakeSamples) -> None:
    chosen = recipe(losses={"l1": 1.0, "vgg": 0.1})
    record = train(chosen, make_samples(), Budget(steps=2))
    assert record.losses["vgg"] > 0
    trained = chosen.module.loss.state_dict()
    carried = PerceptualLoss().state_dict()
    assert len(carried) > 10
    for name, value in carried.items():
        (same,) = [each for key, each in trained.items() if key.endswith(name)]
        assert torch.equal(value, same), name


def test_photos_without_truth_train_by_the_agreement_of_two_views(make_samples: MakeSamples) -> None:
    data = TrainingData.of(make_samples())
    with_photos = replace(data, photos=tuple(make_samples(2, truth=False)))
    results = []
    for plan, given in (({}, data), ({}, with_photos), ({"consistency": 0.5}, with_photos)):
        chosen = recipe(**plan)
        record = fit(chosen, given, budget=Budget(steps=3), seed=7, devices=CPU)
        results.append((record.losses, chosen.module.network.head.weight.detach().clone()))
    assert "consistency" not in results[1][0] and torch.equal(results[0][1], results[1][1]), "off by default"
    losses = results[2][0]
    assert losses["consistency"] > 0
    assert losses["loss"] == pytest.approx(losses["l1"] + losses["ssim"] + losses["consistency"], abs=1e-5)
    assert not torch.equal(results[2][1], results[0][1])


def test_hyperparameters_that_need_what_is_not_there_are_refused(make_samples: MakeSamples) -> None:
    for plan, says in (
        ({"patience": 3}, "patience=3 goes by validation pictures"),
        ({"schedule": "plateau"}, "schedule=plateau goes by validation pictures"),
        ({"target_psnr": 28.0}, r"target_psnr=28\.0 goes by validation pictures"),
        ({"consistency": 0.1}, r"consistency=0\.1 needs rainy photos"),
        ({"losses": {"ms_ssim": 1.0}}, "161"),
    ):
        with pytest.raises(OptionError, match=says):
            train(recipe(**plan), make_samples(), Budget(steps=1))


def test_training_in_channels_last_gives_weights_of_the_same_layout(make_samples: MakeSamples) -> None:
    chosen = recipe(channels_last=True)
    train(chosen, make_samples(), Budget(steps=2))
    assert chosen.module.network.head.weight.is_contiguous(memory_format=torch.channels_last)
    assert chosen.module.network.state_dict()["head.weight"].shape == (3, 8, 3, 3)
