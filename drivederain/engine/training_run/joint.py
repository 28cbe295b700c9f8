"""The stages before a refiner, loaded to be fine-tuned together with it (``train unet+diffusion --joint``)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.stages import ReadyStage, make_method, plain_facts
from drivederain.engine.train import about_training
from drivederain.errors import OptionError
from drivederain.method import Method
from drivederain.specs import MethodSpec
from drivederain.training.joint import JointModule, Link
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord
from drivederain.weights import read_weights, serialise

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class LoadedStage:
    """A stage that is fine-tuned: its method holds the network that the training changes."""

    stage: ReadyStage
    method: Method
    module: RestorationModule

    @property
    def name(self) -> str:
        """Of the method."""
        return self.stage.spec.name


def load_stages(behind: ReadyStage, last: MethodSpec, kept: Callable[[str], Path | None]) -> list[LoadedStage]:
    """Load every stage before the refiner ``last``, the first one first.

    Args:
        kept: by the name of a method, the weights that a resumed training left of it.

    Raises:
        OptionError: a stage cannot be trained with others, or is in the chain twice.
    """
    stages = behind.all_stages
    names = [stage.spec.name for stage in stages] + [last.name]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"--joint: {name} is in the chain twice, and has one file of weights. Leave --joint out.")
    loaded = []
    for stage in stages:
        method = make_method(stage.spec, stage.options, may_download=stage.may_download)
        path = kept(stage.spec.name) or (stage.found.path if stage.found else None)
        method.load(read_weights(path) if path else None, stage.device)
        recipe = method.training() if stage.spec.trainable else None
        loaded.append(LoadedStage(stage, method, _trainable(stage.spec.name, recipe)))
    return loaded


def joint_recipe(stages: Sequence[LoadedStage], refiner: str, recipe: Recipe) -> Recipe:
    """The refiner's recipe for the whole chain.

    Raises:
        OptionError: the refiner does not pass gradients on to the estimate, or the hyperparameters are of one network.
    """
    module = _trainable(refiner, recipe)
    if recipe.hyperparameters.compile:
        raise OptionError("--joint: training.compile is for one network. Leave one of them out.")
    links = [Link(each.module, each.stage.spec.kind == "refiner") for each in stages]
    multiples = [recipe.crop_multiple or 1, *(each.stage.spec.needs.multiple for each in stages)]
    return replace(
        recipe, module=JointModule([*links, Link(module, True)]), crop_multiple=int(np.lcm.reduce(multiples))
    )


def _trainable(name: str, recipe: Recipe | None) -> RestorationModule:
    module = recipe.module if recipe is not None else None
    # A module with losses of its own need not make pictures that gradients go through.
    if not isinstance(module, RestorationModule) or type(module).training_losses is not (
        RestorationModule.training_losses
    ):
        raise OptionError(
            f"--joint: {name} cannot be trained together with other stages, as it has no output that gradients go "
            "through (of diffusion, model=bridge has). Leave --joint out."
        )
    return module


def chain_estimate(
    stages: Sequence[LoadedStage], device: torch.device, *, channels_last: bool
) -> Callable[[Sample], Pixels]:
    """What the stages make of a sample with the weights that they have at the time; nothing is kept."""
    runners = [
        DeviceRunner(
            each.method,
            replace(each.stage.spec, needs=replace(each.stage.spec.needs, channels_last=channels_last)),
            device,
            precision="fp32",
            seed=0,
        )
        for each in stages
    ]

    def estimate(sample: Sample) -> Pixels:
        rainy = sample.rainy.load()
        name, made = noise_name(rainy), rainy
        for runner in runners:
            pictures = ([rainy], [made]) if runner.spec.kind == "refiner" else ([made], None)
            made = runner.restore([name], *pictures)[0].pixels
        return made

    return estimate


def serialised_stages(
    stages: Sequence[LoadedStage], record: TrainingRecord, samples: Sequence[Sample], trained_on: str
) -> dict[str, bytes]:
    """The weights files of the stages as they are now, by method; each names the one before it by its SHA-256."""
    files: dict[str, bytes] = {}
    for each in stages:
        about = about_training(
            each.stage.spec, each.method, record, samples, trained_on, each.stage.before, plain_facts(each.method)
        )
        if each.stage.before is not None:
            about["behind_sha256"] = sha256(files[each.stage.before.spec.name])
        files[each.name] = serialise(each.method.state(), about, header=each.method.header())
    return files


def sha256(content: bytes) -> str:
    """As a weights file is known by."""
    return hashlib.sha256(content).hexdigest()
