"""What a run keeps of a stage's work, whatever order the answers come in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from drivederain.engine.batches import batches_of
from drivederain.engine.cells import Cell, Output
from drivederain.engine.restore_book import RestoreBook
from drivederain.engine.settings import RunSettings
from drivederain.engine.worker.messages import Measured, Restored


class Told:
    """A display that remembers."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def begin(self, phase: str, total: int) -> None:
        self.ends.append(f"{phase} of {total}")

    def advance(self, done: float, words: str = "") -> None:
        self.ends.append(f"{done:g}")

    def end(self, words: str = "") -> None:
        self.ends.append(words)


def sample_set(name: str, pictures: int) -> Any:
    samples = [SimpleNamespace(rainy=SimpleNamespace(fingerprint=f"{name}{number}")) for number in range(pictures)]
    return SimpleNamespace(name=name, split="all", samples=tuple(samples))


def book_of(cache: Path, *sets: Any) -> RestoreBook:
    stage: Any = SimpleNamespace(chain=SimpleNamespace(name="unet"), traceback="", own_masks=False)
    settings = RunSettings(methods=("unet",), data=(), out=cache, cache=cache)
    parts = [(each, each.samples) for each in sets]
    return RestoreBook(
        stage,
        Cell(cache, {"method": "unet"}),
        None,
        parts,
        batches_of(sets, 1),
        display=Told(),  # type: ignore[arg-type]
        threads=1,
        settings=settings,
        done=None,
    )


def output(picture: str) -> Output:
    return Output(picture, "0" * 64, 1, 1.0, 4, 5, 1, "", False, "", "CPU", "2026-01-01T00:00:00+00:00")


def test_answers_out_of_order_where_two_data_sets_meet(tmp_path: Path) -> None:
    book = book_of(tmp_path, sample_set("a", 3), sample_set("b", 2))
    jobs = {job.items[0].picture: job for job in iter(book.next, None)}
    for picture in ("a0", "a1", "b0", "a2", "b1"):
        book.handle(Restored(jobs[picture].number, (output(picture),)))
    book.close()
    assert {name: restored for name, (restored, _) in book.work.items()} == {"a": 3, "b": 2}
    assert [words for words in book.display.ends if "restored" in words] == [  # type: ignore[attr-defined]
        "2 restored",
        "1 restored",
        "3 restored",
        "2 restored",
    ]


def test_facts_add_up_by_part(tmp_path: Path) -> None:
    book = book_of(tmp_path, sample_set("a", 1))
    book.handle(Measured({"parameters": 3, "flops": {"5x4": 7}}))
    book.handle(Measured({"throughput": {"a": {"images": 2, "seconds": 1.0}, "b": {"images": 1, "seconds": 4.0}}}))
    book.handle(Measured({"throughput": {"a": {"images": 1, "seconds": 0.5}}, "flops": {"9x9": 8}}))
    assert book.cell.facts == {
        "parameters": 3,
        "flops": {"5x4": 7, "9x9": 8},
        "throughput": {"a": {"images": 3, "seconds": 1.5}, "b": {"images": 1, "seconds": 4.0}},
    }
