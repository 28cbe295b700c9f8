"""``plugin new|check|doctor`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_a_plugin_is_written_and_the_next_steps_are_said(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = command("plugin", "new", "my-derain")
    assert ended.status == 0, ended.err
    assert (tmp_path / "my-derain" / "my_derain" / "method.py").is_file()
    assert "python -m pip install -e 'my-derain[dev]'" in ended.out
    again = command("plugin", "new", "my-derain")
    assert again.status == 2 and "is there already" in again.message
    assert "write one of stage, refiner" in command("plugin", "new", "other", "--kind", "method").message


def test_the_built_in_plugins_are_well(command: Any) -> None:
    ended = command("plugin", "doctor")
    assert ended.status == 0, ended.out
    assert "ok       unet (drivederain" in ended.out and "methods identity, median, guided, inpaint" in ended.out
    records = json.loads(command("plugin", "doctor", "--json").out)
    assert {each["status"] for each in records} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "there is no method 'nothing'"),
        (("psnr",), "there is no method 'psnr'"),
        (("identity", "--set", "unet.depth=4"), "--set unet: that method is not checked"),
        (("baselines", "--weights", "x.pth"), "several methods are checked (identity, median, guided, inpaint)"),
        (("identity", "--timeout", "-1"), "write seconds, more than 0"),
    ],
)
def test_what_cannot_be_checked_is_said(command: Any, arguments: tuple[str, ...], words: str) -> None:
    ended = command("plugin", "check", *arguments)
    assert ended.status == 2 and words in ended.message


def test_a_method_is_checked_in_a_process_of_its_own(command: Any) -> None:
    ended = command("plugin", "check", "median", "--set", "median.size=3")
    assert ended.status == 0, ended.out + ended.err
    assert "passed   odd sizes: 53x37, 64x64, 130x33" in ended.out and "0 failed" in ended.out
    assert "s a megapixel on the CPU" in ended.out
