"""merge: shards are one run again, other people's runs are joined, what is not comparable is refused with reasons."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from drivederain.api import run
from drivederain.cli.main import app
from drivederain.errors import DataError
from drivederain.results.merging.merge import merge_runs
from drivederain.results.run_folder import RunFolder

COUNT = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs with drop masks, a run of all of them, and its eight shards, each with a cache of its own."""
    root = tmp_path_factory.mktemp("merge")
    rng = np.random.default_rng(3)
    lines = ["image,intensity"]
    for number in range(10):
        for kind in ("clear", "rainy", "masks"):
            (root / "pairs" / kind).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 255, (32, 40, 3), dtype=np.uint8)
            if kind == "masks":
                pixels = np.zeros((32, 40), np.uint8)
                pixels[:12, :12] = 255
            cv2.imwrite(str(root / "pairs" / kind / f"p{number:02d}.png"), pixels)
        lines.append(f"p{number:02d},{('light', 'medium', 'heavy')[number % 3]}")
    (root / "pairs" / "intensity.csv").write_text("\n".join(lines) + "\n")
    bench(root, "one/run", clear_input=5)
    for number in range(1, COUNT + 1):
        bench(root, f"shard{number}", clear_input=5, shard=f"{number}/{COUNT}")
    return root


def bench(root: Path, name: str, methods: str = "identity,median", **more: Any) -> RunFolder:
    settings: dict[str, Any] = {"metrics": "psnr,mse", "device": "cpu", "isolate": False, "precision": "fp32"}
    data = more.pop("data", f"paired:{root / 'pairs'}")
    return run(methods, data, out=root / name, cache=root / "caches" / name, **(settings | more))


def shards(root: Path) -> list[Path]:
    return [root / f"shard{number}" for number in range(1, COUNT + 1)]


def pictures(run: Path) -> dict[str, bytes]:
    files = [path for path in sorted((run / "images").rglob("*")) if path.suffix in (".png", ".webp")]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


@pytest.fixture
def changed(made: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """A copy of a run whose record is changed by a function."""

    def change(how: Callable[[dict[str, Any]], None], source: str = "one/run") -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(made / source, folder)
        record = json.loads((folder / "run.json").read_text())
        how(record)
        (folder / "run.json").write_text(json.dumps(record))
        return folder

    return change


def rewrite(folder: Path, how: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Change the rows of ``results.parquet``."""
    table = pq.read_table(folder / "results.parquet")
    rows = how(table.to_pylist())
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), folder / "results.parquet")


def test_eight_shards_merged_are_one_run(made: Path, tmp_path: Path) -> None:
    whole, out = made / "one" / "run", tmp_path / "run"
    mixed = [*reversed(shards(made))]
    result = CliRunner().invoke(app, ["merge", *map(str, mixed), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert (out / "results.parquet").read_bytes() == (whole / "results.parquet").read_bytes()
    assert (out / "pictures.parquet").read_bytes() == (whole / "pictures.parquet").read_bytes()
    assert pictures(out) == pictures(whole) and len(pictures(out)) > 50
    merged, one = RunFolder(out).about(), RunFolder(whole).about()
    for name in ("datasets", "metrics", "protocol", "shard", "whole", "exit_status", "warnings", "problems"):
        assert merged[name] == one[name], name
    kept = ("name", "status", "images", "images_ok", "restored_now", "key", "facts", "options", "weights", "reason")
    for here, there in zip(merged["methods"], one["methods"], strict=True):
        assert {name: here[name] for name in kept} == {name: there[name] for name in kept}
    assert [part["shard"] for part in merged["merged"]] == [f"{number}/8" for number in range(8, 0, -1)]
    timings = RunFolder(out).timings()
    assert list(timings["method"]) == list(RunFolder(whole).timings()["method"])
    assert set(timings["run"]) <= {path.name for path in shards(made)}
    page = (out / "report" / "index.html").read_text()
    assert "Joined from" in page and "5/8" in page and "Not all of the test data" not in page
    assert not list(tmp_path.glob(".*")), "nothing is left of the work"


def test_some_of_the_shards_are_joined_and_say_that_they_are_not_all(made: Path, tmp_path: Path) -> None:
    first = merge_runs(shards(made)[:3], tmp_path / "first").folder
    about = first.about()
    assert about["shard"] == "1/8, 2/8, 3/8" and about["whole"] == RunFolder(made / "one/run").about()["datasets"]
    assert any("not all of the test data" in words for words in about["warnings"])
    counted = {each["name"]: each for each in about["datasets"]}
    assert counted["paired:pairs"]["images"] == len(first.pictures().query("dataset == 'paired:pairs'"))
    # What was joined is joined again.
    everything = merge_runs([first.path, *shards(made)[3:]], tmp_path / "run").folder
    assert everything.results_parquet.read_bytes() == (made / "one/run/results.parquet").read_bytes()
    assert everything.about()["shard"] == ""


def test_a_report_of_a_shard_says_so(made: Path) -> None:
    page = (made / "shard2" / "report" / "index.html").read_text()
    assert "Not all of the test data" in page and "2/8" in page
    assert "Not all of the test data" not in (made / "one/run/report/index.html").read_text()


def test_runs_of_other_methods_on_the_same_data_are_joined(made: Path, tmp_path: Path) -> None:
    other = bench(made, "other", "identity,unet", clear_input=5, train=False)
    merged = merge_runs([made / "one/run", other.path], tmp_path / "both")
    both = merged.folder.results()
    assert set(both["method"]) == {"identity", "median", "unet"}
    alone = len(RunFolder(made / "one/run").results())
    assert merged.identical == alone // 2, "the rows of identity are in both, and once in the result"
    assert merged.rows == alone + alone // 2
    strip = cv2.imread(str(next((merged.folder.path / "images").rglob("thumbnails.webp"))))
    assert strip.shape[1] == 96 * 4, "rainy, clear and two methods"
    assert [method["name"] for method in merged.folder.about()["methods"]] == ["identity", "median", "unet"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda record: record["protocol"].update(seed=7), r"protocol: --seed is 0 in .* and 7 in .*Run one of them"),
        (lambda record: record["protocol"].update(size="256"), "protocol: --size is native in .* and 256 in"),
        (lambda record: record["protocol"].update(tile=64), "protocol: --tile is not set in .* and 64"),
        (lambda record: record.update(version="0.0.1"), r"version: .* was made by .*, .* by 0\.0\.1"),
        (lambda record: record["metrics"].pop(), r"metrics: .*changed lacks .*same --metrics"),
        (lambda record: record["metrics"][0].update(variant="odd"), r"metrics: .*lacks psnr\[odd\]"),
        (lambda record: record["datasets"][0].update(fingerprint="f" * 64), r"data: .*paired:pairs .*ffffffffffff"),
        (lambda record: record["methods"][1].update(recipe="other"), r"method: median is not the same .*its code"),
        (
            lambda record: record["methods"][1].update(recipe="other", options={"median": {"size": 99}}),
            r"method: median is not the same .*median\.size \S+ and 99",
        ),
        (lambda record: record.pop("methods"), r"run\.json is damaged .*Start the same"),
        (lambda record: record.update(schema_version=1), r"schema version 1, this program reads"),
    ],
)
def test_what_is_not_comparable_is_refused(made: Path, changed: Any, tmp_path: Path, change: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        merge_runs([made / "one/run", changed(change)], tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))


def test_all_reasons_are_told_at_once(made: Path, changed: Any, tmp_path: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["protocol"].update(seed=7, batch=3)
        record["metrics"].pop()

    with pytest.raises(DataError) as refused:
        merge_runs([made / "one/run", changed(change)], tmp_path / "out")
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == ["protocol"] * 2 + [
        "metrics"
    ]


def test_conflicting_rows_are_shown_or_listed(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(made / "one/run", other)

    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        wrong = [row for row in rows if row["method"] == "median" and row["metric"] == "mse"][:12]
        for row in wrong:
            row["value"] += 1
        return [row | {"key": "of another machine"} for row in rows]

    rewrite(other, change)
    command = ["merge", str(made / "one/run"), str(other), "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(app, command)
    words = str(refused.exception)
    assert isinstance(refused.exception, DataError) and not (tmp_path / "out").exists()
    assert "contradict each other in 12 rows" in words and "and 2 more" in words and "--on-conflict first" in words
    assert "paired:pairs/all/median/" in words and "/mse/" in words and ": value " in words
    kept = CliRunner().invoke(app, [*command, "--on-conflict", "first"])
    assert kept.exit_code == 0 and "conflicts.jsonl lists the others" in kept.stderr.replace("\n", " ")
    lines = [json.loads(line) for line in (tmp_path / "out/conflicts.jsonl").read_text().splitlines()]
    assert len(lines) == 12 and all(set(line["columns"]) == {"value"} for line in lines)
    merged, first = (RunFolder(path).results().drop(columns="run") for path in (tmp_path / "out", made / "one/run"))
    assert merged.equals(first)
    warnings = RunFolder(tmp_path / "out").about()["warnings"]
    assert any("contradict each other in 12 rows" in words for words in warnings)
    assert any("median was restored on 2 kinds of machine" in words for words in warnings)


def test_methods_on_different_pictures_are_refused(made: Path, tmp_path: Path) -> None:
    part = bench(made, "unet-part", "identity,unet", clear_input=5, shard="1/2", train=False)
    with pytest.raises(DataError, match=r"of unet there are \d+ pictures, of identity \d+.*add the missing"):
        merge_runs([made / "one/run", part.path], tmp_path / "out")


def test_what_is_no_run_or_is_there_already_is_refused(made: Path, tmp_path: Path) -> None:
    one, two = shards(made)[:2]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    for folders, out, says in [
        ([one], "out", "nothing to join: give two runs or more"),
        ([one, one], "out", "is given twice"),
        ([one, tmp_path], "out", "is not a run"),
        ([one, two], "full", "is there already. Give a new folder"),
    ]:
        with pytest.raises(DataError, match=says):
            merge_runs(folders, tmp_path / out)
    with pytest.raises(DataError, match=r"lies in .*shard1"):
        merge_runs([one, two], one / "merged")
    assert (tmp_path / "full" / "file").read_text() == "mine"


def test_damaged_tables_are_named(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(made / "shard2", other)
    rewrite(other, lambda rows: rows[::-1])
    with pytest.raises(DataError, match=r"other/results\.parquet is damaged: its rows are not in the order"):
        merge_runs([made / "shard1", other], tmp_path / "out")
    (other / "results.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"other/results\.parquet is damaged"):
        merge_runs([made / "shard1", other], tmp_path / "out")
    (other / "results.parquet").unlink()
    with pytest.raises(DataError, match=r"other/results\.parquet is missing"):
        merge_runs([made / "shard1", other], tmp_path / "out")


def test_links_in_other_peoples_runs_are_not_followed(made: Path, tmp_path: Path) -> None:
    other, secret = tmp_path / "other", tmp_path / "secret.png"
    shutil.copytree(made / "shard2", other)
    secret.write_bytes(b"not yours")
    for path in (other / "images").rglob("rainy.png"):
        path.unlink()
        path.symlink_to(secret)
    folder = merge_runs([made / "shard1", other], tmp_path / "out").folder
    assert b"not yours" not in pictures(folder.path).values()


def test_a_merged_run_is_not_run_into(made: Path, tmp_path: Path) -> None:
    merge_runs(shards(made)[:2], tmp_path / "out")
    with pytest.raises(DataError, match=r"is a merged run\. Give another folder"):
        bench(made, str(tmp_path / "out"))
