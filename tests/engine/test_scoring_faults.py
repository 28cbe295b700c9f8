"""What a metric does to its process, and what cuts scoring short, costs as few scores as can be."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drivederain.data.sample import Sample
from drivederain.engine import run as run_module
from drivederain.engine import score as score_module
from drivederain.engine.cells import Cell, store_output
from drivederain.engine.display import Silent
from drivederain.engine.score import GIVE_UP, NOT_SCORED, Scorer
from drivederain.engine.worker import supervisor as supervisor_module
from drivederain.engine.worker.jobs import PIXELS_WAITING, AtOnce, Ended, JobQueue
from drivederain.engine.worker.messages import (
    Damaged,
    Failed,
    Finished,
    Loaded,
    Message,
    Score,
    Scored,
    ScoredOutput,
    ScoreItem,
    ScoreJob,
    ScoreTask,
    Started,
)
from drivederain.engine.worker.process import WorkerDied
from drivederain.engine.worker.scoring import Scoring
from drivederain.engine.worker.supervisor import Limits, Supervisor
from drivederain.entry_points import installed_entry_points
from drivederain.metric_selection import MetricVariant
from drivederain.registry import Registry

NAME = "drivederain_test_deadly_metrics"
DEATH = "its process was ended by SIGSEGV"


@pytest.fixture(scope="module")
def deadly(fakes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """What is installed, the test methods, and the deadly metrics under a name that workers can import."""
    folder = tmp_path_factory.mktemp("deadly")
    shutil.copyfile(Path(__file__).with_name("deadly_metrics.py"), folder / f"{NAME}.py")
    sys.path.append(str(folder))
    importlib.import_module(NAME)
    plugins = [EntryPoint("fakes", fakes.__name__, "drivederain"), EntryPoint("deadly", NAME, "drivederain")]
    yield Registry.discover([*installed_entry_points()[0], *plugins])
    sys.path.remove(str(folder))


class Plain:
    """A picture of one grey."""

    def __init__(self, grey: int) -> None:
        self.fingerprint, self.pixels = f"grey {grey}", np.full((8, 8, 3), grey, np.uint8)

    def load(self) -> np.ndarray:
        return self.pixels


def sample_of(number: int, *, truth: int = 0, dataset: str = "plain") -> Sample:
    return Sample(
        dataset=dataset,
        split="all",
        image=f"p{number:03d}",
        scene="",
        rainy=Plain(number + 100),
        clear=Plain(truth),
        mask=None,
        intensity="light",
        intensity_source="pair",
    )


class Scene:
    """A scorer, samples, and two methods' outputs of them."""

    def __init__(self, folder: Path, registry: Registry, count: int, *metrics: str, device: str = "cpu") -> None:
        self.registry, self.folder = registry, folder
        self.variants = [
            MetricVariant(registry.metrics[name], variant)
            for name, _, variant in (text.rstrip("]").partition("[") for text in metrics)
        ]
        self.scorer = Scorer(self.variants, torch.device(device), 1, Silent())
        self.samples = [sample_of(number) for number in range(count)]
        self.cells = {name: Cell(folder, {"method": name}) for name in ("one", "two")}
        for sample in self.samples:
            for name in self.cells:
                self.restore(name, sample)

    def restore(self, method: str, sample: Sample, *, darker: int = 1, side: int = 8) -> None:
        cell, picture = self.cells[method], sample.rainy.fingerprint
        pixels = np.full((side, side, 3), sample.rainy.load()[0, 0, 0] - darker, np.uint8)
        output = store_output(cell.folder, picture, pixels, seconds=None, hardware="a CPU")
        cell.add([output])

    def add(self, samples: Sequence[Sample] = ()) -> None:
        for sample in samples or self.samples:
            self.scorer.add(sample, self.cells)

    def score(self, sample: Sample, metric: str, method: str = "one") -> Score:
        variant = next(each for each in self.variants if each.name == metric)
        return self.scorer.score_of(self.cells[method], sample, variant)

    def statuses(self, metric: str) -> list[tuple[str, ...]]:
        """Of each sample, that of each method."""
        return [tuple(self.score(sample, metric, method).status for method in self.cells) for sample in self.samples]


OpenScene = Callable[..., Scene]


@pytest.fixture
def scene(tmp_path: Path, deadly: Registry) -> OpenScene:
    """``scene(3, "psnr[rgb]", "deadly[dies]")``: a scorer of three pictures and two metrics."""
    return lambda count, *metrics, **more: Scene(tmp_path, deadly, count, *metrics, **more)


def answer(job: ScoreJob, score: Score | None = None) -> Scored:
    """What a worker says when all goes well."""
    one = score or Score({"image": 1.0})
    return Scored(
        job.number,
        tuple(tuple(dict.fromkeys(output.variants, one) for output in item.outputs) for item in job.items),
    )


class MadeUpProcesses:
    """Stand where ``WorkerProcess`` does, and die at the jobs that ``deadly`` names."""

    def __init__(self, deadly: Callable[[ScoreItem, str], bool]) -> None:
        self.deadly = deadly
        self.started = 0

    def __call__(self, task: ScoreTask, log: Path) -> MadeUpProcess:
        self.started += 1
        return MadeUpProcess(task, self.deadly)


class MadeUpProcess:
    connection = None

    def __init__(self, task: ScoreTask, deadly: Callable[[ScoreItem, str], bool]) -> None:
        self.task, self.deadly = task, deadly
        self.says: deque[Message] = deque([Loaded({})])
        self.jobs: deque[ScoreJob | None] = deque()

    def send(self, job: ScoreJob | None) -> None:
        self.jobs.append(job)

    def receive(self) -> Message | None:
        if self.says:
            return self.says.popleft()
        if not self.jobs:
            return None
        job = self.jobs.popleft()
        if job is None:
            return Finished()
        if job.number <= self.task.outdated:
            return Scored(job.number, tuple(tuple({} for _ in item.outputs) for item in job.items))
        self.says.append(answer(job))
        if any(self.deadly(item, name) for item in job.items for output in item.outputs for name in output.variants):
            self.receive = self._die  # type: ignore[method-assign]
        return Started(job.number)

    def _die(self) -> Message:
        raise WorkerDied(DEATH, own_doing=True)

    def memory(self) -> int:
        return 0

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """``work(scene, deadly)`` has all be scored by processes that die where ``deadly(item, variant)``; their number."""

    def work(scene: Scene, deadly: Callable[[ScoreItem, str], bool]) -> int:
        processes = MadeUpProcesses(deadly)
        monkeypatch.setattr(supervisor_module, "WorkerProcess", processes)
        supervisor = Supervisor(scene.scorer, Limits(), tmp_path / "log")
        with scene.scorer.kept():
            while supervisor.busy:
                supervisor.step()
        return processes.started

    return work


@pytest.mark.parametrize("device", ["cpu", "cuda"])  # one picture in a job, and four
def test_a_death_costs_the_scores_of_one_metric_on_one_picture(scene: OpenScene, work: Any, device: str) -> None:
    many = scene(12, "psnr[rgb]", "deadly[dies]", "mse[rgb]", device=device)
    many.add()
    bad = many.samples[6].rainy.fingerprint
    work(many, lambda item, name: name == "deadly[dies]" and item.picture == bad)
    assert many.statuses("psnr[rgb]") == many.statuses("mse[rgb]") == [("ok", "ok")] * 12
    expected = [("ok", "ok")] * 12
    expected[6] = ("failed", "failed")
    assert many.statuses("deadly[dies]") == expected
    assert many.score(many.samples[6], "deadly[dies]").reason == f"scoring failed: {DEATH}"


def test_a_metric_that_always_ends_its_process_is_given_up(scene: OpenScene, work: Any) -> None:
    many = scene(40, "psnr[rgb]", "deadly[dies]", "mse[rgb]")
    many.add()
    processes = work(many, lambda item, name: name == "deadly[dies]")
    # Two for the first job, two for each picture that it is then tried on alone, and one for all the rest.
    assert processes == 2 + 2 * GIVE_UP + 1
    assert many.statuses("psnr[rgb]") == many.statuses("mse[rgb]") == [("ok", "ok")] * 40
    reasons = [many.score(sample, "deadly[dies]", "two").reason for sample in many.samples]
    not_tried = f"not tried after {GIVE_UP} failures in a row, the last: {DEATH}"
    assert Counter(reasons) == {f"scoring failed: {DEATH}": GIVE_UP, not_tried: 40 - GIVE_UP}
    # In this run that stays so, also for pictures that come later.
    later = sample_of(50)
    for method in many.cells:
        many.restore(method, later)
    many.add([later])
    assert work(many, lambda item, name: False) == 1
    assert many.score(later, "psnr[rgb]").status == "ok"
    assert many.score(later, "deadly[dies]").reason == not_tried


def test_a_metric_that_worked_once_is_not_given_up(scene: OpenScene, work: Any) -> None:
    many = scene(12, "psnr[rgb]", "deadly[dies]")
    many.add()
    good = {many.samples[number].rainy.fingerprint for number in (0, 11)}
    work(many, lambda item, name: name == "deadly[dies]" and item.picture not in good)
    assert many.statuses("deadly[dies]") == [("ok", "ok"), *[("failed", "failed")] * 10, ("ok", "ok")]
    assert many.score(many.samples[10], "deadly[dies]").reason == f"scoring failed: {DEATH}"


def test_a_lack_of_memory_is_no_reason_to_give_up(scene: OpenScene) -> None:
    many = scene(3 * GIVE_UP, "psnr[rgb]")
    many.add()
    while (job := many.scorer.next()) is not None:
        many.scorer.failed(job, Failed(job.number, "oom", "it held too much"))
    assert {many.score(sample, "psnr[rgb]").reason for sample in many.samples} == {"scoring failed: it held too much"}


@pytest.mark.parametrize("why", [{"data": True}, {"tried": False}])
def test_what_is_no_metrics_doing_is_not_held_against_one(scene: OpenScene, why: dict[str, bool]) -> None:
    many = scene(3 * GIVE_UP, "psnr[rgb]", "mse[rgb]", device="cuda")
    many.add()
    jobs = 0
    while (job := many.scorer.next()) is not None:
        jobs += 1
        many.scorer.failed(job, Failed(job.number, "failed", "the file is gone", **why))
    assert {many.score(sample, "mse[rgb]").reason for sample in many.samples} == {"scoring failed: the file is gone"}
    together = -(-3 * GIVE_UP // 4)
    assert jobs == (together + 3 * GIVE_UP if "data" in why else together)


@pytest.mark.parametrize(
    ("variant", "status", "reason"),
    [
        ("dies", "failed", "its process was ended by SIGSEGV (it last printed: Fatal Python error"),
        pytest.param("hangs", "timeout", "it took longer than 1 s for one picture (--timeout)", marks=pytest.mark.slow),
    ],
)
def test_real_processes(
    tmp_path: Path, bench: Any, pairs: Path, deadly: Registry, monkeypatch: Any, variant: str, status: str, reason: str
) -> None:
    monkeypatch.setattr(score_module, "GIVE_UP", 1)
    monkeypatch.setattr(run_module, "SCORE", 1.0)
    apart = type(bench)(tmp_path / "apart", deadly)
    outcome = apart(
        "identity", f"paired:{pairs}", metrics=("psnr", f"deadly[{variant}]", "mse"), isolate=True, timeout=1.0
    )
    rows = outcome.folder.results()
    assert set(rows[rows["metric"].isin(["psnr", "mse"])]["status"]) == {"ok"}
    found = rows[rows["metric"] == "deadly"].sort_values("image")
    assert list(found["status"]) == [status, "failed", "failed"]
    assert found["reason"].iloc[0].startswith(f"scoring failed: {reason}")
    assert found["reason"].iloc[-1].startswith(f"not tried after 1 failures in a row, the last: {reason}")


# What was tried.


def test_what_failed_is_tried_once_in_a_run(scene: OpenScene) -> None:
    few = scene(2, "psnr[rgb]", "mse[rgb]")
    few.add()
    while (job := few.scorer.next()) is not None:
        few.scorer.handle(answer(job, Score({}, "failed", "no score today")))
    few.scorer.finish()
    few.add()
    assert not few.scorer.missing
    # Another output is another matter, and so is the same one with another truth.
    few.restore("two", few.samples[0], darker=7)
    other = sample_of(1, truth=9, dataset="other")
    few.add([few.samples[0], other])
    jobs = [few.scorer.next(), few.scorer.next()]
    asked = [(output.folder, output.variants) for job in jobs if job for item in job.items for output in item.outputs]
    folders = {name: cell.folder for name, cell in few.cells.items()}
    both = ("psnr[rgb]", "mse[rgb]")
    assert asked == [(folders["two"], both), (folders["one"], both), (folders["two"], both)]
    for job in jobs:
        assert job is not None
        few.scorer.handle(answer(job))
    few.scorer.finish()
    assert [few.score(few.samples[0], "psnr[rgb]", method).status for method in few.cells] == ["failed", "ok"]
    assert few.score(other, "psnr[rgb]").status == "ok"
    assert few.score(few.samples[1], "psnr[rgb]").reason == "no score today"
    # The next run tries again what failed.
    few.scorer = Scorer(few.variants, torch.device("cpu"), 1, Silent())
    few.add([*few.samples, other])
    jobs = [few.scorer.next(), few.scorer.next()]
    asked = [(item.picture, len(item.outputs)) for job in jobs if job for item in job.items]
    assert asked == [(few.samples[0].rainy.fingerprint, 1), (few.samples[1].rainy.fingerprint, 2)]
    assert few.scorer.next() is None


def test_a_picture_in_two_data_sets_is_scored_once(scene: OpenScene) -> None:
    few = scene(1, "psnr[rgb]")
    few.add([few.samples[0], replace(few.samples[0], dataset="the same again")])
    job = few.scorer.next()
    assert job is not None and few.scorer.next() is None


def test_what_is_not_for_a_metric_is_known_to_the_next_run(
    tmp_path: Path, bench: Any, pairs: Path, deadly: Registry
) -> None:
    again = type(bench)(tmp_path / "again", deadly)
    metrics = ("psnr", "deadly[picky]")
    first = again("blur", f"paired:{pairs}", metrics=metrics)
    second = again("blur", f"paired:{pairs}", metrics=metrics)
    assert first.exit_status == second.exit_status == 0
    assert "score" not in again.phases
    assert second.folder.results_parquet.read_bytes() == first.folder.results_parquet.read_bytes()
    rows = second.folder.results()
    skipped = rows[rows["status"] == "skipped"]
    assert len(skipped) == 6 and set(skipped["reason"]) == {"these pictures are not for it"}
    # What failed is another matter.
    for _ in range(2):
        again("blur", f"paired:{pairs}", metrics=("deadly[cannot-load]",))
        assert "score" in again.phases


def test_an_output_that_was_damaged_is_scored_when_it_is_back(scene: OpenScene) -> None:
    few = scene(1, "psnr[rgb]")
    few.add()
    job = few.scorer.next()
    assert job is not None
    few.scorer.handle(Damaged(job.number, few.cells["one"].folder, few.samples[0].rainy.fingerprint))
    assert [place.chain for place in few.scorer.damaged] == ["one"]
    few.restore("one", few.samples[0])
    few.add()
    while (job := few.scorer.next()) is not None:
        few.scorer.handle(answer(job))
    few.scorer.finish()
    assert few.statuses("psnr[rgb]") == [("ok", "ok")]


# What cuts scoring short.


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_scores_are_kept_when_scoring_is_cut_short(scene: OpenScene, error: type[BaseException]) -> None:
    few = scene(3, "psnr[rgb]")
    few.add()
    with pytest.raises(error), few.scorer.kept():
        job = few.scorer.next()
        assert job is not None
        few.scorer.handle(answer(job))
        few.scorer.next()
        raise error
    fresh = Scene(few.folder, few.registry, 0, "psnr[rgb]")
    assert fresh.score(few.samples[0], "psnr[rgb]", "two").regions == {"image": 1.0}
    assert fresh.score(few.samples[1], "psnr[rgb]", "two").reason == NOT_SCORED


def test_a_full_disk_does_not_hide_what_cut_scoring_short(scene: OpenScene, monkeypatch: pytest.MonkeyPatch) -> None:
    few = scene(2, "psnr[rgb]")
    few.add()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Cell, "score", full)
    with pytest.raises(KeyboardInterrupt), few.scorer.kept():
        job = few.scorer.next()
        assert job is not None
        few.scorer.handle(answer(job))
        raise KeyboardInterrupt
    with pytest.raises(OSError, match="No space"), few.scorer.kept():
        pass
    monkeypatch.undo()
    few.scorer.finish()  # nothing was thrown away
    assert few.score(few.samples[0], "psnr[rgb]").status == "ok"


# The worker.


def scored_by_a_worker(scene: Scene, jobs: Sequence[ScoreJob], *, outdated: int = 0, ahead: int = 9) -> list[Message]:
    said: list[Message] = []
    queue: JobQueue[ScoreJob] = JobQueue()
    for job in [*jobs, Ended()]:
        queue.put(job)
    Scoring(replace(scene.scorer.task(), outdated=outdated), said.append, AtOnce(), ahead).run(queue)
    return said


def jobs_of(scene: Scene, *, pixels: int = 64) -> list[ScoreJob]:
    scene.add()
    jobs = []
    while (job := scene.scorer.next()) is not None:
        items = tuple(
            replace(item, outputs=tuple(replace(output, pixels=pixels) for output in item.outputs))
            for item in job.items
        )
        jobs.append(replace(job, items=items))
    return jobs


def test_outdated_jobs_come_back_as_they_are(scene: OpenScene) -> None:
    few = scene(3, "psnr[rgb]")
    jobs = jobs_of(few)
    said = [message for message in scored_by_a_worker(few, jobs, outdated=2) if isinstance(message, Scored)]
    assert [(message.job, [list(each) for each in message.scores[0]]) for message in said] == [
        (1, [[], []]),
        (2, [[], []]),
        (3, [["psnr[rgb]"], ["psnr[rgb]"]]),
    ]


def test_a_metric_that_loses_the_device_leaves_the_rest_to_another_process(scene: OpenScene) -> None:
    few = scene(3, "psnr[rgb]", "deadly[loses-the-device]")
    said = scored_by_a_worker(few, jobs_of(few))
    assert [type(message) for message in said] == [Loaded, Started, Failed]
    assert isinstance(said[-1], Failed)
    assert said[-1].reason == (
        "deadly[loses-the-device]: RuntimeError: CUDA error: an illegal memory access was encountered"
    )


def test_a_metric_that_cannot_be_loaded_has_failed_whatever_it_raises(scene: OpenScene) -> None:
    few = scene(1, "deadly[cannot-load]", "deadly[picky]")
    said = [message for message in scored_by_a_worker(few, jobs_of(few)) if isinstance(message, Scored)]
    assert said[0].scores[0][1] == {
        "deadly[cannot-load]": Score({}, "failed", "deadly[cannot-load]: its weights are nowhere"),
        "deadly[picky]": Score({}, "skipped", "these pictures are not for it"),
    }


@pytest.mark.parametrize(
    ("pixels", "read"),
    [
        (64, 9),  # as many jobs as may be read ahead
        (PIXELS_WAITING // 9, 4),  # the one that is computed, and three of three pictures each
        (PIXELS_WAITING, 2),  # always one ahead
    ],
)
def test_reading_ahead_is_bounded_by_pixels(
    scene: OpenScene, monkeypatch: pytest.MonkeyPatch, pixels: int, read: int
) -> None:
    many = scene(12, "psnr[rgb]")
    jobs = jobs_of(many, pixels=pixels)
    seen: list[int] = []
    at_first_pass: list[int] = []
    monkeypatch.setattr(Plain, "load", lambda self: seen.append(1) or self.pixels)
    score = Scoring._group
    monkeypatch.setattr(Scoring, "_group", lambda self, group: at_first_pass.append(len(seen)) or score(self, group))
    said = scored_by_a_worker(many, jobs)
    assert at_first_pass[0] == read
    assert [message.job for message in said if isinstance(message, Scored)] == [job.number for job in jobs]


@pytest.mark.parametrize(("side", "together"), [(8, 4), (600, 2), (1100, 1)])
def test_pictures_share_a_job_while_they_can_share_a_pass(scene: OpenScene, side: int, together: int) -> None:
    many = scene(8, "psnr[rgb]", device="cuda")
    for sample in many.samples:
        for method in many.cells:
            many.restore(method, sample, side=side)
    many.add()
    job = many.scorer.next()
    assert job is not None and len(job.items) == together
    assert job.pixels == together * 3 * side * side
    assert isinstance(job.items[0].outputs[0], ScoredOutput)
