"""One run from its settings to its folder: plan, prepare, restore, score, write. The report is made of that folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

import drivederain
from drivederain.chain_expression import ChainSpec
from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.datasets import RunData, gather
from drivederain.engine.device import choose_device
from drivederain.engine.display import Display
from drivederain.engine.environment import environment, git_state
from drivederain.engine.pictures import link_outputs, store_inputs
from drivederain.engine.prepare import Preparation
from drivederain.engine.restore import Restorer
from drivederain.engine.rows import rows_of
from drivederain.engine.run_record import (
    Events,
    about_dataset,
    about_method,
    about_metrics,
    about_plugins,
    now,
)
from drivederain.engine.score import Scorer
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.timings import timing_row
from drivederain.engine.train import Trainer
from drivederain.errors import DataError
from drivederain.registry import Registry
from drivederain.results.cell import FinishedCell
from drivederain.results.run_folder import RunFolder, write_atomically
from drivederain.results.schema import SCHEMA_VERSION, Row
from drivederain.results.store import write_results, write_timings

REFERENCE = "identity"
"""Always added: the rainy input itself, which every gain is measured against."""


@dataclass(frozen=True)
class Outcome:
    """Where the run is, and the exit status: 0, or 1 if any chain lost a picture."""

    folder: RunFolder
    exit_status: int
    restored_now: int


def run_benchmark(settings: RunSettings, registry: Registry, display: Display) -> Outcome:
    """Run the benchmark and write everything but the report.

    Raises:
        DriveDeRainError: before anything is computed: names, options, data or devices that are not usable.
    """
    return _Run(settings, registry, display).execute()


class _Run:
    def __init__(self, settings: RunSettings, registry: Registry, display: Display) -> None:
        self.settings, self.registry = settings, registry
        self.started, self.clock = now(), time.monotonic()
        self.warnings: list[str] = []
        self.display: Display = _NotedWarnings(display, self.warnings)
        self.chains = registry.chains([REFERENCE, *settings.methods])
        self.metrics = registry.metric_variants(settings.metrics)
        self.device = choose_device(settings.device)
        self.folder = RunFolder(settings.out)
        self.preparation = Preparation(settings, registry, self.device, self.display)

    def execute(self) -> Outcome:
        self.preparation.check(self.chains)
        self._check_folder()
        must_train = self.preparation.must_train(self.chains)
        data = gather(self.settings, self.registry, must_train=must_train)
        if data.training:
            self.preparation.trainer = Trainer(self.settings, self.display, data.training, data.trained_on)
        self._make_folder()
        self.events = Events(self.folder.events_jsonl)
        self.events.write("started", command=list(self.settings.command))
        self._warn_of_data(data)
        sample_sets = [sample_set for _, sample_set in data.tested]
        stages = {chain.name: self.preparation.stage(chain) for chain in self.chains}
        for spec in dict.fromkeys(each.spec for stage in stages.values() if stage.usable for each in stage.all_stages):
            if spec.non_commercial:
                self.display.warn(f"{spec.name} is not for commercial use: {spec.licence}")
        self._warn_of_seen(stages.values(), sample_sets)
        restorer = Restorer(self.settings.cache, self.display, self.settings.overwrite, self.settings.timeout)
        restored = self._restore(stages, sample_sets, restorer)
        rows, timings = self._score(stages, sample_sets, restorer)
        self._store_pictures(stages, sample_sets, restorer)
        methods = [
            about_method(stage, restorer.cell(stage), sample_sets, restored[name], self._facts(stage, restorer))
            for name, stage in stages.items()
        ]
        exit_status = int(
            any(method["status"] != "ok" for method in methods)
            or any(row.status in ("failed", "oom", "timeout") for row in rows)
        )
        write_results(self.folder.results_parquet, rows)
        write_timings(self.folder.timings_parquet, timings)
        self._write_record(data, methods, exit_status)
        self.events.write("finished", exit_status=exit_status, seconds=round(time.monotonic() - self.clock, 1))
        return Outcome(self.folder, exit_status, sum(restored.values()))

    def _check_folder(self) -> None:
        path = self.folder.path
        if path.exists() and not path.is_dir():
            raise DataError(f"--out {path} is a file. Give a folder for the run.")
        if (
            path.is_dir()
            and any(path.iterdir())
            and not (self.folder.run_json.exists() or self.folder.events_jsonl.exists())
        ):
            raise DataError(f"--out {path} holds files that are not of a run. Give an empty or a new folder.")

    def _make_folder(self) -> None:
        """Only now, so that a command that was refused leaves nothing behind."""
        path = self.folder.path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"--out {path} cannot be made ({error.strerror}). Give a folder that can be written."
            ) from error

    def _warn_of_data(self, data: RunData) -> None:
        for problem in data.problems:
            self.events.write("problem", file=problem.file, reason=problem.reason)
        for _, sample_set in data.tested:
            if sample_set.split == "test" and sample_set.has_truth and data.training:
                self.display.warn(f"{sample_set.name}: only its test part is scored; {data.trained_on} is for training")

    def _warn_of_seen(self, stages: Iterable[ReadyStage], sample_sets: Sequence[SampleSet]) -> None:
        for stage in stages:
            trained = stage.training_pictures()
            for sample_set in sample_sets:
                seen = {sample.content for sample in sample_set.samples if sample.content in trained}
                if seen:
                    self.display.warn(
                        f"{stage.chain.name}: {len(seen)} pictures of {sample_set.name} were in its training set "
                        "(their rows are marked seen); its scores there say little of new pictures"
                    )

    def _prefixes(self) -> list[ChainSpec]:
        """Every prefix of every chain once, shorter ones first where they belong together."""
        return list(dict.fromkeys(prefix for chain in self.chains for prefix in chain.prefixes))

    def _restore(
        self, stages: dict[str, ReadyStage], sample_sets: Sequence[SampleSet], restorer: Restorer
    ) -> dict[str, int]:
        restored = dict.fromkeys(stages, 0)
        for prefix in self._prefixes():
            stage = self.preparation.stage(prefix)
            cell = restorer.cell(stage)
            for sample_set in sample_sets:
                began = time.monotonic()
                count = restorer.restore(stage, sample_set.samples, sample_set.name)
                if prefix.name in restored:
                    restored[prefix.name] += count
                finished = self._finished(stage, cell, sample_set, count, time.monotonic() - began)
                self.events.write("restored", **vars(finished))
                for failure in self.registry.cell_finished(finished):
                    self.display.warn(f"{failure.plugin}: {failure.hook} failed: {failure.reason}")
        restorer.release()
        return restored

    def _finished(
        self, stage: ReadyStage, cell: Cell, sample_set: SampleSet, count: int, seconds: float
    ) -> FinishedCell:
        about = about_method(stage, cell, [sample_set], count, {})
        # "partly" is for the report; a cell is ok or it is not.
        failed = stage.problem[0] if not stage.usable else "failed"
        return FinishedCell(
            method=stage.chain.name,
            dataset=sample_set.name,
            key=cell.key,
            status="ok" if about["status"] == "ok" else failed,
            reason=about["reason"],
            images=about["images_ok"],
            restored_now=count,
            seconds=round(seconds, 3),
        )

    def _score(
        self, stages: dict[str, ReadyStage], sample_sets: Sequence[SampleSet], restorer: Restorer
    ) -> tuple[list[Row], list[dict[str, Any]]]:
        scorer = Scorer(self.metrics, self.device, self.display)
        rows: list[Row] = []
        timings: list[dict[str, Any]] = []
        for name, stage in stages.items():
            cell = restorer.cell(stage)
            for sample_set in sample_sets:
                scores = scorer.scores(cell, sample_set.samples, f"{name} on {sample_set.name}")
                rows += rows_of(self.folder.name, stage, cell, sample_set, scores, self.metrics)
                timing = timing_row(
                    self.folder.name,
                    stage,
                    [restorer.cell(self.preparation.stage(prefix)) for prefix in stage.chain.prefixes],
                    sample_set,
                    cell.facts.get("peak_memory_mb"),
                    cell.facts.get("facts", {}).get("parameters"),
                )
                timings += [timing] if timing else []
        scorer.close()
        return rows, timings

    def _store_pictures(
        self, stages: dict[str, ReadyStage], sample_sets: Sequence[SampleSet], restorer: Restorer
    ) -> None:
        samples: list[Sample] = [sample for sample_set in sample_sets for sample in sample_set.samples]
        self.display.begin("store pictures", len(samples))
        for number, sample in enumerate(samples, start=1):
            store_inputs(self.folder, sample)
            self.display.advance(number)
        for name, stage in stages.items():
            link_outputs(self.folder, name, restorer.cell(stage), samples)
        self.display.end()

    def _facts(self, stage: ReadyStage, restorer: Restorer) -> dict[str, Any]:
        facts = {}
        for prefix in stage.chain.prefixes:
            ready = self.preparation.stage(prefix)
            facts[ready.spec.name] = restorer.cell(ready).facts.get("facts", {})
        return facts

    def _write_record(self, data: RunData, methods: list[dict[str, Any]], exit_status: int) -> None:
        settings = self.settings
        record = {
            "schema_version": SCHEMA_VERSION,
            "name": self.folder.name,
            "command": list(settings.command),
            "started": self.started,
            "finished": now(),
            "seconds": round(time.monotonic() - self.clock, 1),
            "exit_status": exit_status,
            "version": drivederain.__version__,
            "git": git_state(),
            "suite": settings.suite,
            "protocol": self._protocol(),
            "datasets": [about_dataset(text, sample_set) for text, sample_set in data.tested],
            "methods": methods,
            "metrics": about_metrics(self.metrics),
            "problems": [vars(problem) for problem in data.problems],
            "warnings": self.warnings,
            "environment": environment(self.device),
            "plugins": about_plugins(self.registry),
        }
        write_atomically(self.folder.run_json, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())

    def _protocol(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "size": "native" if settings.size is None else str(settings.size),
            "seed": settings.seed,
            "device": self.device.type,
            "precision": settings.precision,
            "threads": torch.get_num_threads(),
            "limit": settings.limit,
            "intensities": list(settings.intensities),
            "overwrite": settings.overwrite,
            "train": settings.train is not False,
            "budget": str(settings.budget),
        }


class _NotedWarnings:
    """A display whose warnings are also kept for the report, each once."""

    def __init__(self, display: Display, warnings: list[str]) -> None:
        self.display, self.warnings = display, warnings
        self.begin, self.advance, self.end = display.begin, display.advance, display.end

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)
            self.display.warn(message)
