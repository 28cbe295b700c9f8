"""A training that was killed goes on as if nothing had been, and ends with the same weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning import Callback
from numpy.typing import NDArray
from torch import Tensor, nn

from drivederain.data.pictures import FilePicture
from drivederain.data.png import encode_png
from drivederain.data.sample import Picture, Sample
from drivederain.errors import DataError, MethodError
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, Scores, read_history
from drivederain.training import epochs as epochs_module
from drivederain.training import fit as fit_module
from drivederain.training.averages import Averages
from drivederain.training.data import Part, TrainingData
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.observer import Unobserved
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord
from drivederain.training.saving import Keeping
from drivederain.training.state import position_of, read_state
from drivederain.training.validation import Validator
from drivederain.weights import read_weights, serialise, sha256_of

MakeSamples = Callable[..., list[Sample]]


class Tiny(nn.Module):
    """With all that has a state of its own: batch statistics and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.1))
        self.head = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, rainy: Tensor) -> Tensor:
        change: Tensor = self.head(self.body(rainy))
        return rainy + change


class Killed(Exception):
    """Stands for the end of the process."""


class KillAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
        if trainer.global_step == self.step:
            raise Killed


class Bench:
    """A training in a folder, with or without being killed on the way."""

    def __init__(self, make_samples: MakeSamples, **hyperparameters: Any) -> None:
        self.data = TrainingData((Part("noise", tuple(make_samples(7))),), validation=tuple(make_samples(2)))
        values: dict[str, Any] = {"crop": 32, "batch_size": 2, "learning_rate": 1e-2}
        self.hyperparameters = Hyperparameters(**(values | hyperparameters))

    def train(
        self,
        folder: Path,
        budget: Budget,
        *,
        resume: bool = False,
        kill: int | None = None,
        module: type[RestorationModule] = RestorationModule,
        callbacks: tuple[Callback, ...] = (),
        save_steps: int | None = 3,
        observer: Unobserved | None = None,
        validate_every: int = 1,
        workers: int = 0,
    ) -> TrainingRecord:
        torch.manual_seed(0)
        network = Tiny()

        def restore(sample: Sample) -> NDArray[np.uint8]:
            rainy = torch.from_numpy(sample.rainy.load().transpose(2, 0, 1).copy())[None].float() / 255
            restored: Tensor = network(rainy)[0]
            pixels: NDArray[np.uint8] = (restored.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
            return pixels

        def serialised(record: TrainingRecord) -> bytes:
            return serialise(network.state_dict(), {"steps": record.steps, "losses": record.losses})

        keeping = Keeping(TrainingFolder(folder), serialised, resume=resume, save_steps=save_steps, checkpoint_every=2)
        kills = (KillAt(kill),) if kill is not None else ()
        return fit(
            Recipe(module(network), self.hyperparameters),
            self.data,
            budget=budget,
            seed=7,
            devices=Devices(torch.device("cpu"), workers=workers),
            validate=restore,
            validate_every=validate_every,
            observer=observer,
            keeping=keeping,
            callbacks=[*callbacks, *kills],
        )


def files(folder: Path) -> dict[str, bytes]:
    """All weights of a training, by name."""
    return {path.name: path.read_bytes() for path in sorted(TrainingFolder(folder).checkpoints.glob("*.safetensors"))}


PLANS: dict[str, tuple[dict[str, Any], Budget]] = {
    "cosine": ({}, Budget(steps=18)),
    "plateau": ({"schedule": "plateau", "plateau_patience": 0}, Budget(epochs=5)),
    "step": ({"schedule": "step", "milestones": (2, 3)}, Budget(epochs=5)),
    "accumulated": ({"accumulate": 2, "optimizer": "sgd", "ema": 0.0, "epoch_steps": 5}, Budget(epochs=4)),
    "progressive, accumulated": (
        {
            "accumulate": 3,
            "epoch_steps": 4,
            "progressive": ({"until": 0.5, "crop": 24, "batch_size": 2}, {"until": 1, "crop": 32, "batch_size": 1}),
        },
        Budget(epochs=6),
    ),
    "progressive": (
        {"progressive": ({"until": 0.5, "crop": 24, "batch_size": 3}, {"until": 1, "crop": 32, "batch_size": 1})},
        Budget(steps=16),
    ),
}


@pytest.mark.parametrize("kills", [(1,), (5,), (3, 4, 1)], ids=str)
@pytest.mark.parametrize("plan", sorted(PLANS))
def test_killed_and_resumed_ends_with_the_same_files(
    make_samples: MakeSamples, tmp_path: Path, plan: str, kills: tuple[int, ...]
) -> None:
    hyperparameters, budget = PLANS[plan]
    bench = Bench(make_samples, **hyperparameters)
    whole = bench.train(tmp_path / "whole", budget)
    for number, kill in enumerate(kills):
        with pytest.raises(Killed):
            bench.train(tmp_path / "killed", budget, resume=number > 0, kill=kill)
    resumed = bench.train(tmp_path / "killed", budget, resume=True)
    assert resumed.steps == whole.steps and resumed.stop_reason == whole.stop_reason
    assert [record.scores for record in resumed.history] == [record.scores for record in whole.history]
    assert [record.losses for record in resumed.history] == [record.losses for record in whole.history]
    assert len(files(tmp_path / "whole")) >= 3, "best, last and every second epoch"
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


@pytest.fixture
def in_files(make_samples: MakeSamples, tmp_path: Path) -> Bench:
    """Pictures in files: workers are processes of their own, which know the program and not these tests."""

    def in_file(picture: Picture) -> FilePicture:
        path = tmp_path / "pictures" / f"{picture.fingerprint}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_png(picture.load()))
        return FilePicture(path, sha256_of(path))

    def filed(sample: Sample) -> Sample:
        assert sample.clear is not None
        return replace(sample, rainy=in_file(sample.rainy), clear=in_file(sample.clear))

    bench = Bench(make_samples)
    (part,) = bench.data.parts
    bench.data = replace(bench.data, parts=(replace(part, samples=tuple(map(filed, part.samples))),))
    return bench


def test_workers_change_nothing_also_when_it_is_killed(in_files: Bench, tmp_path: Path) -> None:
    in_files.train(tmp_path / "whole", Budget(steps=10))
    with pytest.raises(Killed):
        in_files.train(tmp_path / "killed", Budget(steps=10), kill=5, workers=2)
    in_files.train(tmp_path / "killed", Budget(steps=10), resume=True, workers=1)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_what_a_worker_cannot_read_is_said_in_a_line(in_files: Bench, tmp_path: Path) -> None:
    clear = in_files.data.parts[0].samples[0].clear
    assert isinstance(clear, FilePicture)
    clear.path.write_bytes(clear.path.read_bytes()[:50])
    with pytest.raises(DataError) as info:
        in_files.train(tmp_path / "on", Budget(steps=8), workers=1)
    assert str(info.value).startswith(str(clear.path)) and "Traceback" not in str(info.value)


def test_what_is_used_up_is_not_trained_again(make_samples: MakeSamples, tmp_path: Path) -> None:
    bench = Bench(make_samples)
    bench.train(tmp_path, Budget(steps=8))
    before = files(tmp_path)
    again = bench.train(tmp_path, Budget(steps=8), resume=True)
    assert (again.steps, again.stop_reason) == (8, "the budget is used up") and files(tmp_path) == before
    assert bench.train(tmp_path, Budget(steps=12), resume=True).steps == 12, "a larger budget goes on"


def test_what_ended_by_overfitting_is_not_trained_again(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (fit_module, epochs_module):
        monkeypatch.setattr(module, "overfits", lambda history, plan: "overfitting" if len(history) >= 3 else "")
    bench = Bench(make_samples, overfitting="stop")
    first = bench.train(tmp_path, Budget(epochs=8))
    before = files(tmp_path)
    again = bench.train(tmp_path, Budget(epochs=8), resume=True)
    assert (again.epochs, again.stop_reason) == (first.epochs, first.stop_reason) == (3, "overfitting")
    assert files(tmp_path) == before


def test_a_training_in_the_folder_is_not_overwritten(make_samples: MakeSamples, tmp_path: Path) -> None:
    bench = Bench(make_samples)
    bench.train(tmp_path, Budget(steps=4))
    with pytest.raises(DataError, match=r"holds a training already\. Go on with it \(--resume"):
        bench.train(tmp_path, Budget(steps=4))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", None])
def test_a_damaged_state_is_named(make_samples: MakeSamples, tmp_path: Path, content: bytes | None) -> None:
    bench = Bench(make_samples)
    bench.train(tmp_path, Budget(steps=4))
    state = TrainingFolder(tmp_path).state
    if content is None:
        torch.save({"version": 1, "evil": Path("/tmp")}, state)
    else:
        state.write_bytes(content)
    with pytest.raises(DataError, match=r"last\.state.* (damaged|refused)"):
        bench.train(tmp_path, Budget(steps=8), resume=True)


def test_another_network_is_refused(make_samples: MakeSamples, tmp_path: Path) -> None:
    bench = Bench(make_samples)
    bench.train(tmp_path, Budget(steps=4))
    state = torch.load(TrainingFolder(tmp_path).state, weights_only=True)
    state["module"]["network.head.weight"] = torch.zeros(1)
    torch.save(state, TrainingFolder(tmp_path).state)
    with pytest.raises(DataError, match="checkpoint is that of another network or recipe"):
        bench.train(tmp_path, Budget(steps=8), resume=True)


def test_a_folder_that_cannot_be_written_is_said_before_training(make_samples: MakeSamples, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot take checkpoints: .*Give another --out"):
        Bench(make_samples).train(tmp_path / "file" / "inside", Budget(steps=4), kill=1)


def test_the_history_is_on_the_disk_after_every_epoch(make_samples: MakeSamples, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        Bench(make_samples).train(tmp_path, Budget(steps=20), kill=9, save_steps=None)
    history = read_history(TrainingFolder(tmp_path).epochs)
    assert [record.epoch for record in history] == [1, 2]
    assert all(record.scores is not None and record.scores.psnr > 5 for record in history)


def test_the_batch_of_an_explosion_is_kept(make_samples: MakeSamples, tmp_path: Path) -> None:
    class Explodes(RestorationModule):
        def training_losses(self, batch: Any) -> dict[str, Tensor]:
            factor = 1e3 if self.trainer.global_step >= 24 else 1.0
            return {name: value * factor for name, value in super().training_losses(batch).items()}

    with pytest.raises(
        MethodError, match=r"at step 27: the loss exploded to .* training\.learning_rate=0\.003"
    ) as info:
        Bench(make_samples).train(tmp_path, Budget(steps=40), module=Explodes)
    kept = TrainingFolder(tmp_path).failed_batch
    assert str(kept) in str(info.value)
    tensors = read_weights(kept)
    assert tensors.tensors["rainy"].shape == tensors.tensors["clear"].shape == (2, 3, 32, 32)
    assert all(name.startswith("noise/noise_") for name in tensors.metadata["pictures"])
    assert "exploded" in tensors.metadata["reason"] and len(tensors.metadata["draws"]) == 2


@pytest.mark.parametrize("batch", range(1, 8))
def test_a_signal_between_two_steps_waits_for_the_step(make_samples: MakeSamples, tmp_path: Path, batch: int) -> None:
    """Gradients that are gathered are in no checkpoint."""

    class Signalled(Callback):
        batches = 0

        def on_train_batch_start(self, trainer: Any, *arguments: Any) -> None:
            self.batches += 1
            if self.batches == batch:
                os.kill(os.getpid(), signal.SIGINT)

    bench = Bench(make_samples, accumulate=3, epoch_steps=5)
    bench.train(tmp_path / "whole", Budget(epochs=3))
    stopped = bench.train(tmp_path / "stopped", Budget(epochs=3), callbacks=(Signalled(),), save_steps=None)
    assert stopped.interrupted and stopped.steps == {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 3}[batch]
    bench.train(tmp_path / "stopped", Budget(epochs=3), resume=True)
    whole = files(tmp_path / "whole")
    assert {name: files(tmp_path / "stopped")[name] for name in whole} == whole


def test_killed_during_the_last_validation_it_is_made_after_all(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(make_samples)
    whole = bench.train(tmp_path / "whole", Budget(steps=6))
    assert whole.history[-1].step == 6 and whole.epochs == 1, "the budget ends within an epoch"
    validate = Validator.scores

    def killed(self: Validator, module: Any, gather: Any) -> Any:
        if module.trainer.global_step == 6:
            raise Killed
        return validate(self, module, gather)

    with monkeypatch.context() as patch:
        patch.setattr(Validator, "scores", killed)
        with pytest.raises(Killed):
            bench.train(tmp_path / "killed", Budget(steps=6), save_steps=1)
    resumed = bench.train(tmp_path / "killed", Budget(steps=6), resume=True)
    assert [record.scores for record in resumed.history] == [record.scores for record in whole.history]
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def scripted(monkeypatch: pytest.MonkeyPatch, *psnrs: float, losses: Sequence[float] = ()) -> None:
    """Validations find these figures, one after the other."""
    found = zip(psnrs, losses or [0.1] * len(psnrs), strict=True)
    monkeypatch.setattr(
        Validator,
        "scores",
        lambda *arguments: Scores(**dict(zip(("psnr", "loss"), next(found), strict=True)), ssim=0.5),
    )


def test_early_stopping_the_target_and_the_plateau_go_by_what_validation_finds(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, *[20.0] * 5, losses=[0.3, 0.2, 0.2, 0.25, 0.25])
    early = Bench(make_samples, patience=3).train(tmp_path / "early", Budget(epochs=9))
    assert early.epochs == 5 and early.stop_reason.startswith("early stopping: no lower validation loss for 3 epochs")
    scripted(monkeypatch, 20.0, 28.5, 29.0)
    goal = Bench(make_samples, target_psnr=28.0, target_ssim=0.4).train(tmp_path / "goal", Budget(epochs=9))
    assert goal.epochs == 2 and goal.stop_reason.startswith("the target was reached")
    scripted(monkeypatch, *[20.0] * 4, losses=[0.3, 0.3, 0.3, 0.3])
    plan = {"schedule": "plateau", "plateau_patience": 1, "factor": 0.5, "warm_up": 0.0}
    fallen = Bench(make_samples, **plan).train(tmp_path / "plateau", Budget(epochs=4))
    assert [record.learning_rate for record in fallen.history] == [0.01, 0.01, 0.01, 0.005]


def test_overfitting_is_warned_of_once_where_that_is_asked_for(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noted(Unobserved):
        def __init__(self) -> None:
            self.notes: list[str] = []

        def note(self, words: str) -> None:
            self.notes.append(words)

    rises = [0.1, *(0.2 + epoch / 10 for epoch in range(7))]
    for wanted, epochs in (("warn", 8), ("stop", 5)):
        scripted(monkeypatch, *[20.0] * 8, losses=rises)
        noted = Noted()
        bench = Bench(make_samples, overfitting=wanted, overfitting_patience=4)
        record = bench.train(tmp_path / wanted, Budget(epochs=8), observer=noted)
        assert record.epochs == epochs
        assert record.stop_reason.startswith("overfitting: for 4" if wanted == "stop" else "the budget")
        assert len(noted.notes) == (wanted == "warn")


class Best(Unobserved):
    def __init__(self) -> None:
        self.told: dict[int, bool] = {}

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        self.told[record.epoch] = best


def test_a_resumed_training_knows_its_best(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, told = Bench(make_samples), Best()
    scripted(monkeypatch, 20.0, 25.0, 24.0, 26.0)
    bench.train(tmp_path, Budget(epochs=2), observer=told)
    best = files(tmp_path)["best.safetensors"]
    bench.train(tmp_path, Budget(epochs=3), resume=True, observer=told)
    assert files(tmp_path)["best.safetensors"] == best
    bench.train(tmp_path, Budget(epochs=4), resume=True, observer=told)
    assert files(tmp_path)["best.safetensors"] != best
    assert told.told == {1: True, 2: True, 3: False, 4: True}


def test_what_is_kept_as_the_best_is_known_to_the_state(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, 20.0, 25.0, 24.0)
    with pytest.raises(Killed):
        Bench(make_samples).train(tmp_path, Budget(epochs=5), kill=14, save_steps=None)
    history = position_of(read_state(TrainingFolder(tmp_path).state)).history
    assert [record.scores and record.scores.psnr for record in history] == [20.0, 25.0], "long before a minute is over"


def test_an_epoch_that_its_budget_cut_short_is_whole_when_it_goes_on(make_samples: MakeSamples, tmp_path: Path) -> None:
    bench = Bench(make_samples, schedule="constant", warm_up=0.0)
    whole = bench.train(tmp_path / "whole", Budget(steps=8))
    bench.train(tmp_path / "cut", Budget(steps=6))
    longer = bench.train(tmp_path / "cut", Budget(steps=8), resume=True)
    assert [(record.epoch, record.step) for record in longer.history] == [(1, 4), (2, 6), (2, 8)]
    first, _, last = longer.history
    assert [first.losses, last.losses] == [record.losses for record in whole.history]


def test_the_best_of_an_epoch_that_was_cut_short_stays_the_best(
    make_samples: MakeSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(make_samples)
    scripted(monkeypatch, 20.0, 26.0, 24.0)
    bench.train(tmp_path, Budget(steps=6))
    best = files(tmp_path)["best.safetensors"]
    longer = bench.train(tmp_path, Budget(steps=8), resume=True)
    assert files(tmp_path)["best.safetensors"] == best
    assert longer.best is not None and (longer.best.step, longer.best.epoch) == (6, 2)


@pytest.mark.parametrize("plan", [{"validate_every": 1}, {"validate_every": 5}])
def test_a_signal_in_the_last_step_lets_the_training_end(
    make_samples: MakeSamples, tmp_path: Path, plan: dict[str, int]
) -> None:
    class Signalled(Callback):
        def on_train_batch_start(self, trainer: Any, *arguments: Any) -> None:
            if trainer.global_step == 5:
                os.kill(os.getpid(), signal.SIGTERM)

    bench = Bench(make_samples)
    whole = bench.train(tmp_path / "whole", Budget(steps=6), **plan)
    ended = bench.train(tmp_path / "ended", Budget(steps=6), callbacks=(Signalled(),), **plan)
    assert not ended.interrupted and ended.stop_reason == "the budget is used up"
    assert whole.history[-1].scores is not None
    assert [record.scores for record in ended.history] == [record.scores for record in whole.history]
    assert files(tmp_path / "ended") == files(tmp_path / "whole")
    sheets = {
        folder: sorted(path.name for path in (tmp_path / folder / "samples").iterdir()) for folder in ("ended", "whole")
    }
    assert sheets["ended"] == sheets["whole"] and sheets["whole"]


def test_a_signal_while_the_loss_explodes_leaves_the_last_sound_state(
    make_samples: MakeSamples, tmp_path: Path
) -> None:
    class Explodes(RestorationModule):
        def training_losses(self, batch: Any) -> dict[str, Tensor]:
            factor = 1e3 if self.trainer.global_step >= 25 else 1.0
            if factor > 1:
                os.kill(os.getpid(), signal.SIGINT)
            return {name: value * factor for name, value in super().training_losses(batch).items()}

    stopped = Bench(make_samples).train(tmp_path, Budget(steps=40), module=Explodes, save_steps=None)
    assert stopped.interrupted and stopped.steps == 26
    assert read_state(TrainingFolder(tmp_path).state)["step"] <= 25


def test_what_a_loss_learns_is_in_the_state(make_samples: MakeSamples, tmp_path: Path) -> None:
    class Learns(RestorationModule):
        def prepare(self, *arguments: Any) -> None:
            super().prepare(*arguments)
            self.loss.learned = nn.Parameter(torch.zeros(()))

        def training_losses(self, batch: Any) -> dict[str, Tensor]:
            losses = super().training_losses(batch)
            return losses | {"loss": losses["loss"] * torch.exp(self.loss.learned)}

    bench = Bench(make_samples, losses={"l1": 1.0, "vgg": 0.01})
    bench.train(tmp_path, Budget(steps=3), module=Learns)
    kept = {name for name in read_state(TrainingFolder(tmp_path).state)["module"] if name.startswith("loss.")}
    assert kept == {"loss.learned"}, "frozen features are not"


def test_averages_lie_where_the_training_goes_on() -> None:
    """Lightning moves the module to the device only after the callbacks were set up."""
    averages, trainer = Averages(0.9), SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("meta")))
    averages.setup(trainer, RestorationModule(Tiny()), "fit")  # type: ignore[arg-type]
    assert averages.state()["network.head.weight"].device.type == "meta"


def test_weights_that_are_not_finite_are_not_kept(make_samples: MakeSamples, tmp_path: Path) -> None:
    """The loss of a step is that of the weights before it: it may be sound where the step was not."""

    class Poisoned(RestorationModule):
        def optimizer_step(self, *arguments: Any, **more: Any) -> None:
            super().optimizer_step(*arguments, **more)
            if self.trainer.global_step == 5:
                with torch.no_grad():
                    self.network.head.bias.fill_(float("nan"))

    bench = Bench(make_samples)
    with pytest.raises(MethodError, match=r"training stopped at step .* Try a smaller learning rate"):
        bench.train(tmp_path, Budget(steps=20), module=Poisoned, save_steps=1)
    for path in TrainingFolder(tmp_path).checkpoints.glob("*.safetensors"):
        assert all(bool(torch.isfinite(value).all()) for value in read_weights(path).tensors.values()), path
    state = torch.load(TrainingFolder(tmp_path).state, weights_only=True)
    assert all(bool(torch.isfinite(value).all()) for value in state["module"].values()) and state["step"] <= 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_step_end_and_can_be_resumed(
    make_samples: MakeSamples, tmp_path: Path, number: signal.Signals
) -> None:
    class Signalled(Callback):
        def on_train_batch_start(self, trainer: Any, *arguments: Any) -> None:
            if trainer.global_step == 5:
                os.kill(os.getpid(), number)

    bench = Bench(make_samples)
    bench.train(tmp_path / "whole", Budget(steps=12))
    before = signal.getsignal(number)
    stopped = bench.train(tmp_path / "stopped", Budget(steps=12), callbacks=(Signalled(),), save_steps=None)
    assert stopped.interrupted and stopped.steps == 6
    assert signal.getsignal(number) is before
    bench.train(tmp_path / "stopped", Budget(steps=12), resume=True)
    whole = files(tmp_path / "whole")
    assert {name: files(tmp_path / "stopped")[name] for name in whole} == whole
