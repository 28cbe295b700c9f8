"""Write docs/bad-inputs.md: each bad input of tests/cli/bad_inputs.py as it is typed, and the error that it gets.

    python benchmarks/list_bad_inputs.py            # writes the file
    python benchmarks/list_bad_inputs.py --check    # exit status 1 if the file is not what would be written

The messages are those of the program itself, run in a folder of bad inputs.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import re
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "bad-inputs.md"
HEAD = """# Bad inputs

What is typed, and what the program answers. Every message names what is wrong and what to do about it.

- Exit status 2: the command was refused before anything was computed, and left nothing behind.
- Exit status 1: the run went on. The chain that could not be used has rows with the reason, all others are complete,
  and the report is written.

This page is written by `python benchmarks/list_bad_inputs.py`. `tests/cli/test_bad_inputs.py` runs the same list and
checks exit status and message, that no traceback is shown, and that a refused command leaves every file as it was.

| bad input | typed after `drivederain-bench` | answer | exit status |
|---|---|---|---|
"""


def load(path: Path) -> ModuleType:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_good_data(here: Path) -> None:
    """Small photographs and pairs, as the tests have them."""
    rows = ["image,intensity"]
    for number, intensity in enumerate(("light", "medium", "heavy")):
        rng = np.random.default_rng(number)
        picture = cv2.resize((rng.random((5, 6, 3)) * 220 + 10).astype(np.uint8), (56, 40))
        for folder, pixels in (("photos", picture), ("pairs/clear", picture), ("pairs/rainy", picture // 2 + 60)):
            (here / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(here / folder / f"photo{number}.png"), pixels)
        rows.append(f"photo{number},{intensity}")
    (here / "pairs" / "intensity.csv").write_text("\n".join(rows))


def answer(arguments: list[str], here: Path) -> tuple[int, str]:
    """Exit status and message of one command in ``here``; for a lost chain its reason in the results."""
    from drivederain.cli.main import main as program
    from drivederain.results.run_folder import RunFolder

    sys.argv, status = ["drivederain-bench", *arguments], 0
    said, errors = io.StringIO(), io.StringIO()
    with chdir(here), redirect_stdout(said), redirect_stderr(errors):
        try:
            program()
        except SystemExit as ended:
            status = int(ended.code or 0)
    if status == 1:
        results = RunFolder(here / "runs" / "new").results()
        return 1, str(results[results["status"] != "ok"]["reason"].iloc[0])
    lines = [line for line in errors.getvalue().splitlines() if not line.startswith(("Usage:", "Try "))]
    message = "\n".join(lines).replace(str(here), "HERE")
    return status, re.sub(r"torch \d\S*", "torch VERSION", message)


def page() -> str:
    """The whole page."""
    listed = load(REPOSITORY / "tests" / "cli" / "bad_inputs.py")
    rows = []
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder).resolve() / "here"
        os.environ["DRIVEDERAIN_CACHE"] = str(here.parent / "cache")
        write_good_data(here)
        answer(
            ["run", "--methods", "identity", "--data", "paired:pairs", "--metrics", "mse", "--out", "runs/good"], here
        )
        listed.lay_out(here, here / "runs" / "good")
        for bad in listed.BAD_INPUTS:
            status, message = answer(bad.arguments, here)
            rows.append("| " + " | ".join([bad.what, _code(bad.command), _code(message), str(status)]) + " |")
            if status != bad.status:
                raise SystemExit(f"{bad.what}: exit status {status}, {bad.status} is listed: {message}")
    return HEAD + "\n".join(rows) + "\n"


def _code(text: str) -> str:
    """Inline code in a table's cell, on one line."""
    return "`` " + " ".join(text.split()).replace("|", "\\|") + " ``"


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is not true")
    if parser.parse_args().check:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
