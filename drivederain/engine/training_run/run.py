"""Train one method: ``drivederain-bench train``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import nn

import drivederain
from drivederain.chain_expression import ChainSpec
from drivederain.data.sample import Sample
from drivederain.engine.device import DeviceRunner, choose_device, noise_name
from drivederain.engine.display import Display
from drivederain.engine.environment import environment, git_state
from drivederain.engine.keys import seed_of
from drivederain.engine.named_weights import weights_named
from drivederain.engine.on_demand import OnDemand
from drivederain.engine.options import TRAINING, hyperparameters_typed, key_options, method_options
from drivederain.engine.prepare import Preparation
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage, make_method, plain_facts
from drivederain.engine.step_down import free_memory, is_out_of_memory
from drivederain.engine.train import about_training, check_crops, check_losses, estimates_of, prefix_of
from drivederain.engine.training_run.cross_fit import cross_fitted, fold_settings
from drivederain.engine.training_run.data import FoundData, find_data
from drivederain.engine.training_run.fitted import Fitter
from drivederain.engine.training_run.joint import (
    LoadedStage,
    chain_estimate,
    joint_recipe,
    load_stages,
    serialised_stages,
    sha256,
)
from drivederain.engine.training_run.settings import DEFAULT_BUDGET, TrainSettings
from drivederain.errors import DataError, MethodError, OptionError
from drivederain.method import Method, Refiner
from drivederain.names import did_you_mean
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.specs import MethodSpec, PresetSpec
from drivederain.training.data import Estimate
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.observer import Observer
from drivederain.training.plan import check_plan
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord
from drivederain.training.saving import Keeping, beside
from drivederain.training.scene_variation import idle_variations
from drivederain.training.validation import scores_of
from drivederain.weights import NoWeightsError, given, read_weights, serialise
from drivederain.weights_library import WeightsLibrary

NOT_ASKED = {"joint": False, "folds": 0, "left_out": None}
"""What a training was begun with whose record is older than these."""
WORDS = {"behind": "stage before it", "before": "list of stages before it", "left_out": "fold"}
"""How parts of an identity are named to the user."""


class TrainDisplay(Display, Observer, Protocol):
    """Shows what is prepared and how the training goes."""


@dataclass(frozen=True)
class TrainOutcome:
    """What a training came to. ``rainy`` are the scores of the rainy validation pictures themselves."""

    folder: TrainingFolder
    record: TrainingRecord
    rainy: dict[str, Any]
    estimates: dict[str, Any] = field(default_factory=dict)
    """Of a refiner: the scores of the chain before it on them."""
    before: str = ""
    """The chain before a refiner."""
    fitted: dict[str, Any] = field(default_factory=dict)
    """Options that were fitted on the validation pictures at the end."""


def train_method(settings: TrainSettings, registry: Registry, display: TrainDisplay) -> TrainOutcome:
    """Train, from the beginning or from the folder's last checkpoint on, until the budget or a rule ends it.

    Raises:
        DriveDeRainError: anything that the user can mend: names, options, data, folder, a loss that exploded.
    """
    return _Training(settings, registry, display).run()


class _Training:
    def __init__(self, settings: TrainSettings, registry: Registry, display: TrainDisplay) -> None:
        self.settings, self.registry, self.display = settings, registry, display
        self.folder = TrainingFolder(settings.out)
        self.chain = registry.chain(settings.method)
        self.spec = self.chain.last
        if not self.spec.trainable:
            raise OptionError(f"{self.spec.name} cannot be trained: it has nothing to train, or comes ready")
        self.preset = preset_of(self.spec, settings.preset)
        self.device = choose_device(settings.device)

    def run(self) -> TrainOutcome:
        settings, spec = self.settings, self.spec
        method = self._method()
        recipe = self._recipe(method)
        found = find_data(settings, recipe.hyperparameters, self.registry)
        facts = self._facts(method)
        self.display.note(f"{spec.name}: {', '.join(f'{name} {_shown(value)}' for name, value in facts.items())}")
        if not found.data.validation:
            self.display.note(
                "nothing to validate on: no best weights, PSNR or early stopping. Give --val-data, or more pictures"
            )
        for problem in found.problems:
            self.display.note(f"left out {problem.file}: {problem.reason}")
        if idle := idle_variations(recipe.hyperparameters, found.data.samples):
            self.display.note(
                f"{', '.join(idle)}: without effect, as scenes are varied before new rain is drawn on them, and none "
                "is drawn here"
            )
        behind = self._behind()
        joint = self._stages(behind) if settings.joint else []
        network = recipe.module.network if isinstance(recipe.module, RestorationModule) else None
        if recipe.hyperparameters.compile and isinstance(network, nn.ParameterList):
            raise OptionError(
                "training.compile: adapters in a frozen base are trained, and nothing is compiled. Leave it out."
            )
        if joint:
            recipe = joint_recipe(joint, spec.name, recipe)
            check_crops(spec, recipe)
        identity = self._identity(method, recipe.hyperparameters, found, behind)
        self._check_resumed(identity)
        folds = self._folds(behind, joint)
        estimates = OnDemand(self._run_settings(), lambda words: self.display.advance(0, words))
        before_it = estimates_of(estimates, behind) if behind is not None else None
        channels_last = recipe.hyperparameters.channels_last
        estimate = chain_estimate(joint, self.device, channels_last=channels_last) if joint else before_it
        restore = _restorer(method, spec, self.device, estimate, channels_last=channels_last)
        about = {
            **settings.record(),
            "version": drivederain.__version__,
            "command": list(settings.command),
            "budget_words": str(self.budget),
            "hyperparameters": recipe.hyperparameters.model_dump(mode="json"),
            "method_options": {} if method.options is None else method.options.model_dump(mode="json"),
            "trained_on": found.trained_on,
            "validated_on": found.validated_on,
            "samples": len(found.data.samples),
            "validation_samples": len(found.data.validation),
            "facts": facts,
            "identity": identity,
            "environment": environment(self.device),
            "git": git_state(),
        }
        devices = Devices(self.device, self._precision(), settings.devices, settings.nodes, settings.workers)
        check_plan(recipe.hyperparameters, found.data, devices, self.budget, refines=behind is not None, validates=True)
        keeping = self._keeping(method, found, behind, facts, joint)
        # What is saved: a frozen base whose adapters are trained is not.
        states = [each.state() for each in (method, *(stage.method for stage in joint))]
        parameters = sum(value.numel() for state in states for value in state.values())
        keeping.check(parameters, epochs=self.budget.epochs or 0)
        with self._alone():
            self._clear_attempt()
            rainy, before = dict[str, Any](), dict[str, Any]()
            if found.data.validation:
                scores = scores_of(found.data.validation, lambda sample: sample.rainy.load())
                rainy = vars(scores) | {"loss": None}
                keeping = replace(keeping, rainy=scores)
                if before_it is not None and behind is not None:
                    scores = scores_of(found.data.validation, before_it)
                    before = vars(scores) | {"loss": None}
                    keeping = replace(keeping, before=(behind.chain.name, scores))
            about |= {"rainy": rainy, "estimates": before, "before": behind.chain.name if behind else ""}
            self._write(about | {"status": "running"})
            fitted: dict[str, Any] = {}
            try:
                for number, fold in enumerate(folds, 1):
                    self.display.note(f"fold {number} of {len(folds)}: {fold.method} without its scenes, {fold.budget}")
                    # One that is done is compared with what is asked for now, and ends at once.
                    stopped = train_method(fold, self.registry, self.display).record
                    if stopped.interrupted:
                        self._write(about | {"status": "interrupted"})
                        return TrainOutcome(self.folder, stopped, rainy)
                fitted_folds = None
                if folds and behind is not None:
                    fitted_folds = cross_fitted(folds, behind, found.data.samples, estimates)
                prefixes = [] if behind is None or joint else [prefix_of(estimates, behind)]
                record = fit(
                    recipe,
                    found.data,
                    budget=self.budget,
                    seed=seed_of(settings.seed, "train", spec.name),
                    devices=devices,
                    estimate=None if joint else fitted_folds.estimate if fitted_folds else estimate,
                    prefixes=fitted_folds.prefixes if fitted_folds else prefixes,
                    folds=fitted_folds.folds if fitted_folds else None,
                    estimate_to_validate=None if joint else estimate,
                    validate=restore,
                    validate_every=settings.validate_every,
                    observer=self.display,
                    keeping=keeping,
                )
            except BaseException as error:
                reason = str(error) or type(error).__name__
                if is_out_of_memory(error):
                    reason = _less_memory(recipe.hyperparameters)
                # What is said of the end must not hide why it ended.
                with suppress(OSError):
                    self._write(about | {"status": "failed", "stop_reason": reason})
                if is_out_of_memory(error):
                    raise MethodError(reason) from error
                raise
            else:
                self._write(about | self._outcome(record))
                for each in (method, *(stage.method for stage in joint)):
                    each.close()
                # What fits loads the weights anew, beside which there may be no room.
                del recipe, states, network
                free_memory(self.device)
                if not record.interrupted and not joint:
                    fitted = self._fit(method, found, estimate, channels_last)
            finally:
                estimates.close()
            self._write(about | self._outcome(record) | {"fitted": fitted})
            return TrainOutcome(self.folder, record, rainy, before, about["before"], fitted)

    def _fit(self, method: Method, found: FoundData, estimate: Estimate | None, channels_last: bool) -> dict[str, Any]:
        """Fit what can be fitted, for the best weights and the last."""
        if not is_first_process():
            return {}
        fitter = Fitter(
            samples=found.data.validation,
            typed=frozenset(self._typed()),
            make=lambda changes: make_method(self.spec, _replaced(method.options, changes), may_download=False),
            load=lambda other, path: other.load(read_weights(path), self.device),
            restore=lambda other: _restorer(other, self.spec, self.device, estimate, channels_last=channels_last),
            estimate=estimate,
        )
        fitted: dict[str, Any] = {}
        for path in (self.folder.last, self.folder.best):
            if path.exists() and (values := fitter.fit(path)):
                fitted[path.stem] = values
                words = ", ".join(f"{name} {value:g}" for name, value in values.items())
                self.display.note(f"{path.name}: {words}, fitted on {len(found.data.validation)} validation pictures")
        return fitted

    def _clear_attempt(self) -> None:
        """Take out what an attempt left that was killed before its first state.

        Raises:
            DataError: there are weights of a training whose state is lost.
        """
        folder = self.folder
        if not is_first_process() or not folder.record.exists() or folder.state.exists():
            return
        kept = [
            path for path in (folder.last, *sorted(folder.checkpoints.glob("epoch_*.safetensors"))) if path.exists()
        ]
        if folder.read_record().get("status") == "finished" and folder.best.exists():
            kept.append(folder.best)
        if kept:
            raise DataError(
                f"{folder.path}: the state of its training ({folder.state.name}) is not there. Put it back to go on, "
                f"or give another --out, where --weights {self.spec.name}={kept[0]} starts from its weights."
            )
        folds = " with the folds that are there" if self.settings.folds else ""
        self.display.note(f"{folder.path} has no state to go on from: the training begins anew{folds}")
        folder.clear()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock; several processes of one training are one.

        Raises:
            DataError: another training has it.
        """
        if not is_first_process():
            yield
            return
        lock = FileLock(self.folder.lock, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            words = f"another training goes on in {self.folder.path}. Wait for it, or give another --out."
            raise DataError(words) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def budget(self) -> Budget:
        if self.settings.budget is not None:
            return self.settings.budget
        return Budget.parse(self.preset.budget) if self.preset and self.preset.budget else DEFAULT_BUDGET

    @property
    def _goes_on(self) -> bool:
        """Whether there is a state to go on from; a training that was killed before its first has none."""
        return self.settings.resume and self.folder.state.exists() and self.folder.last.exists()

    def _facts(self, method: Method) -> dict[str, Any]:
        """What the method said of itself when the training began."""
        return dict(self.folder.read_record()["facts"]) if self._goes_on else plain_facts(method)

    def _typed(self) -> Mapping[str, str]:
        return self.settings.options.get(self.spec.name, {})

    def _method(self) -> Method:
        """The method to be trained, with random weights or those that it starts from.

        A training that goes on gets all its weights from its state. It is built with the last ones of its folder, as
        pretrained encoders and weights to start from need not be on the machine that it goes on on.
        """
        settings, spec = self.settings, self.spec
        start = None
        if self._goes_on:
            before, now = self.folder.read_record()["weights"].get(spec.name), settings.weights.get(spec.name)
            if str(now) != str(before):
                raise _changed(self.folder, "start (--weights)", before or "random", now)
            start = given(self.folder.last)
        elif spec.name in settings.weights:
            start = weights_named(WeightsLibrary(settings.cache), spec, settings.weights[spec.name])
        stored = dict(self.preset.options) if self.preset else {}
        stored |= start.architecture if start else {}
        begun = dict(self.folder.read_record().get("method_options", {})) if settings.resume else {}
        if start is not None and not start.architecture:
            # Other people's file tells these itself; the defaults that were noted of it were never asked for.
            defaults = key_options(method_options(spec, {}))
            begun = {
                name: value for name, value in begun.items() if name not in spec.read_off or value != defaults.get(name)
            }
        options = method_options(spec, self._typed(), stored | begun)
        self._check_options(options, begun)
        method = make_method(spec, options, may_download=settings.download)
        if isinstance(method, Refiner) and not settings.resume:
            # What was fitted for the weights that it starts from does not fit those that it will have.
            meanwhile = {name: value for name, value in method.fitted_as.items() if name not in self._typed()}
            method = make_method(spec, _replaced(options, meanwhile), may_download=settings.download)
        torch.manual_seed(seed_of(settings.seed, "start", spec.name))
        method.load(read_weights(start.path) if start else None, self.device)
        return method

    def _recipe(self, method: Method) -> Recipe:
        recipe = method.training()
        if recipe is None:
            raise NoWeightsError(f"{self.spec.name} offers no training with these options")
        owner = f"--set {self.spec.name}.{TRAINING}"
        hyperparameters = recipe.hyperparameters
        if self.preset:
            hyperparameters = hyperparameters.changed(dict(self.preset.training), f"preset {self.preset.name}: ")
        typed = hyperparameters_typed(self._typed())
        check_losses(self.spec, recipe, typed)
        hyperparameters = self._as_begun(hyperparameters).changed(typed, owner)
        recipe = replace(recipe, hyperparameters=hyperparameters)
        check_crops(self.spec, recipe)
        return recipe

    def _as_begun(self, hyperparameters: Hyperparameters) -> Hyperparameters:
        """Those that a resumed training was begun with, whatever the defaults are by now."""
        if self.settings.resume and (before := self.folder.read_record().get("preset", "")) != self.settings.preset:
            raise _changed(self.folder, "preset", before or "none", self.settings.preset or "none")
        kept = self._before("hyperparameters")
        unknown = sorted(kept.keys() - Hyperparameters.model_fields.keys())
        if unknown:
            raise OptionError(
                f"{self.folder.path} was begun with the hyperparameter {unknown[0]}, which this version does not have. "
                "Go on with the version that its training.json names, or train anew with another --out."
            )
        return hyperparameters.changed(kept, f"{self.folder.record}: ")

    def _before(self, part: str) -> dict[str, Any]:
        """What ``identity`` of a resumed training's record says; empty for a new one."""
        record = self.folder.read_record() if self.settings.resume else {}
        return dict(record.get("identity", {}).get(part) or {})

    def _identity(
        self, method: Method, hyperparameters: Hyperparameters, found: FoundData, behind: ReadyStage | None
    ) -> dict[str, Any]:
        """What a training cannot change on the way."""
        return {
            "method": self.settings.method,
            "options": key_options(method.options) | self._before("options"),
            "hyperparameters": hyperparameters.model_dump(mode="json"),
            "seed": self.settings.seed,
            "precision": self._precision(),
            "validate_every": self.settings.validate_every,
            "behind": behind.found.sha256 if behind and behind.found else "",
            "before": [stage.found.sha256 if stage.found else "" for stage in behind.all_stages] if behind else [],
            "joint": self.settings.joint,
            "folds": self.settings.folds,
            "left_out": list(self.settings.left_out) if self.settings.left_out else None,
            "devices": self.settings.devices * self.settings.nodes,
            # Last: the others are among the reasons why it may differ.
            "data": found.fingerprint(photos=hyperparameters.consistency > 0),
        }

    def _check_options(self, options: Any, begun: Mapping[str, Any]) -> None:
        """A file counts by its content; the one that it was begun with may be gone, or lie elsewhere."""
        before, now = self._before("options"), key_options(options)
        typed = {} if options is None else options.model_dump(mode="json")
        for name, value in now.items():
            missing = value == typed[name] == begun.get(name)
            known = before.get(name, value)
            # A yes or no may have become a choice since.
            same = known == value or missing or (isinstance(known, bool) and not isinstance(value, bool))
            if not same:
                raise _changed(self.folder, f"option {name}", begun.get(name, before[name]), typed[name])

    def _check_resumed(self, identity: Mapping[str, Any]) -> None:
        if not self.settings.resume:
            return
        before = self.folder.read_record().get("identity", {})
        if self.chain.before is not None and "folds" not in before:
            raise OptionError(
                f"{self.folder.path} was begun with a version that trained refiners on kept estimates; this one makes "
                "them anew with new rain. Go on with the version that its training.json names, or train anew with "
                "another --out."
            )
        for name, value in identity.items():
            if name == "options":
                continue  # compared when the method was made
            if name == "hyperparameters":
                known = before.get(name) or {}
                for inner, each in value.items():
                    if known.get(inner, each) != each:
                        raise _changed(self.folder, f"{name[:-1]} {inner}", known.get(inner), each)
            elif (known := before.get(name, NOT_ASKED.get(name, value))) != value:
                shown = ("", "") if name == "data" else (known, value)
                raise _changed(self.folder, WORDS.get(name, name), *shown)

    def _behind(self) -> ReadyStage | None:
        """For a refiner, the chain before it made ready."""
        before = self.chain.before
        if before is None:
            return None
        if self.spec.kind != "refiner":
            raise OptionError(
                f"{self.settings.method}: {self.spec.name} is a stage and is trained alone. "
                f"Write train {self.spec.name}."
            )
        preparation = Preparation(self._run_settings(before), self.registry, self.device, self.display)
        preparation.check([before])
        stage = preparation.stage(before)
        if not stage.usable:
            raise OptionError(f"{before.name} before {self.spec.name} cannot be used: {stage.problem[1]}")
        return stage

    def _folds(self, behind: ReadyStage | None, joint: Sequence[LoadedStage]) -> list[TrainSettings]:
        """What the stage of each fold of cross-fitting is trained as; none where it was not asked for."""
        folds = self.settings.folds
        if not folds:
            return []
        if behind is None:
            raise OptionError(f"--folds {folds}: {self.spec.name} has no stage before it. Leave it out.")
        if joint:
            raise OptionError(f"--folds {folds}: with --joint the stage changes all the time. Leave one of them out.")
        return fold_settings(self.settings, behind, self.budget)

    def _stages(self, behind: ReadyStage | None) -> list[LoadedStage]:
        """The stages before a refiner, to be trained together with it."""
        if behind is None:
            raise OptionError(f"--joint: {self.spec.name} has no stage before it. Leave it out, or train a chain.")

        def kept(name: str) -> Path | None:
            return beside(self.folder.last, name) if self._goes_on else None

        return load_stages(behind, self.spec, kept)

    def _run_settings(self, chain: ChainSpec | None = None) -> RunSettings:
        """As a run has them that uses the stages before."""
        names = {stage.name for stage in (chain or self.chain).stages}
        return RunSettings(
            methods=((chain or self.chain).name,),
            data=self.settings.data,
            out=self.settings.out,
            cache=self.settings.cache,
            device=self.settings.device,
            seed=self.settings.seed,
            weights={name: path for name, path in self.settings.weights.items() if name in names},
            options={name: typed for name, typed in self.settings.options.items() if name in names},
            train=False,
            download=self.settings.download,
        )

    def _precision(self) -> Any:
        """fp32 unless asked for, or on a GPU that is good at bf16 for methods that restore in it."""
        wanted = self.settings.precision
        if wanted == "auto" and self.settings.resume:
            # What it was begun in, on whatever machine it goes on.
            wanted = self.folder.read_record().get("identity", {}).get("precision", wanted)
        if wanted != "auto":
            return wanted
        good = self.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if good and "bf16" in self.spec.needs.precisions else "fp32"

    def _keeping(
        self,
        method: Method,
        found: FoundData,
        behind: ReadyStage | None,
        facts: Mapping[str, Any],
        joint: Sequence[LoadedStage],
    ) -> Keeping:
        settings = self.settings

        def samples(record: TrainingRecord) -> list[Sample]:
            # Photos are only looked at, unless they train too.
            photos = found.data.photos if record.hyperparameters["consistency"] else ()
            return [*found.data.samples, *photos]

        def stages(record: TrainingRecord) -> dict[str, bytes]:
            return serialised_stages(joint, record, samples(record), found.trained_on)

        def serialised(record: TrainingRecord) -> bytes:
            about = about_training(self.spec, method, record, samples(record), found.trained_on, behind, facts)
            if settings.folds:
                about["folds"] = settings.folds
            if joint:
                about["behind_sha256"] = sha256(stages(record)[joint[-1].name])
            return serialise(method.state(), about, header=method.header())

        return Keeping(
            folder=self.folder,
            serialise=serialised,
            beside=stages if joint else None,
            resume=settings.resume,
            checkpoint_every=settings.checkpoint_every,
            samples_every=settings.samples_every,
            real_every=settings.real_every,
            save_seconds=settings.save_seconds,
            save_steps=settings.save_steps,
            tensorboard=settings.tensorboard,
        )

    def _write(self, record: Mapping[str, Any]) -> None:
        if is_first_process():
            self.folder.write_record(record)

    def _outcome(self, record: TrainingRecord) -> dict[str, Any]:
        best = record.best.row() if record.best else None
        return {
            "status": "interrupted" if record.interrupted else "finished",
            "stop_reason": record.stop_reason,
            "steps": record.steps,
            "epochs": record.epochs,
            "seconds": record.seconds,
            "best": best,
        }


def _less_memory(hyperparameters: Hyperparameters) -> str:
    """What to try instead: for the same memory pictures and network are looked at, for less batch and crop."""
    batch, accumulate = hyperparameters.batch_size, hyperparameters.accumulate
    elsewhere = "where it was in the validation, with a smaller --val-size."
    if hyperparameters.progressive:
        legs = ", ".join(f"{stage.batch_size} crops of {stage.crop}" for stage in hyperparameters.progressive)
        return (
            f"out of memory, with batches of {legs} pixels, one after the other. Train anew with smaller ones "
            f"(--set training.progressive); {elsewhere}"
        )
    smaller = f"a smaller training.crop; {elsewhere}"
    if batch > 1:
        smaller = (
            f"--set training.batch_size={batch // 2} --set training.accumulate={2 * accumulate} "
            f"(as many crops a step), or with {smaller}"
        )
    return f"out of memory, with batches of {batch} crops of {hyperparameters.crop} pixels. Train anew with {smaller}"


def is_first_process() -> bool:
    """Whether this process of a training on several devices writes and shows; launchers tell which it is."""
    return all(int(os.environ.get(name, "0")) == 0 for name in ("LOCAL_RANK", "NODE_RANK", "RANK", "SLURM_PROCID"))


def preset_of(spec: MethodSpec, name: str) -> PresetSpec | None:
    """The preset of a method by name; ``None`` for ``""``, the method's own recipe.

    Raises:
        OptionError: the method has no such preset.
    """
    if not name:
        return None
    known = {preset.name: preset for preset in spec.presets}
    if name not in known:
        there = f"It has: {', '.join(known)}." if known else "It has none: leave --preset out."
        raise OptionError(f"--preset {name}: {spec.name} has no such preset.{did_you_mean(name, known)} {there}")
    return known[name]


def _restorer(
    method: Method, spec: MethodSpec, device: torch.device, estimate: Estimate | None, *, channels_last: bool
) -> Callable[[Sample], NDArray[np.uint8]]:
    """The method as the benchmark uses it, with the weights that it has at the time.

    The network keeps the memory format that it is trained in. Were it changed at the first validation, the steps after
    it would be computed by other kernels, and a training that was resumed in between would end with other weights.
    """
    as_trained = replace(spec, needs=replace(spec.needs, channels_last=channels_last))
    runner = DeviceRunner(method, as_trained, device, precision="fp32", seed=0)

    def restore(sample: Sample) -> NDArray[np.uint8]:
        estimates = [estimate(sample)] if estimate is not None else None
        rainy = sample.rainy.load()
        return runner.restore([noise_name(rainy)], [rainy], estimates)[0].pixels

    return restore


def _replaced(options: Any, changes: Mapping[str, Any]) -> Any:
    return options.model_copy(update=dict(changes)) if changes else options


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _changed(folder: TrainingFolder, what: str, before: Any, now: Any) -> OptionError:
    values = f" was {before} and is now {now}" if (before, now) != ("", "") else " is not what it was begun with"
    return OptionError(
        f"{folder.path} cannot be gone on with: its {what}{values}. "
        "Leave it as it was, or train anew with another --out."
    )
