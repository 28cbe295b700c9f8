"""Make every stage of every chain ready: decide its options, find its weights, or train them within the budget.

Weights are looked for in this order: given by the user; the user's cache (trained here on the same data within the same
budget; then what was fetched or added to the library); shipped with the plugin; trained now. If none can be had, the
chain is skipped with the reason. Random weights are never scored.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from drivederain.chain_expression import ChainSpec
from drivederain.engine.device import choose_precision
from drivederain.engine.display import Display
from drivederain.engine.failures import MethodCodeError, describe, traceback_of
from drivederain.engine.keys import seed_of
from drivederain.engine.named_weights import of_entry, weights_named
from drivederain.engine.options import (
    TRAINING,
    agrees,
    given_architecture,
    hyperparameters_typed,
    method_options,
)
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import Trainer
from drivederain.engine.train_apart import TrainingFailed, train_apart
from drivederain.errors import DriveDeRainError, OptionError, WeightsError
from drivederain.implementation import install_hint, missing_modules
from drivederain.names import did_you_mean
from drivederain.plugin_code import code_of
from drivederain.registry import Registry
from drivederain.specs import MethodSpec
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.weights import FoundWeights, NoWeightsError, given, read_weights, shipped
from drivederain.weights_library import WeightsLibrary


class Preparation:
    """Prepares stages; a prefix that several chains share is prepared once."""

    def __init__(self, settings: RunSettings, registry: Registry, device: torch.device, display: Display) -> None:
        self.logs = settings.out / "logs"
        self.settings, self.registry, self.device, self.display = settings, registry, device, display
        self.library = WeightsLibrary(settings.cache)
        self.trainer: Trainer | None = None
        """Trains what has no weights; to be set before ``stage`` where there is anything to train on."""
        self._stages: dict[str, ReadyStage] = {}
        self._given: dict[str, FoundWeights] = {}

    def check(self, chains: Sequence[ChainSpec]) -> None:
        """Check what the user typed of options and weights, before anything runs.

        Raises:
            DriveDeRainError: options or files that are not usable, or that name a method of no chain.
        """
        names = {stage.name for chain in chains for stage in chain.stages}
        for flag, typed in (("--weights", self.settings.weights), ("--set", self.settings.options)):
            for name in typed:
                self.registry.method(name)
                if name not in names:
                    there = ", ".join(chain.name for chain in chains)
                    hint = did_you_mean(name, names)
                    raise OptionError(f"{flag} {name}: no chain of this run has that method.{hint} Chains: {there}.")
        for name, path in self.settings.weights.items():
            spec = self.registry.method(name)
            if spec.file:
                raise OptionError(f"--weights {name}={path}: {name} is named with its file. Leave it out.")
            if not spec.needs_weights:
                raise OptionError(f"--weights {name}={path}: {name} takes no weights. Leave it out.")
            self._given[name] = weights_named(self.library, spec, path)
            read_weights(self._given[name].path, sha256=self._given[name].sha256)
        for name in sorted(names):
            spec = self.registry.method(name)
            if spec.file:
                self._given[name] = given(Path(spec.file))
                read_weights(Path(spec.file))
            if not missing_modules(spec.requires):
                # Options must go together with those that come with the weights, too.
                stored = self._given[name].architecture if name in self._given and self._typed(name) else None
                method_options(spec, self._typed(name), stored)
            if typed := hyperparameters_typed(self._typed(name)):
                Hyperparameters().changed(typed, f"--set {name}.{TRAINING}")

    def must_train(self, chains: Sequence[ChainSpec]) -> list[str]:
        """The methods that have no weights but can be trained, or all trainable ones with ``--train``."""
        names = dict.fromkeys(stage.name for chain in chains for stage in chain.stages)
        return [name for name in names if self._trains(self.registry.method(name))]

    def stage(self, chain: ChainSpec) -> ReadyStage:
        """The chain's last stage made ready, and so those before it. Problems are noted in it, not raised."""
        if chain.name not in self._stages:
            before = self.stage(chain.before) if chain.before else None
            made = self._resampled(chain, before) if chain.sample else self._prepare(chain, before)
            self._stages[chain.name] = made
        return self._stages[chain.name]

    def _resampled(self, chain: ChainSpec, before: ReadyStage | None) -> ReadyStage:
        """The chain's first sample with other noise: its weights and options, and nothing is trained for it."""
        seed = seed_of(self.settings.seed, "sample", chain.sample)
        return replace(self.stage(chain.of_sample(0)), chain=chain, before=before, seed=seed)

    def _prepare(self, chain: ChainSpec, before: ReadyStage | None) -> ReadyStage:
        spec = chain.last
        stage = ReadyStage(
            chain=chain,
            spec=spec,
            options=None,
            found=None,
            before=before,
            device=self.device,
            precision=choose_precision(self.settings.precision, spec.needs),
            seed=self.settings.seed,
            may_download=self.settings.download,
            batch=self.settings.batch,
            tile=self.settings.tile,
            code=code_of(spec.implementation),
        )
        if before is not None and not before.usable:
            stage.status, stage.reason = before.status, f"{before.chain.name} before it: {before.reason}"
            return stage
        missing = missing_modules(spec.requires)
        if missing:
            hint = install_hint(self.registry.owner("method", spec.name), spec.extra)
            stage.status = "skipped"
            stage.reason = f"needs {' and '.join(missing)}, not installed here. Install with: {hint}"
            return stage
        if self.settings.precision not in ("auto", stage.precision) and spec.needs_weights:
            self.display.warn(f"{spec.name} does not hold in {self.settings.precision}; it runs in {stage.precision}")
        try:
            stage.found = self._find(stage) if spec.needs_weights else None
            stored = stage.found.architecture if stage.found else {}
            stage.options = method_options(spec, self._typed(spec.name), stored)
        except NoWeightsError as error:
            stage.status, stage.reason = "skipped", str(error)
        except TrainingFailed as error:
            stage.status, stage.reason, stage.traceback = error.status, str(error), error.traceback
        except MethodCodeError as error:
            if isinstance(error, OSError) and self._is_the_machines(error):
                raise
            stage.status, stage.reason = describe(error)
            if not isinstance(error, DriveDeRainError):
                stage.traceback = traceback_of(error)
        return stage

    def _is_the_machines(self, error: OSError) -> bool:
        """Whether the machine cannot go on: its disk is full, or the cache cannot be written."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return True
        return Path(str(error.filename)).is_relative_to(self.settings.cache)

    def _typed(self, name: str) -> Mapping[str, str]:
        return self.settings.options.get(name, {})

    def _trains(self, spec: MethodSpec) -> bool:
        """Whether the method would be trained now, if there is no training like it in the cache."""
        can = spec.needs_weights and spec.trainable and not missing_modules(spec.requires)
        if not can or self.settings.train is False or spec.name in self.settings.weights:
            return False
        if self.settings.train is True:
            return True
        return not self.library.entries(spec.name) and self._shipped(spec) is None

    def _find(self, stage: ReadyStage) -> FoundWeights:
        spec = stage.spec
        if spec.file or spec.name in self.settings.weights:
            found = self._given.get(spec.name)
            if found is None:
                typed = Path(spec.file) if spec.file else self.settings.weights[spec.name]
                found = weights_named(self.library, spec, typed)
            return self._warn_of_strangers(stage, found)
        trainer = self.trainer if spec.trainable else None
        if trainer is not None and (cached := trainer.find(stage)):
            return cached
        trains = self._trains(spec)
        if not (trains and self.settings.train is True) and (there := self._in_library(spec) or self._shipped(spec)):
            return self._warn_of_strangers(stage, there)
        if trainer is not None and trains:
            return train_apart(trainer, stage, self.display, torch.get_num_threads(), self.logs)
        why = "and nothing is trained here" if spec.trainable else "and cannot be trained here"
        if self.settings.train is False and self.settings.data and spec.trainable:
            why = "and nothing is trained with --no-train, or by a suite that says so"
        addresses = any("://" in each.source for each in spec.weights)
        fetch = f"Fetch them with `drivederain-bench weights fetch {spec.name}`, or give" if addresses else "Give"
        raise NoWeightsError(f"{spec.name} has no weights, {why}. {fetch} --weights {spec.name}=PATH.")

    def _warn_of_strangers(self, stage: ReadyStage, found: FoundWeights) -> FoundWeights:
        """A refiner's weights fit the outputs of the stage they were trained behind; say so when it is another."""
        if stage.before is None or stage.spec.kind != "refiner":
            return found
        wanted = found.about.get("behind_sha256", "")
        actual = stage.before.found.sha256 if stage.before.found else ""
        trained = f"{stage.chain.name}: {stage.spec.name}'s weights were trained behind"
        if found.behind and found.behind != stage.before.chain.name:
            self.display.warn(f"{trained} {found.behind}, not {stage.before.chain.name}")
        elif wanted and wanted != actual:
            self.display.warn(f"{trained} other weights of {found.behind}")
        return found

    def _in_library(self, spec: MethodSpec) -> FoundWeights | None:
        """The one file of the method that the user fetched or added.

        Raises:
            NoWeightsError: there are several, and none was chosen.
        """
        entries = self.library.entries(spec.name)
        if len(entries) > 1:
            listed = ", ".join(each.name for each in entries)
            raise NoWeightsError(
                f"your library has several weights of {spec.name}: {listed}. Choose with --weights {spec.name}=NAME."
            )
        return of_entry(self.library, entries[0]) if entries else None

    def _shipped(self, spec: MethodSpec) -> FoundWeights | None:
        typed = self._typed(spec.name)
        for weights in spec.weights:
            if not weights.source.startswith("package:"):
                continue
            try:
                found = shipped(weights)
            except WeightsError as error:
                self.display.warn(f"{spec.name}: {error}")
                continue
            decides = given_architecture(typed, tuple(found.architecture))
            if agrees(found.architecture, {key: each for key, each in decides.items() if key not in spec.adjustable}):
                return found
        return None
