"""kill -9 of a process that trains, and of the run meanwhile. A training begins anew, and gives the same weights."""

from __future__ import annotations

import hashlib
import random
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

TRAINING = [
    "--methods", "unet+diffusion", "--metrics", "psnr,ssim", "--train", "--budget", "200 steps",
    "--set", "unet.architecture=custom", "--set", "unet.width=8", "--set", "unet.training.crop=32",
    "--set", "unet.training.batch_size=2",
    "--set", "diffusion.channels=8,8", "--set", "diffusion.training.crop=32",
    "--set", "diffusion.training.batch_size=2",
]  # fmt: skip
TRIES = 6
"""Moments at which it may not train any more, in a row: how long a training takes depends on what else goes on."""
PHASES = {"unet": "train unet (", "estimates": "train unet+diffusion (", "refiner": "train unet+diffusion ("}
"""What the run says before the moments. At ``estimates`` the refiner's training restores pictures with the U-Net."""
DEATH = "while training, its process was ended by SIGKILL, as the system does when memory runs out"
ANEW = f"{DEATH}; it is trained anew in a fresh process"

MOMENTS = pytest.mark.parametrize(
    ("moment", "number"), [("unet", 0), ("unet", 1), ("unet", 2), ("estimates", 1), ("estimates", 4), ("refiner", 0)]
)


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing happens to."""

    files: Mapping[str, str]
    seconds: Mapping[str, float]
    """That the training took, by the moment."""


@pytest.fixture(scope="module")
def known() -> list[Undisturbed]:
    """The undisturbed run, when it is over."""
    return []


@pytest.fixture
def undisturbed(open_bench: Any, known: list[Undisturbed]) -> Undisturbed:
    if not known:
        bench = open_bench("unet+diffusion", folder="reference")
        ended = start(bench).wait()
        assert ended.status == 0, ended.said
        assert set(ended.rows["status"]) == {"ok"}
        known.append(Undisturbed(files(bench, ended), {moment: took(PHASES[moment], ended.said) for moment in PHASES}))
    return known[0]


@pytest.fixture
def bench(open_bench: Any) -> Any:
    """14 pairs, most of them trained on; a small network, and a refiner that is trained on its estimates."""
    return open_bench("unet+diffusion")


def start(bench: Any, parent: str = "first") -> Any:
    running = bench.command("run", *TRAINING, "--data", bench.data[0], "--out", str(bench.out(parent)))
    running.out = bench.out(parent)
    return running


def took(phase: str, said: str) -> float:
    """Seconds."""
    found = re.search(r"\n  done in ([\d.]+) s", said.partition(phase)[2])
    assert found is not None, said
    return float(found[1])


def files(bench: Any, ended: Any) -> dict[str, str]:
    """The results, the pictures and the trained weights, by their SHA-256."""
    weights = {
        path.relative_to(bench.cache).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (bench.cache / "weights").rglob("*.safetensors")
    }
    assert len(weights) == 2
    return {**ended.contents, **weights}


@pytest.fixture
def caught(bench: Any, undisturbed: Undisturbed, sleep: Callable[[float], None]) -> Callable[[str, int], Any]:
    """``caught(moment, number)`` starts a run and waits for a moment of a training; the run, and what trains."""

    def catch(moment: str, number: int) -> Any:
        phase, chosen = PHASES[moment], random.Random(f"{moment} {number}")
        for _ in range(TRIES):
            running = start(bench)
            running.until(lambda: phase in running.said and running.workers())  # noqa: B023
            if moment == "estimates":  # nothing else writes outputs before all is trained
                running.until(lambda: bench.lines("outputs.jsonl") >= number)
            else:
                sleep(chosen.uniform(0.0, 0.7) * undisturbed.seconds[moment])
            workers = running.workers()
            if workers and "done in" not in running.said.rpartition(phase)[2]:
                return running, workers[0]
            running.kill()
            bench.gone_after()
            bench.forget()
        return pytest.fail("no training could be caught")

    return catch


def test_undisturbed_runs_give_the_same(bench: Any, undisturbed: Undisturbed) -> None:
    ended = start(bench).wait()
    assert ended.status == 0, ended.said
    assert files(bench, ended) == undisturbed.files


@MOMENTS
def test_kill_9_of_the_process_that_trains(
    bench: Any, undisturbed: Undisturbed, caught: Any, moment: str, number: int
) -> None:
    running, worker = caught(moment, number)
    worker.kill()
    ended = running.wait()
    assert ended.status == 0, ended.said
    assert ended.said.count(ANEW) == 1, ended.said
    assert files(bench, ended) == undisturbed.files


@MOMENTS
def test_kill_9_of_the_run_while_it_trains(
    bench: Any, undisturbed: Undisturbed, caught: Any, crowding: Callable[[], float], moment: str, number: int
) -> None:
    running, _ = caught(moment, number)
    assert running.kill().status == 128 + signal.SIGKILL
    assert bench.gone_after() < 2.0 * crowding()
    ended = start(bench).wait()
    assert ended.status == 0, ended.said
    # What was trained is not trained again, and what was restored for it is not restored again.
    assert (PHASES["unet"] in ended.said) == (moment == "unet") and PHASES["refiner"] in ended.said
    assert bench.lines("outputs.jsonl") == len(list(bench.cache.glob("cells/*/*/pictures/*.png")))
    assert files(bench, ended) == undisturbed.files


def test_a_second_kill_9_costs_the_chain_until_the_next_run(bench: Any, undisturbed: Undisturbed, caught: Any) -> None:
    running, worker = caught("estimates", 2)
    worker.kill()
    others: list[Any] = []
    running.until(lambda: (ANEW in running.said and others.extend(running.workers())) or others)
    others[0].kill()
    ended = running.wait()
    assert ended.status == 1, ended.said
    lost = ended.rows[ended.rows["status"] != "ok"]
    assert set(lost["method"]) == {"unet+diffusion"} and set(lost["reason"]) == {DEATH}
    again = start(bench).wait()
    assert again.status == 0, again.said
    assert files(bench, again) == undisturbed.files


def test_kill_9_of_the_run_that_trains_while_another_waits(bench: Any, undisturbed: Undisturbed) -> None:
    one = start(bench, "one")
    one.until(lambda: PHASES["unet"] in one.said and one.workers())
    two = start(bench, "two")
    two.until(lambda: PHASES["unet"] in two.said)
    assert "done in" not in one.said, "it was to be killed while it trains"
    one.kill()
    ended = two.wait()
    assert ended.status == 0, ended.said
    assert len(re.findall(r"\d+ steps in \d+ s", ended.said)) == 2, ended.said
    assert files(bench, ended) == undisturbed.files


def test_two_runs_at_once_train_and_restore_once(bench: Any, undisturbed: Undisturbed) -> None:
    said = ""
    for running in [start(bench, "one"), start(bench, "two")]:
        ended = running.wait()
        assert ended.status == 0, ended.said
        assert files(bench, ended) == undisturbed.files
        said += ended.said
    assert len(re.findall(r"\d+ steps in \d+ s", said)) == 2, said  # the U-Net and the refiner
    assert bench.lines("outputs.jsonl") == len(list(bench.cache.glob("cells/*/*/pictures/*.png")))
