"""``run`` from the command line: what is printed, written and returned."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from drivederain.cli import progress
from drivederain.cli.run import _default_name
from drivederain.cli.suites import Suite, builtin_suites, read_suite
from drivederain.engine.run import Restorer
from drivederain.results.run_folder import RunFolder


def test_a_run_prints_the_table_and_the_way_to_the_report(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ("run", "--methods", "identity", "--data", f"paired:{pairs}", "--metrics", "psnr,ssim", "--cache", "cache")
    ended = command(*typed)
    assert ended.status == 0
    assert "restore identity on paired:pairs (3)" in ended.out
    for words in ("paired:pairs (intensity recorded)", "light", "medium", "heavy", "PSNR dB", "identity"):
        assert words in ended.out
    assert f"report: {Path('runs') / 'pairs' / 'report' / 'index.html'}" in ended.out
    record = RunFolder(tmp_path / "runs" / "pairs").about()
    assert record["command"][:2] == ["drivederain-bench", "run"] and record["suite"] == "demo"
    assert {metric["name"] for metric in record["metrics"]} == {"psnr", "ssim"}


def test_the_exit_status_is_1_where_a_chain_is_lost_and_the_report_is_written(
    command: Any, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    arguments = ("--data", f"paired:{pairs}", "--metrics", "mse", "--out", out, "--no-train", "--cache", tmp_path / "c")
    ended = command(
        "run", "--methods", "unet", *arguments, "--set", "unet.architecture=custom", "--set", "unet.width=8"
    )
    assert ended.status == 1
    assert (out / "report" / "index.html").is_file()


def test_the_suite_of_deraining_papers_trains_nothing_and_scores_by_both_protocols(
    command: Any, pairs: Path, tmp_path: Path
) -> None:
    root = tmp_path / "sets"
    for name in ("Rain100L", "Rain100H"):
        shutil.copytree(pairs / "rainy", root / name / "input")
        shutil.copytree(pairs / "clear", root / name / "target")
    out = tmp_path / "run"
    ended = command("run", "--suite", "rain13k", "--data", f"rain13k:{root}", "--out", out, "--cache", tmp_path / "c")
    assert ended.status == 1, ended.err
    assert "rescan: " in ended.out and "nothing is trained with --no-train, or by a suite that says so" in ended.out
    results = RunFolder(out).results()
    scored = results[results["status"] == "ok"]
    assert set(scored["method"]) == {"identity", "restormer"}, "restormer ships weights"
    assert set(scored["dataset"]) == {"Rain100L", "Rain100H"}
    whole = scored[scored["region"] == "image"]
    assert {"psnr_y[mprnet]", "psnr_y[prenet]"} <= {
        f"{m}[{v}]" for m, v in zip(whole.metric, whole.variant, strict=True)
    }
    skipped = results[results["status"] == "skipped"]
    assert set(skipped["method"]) == {"derainnet", "rescan", "prenet", "mprnet"}


def test_samples_are_told_by_run_and_by_a_report_made_again(command: Any, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended = command(
        "run", "--methods", "unet,unet+diffusion", "--data", f"paired:{pairs}", "--samples", "2",
        "--set", "diffusion.eta=1", "--metrics", "psnr", "--out", out, "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    for intensity in ("light", "medium", "heavy"):
        assert f"unet+diffusion, {intensity}: between 2 samples PSNR of a picture varies by" in ended.out
    page = out / "report" / "index.html"
    first = page.read_bytes()
    assert b'<section id="spread">' in first
    page.unlink()
    assert command("report", out).status == 0
    assert page.read_bytes() == first


def test_a_suite_file_says_what_the_command_line_does_not(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(
        f'data = ["paired:{pairs.as_posix()}"]\nmethods = ["identity"]\nmetrics = ["mse"]\nbudget = "7 steps"\n'
        '[protocol]\nsize = 32\nseed = 5\nlimit = 2\nintensity = ["light", "heavy"]\n'
    )
    assert command("run", "--suite", "mine.toml").status == 0
    protocol = RunFolder(tmp_path / "runs" / "mine").about()["protocol"]
    asked = {"size": "32", "seed": 5, "limit": 2, "intensities": ["light", "heavy"], "budget": "7 steps"}
    assert protocol == {**protocol, **asked}
    assert command("run", "--suite", "mine.toml", "--seed", "6", "--intensity", "light", "--out", "runs/b").status == 0
    protocol = RunFolder(tmp_path / "runs" / "b").about()["protocol"]
    assert (protocol["seed"], protocol["intensities"], protocol["size"]) == (6, ["light"], "32")


def test_a_suite_without_metrics_scores_all_that_need_no_extra(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.toml").write_text(f'data = ["paired:{pairs.as_posix()}"]\nmethods = ["identity"]\n')
    assert command("run", "--suite", "all.toml").status == 0
    scored = {metric["name"] for metric in RunFolder(tmp_path / "runs" / "all").about()["metrics"]}
    assert {"psnr", "lpips", "seams"} <= scored and "niqe" not in scored


def test_builtin_suites_name_what_is_installed() -> None:
    from drivederain.registry import Registry

    registry = Registry.discover()
    suites = builtin_suites()
    assert {"demo", "phase4"} <= set(suites)
    for suite in suites.values():
        registry.chains(suite.methods)
        registry.metric_variants(suite.metrics)
    assert read_suite("demo").data == ("scenes",)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (("scenes",), "demo"),
        (("synthetic:../x/my photos",), "my-photos"),
        (("synthetic:photos",), "synthetic-photos"),
        (("paired:a/rainy:a/clear", "real:b"), "clear-real-b"),
    ],
)
def test_the_default_folder_is_named_after_the_data(data: tuple[str, ...], name: str) -> None:
    assert _default_name(Suite("demo", data=("scenes",)), data) == name


def test_ctrl_c_says_that_the_command_goes_on(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIVEDERAIN_CACHE", str(tmp_path / "cache"))
    arguments = (
        "run",
        "--methods",
        "identity",
        "--data",
        f"paired:{pairs}",
        "--metrics",
        "mse",
        "--out",
        tmp_path / "run",
    )

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Restorer, "restore", stop)
        ended = command(*arguments)
    assert ended.status == 130
    assert ended.message.startswith("stopped: what is done is kept. Go on with: drivederain-bench run --methods ")
    assert command(*arguments).status == 0


def test_without_a_terminal_progress_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.LiveDisplay() as display:
        display.begin("restore [unet] on x", 4)
        display.advance(2, "words")
        display.end("4 restored")
        display.warn("a [note]")
    out = capsys.readouterr().out
    assert "restore [unet] on x (4)" in out and "4 restored" in out and "note: a [note]" in out


def test_the_shipped_suites_are_toml() -> None:
    from importlib.resources import files

    for entry in files("drivederain_suites").iterdir():
        if entry.name.endswith(".toml"):
            assert tomllib.loads(entry.read_text(encoding="utf-8"))["description"].endswith(".")
