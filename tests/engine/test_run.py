"""A run from settings to its folder: rows, cache, chains, failures, and going on after a stop."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from drivederain.engine import run as run_module
from drivederain.engine.datasets import gather
from drivederain.engine.display import Silent
from drivederain.engine.prepare import Preparation
from drivederain.engine.restore import Restorer
from drivederain.errors import DataError, OptionError, SpecError
from drivederain.results.schema import RESULTS

METHODS = "brighten,brighten+average,noisy"


def about(outcome: Any, method: str) -> dict[str, Any]:
    return next(one for one in outcome.folder.about()["methods"] if one["name"] == method)


def rows(outcome: Any, method: str) -> Any:
    results = outcome.folder.results()
    return results[results["method"] == method]


def restored(outcome: Any) -> dict[str, int]:
    return {one["name"]: one["restored_now"] for one in outcome.folder.about()["methods"]}


def output(outcome: Any, method: str, image: str = "p000", dataset: str = "paired:pairs") -> np.ndarray:
    path = outcome.folder.output_png(dataset, image, method)
    return cv2.imread(str(path))[..., ::-1]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_rows_of_a_run(bench: Any, pairs: Path) -> None:
    outcome = bench(METHODS, f"paired:{pairs}", suite="demo", command=("drivederain-bench", "run"))
    results = outcome.folder.results()
    assert outcome.exit_status == 0
    assert list(results.columns) == RESULTS.names
    assert set(results["method"]) == {"identity", *METHODS.split(",")}
    assert len(results) == 4 * 3 * 2 and set(results["status"]) == {"ok"}
    assert set(results["intensity_source"]) == {"recorded"} and set(results["region"]) == {"image"}
    assert set(results["run"]) == {"run"} and set(results["weights_class"]) <= {"none", "none+none"}
    assert not results["seen"].any()
    record = outcome.folder.about()
    assert record["exit_status"] == 0 and record["methods"][0]["name"] == "identity"
    assert record["command"] == ["drivederain-bench", "run"] and record["suite"] == "demo"
    assert about(outcome, "brighten")["facts"] == {"brighten": {"parameters": "none", "device": "cpu"}}
    events = [json.loads(line)["event"] for line in outcome.folder.events_jsonl.read_text().splitlines()]
    assert events[0] == "started" and events[-1] == "finished" and events.count("restored") == 4


def test_metrics_that_need_no_truth_score_photographs_without_one(bench: Any, pairs: Path, calls: Any) -> None:
    both = ("psnr", "visible_drops")
    outcome = bench("brighten", f"paired:{pairs}", f"real:{pairs / 'rainy'}", metrics=both)
    assert outcome.exit_status == 0
    results = outcome.folder.results()
    real = results[results["dataset"] == "real:rainy"]
    assert set(real[real["metric"] == "psnr"]["status"]) == {"skipped"}
    drops = real[real["metric"] == "visible_drops"]
    assert set(drops["status"]) == {"ok"} and set(drops["region"]) == {"image"} and len(drops) == 6
    # The same pictures have the same score, with and without a truth beside them.
    paired = results[(results["dataset"] == "paired:pairs") & (results["metric"] == "visible_drops")]
    assert list(paired["value"]) == list(drops["value"])
    again = bench("brighten", f"real:{pairs / 'rainy'}", metrics=("visible_drops",)).folder.results()
    assert list(again["value"]) == list(drops["value"])


def test_how_much_it_rains_is_known_of_drawn_measured_and_estimated_pictures(bench: Any, pairs: Path) -> None:
    drawn = bench("brighten", "scenes:", limit=2, size=64).folder.pictures()
    assert len(drawn) == 6 and list(drawn["image"]) == sorted(drawn["image"])
    by_intensity = drawn.groupby("intensity")[["rain_rate_mm_h", "coverage"]].mean()
    assert list(by_intensity.loc[["light", "medium", "heavy"], "rain_rate_mm_h"].rank()) == [1, 2, 3]
    assert drawn["coverage"].between(0, 1).all()
    recorded = bench("brighten", f"paired:{pairs}").folder.pictures()
    assert recorded["rain_rate_mm_h"].isna().all() and recorded["coverage"].isna().all()
    (pairs / "intensity.csv").unlink()
    estimated = bench("brighten", f"paired:{pairs}").folder.pictures()
    assert estimated["rain_rate_mm_h"].isna().all() and estimated["coverage"].between(0, 1).all()
    assert set(estimated["intensity_source"]) == {"pair"}


def test_outputs_are_what_the_methods_say(bench: Any, pairs: Path) -> None:
    outcome = bench("brighten+average", f"paired:{pairs}", options={"brighten": {"gain": "0.5"}})
    rainy = cv2.imread(str(pairs / "rainy" / "p000.png"))[..., ::-1].astype(int)
    assert np.array_equal(output(outcome, "identity"), rainy)
    # Between stages the estimate is an 8-bit picture: half of the rainy one, rounded, then the mean of both.
    estimate = np.rint(rainy * 0.5)
    assert np.abs(output(outcome, "brighten+average") - (rainy + estimate) / 2).max() <= 0.5


def test_samples_of_methods_that_draw_noise_are_rows_of_their_own(bench: Any, pairs: Path) -> None:
    once = bench("brighten+noisy,noisy+brighten,brighten", f"paired:{pairs}")
    outcome = bench("brighten+noisy,noisy+brighten,brighten", f"paired:{pairs}", samples=3)
    results = outcome.folder.results()
    samples = {name: sorted(set(own["sample"])) for name, own in results.groupby("method")}
    # The noise of a chain is that of all its stages; the beginnings of chains are rows too.
    assert samples == {
        "identity": [0],
        "brighten": [0],
        "brighten+noisy": [0, 1, 2],
        "noisy": [0, 1, 2],
        "noisy+brighten": [0, 1, 2],
    }
    for name in ("brighten+noisy", "noisy+brighten"):
        psnr = rows(outcome, name).query("metric == 'psnr'").pivot(index="image", columns="sample", values="value")
        assert (psnr[0] != psnr[1]).all() and (psnr[1] != psnr[2]).all()
        assert list(psnr[0]) == list(rows(once, name).query("metric == 'psnr'")["value"]), "the first is as ever"
    assert [one["name"] for one in outcome.folder.about()["methods"]] == [
        one["name"] for one in once.folder.about()["methods"]
    ]
    assert contents(outcome.folder.path / "images") == contents(once.folder.path / "images")
    assert list(outcome.folder.timings()["method"]) == list(once.folder.timings()["method"])
    assert restored(bench("brighten+noisy", f"paired:{pairs}", samples=3)) == dict.fromkeys(
        ("identity", "brighten", "brighten+noisy"), 0
    )


def test_samples_without_noise_are_said_to_be_none(bench: Any, pairs: Path) -> None:
    outcome = bench("brighten", f"paired:{pairs}", samples=2)
    assert "--samples 2: no method of this run draws noise" in bench.warnings
    assert set(outcome.folder.results()["sample"]) == {0}


def test_the_second_run_restores_nothing(bench: Any, pairs: Path, calls: Any) -> None:
    first = bench(METHODS, f"paired:{pairs}")
    done = dict(calls)
    second = bench(METHODS, f"paired:{pairs}")
    assert dict(calls) == done, "something was loaded or restored again"
    assert set(restored(second).values()) == {0} and restored(first)["noisy"] == 3
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()
    assert contents(first.folder.path) == contents(second.folder.path)
    assert about(second, "brighten")["facts"] == about(first, "brighten")["facts"]
    assert len(second.folder.timings()) == 4


def test_a_prefix_is_computed_once(bench: Any, pairs: Path, calls: Any) -> None:
    bench("brighten,brighten+average,brighten+noisy", f"paired:{pairs}")
    assert calls["Brighten"] == 3 + 1  # and the warm-up
    assert calls["load Brighten"] == 1


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"options": {"brighten": {"gain": "1.2"}}}, {"brighten", "brighten+average"}),
        ({"seed": 1}, {"noisy"}),
        ({"metrics": ("psnr", "ssim")}, set()),
        ({"order": "noisy,brighten+average,brighten"}, set()),
        ({"intensities": ("heavy",)}, set()),
        ({"precision": "bf16"}, set()),  # none of them holds in it
        ({"size": 20}, {"identity", "brighten", "brighten+average", "noisy"}),
    ],
)
def test_a_change_restores_what_it_touches(bench: Any, pairs: Path, change: dict[str, Any], again: set[str]) -> None:
    change = dict(change)
    bench(METHODS, f"paired:{pairs}")
    outcome = bench(change.pop("order", METHODS), f"paired:{pairs}", **change)
    assert {name for name, count in restored(outcome).items() if count} == again


def test_only_a_changed_picture_is_restored_again(bench: Any, pairs: Path, make_pairs: Any) -> None:
    bench(METHODS, f"paired:{pairs}")
    shutil.copy(make_pairs(pairs.parent / "other", first=7) / "rainy" / "p007.png", pairs / "rainy" / "p001.png")
    assert set(restored(bench(METHODS, f"paired:{pairs}")).values()) == {1}


def test_where_the_data_lies_does_not_matter(bench: Any, pairs: Path, tmp_path: Path) -> None:
    first = bench(METHODS, f"paired:{pairs}")
    (tmp_path / "moved").mkdir()
    shutil.move(pairs, tmp_path / "moved" / "pairs")
    second = bench(METHODS, f"paired:{tmp_path / 'moved' / 'pairs'}")
    assert set(restored(second).values()) == {0}
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()


def test_a_new_version_of_a_method_is_restored_again(bench: Any, pairs: Path, registry: Any, monkeypatch: Any) -> None:
    import dataclasses

    bench("blur,noisy", f"paired:{pairs}")
    monkeypatch.setitem(registry.methods, "blur", dataclasses.replace(registry.method("blur"), version=2))
    assert restored(bench("blur,noisy", f"paired:{pairs}")) == {"identity": 0, "blur": 3, "noisy": 0}


def test_overwrite(bench: Any, make_pairs: Any, tmp_path: Path, calls: Any) -> None:
    data = f"paired:{make_pairs(tmp_path / 'pairs', odd=(1,))}"
    assert restored(bench("picky", data)) == {"identity": 3, "picky": 2}
    tried = calls["Picky"]
    assert restored(bench("picky", data)) == {"identity": 0, "picky": 0}
    assert calls["Picky"] == tried
    assert restored(bench("picky", data, overwrite="failed")) == {"identity": 0, "picky": 0}
    assert calls["Picky"] == tried + 1  # the failed one, whose first call is the warm-up
    assert restored(bench("picky", data, overwrite="always")) == {"identity": 3, "picky": 2}


def test_overwrite_failed_restores_what_works_by_now(
    bench: Any, make_pairs: Any, tmp_path: Path, fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"paired:{make_pairs(tmp_path / 'pairs', odd=(1,))}"
    assert bench("picky,picky+average", data).exit_status == 1
    monkeypatch.setattr(fakes, "ODD_WIDTH", 0)
    outcome = bench("picky,picky+average", data, overwrite="failed")
    assert outcome.exit_status == 0
    assert restored(outcome) == {"identity": 0, "picky": 1, "picky+average": 1}


def test_always_forgets_an_output_that_fails_now(
    bench: Any, make_pairs: Any, tmp_path: Path, fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"paired:{make_pairs(tmp_path / 'pairs', odd=(1,))}"
    monkeypatch.setattr(fakes, "ODD_WIDTH", 0)
    assert bench("picky", data).exit_status == 0
    monkeypatch.setattr(fakes, "ODD_WIDTH", 40)
    outcome = bench("picky", data, overwrite="always")
    assert outcome.exit_status == 1 and about(outcome, "picky")["images_ok"] == 2


@pytest.mark.parametrize(
    ("method", "status", "reason"),
    [
        ("raises", "failed", "ValueError: always"),
        ("raises-at-load", "failed", "OSError: the network lies in pieces"),
        ("wrong-shape", "failed", "returned the shape"),
        ("not-finite", "failed", "returned NaN"),
        ("integers", "failed", "torch.uint8"),
        ("no-tensor", "failed", "ndarray, not a tensor"),
        ("out-of-memory", "oom", "out of memory: tried to allocate 80 GiB"),
        ("exits", "failed", "it tried to end the program"),
        ("no-method", "failed", "must be a sub-class"),
        ("needs-more", "skipped", "needs a_module_that_is_nowhere, not installed here. Install with: "),
        ("without-weights", "skipped", "has no weights, and cannot be trained here"),
    ],
)
def test_a_failing_method_loses_its_own_rows(bench: Any, pairs: Path, method: str, status: str, reason: str) -> None:
    outcome = bench(f"{method},blur,{method}+average", f"paired:{pairs}")
    assert outcome.exit_status == 1
    for name in (method, f"{method}+average"):
        lost = rows(outcome, name)
        assert len(lost) == 6 and lost["value"].isna().all()
        assert lost["reason"].str.contains(reason, regex=False).all(), set(lost["reason"])
        assert set(lost["status"]) == {status}
        assert about(outcome, name)["status"] == ("skipped" if status == "skipped" else "failed")
    assert set(rows(outcome, "blur")["status"]) == set(rows(outcome, "identity")["status"]) == {"ok"}
    again = bench(f"{method},blur,{method}+average", f"paired:{pairs}")
    assert again.exit_status == 1 and set(rows(again, method)["status"]) == {status}


def test_one_failing_picture_costs_that_picture(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    root = make_pairs(tmp_path / "pairs", odd=(1,))
    outcome = bench("picky,picky+average", f"paired:{root}")
    lost = rows(outcome, "picky")
    assert dict(lost[lost["metric"] == "psnr"][["image", "status"]].values) == {
        "p000": "ok",
        "p001": "failed",
        "p002": "ok",
    }
    described = about(outcome, "picky")
    assert (described["status"], described["images_ok"], described["images"]) == ("partly", 2, 3)
    assert described["reason"] == "RuntimeError: this width is not for me"
    assert "picky" in described["traceback"] or "this width is not for me" in described["traceback"]
    assert set(rows(outcome, "picky+average")["reason"]) == {
        "",
        "picky before it: RuntimeError: this width is not for me",
    }
    assert not outcome.folder.output_png("paired:pairs", "p001", "picky").exists()


def test_a_method_that_hangs_is_stopped(bench: Any, pairs: Path, calls: Any) -> None:
    started = time.monotonic()
    outcome = bench("hangs,blur,hangs+average", f"paired:{pairs}", timeout=0.2)
    assert time.monotonic() - started < 30
    assert outcome.exit_status == 1
    for name in ("hangs", "hangs+average"):
        assert set(rows(outcome, name)["status"]) == {"timeout"}
        assert (
            rows(outcome, name)["reason"]
            .str.contains("longer than 0.2 s for one picture (--timeout)", regex=False)
            .all()
        )
    assert set(rows(outcome, "blur")["status"]) == {"ok"}
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_warm_up_does_not_eat_the_first_pictures_time(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    outcome = bench("slow", f"paired:{make_pairs(tmp_path / 'one', 1)}", timeout=1.1)
    assert set(rows(outcome, "slow")["status"]) == {"ok"}


def test_a_hopeless_method_is_given_up(bench: Any, make_pairs: Any, tmp_path: Path, calls: Any) -> None:
    root = make_pairs(tmp_path / "pairs", 9)
    outcome = bench("raises,out-of-memory", f"paired:{root}")
    assert calls["Raises"] == 5
    reasons = rows(outcome, "raises")["reason"]
    assert sum(reason.startswith("not tried after 5 failures in a row") for reason in reasons) == 2 * 4
    assert calls["OutOfMemory"] == 9  # smaller pictures might have fitted


def test_non_commercial_methods_say_so(bench: Any, pairs: Path) -> None:
    bench("shy+average", f"paired:{pairs}")
    assert "shy is not for commercial use: academic use only" in bench.warnings


def test_precision_that_a_method_does_not_hold_in(bench: Any, pairs: Path) -> None:
    outcome = bench("half-precision,blur", f"paired:{pairs}", precision="bf16")
    assert set(rows(outcome, "half-precision")["precision"]) == {"bf16"}
    assert set(rows(outcome, "blur")["precision"]) == {"fp32"}


@pytest.mark.parametrize("stop", [("restore brighten on", 2), ("restore noisy", 1), ("score", 1), ("store", 2)])
def test_a_stopped_run_goes_on_to_the_same_bytes(
    bench: Any, pairs: Path, tmp_path: Path, registry: Any, stops_at: Any, stop: tuple[str, int]
) -> None:
    whole = bench(METHODS, f"paired:{pairs}")
    other = type(bench)(tmp_path / "other", registry)
    out = tmp_path / "other" / "run"
    with pytest.raises(KeyboardInterrupt):
        other(METHODS, f"paired:{pairs}", display=stops_at(*stop), out=out)
    assert not (out / "run.json").exists()
    outcome = other(METHODS, f"paired:{pairs}", out=out)
    assert outcome.restored_now < 12
    assert outcome.folder.results_parquet.read_bytes() == whole.folder.results_parquet.read_bytes()
    assert contents(out) == contents(whole.folder.path)


def test_fresh_caches_give_the_same_bytes(bench: Any, pairs: Path, tmp_path: Path, registry: Any) -> None:
    first = bench(METHODS, f"paired:{pairs}")
    second = type(bench)(tmp_path / "other", registry)("noisy,brighten+average,brighten", f"paired:{pairs}")
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()
    assert contents(first.folder.path) == contents(second.folder.path)


def test_real_photos_have_outputs_and_skipped_scores(bench: Any, pairs: Path) -> None:
    outcome = bench("blur", f"real:{pairs / 'rainy'}")
    results = outcome.folder.results()
    assert outcome.exit_status == 0
    assert set(results["status"]) == {"skipped"} and set(results["reason"]) == {
        "there is no ground truth to compare with"
    }
    assert set(results["intensity_source"]) == {"estimated"}
    assert output(outcome, "blur", dataset="real:rainy").shape == (24, 32, 3)


def test_no_metric_mixes_data_sets(bench: Any, pairs: Path) -> None:
    outcome = bench("blur", f"paired:{pairs}", f"real:{pairs / 'rainy'}")
    assert set(outcome.folder.results()["dataset"]) == {"paired:pairs", "real:rainy"}
    # The same pictures under two names: restored once.
    assert restored(outcome) == {"identity": 3, "blur": 3}


def test_two_data_sets_of_one_name_are_refused(bench: Any, pairs: Path, make_pairs: Any, tmp_path: Path) -> None:
    other = make_pairs(tmp_path / "deeper" / "pairs", first=5)
    with pytest.raises(DataError, match=r"would both be called paired:pairs in the results\. Rename one"):
        bench("blur", f"paired:{pairs}", f"paired:{other}")
    assert len(bench("blur", f"paired:{pairs}", f"paired:{pairs}").folder.about()["datasets"]) == 1


def test_options_of_data_sets(bench: Any, pairs: Path) -> None:
    assert bench("blur", f"paired:{pairs}", data_options={"paired.scene": "folder"}).exit_status == 0
    with pytest.raises(
        OptionError, match=r"--data-option pared\.scene: .*no data set 'pared'\. Did you mean 'paired'\?"
    ):
        bench("blur", f"paired:{pairs}", data_options={"pared.scene": "folder"})


def test_a_refused_command_leaves_nothing(bench: Any, pairs: Path, tmp_path: Path) -> None:
    for methods, data, error in (
        ("blur", f"paired:{pairs / 'nowhere'}", DataError),
        ("blurr", f"paired:{pairs}", SpecError),
    ):
        with pytest.raises(error):
            bench(methods, data, out=tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_out_must_be_a_run_or_free(bench: Any, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"--out .*file is a file\. Give a folder"):
        bench("blur", f"paired:{pairs}", out=tmp_path / "file")
    with pytest.raises(DataError, match="holds files that are not of a run"):
        bench("blur", f"paired:{pairs}", out=pairs)
    with pytest.raises(DataError, match="cannot be made"):
        bench("blur", f"paired:{pairs}", out=tmp_path / "file" / "run")


@pytest.mark.parametrize("damage", [b"\x89PNG broken", None])
def test_a_damaged_output_is_restored_again(bench: Any, pairs: Path, damage: bytes | None) -> None:
    whole = bench("blur", f"paired:{pairs}")
    expected = contents(whole.folder.path)  # its pictures are links to those of the cache
    for victim in list((bench.folder / "cache" / "cells").rglob("pictures/*.png"))[:2]:
        # A flipped byte keeps the length, and is noticed when the picture is read.
        data = victim.read_bytes()
        victim.write_bytes(damage or data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    outcome = bench("blur", f"paired:{pairs}", metrics=("psnr", "mse", "ssim"))
    assert outcome.restored_now == 2
    again = bench("blur", f"paired:{pairs}")
    assert again.restored_now == 0
    assert again.folder.results_parquet.read_bytes() == whole.folder.results_parquet.read_bytes()
    assert contents(again.folder.path) == expected


@pytest.mark.parametrize("phase", ["restore blur+average on ", "score", "store pictures"])
def test_a_cell_that_is_taken_out_meanwhile_is_restored_again(
    bench: Any, pairs: Path, tmp_path: Path, phase: str
) -> None:
    undisturbed = type(bench)(tmp_path / "other", bench.registry)("blur+average,blur", f"paired:{pairs}")

    class TakesOut(type(bench.display)):
        def begin(self, name: str, total: int) -> None:
            super().begin(name, total)
            if name.startswith(phase) and not self.taken:
                for key_file in (bench.folder / "cache" / "cells").glob("*/*/key.json"):
                    if json.loads(key_file.read_text())["method"] == "blur":
                        shutil.rmtree(key_file.parent)
                        self.taken += 1

        taken = 0

    display = TakesOut()
    outcome = bench("blur+average,blur", f"paired:{pairs}", display=display)
    assert display.taken == 1 and outcome.exit_status == 0
    assert set(outcome.folder.results()["status"]) == {"ok"}
    assert outcome.folder.results()["value"].tolist() == undisturbed.folder.results()["value"].tolist()


def test_what_a_reload_of_the_cell_forgot_is_restored_again(bench: Any, pairs: Path) -> None:
    settings = bench.settings("blur", f"paired:{pairs}")
    preparation = Preparation(settings, bench.registry, torch.device("cpu"), Silent())
    sample_sets = [sample_set for _, sample_set in gather(settings, bench.registry, must_train=[]).tested]
    stage = preparation.stage(bench.registry.chains(["blur"])[0])
    restorer = Restorer(settings, Silent(), 1, settings.out / "logs")
    restorer.restore(stage, sample_sets)
    shutil.rmtree(restorer.cell(stage).folder)
    restorer.again(stage, sample_sets[0].samples[0])
    restorer.restore(stage, sample_sets)
    assert all(restorer.cell(stage).has(sample.rainy.fingerprint) for sample in sample_sets[0].samples)


def test_a_damaged_estimate_is_restored_again(bench: Any, pairs: Path) -> None:
    bench("brighten", f"paired:{pairs}")
    victim = next(
        path
        for path in (bench.folder / "cache" / "cells").rglob("pictures/*.png")
        if '"brighten"' in (path.parent.parent / "key.json").read_text()
    )
    data = victim.read_bytes()
    victim.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    outcome = bench("brighten+average", f"paired:{pairs}")
    assert outcome.exit_status == 0
    assert victim.read_bytes() == data
    assert set(rows(outcome, "brighten+average")["status"]) == {"ok"}


def test_outputs_that_are_taken_away_meanwhile_are_restored_again(bench: Any, pairs: Path, stops_at: Any) -> None:
    whole = bench("blur,brighten", f"paired:{pairs}")
    expected = contents(whole.folder.path)

    class Tidies(stops_at):  # type: ignore[misc,valid-type]
        """Empties the first method's cell while the second one works."""

        def begin(self, phase: str, total: int) -> None:
            super().begin(phase, total)
            if phase.startswith("restore brighten"):
                for key in (self.cache / "cells").glob("*/*/key.json"):
                    if "Blur" in key.read_text():
                        shutil.rmtree(key.parent / "pictures")

    other = type(bench)(bench.folder / "other", bench.registry)
    display = Tidies("never", 0)
    display.cache = other.folder / "cache"
    outcome = other("blur,brighten", f"paired:{pairs}", display=display)
    assert outcome.exit_status == 0
    assert outcome.folder.results_parquet.read_bytes() == whole.folder.results_parquet.read_bytes()
    assert contents(outcome.folder.path) == expected


def test_pictures_of_an_earlier_run_do_not_linger(bench: Any, pairs: Path, make_pairs: Any, tmp_path: Path) -> None:
    out = tmp_path / "same"
    masked = make_pairs(tmp_path / "a" / "pairs", masks=True)
    first = bench("blur", f"paired:{masked}", out=out)
    folder = first.folder.image_folder("paired:pairs", "p000")
    assert {path.name for path in folder.glob("*.png")} == {
        "rainy.png",
        "clear.png",
        "mask.png",
        "identity.png",
        "blur.png",
    }
    bench("raises,blur", f"paired:{pairs}", out=out)
    assert {path.name for path in folder.glob("*.png")} == {"rainy.png", "clear.png", "identity.png", "blur.png"}


def test_plugins_are_told_of_cells(bench: Any, pairs: Path, registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(registry, "cell_finished", lambda cell: told.append(cell) or [])
    bench("blur+average,raises", f"paired:{pairs}")
    assert [(cell.method, cell.status, cell.images) for cell in told] == [
        ("identity", "ok", 3),
        ("blur", "ok", 3),
        ("blur+average", "ok", 3),
        ("raises", "failed", 0),
    ]
    assert told[-1].reason == "ValueError: always" and told[1].dataset == "paired:pairs"


def test_identity_is_the_reference_of_the_engine_and_of_the_statistics() -> None:
    from drivederain.results import statistics

    assert run_module.REFERENCE == statistics.REFERENCE


def test_the_beginnings_of_a_chain_are_rows_too(bench: Any, pairs: Path) -> None:
    outcome = bench("brighten+average", f"paired:{pairs}")
    results = outcome.folder.results()
    assert set(results["method"]) == {"identity", "brighten", "brighten+average"}
    assert (results["status"] == "ok").all()
    assert restored(outcome) == {"identity": 3, "brighten": 3, "brighten+average": 3}
