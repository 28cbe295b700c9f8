"""The method with small programs: what they make, and how they may fail."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from drivederain_command.method import Command
from drivederain_command.options import CommandOptions
from pydantic import ValidationError

from drivederain.errors import MethodError
from drivederain.testing.conformance import MethodConformance

INVERT = """
import sys, pathlib, cv2
source, target = map(pathlib.Path, sys.argv[1:3])
if source.is_dir():
    (source,) = source.iterdir()
    target = target / "another name.jpg.png"
cv2.imwrite(str(target), 255 - cv2.imread(str(source)))
"""


class TestCommand(MethodConformance):
    method = "command"


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "my program.py"
    path.write_text(INVERT)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def restored(run: str, rainy: torch.Tensor, **more: float) -> torch.Tensor:
    method = Command(CommandOptions(run=run, **more))  # type: ignore[arg-type]
    method.load(None, torch.device("cpu"))
    return method.restore(rainy)


@pytest.mark.parametrize("places", ["{input} {output}", "{input_dir} {output_dir}"])
def test_what_the_program_makes_comes_back(program: str, places: str) -> None:
    rainy = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 9, 13))).float() / 255
    assert torch.equal(restored(f"{program} {places}", rainy), (255 - rainy * 255).round() / 255)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('no GPU here')", "exit status 1: no GPU here"),
        ("pass", "wrote 0 files into its output folder"),
        ("open(sys.argv[2], 'w').write('x')", "is no picture"),
        ("import cv2; cv2.imwrite(sys.argv[2], cv2.imread(sys.argv[1])[::2])", "made 8x4 of a picture of 8x8 pixels"),
        ("import time; time.sleep(60)", "did not end within 0.5 s"),
    ],
)
def test_a_program_that_fails_is_quoted(code: str, words: str) -> None:
    run = f"{shlex.quote(sys.executable)} -c {shlex.quote('import sys; ' + code)} {{input}} {{output}}"
    with pytest.raises(MethodError, match=words):
        restored(run, torch.rand(1, 3, 8, 8), timeout=0.5 if "sleep" in code else 60)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(MethodError, match="there is no program 'no-such-program'"):
        restored("no-such-program {input} {output}", torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize(("run", "words"), [("", "empty"), ("cp {input} x", "neither {output}"), ("cp 'x", "words")])
def test_a_command_that_cannot_work_is_refused(run: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CommandOptions(run=run)
