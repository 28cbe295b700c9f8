"""Tables that go to other programs, with names that would do harm there."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drivederain.errors import SpecError
from drivederain.results.export.data_files import csv_file, json_file, parquet_file
from drivederain.results.export.frames import SUMMARY, exported
from drivederain.results.export.text_tables import latex_file, markdown_file, text_tables
from drivederain.results.run_folder import RunFolder
from tests.reports.conftest import FakeRun

HOSTILE = "=cmd|' /C calc'!A0\n\u202e%&$#_{}~^\\<b>|"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = FakeRun(scenes=6, images=False, methods=("identity", "unet", HOSTILE), failing=(), with_real=False)
    return made.build(tmp_path_factory.mktemp("run") / "r")


@pytest.fixture(scope="module")
def summary(run: RunFolder) -> pd.DataFrame:
    return exported(run, "summary", ("psnr", "lpips"))


def test_the_summary_is_the_report_s(summary: pd.DataFrame) -> None:
    assert list(summary.columns) == list(SUMMARY)
    assert set(summary["metric"]) == {"psnr", "lpips"}
    first = summary[(summary["dataset"] == "synthetic:photos") & (summary["region"] == "image")]
    assert list(first["method"].unique()) == ["identity", "unet", HOSTILE], "in the order of the run"
    assert list(first["intensity"].unique()) == ["light", "medium", "heavy", "all"]
    own = first[(first["method"] == "unet") & (first["intensity"] == "all")].set_index("metric")
    rainy = first[(first["method"] == "identity") & (first["intensity"] == "all")].set_index("metric")
    assert own.at["psnr", "gain"] == pytest.approx(own.at["psnr", "mean"] - rainy.at["psnr", "mean"])
    assert own.at["lpips", "gain"] == pytest.approx(rainy.at["lpips", "mean"] - own.at["lpips", "mean"])
    assert own.at["lpips", "gain_low"] < own.at["lpips", "gain"] < own.at["lpips", "gain_high"]
    assert (own.at["psnr", "unit"], own.at["lpips", "direction"]) == ("dB", "lower")


def test_one_row_a_picture(run: RunFolder) -> None:
    images = exported(run, "images", ("psnr[rgb]",))
    assert set(zip(images["metric"], images["variant"], strict=True)) == {("psnr", "rgb")}
    assert len(images[images["region"] == "image"]) == (6 + 4) * 3 * 3
    assert len(exported(run, "timings")) == 2


def test_an_unknown_metric_is_named_with_what_there_is(run: RunFolder) -> None:
    with pytest.raises(SpecError, match=r"no metric 'psnrr'.*Did you mean 'psnr'.*psnr\[rgb\]"):
        exported(run, "summary", ("psnrr",))


def test_csv_reads_back_and_runs_no_formula(summary: pd.DataFrame) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_file(summary).decode("utf-8"), newline="")))
    assert len(rows) == len(summary)
    assert {row["method"] for row in rows} == {"identity", "unet", f"'{HOSTILE}"}
    assert [float(row["mean"]) for row in rows if row["mean"]] == summary["mean"].dropna().tolist()
    assert csv_file(summary) == csv_file(summary)


def test_json_is_strict_and_keeps_infinite_apart_from_missing() -> None:
    frame = pd.DataFrame({"method": [HOSTILE, "b", "c"], "mean": [math.inf, math.nan, -math.inf], "n": [1, 2, 3]})
    rows = json.loads(json_file(frame))
    assert rows == [
        {"method": HOSTILE, "mean": "inf", "n": 1},
        {"method": "b", "mean": None, "n": 2},
        {"method": "c", "mean": "-inf", "n": 3},
    ]


def test_parquet_reads_back(summary: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    path.write_bytes(parquet_file(summary))
    back = pd.read_parquet(path)
    assert list(back.columns) == list(SUMMARY)
    assert back["method"].tolist() == summary["method"].tolist()
    assert back["mean"].equals(summary["mean"])


def test_markdown_has_one_table_a_metric_and_data_set_with_the_best_in_bold(summary: pd.DataFrame) -> None:
    text = markdown_file(text_tables(summary, {("psnr", "rgb"): 2, ("lpips", "alex"): 4})).decode()
    tables = text.split("\n\n**")
    assert len(tables) == 4
    lines = [line for line in tables[0].splitlines() if line.startswith("| ")]
    assert lines[0] == "| Method | light (n = 6) | medium (n = 6) | heavy (n = 6) | all (n = 18) |"
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| rainy input", "| unet"]
    assert lines[3].count("**") == 8 and "[" in lines[3]
    hostile = lines[4]
    assert hostile.count(" | ") == 4 and "<b>" not in hostile and "\u202e" not in text


def test_latex_escapes_every_sign_of_its_own(summary: pd.DataFrame) -> None:
    text = latex_file(text_tables(summary, {})).decode()
    line = next(line for line in text.splitlines() if line.startswith("=cmd"))
    name = line.split(" & ")[0]
    assert name == (
        r"=cmd\textbar{}' /C calc'!A0 \%\&\$\#\_\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
        r"\textless{}b\textgreater{}\textbar{}"
    )
    assert line.endswith(r" \\") and line.replace(r"\&", "").count("&") == 4
    assert text.count(r"\toprule") == text.count(r"\end{table}") == 4


def test_a_mean_of_fewer_pictures_says_so(tmp_path: Path) -> None:
    made = FakeRun(
        scenes=6, images=False, methods=("identity", "unet", "mprnet"), failing=("mprnet@heavy",), with_real=False
    )
    tables = text_tables(exported(made.build(tmp_path / "r"), "summary", ("psnr",)), {})
    lines = {line.split(" | ")[0]: line for line in markdown_file(tables[:1]).decode().splitlines()}
    assert lines["| mprnet"].endswith("(n = 12) |") and lines["| mprnet"].count("(n = ") == 1
    assert not lines["| mprnet"].split(" | ")[4].startswith("**"), "nor is it called best"
    assert "(n = " not in lines["| unet"]
    assert "($n=" in next(line for line in latex_file(tables[:1]).decode().splitlines() if line.startswith("mprnet"))


def test_pictures_of_two_sizes_are_told(tmp_path: Path) -> None:
    run = FakeRun(scenes=6, images=False, methods=("identity", "unet"), failing=(), with_real=False).build(
        tmp_path / "r"
    )
    table = pq.read_table(run.results_parquet)
    rows = table.to_pandas().astype({"size": str})
    rows.loc[(rows["dataset"] == "synthetic:photos") & (rows["scene"] == "street 00"), "size"] = "256"
    pq.write_table(pa.Table.from_pandas(rows, schema=table.schema), run.results_parquet)
    sizes = exported(run).groupby("dataset")["size"].unique()
    assert set(sizes["synthetic:photos"][0].split(" and ")) == {"256", "native"}
    assert all(list(own) == ["native"] for name, own in sizes.items() if name != "synthetic:photos")
