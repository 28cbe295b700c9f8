"""Train the last stage of a chain within the budget, and keep its weights in the cache with their provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray

from drivederain import __version__
from drivederain.data.sample import Sample
from drivederain.engine.display import Display
from drivederain.engine.hardware import hardware_name
from drivederain.engine.keys import key_of, seed_of
from drivederain.engine.on_demand import OnDemand
from drivederain.engine.options import TRAINING, hyperparameters_typed, key_options, method_options
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage, make_method, plain_facts
from drivederain.errors import OptionError
from drivederain.method import Method
from drivederain.rain import GENERATOR_VERSION
from drivederain.results.run_folder import write_atomically
from drivederain.results.training_history import EpochRecord
from drivederain.specs import MethodSpec
from drivederain.weights import FoundWeights, NoWeightsError, WeightsCache, serialise

if TYPE_CHECKING:
    from drivederain.training.data import Prefix
    from drivederain.training.recipe import Recipe
    from drivederain.training.record import TrainingRecord

TRAINING_VERSION = 6
"""Raised whenever the core's part of training could change the weights."""


class Trainer:
    """Trains stages on one set of samples; what was trained before with the same plan is found in the cache."""

    def __init__(self, settings: RunSettings, display: Display, samples: Sequence[Sample], trained_on: str) -> None:
        """``trained_on``: the samples in words, for the provenance of the weights."""
        self.settings, self.display = settings, display
        self.samples = [sample for sample in samples if sample.clear is not None]
        self.trained_on = trained_on
        self.cache = WeightsCache(settings.cache)
        self._data = key_of(
            [[sample.rainy.fingerprint, sample.clear.fingerprint] for sample in samples if sample.clear]
        )

    def key(self, stage: ReadyStage) -> str:
        """Of everything that changes the weights.

        Raises:
            OptionError: the options are not usable.
        """
        spec = stage.spec
        return key_of(
            {
                "training": TRAINING_VERSION,
                "method": spec.name,
                "version": spec.version,
                "implementation": spec.implementation,
                **({"code": stage.code} if stage.code else {}),
                "options": key_options(method_options(spec, self._typed(stage))),
                "hyperparameters": hyperparameters_typed(self._typed(stage)),
                "data": self._data,
                "budget": str(self.settings.budget),
                "seed": self.settings.seed,
                "behind": stage.before.key_parts() if spec.kind == "refiner" and stage.before else None,
                "device": stage.device.type,
                "precision": self._precision(stage),
                "threads": torch.get_num_threads() if stage.device.type == "cpu" else 0,
                "torch": torch.__version__,
                "drivederain": __version__,
                "download": self.settings.download,
            }
        )

    def find(self, stage: ReadyStage) -> FoundWeights | None:
        """The weights, if they were trained before."""
        return self.cache.find(stage.spec, self.key(stage))

    def lock(self, stage: ReadyStage) -> FileLock:
        """To be held while the stage is trained."""
        path = self.cache.path(stage.spec.name, self.key(stage)).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path)

    def train(self, stage: ReadyStage) -> str:
        """Train now and put the weights into the cache; what was done, in words.

        Raises:
            NoWeightsError: the method offers no training.
            Exception: whatever the method's code raises.
        """
        # Lightning takes seconds to import, and most runs train nothing.
        from drivederain.training.data import TrainingData
        from drivederain.training.devices import Devices
        from drivederain.training.fit import fit

        spec, settings = stage.spec, self.settings
        options = method_options(spec, self._typed(stage))
        method = make_method(spec, options, may_download=settings.download)
        # The network's first weights are drawn here: name the seed, or they would depend on what ran before.
        torch.manual_seed(seed_of(settings.seed, "start", spec.name))
        method.load(None, stage.device)
        told = _Told(self.display)
        told.meanwhile("loaded")
        recipe = method.training()
        if recipe is None:
            raise NoWeightsError(f"{spec.name} has no weights and offers no training. Give --weights {spec.name}=PATH.")
        typed = hyperparameters_typed(self._typed(stage))
        check_losses(spec, recipe, typed)
        recipe = replace(recipe, hyperparameters=recipe.hyperparameters.changed(typed, f"--set {spec.name}.{TRAINING}"))
        check_crops(spec, recipe)
        behind = stage.before if spec.kind == "refiner" else None
        estimates = OnDemand(settings, told.meanwhile)
        try:
            record = fit(
                recipe,
                TrainingData.of(self.samples),
                budget=settings.budget,
                seed=seed_of(settings.seed, "train", spec.name),
                # In the engine's own process, which may have no children.
                devices=Devices(stage.device, self._precision(stage), workers=0),
                estimate=None if behind is None else estimates_of(estimates, behind),
                prefixes=() if behind is None else [prefix_of(estimates, behind)],
                observer=told,
            )
        finally:
            estimates.close()
        about = about_training(spec, method, record, self.samples, self.trained_on, behind, plain_facts(method))
        about["hardware"] = hardware_name(stage.device)  # whose minutes the budget was in
        key = self.key(stage)
        path = self.cache.path(spec.name, key)
        write_atomically(path, serialise(method.state(), about, header=method.header()))
        method.close()
        return f"{record.steps} steps in {record.seconds:.0f} s"

    def _precision(self, stage: ReadyStage) -> Literal["fp32", "bf16"]:
        """bf16 under autocast, if it was asked for or the GPU is good at it, where the method also restores in it.

        What is trained is measured afterwards, so unlike restoring it need not be the same everywhere. fp16 would need
        loss scaling.
        """
        wanted = stage.precision == "bf16"
        if self.settings.precision == "auto" and stage.device.type == "cuda":
            wanted = "bf16" in stage.spec.needs.precisions and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if wanted else "fp32"

    def _typed(self, stage: ReadyStage) -> Mapping[str, str]:
        return self.settings.options.get(stage.spec.name, {})


TIMES = ("seconds", "images_per_second", "waiting")
"""What of a history differs when the same is trained again."""


class _Told:
    """Tells the display how far a training is. A training of which nothing is heard for long is taken for hung."""

    def __init__(self, display: Display) -> None:
        self._display, self._share = display, 0.0

    def step(self, share: float, words: str) -> None:
        """Steps are done, to this share of the budget."""
        self._share = share
        self._display.advance(100 * share, words)

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        """Epochs are part of the record that comes with the weights."""

    def note(self, words: str) -> None:
        self._display.warn(words)

    def meanwhile(self, words: str) -> None:
        """Something else goes on."""
        self._display.advance(100 * self._share, words)


def check_crops(spec: MethodSpec, recipe: Recipe) -> None:
    """Crops are not padded, so they must be of a size that the network takes.

    Raises:
        OptionError: they are not.
    """
    hyperparameters, multiple = recipe.hyperparameters, recipe.crop_multiple or spec.needs.multiple
    for crop in (hyperparameters.crop, *(stage.crop for stage in hyperparameters.progressive)):
        if crop % multiple or crop < multiple:
            raise OptionError(
                f"training.crop={crop}: {spec.name} takes multiples of {multiple} pixels; "
                f"write {max(round(crop / multiple), 1) * multiple}"
            )


def check_losses(spec: MethodSpec, recipe: Recipe, typed: Mapping[str, Any]) -> None:
    """Whoever types losses must not believe that they train where the method brings its own.

    Args:
        typed: hyperparameters that were typed.

    Raises:
        OptionError: losses were typed for such a method.
    """
    if recipe.own_loss and "losses" in typed:
        raise OptionError(
            f"--set {spec.name}.{TRAINING}losses: {spec.name} is trained on {recipe.own_loss}, "
            "and on nothing else; leave it out"
        )


def about_training(
    spec: MethodSpec,
    method: Method,
    record: TrainingRecord,
    samples: Sequence[Sample],
    trained_on: str,
    behind: ReadyStage | None,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """The provenance of weights trained here, for their metadata. No times: the same training gives the same file.

    Args:
        facts: what the method said of itself when the training began.
    """
    history = [{name: value for name, value in each.row().items() if name not in TIMES} for each in record.history]
    training = {
        name: value for name, value in vars(record).items() if name not in ("seconds", "history", "best", "signal")
    }
    return {
        "method": spec.name,
        "architecture": method.network_options(),
        "trained_on": trained_on,
        "budget": record.budget,
        "steps": record.steps,
        "training": training | {"history": history, "best_epoch": record.best.epoch if record.best else 0},
        "behind": behind.chain.name if behind else "",
        "behind_sha256": behind.found.sha256 if behind and behind.found else "",
        "data": key_of(sorted([sample.rainy.fingerprint, _clear(sample)] for sample in samples)),
        "versions": {"drivederain": __version__, "torch": torch.__version__, "rain": GENERATOR_VERSION},
        "training_pictures": sorted({sample.content for sample in samples if sample.content}),
        "facts": dict(facts),
    }


def _clear(sample: Sample) -> str:
    return sample.clear.fingerprint if sample.clear is not None else ""


def estimates_of(estimates: OnDemand, before: ReadyStage) -> Callable[[Sample], NDArray[np.uint8]]:
    """The frozen prefix as a function of a sample; its outputs are kept in its cell like any others."""
    devices = [before.device] if before.device.type == "cuda" else []

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        # Building a network draws random numbers; those of the training must not depend on what was cached.
        with torch.random.fork_rng(devices):
            return estimates.output(before, sample)

    return estimate


def prefix_of(estimates: OnDemand, before: ReadyStage) -> Prefix:
    """The frozen prefix as a function of rainy pictures; nothing of it is kept."""
    devices = [before.device] if before.device.type == "cuda" else []

    def prefix(rainy: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        with torch.random.fork_rng(devices):  # as above
            return estimates.anew(before, rainy)

    return prefix
