"""Make every stage of every chain ready: decide its options, find its weights, or train them within the budget.

Weights are looked for in this order: given by the user; the user's cache (trained here on the same data within the same
budget); shipped with the plugin; trained now. If none can be had, the chain is skipped with the reason. Random weights
are never scored.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.chain_expression import ChainSpec
from drivederain.data.sample import Sample
from drivederain.engine.display import Display
from drivederain.engine.keys import key_of, seed_of
from drivederain.engine.options import agrees, given_architecture, method_options
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage, stage_precision
from drivederain.errors import DriveDeRainError, WeightsError
from drivederain.implementation import install_hint, load_implementation, missing_modules
from drivederain.method import Method
from drivederain.registry import Registry
from drivederain.results.run_folder import write_atomically
from drivederain.specs import MethodSpec
from drivederain.training.fit import fit
from drivederain.weights import FoundWeights, WeightsCache, given, serialise, shipped

TRAINING_VERSION = 1
"""Raised whenever the core's part of training could change the weights."""


class Preparation:
    """Prepares stages; a prefix that several chains share is prepared once."""

    def __init__(self, settings: RunSettings, registry: Registry, device: torch.device, display: Display) -> None:
        self.settings, self.registry, self.device, self.display = settings, registry, device, display
        self.weights = WeightsCache(settings.cache)
        self.samples: Sequence[Sample] = ()
        """What is trained on, if anything must be; set before ``stage``."""
        self.trained_on = ""
        self._stages: dict[str, ReadyStage] = {}

    def must_train(self, chains: Sequence[ChainSpec]) -> list[str]:
        """The methods that have no weights but can be trained, or all trainable ones with ``--train``.

        Raises:
            DriveDeRainError: an option or a weights file that the user typed is not usable.
        """
        names = dict.fromkeys(stage.name for chain in chains for stage in chain.stages)
        return [name for name in names if self._trains(self.registry.method(name))]

    def _trains(self, spec: MethodSpec) -> bool:
        if self.settings.train is False or not (spec.needs_weights and spec.trainable) or missing_modules(spec.requires):
            return False
        if spec.name in self.settings.weights:
            return False
        return self.settings.train is True or self._shipped(spec) is None

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
                    raise DriveDeRainError(f"{flag} {name}: the method is in none of the chains {', '.join(c.name for c in chains)}")
        for name in sorted(names):
            spec = self.registry.method(name)
            if spec.options and not missing_modules(spec.requires):
                method_options(spec, self._typed(name))
            if name in self.settings.weights:
                given(self.settings.weights[name])

    def stage(self, chain: ChainSpec) -> ReadyStage:
        """The chain's last stage made ready, and so those before it. Problems are noted in it, not raised."""
        if chain.name not in self._stages:
            before = self.stage(chain.before) if chain.before else None
            self._stages[chain.name] = self._prepare(chain, before)
        return self._stages[chain.name]

    def _prepare(self, chain: ChainSpec, before: ReadyStage | None) -> ReadyStage:
        spec = chain.last
        stage = ReadyStage(
            chain=chain, spec=spec, options=None, found=None, before=before, device=self.device,
            precision=stage_precision(self.settings.precision, spec, self.device), seed=self.settings.seed,
            may_download=self.settings.download,
        )  # fmt: skip
        if before is not None and not before.usable:
            stage.status, stage.reason = before.status, f"{before.chain.name} before it: {before.reason}"
            return stage
        missing = missing_modules(spec.requires)
        if missing:
            hint = install_hint(self.registry.owner("method", spec.name), spec.extra)
            stage.status, stage.reason = "skipped", f"needs {' and '.join(missing)}, not installed here. Install with: {hint}"
            return stage
        if self.settings.precision not in ("auto", stage.precision):
            self.display.warn(f"{spec.name} does not hold in {self.settings.precision}; it runs in {stage.precision}")
        try:
            stage.found = self._find(spec, stage) if spec.needs_weights else None
            stored = stage.found.about.get("architecture", {}) if stage.found else {}
            stage.options = method_options(spec, self._typed(spec.name), stored)
        except _NoWeights as error:
            stage.status, stage.reason = "skipped", str(error)
        except DriveDeRainError as error:
            stage.status, stage.reason = "failed", str(error)
        except Exception as error:
            stage.status, stage.reason = "failed", f"{type(error).__name__}: {error}"
            stage.traceback = traceback.format_exc()
        return stage

    def _typed(self, name: str) -> Mapping[str, str]:
        return self.settings.options.get(name, {})

    def _find(self, spec: MethodSpec, stage: ReadyStage) -> FoundWeights:
        if spec.name in self.settings.weights:
            return self._warn_of_strangers(stage, given(self.settings.weights[spec.name]))
        plan = self._training_plan(spec, stage) if self.samples and spec.trainable else None
        if plan and (cached := self.weights.find(spec, key_of(plan))):
            return cached
        if self.settings.train is not True and (found := self._shipped(spec)):
            return self._warn_of_strangers(stage, found)
        if plan and self._trains(spec):
            return self._train(spec, stage, plan)
        if self.settings.train is False:
            raise _NoWeights(f"{spec.name} has no weights, and --no-train forbids to train it. Give --weights {spec.name}=PATH.")
        raise _NoWeights(f"{spec.name} has no weights and cannot be trained here. Give --weights {spec.name}=PATH.")

    def _warn_of_strangers(self, stage: ReadyStage, found: FoundWeights) -> FoundWeights:
        """A refiner's weights fit the outputs of the stage they were trained behind; say so when it is another."""
        if stage.before is None or stage.spec.kind != "refiner":
            return found
        wanted = found.about.get("behind_sha256", "")
        actual = stage.before.found.sha256 if stage.before.found else ""
        if found.behind and found.behind != stage.before.chain.name:
            self.display.warn(f"{stage.chain.name}: {stage.spec.name}'s weights were trained behind {found.behind}, not {stage.before.chain.name}")
        elif wanted and wanted != actual:
            self.display.warn(f"{stage.chain.name}: {stage.spec.name}'s weights were trained behind other weights of {found.behind}")
        return found

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
            architecture = found.about.get("architecture", {})
            if agrees(architecture, given_architecture(typed, tuple(architecture))):
                return found
        return None

    def _training_plan(self, spec: MethodSpec, stage: ReadyStage) -> dict[str, Any]:
        options = method_options(spec, self._typed(spec.name))
        return {
            "training": TRAINING_VERSION,
            "method": spec.name,
            "version": spec.version,
            "implementation": spec.implementation,
            "options": options.model_dump(mode="json") if options is not None else {},
            "data": key_of([[sample.rainy.fingerprint, sample.clear.fingerprint] for sample in self.samples if sample.clear]),
            "budget": str(self.settings.budget),
            "seed": self.settings.seed,
            "behind": stage.before.key_parts() if spec.kind == "refiner" and stage.before else None,
            "device": self.device.type,
            "threads": torch.get_num_threads() if self.device.type == "cpu" else 0,
            "torch": torch.__version__,
        }

    def _train(self, spec: MethodSpec, stage: ReadyStage, plan: Mapping[str, Any]) -> FoundWeights:
        options = method_options(spec, self._typed(spec.name))
        method: Method = load_implementation(spec.implementation, owner=f"method {spec.name}")(options)
        method.may_download = self.settings.download
        # The network's first weights are drawn here: name the seed, or they would depend on what ran before.
        torch.manual_seed(seed_of(self.settings.seed, "start", spec.name))
        method.load(None, self.device)
        recipe = method.training()
        if recipe is None:
            raise _NoWeights(f"{spec.name} has no weights and offers no training. Give --weights {spec.name}=PATH.")
        estimate = None
        if spec.kind == "refiner" and stage.before is not None:
            estimate = self._estimates(stage.before)
        self.display.begin(f"train {stage.chain.name} ({self.settings.budget})", 100)
        record = fit(
            recipe, self.samples, budget=self.settings.budget, seed=seed_of(self.settings.seed, "train", spec.name),
            device=self.device, estimate=estimate, report=lambda share, words: self.display.advance(100 * share, words),
        )  # fmt: skip
        self.display.end(f"{record.steps} steps in {record.seconds:.0f} s")
        about = {
            "method": spec.name,
            "architecture": {name: getattr(options, name) for name in method.architecture},
            "trained_on": self.trained_on,
            "budget": record.budget,
            "steps": record.steps,
            "training": vars(record),
            "behind": stage.before.chain.name if stage.before and spec.kind == "refiner" else "",
            "behind_sha256": stage.before.found.sha256 if stage.before and stage.before.found and spec.kind == "refiner" else "",
            "training_pictures": sorted({sample.content for sample in self.samples if sample.content}),
            "facts": method.facts(),
        }
        key = key_of(plan)
        path = self.weights.path(spec.name, key)
        write_atomically(path, serialise(method.state(), about))
        method.close()
        found = self.weights.find(spec, key)
        if found is None:
            raise WeightsError(f"{path}: the weights trained just now could not be read again")
        return found

    def _estimates(self, before: ReadyStage) -> Any:
        """The frozen prefix as a function of a sample; its outputs are kept in its cell like any others."""
        from drivederain.engine.restore import Restorer

        restorer = Restorer(self.settings.cache, self.display)

        def estimate(sample: Sample) -> NDArray[np.uint8]:
            return restorer.output(before, sample)

        return estimate


class _NoWeights(DriveDeRainError):
    """No weights can be had: the chain is skipped, not failed."""
