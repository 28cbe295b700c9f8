"""``--help`` says each option in one line with its default, and nothing heavy is imported to say it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivederain import __version__

VERBS = ("run", "train", "tune", "show", "list", "synth", "derain", "report", "merge", "env", "doctor")
CACHE_VERBS = ("cache list", "cache explain", "cache prune", "cache verify")
WEIGHTS_VERBS = ("weights list", "weights fetch", "weights add", "weights verify")
PLUGIN_VERBS = ("plugin new", "plugin check", "plugin doctor")
STUDY_VERBS = ("study new", "study score")
CACHE_FLAGS = ("--all", "--dry-run", "--repair", "--stale", "--traceback", "--yes")
HEAVY = (
    "torch", "cv2", "diffusers", "lightning", "segmentation_models_pytorch", "lpips", "spandrel", "scipy", "matplotlib",
)  # fmt: skip
RUN_OPTIONS = {
    "batch", "budget", "cache", "clear-input", "data", "data-option", "device", "download", "intensity", "isolate",
    "limit",
    "lower-precision", "memory-limit", "method-timeout", "methods", "metrics", "out", "overwrite", "precision",
    "samples", "seed", "set", "shard", "size", "skip-bad", "suite", "tile", "timeout", "train", "train-data", "weights",
}  # fmt: skip
OPTION = re.compile(r"^  (--[\w-]+(?: / --[\w-]+)?)(?: (?:<[^>]+>|[A-Z][\w.=]*))?\s{2,}(\S.*)$")


def imported(*arguments: str) -> tuple[str, set[str]]:
    """What a command printed, and the top modules that it imported, in a Python of its own."""
    code = (
        "import sys; sys.argv = ['drivederain-bench', *sys.argv[1:]]\n"
        "from drivederain.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('\\nMODULES', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    environment = {**os.environ, "COLUMNS": "120", "TERMINAL_WIDTH": "120"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    text, _, modules = done.stdout.rpartition("\nMODULES ")
    return text, set(modules.split())


@pytest.mark.parametrize("verb", [*VERBS, *CACHE_VERBS, *WEIGHTS_VERBS, *PLUGIN_VERBS, *STUDY_VERBS])
def test_help_is_a_line_an_option_and_imports_nothing_heavy(verb: str) -> None:
    text, modules = imported(*verb.split(), "--help")
    assert not {*HEAVY, "pandas", "pyarrow", "numpy"} & modules
    lines = text.split("Options:\n")[1].splitlines()
    options = [line for line in lines if line.strip() and not line.startswith("  -h")]
    for line in options:
        match = OPTION.match(line)
        assert match, f"not one line an option: {line!r}"
        flag = match[1] in (
            "--skip-bad",
            "--overwrite",
            "--download",
            "--json",
            "--lower-precision",
            "--retry-failed",
            "--keep-weights",
            "--joint",
            "--replace",
            *CACHE_FLAGS,
        ) or (verb == "cache prune" and match[1] == "--weights")
        assert flag or "[default: " in line or "[required]" in line, f"no default: {line!r}"
    if verb == "run":
        named = {name.lstrip("-") for line in options for name in OPTION.match(line)[1].split(" / ")}  # type: ignore[index]
        assert named - {"no-train", "no-isolate"} == RUN_OPTIONS


def test_bare_help_imports_nothing_heavy_and_names_all_verbs() -> None:
    text, modules = imported("--help")
    assert not {*HEAVY, "pandas", "pyarrow", "numpy", "rich"} & modules
    assert all(f"\n  {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("kind", ["methods", "datasets", "metrics", "plugins", "suites"])
def test_list_imports_nothing_heavy(kind: str) -> None:
    text, modules = imported("list", kind)
    assert not {*HEAVY, "pandas", "pyarrow"} & modules
    words = {
        "methods": ("identity", "unet", "diffusion", "restormer", "NON-COMMERCIAL"),
        "datasets": ("scenes", "synthetic:PHOTOS", "paired:", "real:PHOTOS", "v40:ROOT"),
        "metrics": ("psnr", "ssim", "lpips", "mprnet", "lower"),
        "plugins": ("drivederain", "ok", "unet"),
        "suites": ("demo", "phase4"),
    }
    for word in words[kind]:
        assert word in text


def test_report_needs_no_torch(tmp_path: Path, pairs: Path, command: Any) -> None:
    ended = command(
        "run", "--methods", "identity", "--data", f"paired:{pairs}", "--metrics", "mse", "--out", tmp_path / "run"
    )
    assert ended.status == 0
    page = tmp_path / "run" / "report" / "index.html"
    page.unlink()
    text, modules = imported("report", str(tmp_path / "run"))
    assert page.is_file() and str(page) in text
    assert not {*HEAVY} - {"cv2", "scipy"} & modules, "the report reads pictures, tests differences, and runs nothing"


def test_a_study_needs_no_torch(tmp_path: Path, pairs: Path, command: Any) -> None:
    run = tmp_path / "run"
    assert (
        command(
            "run", "--methods", "identity,median", "--data", f"paired:{pairs}", "--metrics", "mse", "--out", run
        ).status
        == 0
    )
    text, modules = imported("study", "new", str(run), "--questions", "2")
    assert "2 questions, 3 attention checks" in text and (run / "study" / "index.html").is_file()
    assert not {*HEAVY} - {"cv2", "scipy"} & modules


def test_version_and_no_arguments(command: Any) -> None:
    assert command("--version").out.strip() == f"drivederain-bench {__version__}"
    shown = command()
    assert all(verb in shown.out + shown.err for verb in VERBS)
