"""One run from its settings to its folder: plan, prepare, restore, score, write. The report is made of that folder."""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from filelock import FileLock, Timeout

import drivederain
from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.cache.differences import explain_miss
from drivederain.engine.ceilings import about_ceiling, ceiling_stage, ceilings_of, clear_samples
from drivederain.engine.cells import Cell
from drivederain.engine.datasets import RunData, gather
from drivederain.engine.device import choose_device
from drivederain.engine.display import Display
from drivederain.engine.environment import environment, git_state
from drivederain.engine.picture_facts import picture_rows
from drivederain.engine.pictures import RunPictures
from drivederain.engine.prepare import Preparation
from drivederain.engine.restore import MENDINGS, Restorer, Work
from drivederain.engine.rows import rows_of
from drivederain.engine.run_record import (
    Events,
    about_dataset,
    about_method,
    about_metrics,
    about_plugins,
    now,
    told_non_commercial,
)
from drivederain.engine.score import Place, Scorer, ScoresOf
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.timings import timing_row
from drivederain.engine.train import Trainer
from drivederain.engine.training_records import training_records
from drivederain.engine.worker import inline
from drivederain.engine.worker.supervisor import Limits, Supervisor, supervise
from drivederain.errors import DataError, DriveDeRainError
from drivederain.registry import Registry
from drivederain.results.cell import FinishedCell
from drivederain.results.run_folder import RunFolder, write_atomically
from drivederain.results.schema import SCHEMA_VERSION, Row, Status
from drivederain.results.store import ResultsWriter, write_pictures, write_timings

LOCK = ".lock"
"""In the run's folder, held while a run writes there."""

LOST: tuple[Status, ...] = ("failed", "oom", "timeout")
"""Statuses of rows that make the exit status 1; what was skipped could not be had."""

SCORE = 600.0
"""Seconds that all metrics have for the outputs of a picture, at least; ``--timeout`` may give them more."""

OVERLAPPING = {"cuda", "mps"}
"""Devices on which pictures are scored while the last method still restores. On a CPU both want the same cores."""

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
        self.threads = torch.get_num_threads()
        self._rows_lost = 0
        self.display: Display = _NotedWarnings(display, self.warnings)
        asked = registry.chains([REFERENCE, *settings.methods])
        # A chain's beginnings are restored anyway; their scores tell what each of its stages added.
        self.chains = list(dict.fromkeys(prefix for chain in asked for prefix in chain.prefixes))
        self.metrics = registry.metric_variants(settings.metrics)
        self.device = choose_device(settings.device)
        self.overlaps = self.device.type in OVERLAPPING
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
        lock = FileLock(self.folder.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise DataError(
                f"another run is writing to --out {self.folder.path}. Wait until it has ended, or give another --out."
            ) from None
        try:
            return self._in_folder(data)
        finally:
            lock.release()

    def _in_folder(self, data: RunData) -> Outcome:
        self.events = Events(self.folder.events_jsonl)
        self.events.write("started", command=list(self.settings.command))
        self._warn_of_data(data)
        sample_sets = [sample_set for _, sample_set in data.tested]
        stages = {chain.name: self.preparation.stage(chain) for chain in self.chains}
        for spec in dict.fromkeys(each.spec for stage in stages.values() if stage.usable for each in stage.all_stages):
            if spec.non_commercial:
                self.display.warn(f"{spec.name} is not for commercial use: {spec.licence}")
        self._warn_of_seen(stages.values(), sample_sets)
        samples = self._samples(stages)
        restorer = Restorer(self.settings, self.display, self.threads, self.folder.path / "logs")
        scorer = Scorer(self.metrics, self.device, self.threads, self.display)
        work = _Work(self, stages | samples, sample_sets, restorer, scorer)
        work.restore_and_score()
        self._store_pictures(work)
        ceilings = self._measure_ceilings(stages, sample_sets, restorer, scorer)
        restored = {name: sum(each.restored for each in done.values()) for name, done in work.done.items()}
        timings = self._write_rows(stages | samples, sample_sets, restorer, scorer)
        methods = [
            about_method(stage, restorer.cell(stage), sample_sets, restored[name], self._facts(stage, restorer))
            for name, stage in stages.items()
        ]
        told = {name: words for method in methods for name, words in told_non_commercial(method["facts"]).items()}
        for name, words in told.items():
            self.display.warn(f"{name} is not for commercial use: {words}")
        exit_status = int(self._rows_lost > 0 or any(method["status"] != "ok" for method in methods))
        write_timings(self.folder.timings_parquet, timings)
        write_pictures(self.folder.pictures_parquet, picture_rows(sample_sets))
        trainings = training_records(stages, self.folder, self.display.warn)
        self._write_record(data, methods, ceilings, trainings, exit_status)
        self.events.write("finished", exit_status=exit_status, seconds=round(time.monotonic() - self.clock, 1))
        return Outcome(self.folder, exit_status, sum(restored.values()))

    def _samples(self, stages: Mapping[str, ReadyStage]) -> dict[str, ReadyStage]:
        """The further samples of the chains that draw noise."""
        noisy = [stage.chain for stage in stages.values() if stage.draws_noise]
        if self.settings.samples > 1 and not noisy:
            self.display.warn(
                f"--samples {self.settings.samples}: no method of this run draws noise as its options are, so there is "
                "nothing to sample (the bridge of diffusion does with --set diffusion.eta=1 and two steps or more)"
            )
        chains = [chain.of_sample(number) for number in range(1, self.settings.samples) for chain in noisy]
        return {chain.name: self.preparation.stage(chain) for chain in chains}

    def _check_folder(self) -> None:
        path = self.folder.path
        if path.exists() and not path.is_dir():
            raise DataError(f"--out {path} is a file. Give a folder for the run.")
        if (
            path.is_dir()
            and any(entry.name != LOCK for entry in path.iterdir())
            and not (self.folder.run_json.exists() or self.folder.events_jsonl.exists())
        ):
            raise DataError(f"--out {path} holds files that are not of a run. Give an empty or a new folder.")

        if self.folder.run_json.is_file() and self.folder.about().get("merged"):
            raise DataError(f"--out {path} is a merged run. Give another folder, so that it is not overwritten.")

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
        if self.settings.shard is not None and self.settings.batch > 1:
            self.display.warn(
                f"--shard {self.settings.shard} with --batch {self.settings.batch}: pictures are batched within the "
                "shard, so that outputs may differ in a last bit from those of one run. Give --batch 1 for the same."
            )
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

    def tell(self, stage: ReadyStage, cell: Cell, sample_set: SampleSet, work: Work) -> None:
        """Note that a cell is finished for one sample set, and tell the plugins."""
        about = about_method(stage, cell, [sample_set], work.restored, {})
        # "partly" is for the report; a cell is ok or it is not.
        failed = stage.problem[0] if not stage.usable else "failed"
        finished = FinishedCell(
            method=stage.chain.method,
            sample=stage.chain.sample,
            dataset=sample_set.name,
            key=cell.key,
            status="ok" if about["status"] == "ok" else failed,
            reason=about["reason"],
            images=about["images_ok"],
            restored_now=work.restored,
            seconds=round(work.seconds, 3),
        )
        self.events.write("restored", **vars(finished))
        for failure in self.registry.cell_finished(finished):
            self.display.warn(f"{failure.plugin}: {failure.hook} failed: {failure.reason}")

    def _write_rows(
        self, stages: dict[str, ReadyStage], sample_sets: Sequence[SampleSet], restorer: Restorer, scorer: Scorer
    ) -> list[dict[str, Any]]:
        """Write the results row by row, in the order of the table, and return the rows of the timings."""
        timings: list[dict[str, Any]] = []
        with ResultsWriter(self.folder.results_parquet) as writer:
            for sample_set in sorted(sample_sets, key=lambda each: (each.name, each.split)):
                for method in sorted({stage.chain.method for stage in stages.values()}):
                    of_method = [stage for stage in stages.values() if stage.chain.method == method]
                    rows, cells = [], {}
                    for stage in of_method:
                        own = cells[stage.chain.sample] = [restorer.cell(each) for each in stage.all_stages]
                        scores = ScoresOf(scorer, own[-1], sample_set)
                        rows.append(rows_of(self.folder.name, stage, own, sample_set, scores, self.metrics))
                    writer.add(heapq.merge(*rows, key=_place_of))
                    for own in cells.values():
                        own[-1].forget_scores()
                    timing = timing_row(self.folder.name, of_method[0], cells[0], sample_set)
                    timings += [timing] if timing else []
        self._rows_lost = sum(writer.statuses[status] for status in LOST)
        return timings

    def _store_pictures(self, work: _Work) -> None:
        """Put the pictures into the folder. Outputs that turn out to be damaged are restored again."""
        samples: list[Sample] = [sample for sample_set in work.sample_sets for sample in sample_set.samples]
        first = {name: cell for name, cell in work.cells.items() if not work.stages[name].chain.sample}
        for left in reversed(range(MENDINGS + 1)):
            self.display.begin("store pictures", len(samples))
            missing = RunPictures(self.folder).store(samples, first, REFERENCE, self.display.advance)
            self.display.end()
            if not missing.damaged or not left:
                break
            work.mend([Place(method, sample) for method, sample in missing.damaged])
        for problem in missing.problems:
            self.display.warn(f"{problem.file} is not among the stored pictures: {problem.reason}")
        for method, sample in missing.damaged:
            self.display.warn(f"{sample.image} of {method} is not among the stored pictures: it was damaged each time")

    def _facts(self, stage: ReadyStage, restorer: Restorer) -> dict[str, Any]:
        facts = {}
        for prefix in stage.chain.prefixes:
            ready = self.preparation.stage(prefix)
            facts[ready.spec.name] = restorer.cell(ready).facts.get("facts", {})
        return facts

    def _measure_ceilings(
        self, stages: Mapping[str, ReadyStage], sample_sets: Sequence[SampleSet], restorer: Restorer, scorer: Scorer
    ) -> list[dict[str, Any]]:
        """What limits latent methods whatever they learn, by method and data set."""
        clear = [
            clear_samples(sample_set)
            for sample_set in sample_sets
            if sample_set.has_truth and not sample_set.clear_input_of
        ]
        usable = [stage for stage in stages.values() if stage.usable]
        made = []
        for name, (ceiling, of) in ceilings_of(usable).items():
            chains = ", ".join(each.chain.name for each in of)
            try:
                stage = ceiling_stage(name, ceiling, of[0], self.registry)
            except DriveDeRainError as error:  # named by a plugin; what was restored and scored stays
                self.display.warn(f"the ceiling of {chains} was not measured: {error}")
                continue
            _Work(self, {name: stage}, clear, restorer, scorer, tells=False).restore_and_score()
            cell = restorer.cell(stage)
            abouts = [about_ceiling(stage, cell, of, sample_set, scorer, self.metrics) for sample_set in clear]
            cell.forget_scores()
            made += abouts
            if reason := next((about["reason"] for about in abouts if about["reason"]), ""):
                self.display.warn(
                    f"the ceiling of {chains} was not measured ({stage.spec.name}, with options of theirs): {reason}"
                )
        return made

    def _write_record(
        self,
        data: RunData,
        methods: list[dict[str, Any]],
        ceilings: list[dict[str, Any]],
        trainings: list[dict[str, Any]],
        exit_status: int,
    ) -> None:
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
            "shard": str(settings.shard or ""),
            "datasets": [about_dataset(text, sample_set) for text, sample_set in data.tested],
            "whole": [about_dataset(text, sample_set) for text, sample_set in data.whole],
            "methods": methods,
            "ceilings": ceilings,
            "trainings": trainings,
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
            "samples": settings.samples,
            "clear_input": settings.clear_input,
            "device": self.device.type,
            "precision": settings.precision,
            "threads": torch.get_num_threads(),
            "limit": settings.limit,
            "intensities": list(settings.intensities),
            "overwrite": settings.overwrite,
            "train": settings.train is not False,
            "budget": str(settings.budget),
            "batch": settings.batch,
            "tile": settings.tile,
        }


def _place_of(row: Row) -> tuple[str, str, str, str, int]:
    """Where a row stands among those of its method, as ``RESULTS_ORDER`` has it."""
    return row.image, row.region, row.metric, row.variant, row.sample


class _Work:
    """Restoring and scoring, until nothing is missing that can be had."""

    def __init__(
        self,
        run: _Run,
        stages: Mapping[str, ReadyStage],
        sample_sets: Sequence[SampleSet],
        restorer: Restorer,
        scorer: Scorer,
        *,
        tells: bool = True,
    ) -> None:
        """``tells``: whether events and plugins are told of finished cells."""
        self.run, self.stages, self.sample_sets = run, stages, sample_sets
        self.restorer, self.scorer, self.tells = restorer, scorer, tells
        self.cells = {name: restorer.cell(stage) for name, stage in stages.items()}
        self.done: dict[str, dict[str, Work]] = {name: {} for name in stages}

    def prefixes(self) -> list[ReadyStage]:
        """Every stage of every chain once, shorter chains first where they belong together."""
        every = {each.chain.name: each for stage in self.stages.values() for each in stage.all_stages}
        return list(every.values())

    def restore_and_score(self) -> None:
        prefixes = self.prefixes()
        for stage in prefixes:
            self._explain(stage)
            if stage is prefixes[-1] and self.run.settings.isolate and self.run.overlaps:
                work = self._scoring_beside(stage)
            else:
                work = self.restorer.restore(stage, self.sample_sets)
            self._count(stage, work)
            for sample_set in self.sample_sets if self.tells else ():
                self.run.tell(stage, self.restorer.cell(stage), sample_set, work[sample_set.name])
        self._mend([])

    def mend(self, damaged: Sequence[Place]) -> None:
        """Restore outputs again that turned out to be damaged, and score what comes out anew if it differs."""
        for place in damaged:
            self.cells[place.chain].drop(place.sample.rainy.fingerprint)
        self._mend(damaged)

    def _mend(self, damaged: Sequence[Place]) -> None:
        for _ in range(MENDINGS):
            lost = self._taken_away()
            for stage, sample in lost:
                self.restorer.again(stage, sample)
            for place in damaged:
                for stage in self.stages[place.chain].all_stages:
                    self.restorer.again(stage, place.sample)
            if lost or damaged:
                for stage in self.prefixes():
                    self._count(stage, self.restorer.restore(stage, self.sample_sets))
            self._score()
            damaged = list(self.scorer.damaged)
            self.scorer.damaged.clear()
            if not damaged:
                return

    def _taken_away(self) -> list[tuple[ReadyStage, Sample]]:
        """Outputs that were there and were taken out of the cache meanwhile."""
        lost = []
        for stage in self.prefixes():
            cell = self.restorer.cell(stage)
            for sample_set in self.sample_sets:
                for sample in sample_set.samples:
                    picture = sample.rainy.fingerprint
                    if picture in cell.outputs and not cell.has(picture):
                        lost.append((stage, sample))
        return lost

    def _scoring_beside(self, stage: ReadyStage) -> Mapping[str, Work]:
        """Restore with the last stage of the run, and score each picture as soon as it has all its outputs."""
        waiting: list[Sample] = []

        def done(sample: Sample, alone: bool) -> None:
            waiting.append(sample)
            while waiting and not alone:
                self.scorer.add(waiting.pop(0), self.cells)

        with self.scorer.kept():
            return self.restorer.restore(stage, self.sample_sets, beside=self._scoring(), done=done)

    def _scoring(self) -> Supervisor:
        # The limits of time are for methods; a metric that hangs must end too, but may take its time.
        timeout = self.run.settings.timeout
        limits = Limits(None if timeout is None else max(timeout, SCORE), None, self.run.settings.memory_limit)
        return Supervisor(self.scorer, limits, self.restorer.logs / "metrics.log")

    def _explain(self, stage: ReadyStage) -> None:
        """Say why a cell is new where there is one like it."""
        cell = self.restorer.cell(stage)
        if stage.usable and not cell.folder.is_dir():
            why = explain_miss(self.run.settings.cache, cell.parts)
            if why:
                self.run.events.write("new cell", method=stage.chain.name, key=cell.key, reason=why)

    def _count(self, stage: ReadyStage, work: Mapping[str, Work]) -> None:
        done = self.done.get(stage.chain.name)
        if done is not None:
            for name, fresh in work.items():
                known = done.get(name, Work())
                done[name] = Work(known.restored + fresh.restored, known.seconds + fresh.seconds)

    def _score(self) -> None:
        for sample_set in self.sample_sets:
            for sample in sample_set.samples:
                self.scorer.add(sample, self.cells)
        if not self.scorer.missing:
            return
        self.scorer.show()
        with self.scorer.kept():
            if self.run.settings.isolate:
                supervise(self._scoring())
            else:
                inline.work(self.scorer)


class _NotedWarnings:
    """A display whose warnings are also kept for the report, each once."""

    def __init__(self, display: Display, warnings: list[str]) -> None:
        self.display, self.warnings = display, warnings
        self.begin, self.advance, self.end = display.begin, display.advance, display.end

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)
            self.display.warn(message)
