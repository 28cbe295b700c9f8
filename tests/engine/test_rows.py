from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.rows import NO_TRUTH, NOT_RESTORED, rows_of, stepped_down
from drivederain.engine.timings import part_of, timing_row
from drivederain.engine.worker.messages import Score
from drivederain.results.schema import TIMINGS, Row
from drivederain.results.store import order_key
from drivederain.specs import Needs

METRICS = [
    SimpleNamespace(metric=SimpleNamespace(name=name, needs_truth=True), variant=variant, name=f"{name}[{variant}]")
    for name, variant in (("ssim", "rgb"), ("psnr", "rgb"), ("psnr", "alone"))
]


@dataclass
class FakeCell:
    key: str = "k"
    outputs: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def has(self, picture: str) -> bool:
        return picture in self.outputs


def output(picture: str, milliseconds: float | None = 1.0, **more: Any) -> Any:
    given = {
        "picture": picture,
        "milliseconds": milliseconds,
        "height": 10,
        "width": 20,
        "batch": 1,
        "alone": True,
        "stepped_down": "",
        "hardware": "a GPU",
        "measured_at": "2026-01-01",
    }
    return SimpleNamespace(**(given | more))


def stage(*names: str, problem: tuple[str, str] = ("ok", "")) -> Any:
    stages = [SimpleNamespace(spec=SimpleNamespace(name=name, needs=Needs())) for name in names]
    return SimpleNamespace(
        chain=SimpleNamespace(name="+".join(names), method="+".join(names), sample=0),
        spec=stages[-1].spec,
        all_stages=stages,
        device=SimpleNamespace(type="cpu"),
        precision="fp32",
        usable=problem[0] == "ok",
        problem=problem,
        training_pictures=lambda: frozenset({"seen"}),
        weights_class=lambda: "shipped",
        budget=lambda: "",
    )


def samples(*images: str, truth: bool = True) -> SampleSet:
    made = []
    for image in images:
        rainy = SimpleNamespace(fingerprint=image)
        clear = SimpleNamespace(fingerprint=f"clear {image}") if truth else None
        made.append(Sample("d", "all", image, "s", rainy, clear, None, "light", "recorded", content="seen"))  # type: ignore[arg-type]
    return SampleSet("d", "all", tuple(made), has_truth=truth)


def scores(*images: str) -> dict[tuple[str, str], Score]:
    regions = {"image": 1.0, "drops": 2.0, "background": 3.0}
    return {(image, metric.name): Score(regions) for image in images for metric in METRICS}


def rows(of: Any, cells: list[FakeCell], sample_set: SampleSet, known: dict[tuple[str, str], Score]) -> list[Row]:
    return list(rows_of("r", of, cells, sample_set, known, METRICS))  # type: ignore[arg-type]


def test_rows_come_in_the_order_of_the_table_and_only_as_they_are_asked_for() -> None:
    cell = FakeCell(outputs={image: output(image) for image in "cab"})
    found = rows(stage("unet"), [cell], samples(*"cab"), scores(*"cab"))
    assert len(found) == 3 * 3 * 3
    assert found == sorted(found, key=order_key)
    assert {(row.seen, row.weights_class, row.stepped_down) for row in found} == {(True, "shipped", "")}

    class Asked(dict[tuple[str, str], Score]):
        def __missing__(self, place: tuple[str, str]) -> Score:
            assert place[0] == "a", "the second picture was looked at before the first one was taken"
            return Score({"image": 1.0})

    first = rows_of("r", stage("unet"), [cell], samples(*"cab"), Asked(), METRICS)  # type: ignore[arg-type]
    assert next(first).image == "a"


def test_what_was_lost_says_why() -> None:
    failure = SimpleNamespace(status="oom", reason="12 GB")
    cell = FakeCell(outputs={"a": output("a")}, failures={"b": failure, "a": failure})
    found = rows(stage("unet"), [cell], samples(*"abc"), scores("a"))
    assert {(row.image, row.region, row.status, row.reason) for row in found if row.image != "a"} == {
        ("b", "image", "oom", "12 GB"),
        ("c", "image", "failed", NOT_RESTORED),
    }
    assert {row.status for row in found if row.image == "a"} == {"ok"}
    skipped = rows(stage("unet", problem=("skipped", "no weights")), [cell], samples("b"), {})
    assert {(row.status, row.reason) for row in skipped} == {("skipped", "no weights")}
    untrue = rows(stage("unet"), [cell], samples("a", truth=False), {})
    assert {(row.status, row.reason, row.value) for row in untrue} == {("skipped", NO_TRUTH, None)}


def test_what_memory_made_smaller_is_told_of_every_stage() -> None:
    before = FakeCell(outputs={"a": output("a", stepped_down="tile 512"), "b": output("b")})
    after = FakeCell(outputs={"a": output("a", stepped_down="batch 4→2"), "b": output("b")})
    found = rows(stage("unet", "diffusion"), [before, after], samples("a", "b"), scores("a", "b"))
    told = {row.image: row.stepped_down for row in found}
    assert told == {"a": "unet: tile 512; diffusion: batch 4→2", "b": ""}
    assert stepped_down(stage("unet"), [before], samples("a").samples[0]) == "tile 512"


def test_timings_are_of_pictures_that_went_through_alone() -> None:
    pictures = samples(*"abcde")
    part = part_of(pictures)
    first = FakeCell(outputs={"a": output("a", 10.0), "b": output("b", 30.0), "c": output("c", 99.0, alone=False)})
    last = FakeCell(
        outputs={
            "a": output("a", 1.0),
            "b": output("b", 3.0),
            "c": output("c", 5.0, measured_at="2026-01-02"),
            "d": output("d", 99.0, batch=4, alone=False),
            "e": output("e", None, batch=4, alone=False),
        },
        facts={
            "parameters": 7,
            "flops": {"20x10": 1e9, "9x9": 3},
            "peak_memory_mb": 12.5,
            "threads": 2,
            "throughput": {part: {"images": 10, "seconds": 4.0}, "of another data set": {"images": 1, "seconds": 9}},
            "energy": {part: {"images": 10, "joules": 25.0}},
        },
    )
    row = timing_row("r", stage("unet", "diffusion"), [first, last], pictures)  # type: ignore[list-item]
    assert row is not None
    assert list(row) == TIMINGS.names
    assert (row["images"], row["alone_images"], row["batch"]) == (5, 3, 1)
    assert (row["median_ms"], row["p95_ms"], row["chain_median_ms"]) == (3.0, 4.8, 22.0)
    assert (row["images_per_s"], row["energy_j"], row["flops"], row["parameters"]) == (2.5, 2.5, 1e9, 7)
    assert (row["hardware"], row["threads"], row["peak_memory_mb"]) == ("a GPU", 2, 12.5)
    assert (row["measured_at"], row["memory_format"]) == ("2026-01-02", "contiguous")


def test_latencies_of_other_hardware_are_left_out() -> None:
    first = FakeCell(outputs={"a": output("a", 7.0), "b": output("b", 5.0, hardware="a CPU")})
    last = FakeCell(
        outputs={"a": output("a", 2.0), "b": output("b", 1.0, hardware="a CPU", measured_at="2026-01-02")},
    )
    row = timing_row("r", stage("unet", "diffusion"), [first, last], samples("a", "b"))  # type: ignore[list-item]
    assert row is not None
    assert (row["hardware"], row["median_ms"], row["chain_median_ms"], row["alone_images"]) == ("a CPU", 1.0, 6.0, 1)
    last.outputs["b"] = output("b", 1.0, measured_at="2026-01-02")
    row = timing_row("r", stage("unet", "diffusion"), [first, last], samples("a", "b"))  # type: ignore[list-item]
    assert row is not None
    assert (row["hardware"], row["median_ms"], row["chain_median_ms"]) == ("a GPU", 1.5, 9.0)


def test_what_was_not_measured_is_null() -> None:
    cell = FakeCell(outputs={"a": output("a", None, alone=False)}, facts={"flops": {"9x9": 1}})
    row = timing_row("r", stage("unet"), [cell], samples("a", "b"))  # type: ignore[list-item]
    assert row is not None
    unknown = {name for name, value in row.items() if value is None}
    assert unknown == {
        "threads",
        "median_ms",
        "p95_ms",
        "chain_median_ms",
        "images_per_s",
        "peak_memory_mb",
        "parameters",
        "flops",
        "energy_j",
    }
    assert timing_row("r", stage("unet"), [FakeCell()], samples("a")) is None  # type: ignore[list-item]
