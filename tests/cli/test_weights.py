"""``weights list|fetch|add|verify``, and that runs find what is in the library."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from drivederain import weights_library
from drivederain.downloads import download
from drivederain.results.run_folder import RunFolder
from drivederain.weights import serialise
from drivederain_methods.prenet.method import PReNetMethod
from drivederain_methods.prenet.options import PReNetOptions


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the official layout of PReNet_r: a bare dict with one residual block."""
    torch.manual_seed(0)
    method = PReNetMethod(PReNetOptions(shared_block=True))
    method.load(None, torch.device("cpu"))
    path = tmp_path_factory.mktemp("official") / "net_latest.pth"
    torch.save(method.state(), path)
    return path


def listed(command: Any, *arguments: object) -> list[dict[str, Any]]:
    ended = command("weights", "list", "--json", *arguments)
    assert ended.status == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


def test_what_there_is_is_listed(command: Any, cache: Path) -> None:
    found = {(each["method"], each["name"]): each for each in listed(command)}
    shipped, official = found["unet", "compact"], found["prenet", "rain100h"]
    assert (shipped["class"], shipped["state"]) == ("shipped", "ok")
    assert (official["class"], official["state"], official["bytes"]) == ("official", "not fetched", 681_694)
    table = command("weights", "list", "prenet").out
    assert "prenet" in table and "not" in table and "unet" not in table
    assert "there is no method 'prent'" in command("weights", "list", "prent").message


def test_a_file_is_added_and_a_run_is_loaded_with_it(
    command: Any, checkpoint: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    ended = command("weights", "add", "prenet", checkpoint, "--name", "mine")
    assert ended.status == 0, ended.err
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert "prenet:mine" in ended.out and digest in ended.out and "one block five times" in ended.out
    (own,) = [each for each in listed(command, "prenet") if each["name"] == "mine"]
    assert (own["class"], own["state"], own["sha256"]) == ("given", "ok", digest)
    arguments = ("--data", f"paired:{pairs}", "--metrics", "mse", "--set", "prenet.recurrences=1")
    assert command("run", "--methods", "prenet", *arguments, "--out", tmp_path / "a").status == 0
    (method,) = [each for each in RunFolder(tmp_path / "a").about()["methods"] if each["name"] == "prenet"]
    (weights,) = method["weights"]
    assert (weights["name"], weights["class"], weights["sha256"]) == ("mine", "given", digest)
    # Of several, one must be chosen; by its name, or by a file.
    assert command("weights", "add", "prenet", checkpoint, "--name", "second").status == 0
    several = command("run", "--methods", "prenet", *arguments, "--out", tmp_path / "b")
    assert several.status == 1
    reason = pd.read_parquet(tmp_path / "b" / "results.parquet").query("method == 'prenet'")["reason"].iloc[0]
    assert "several weights of prenet: mine, second. Choose with --weights prenet=NAME" in reason
    chosen = command("run", "--methods", "prenet", "--weights", "prenet=second", *arguments, "--out", tmp_path / "c")
    assert chosen.status == 0, chosen.err
    unknown = command("run", "--methods", "prenet", "--weights", "prenet=secnd", *arguments, "--out", tmp_path / "d")
    assert unknown.status == 2 and "Did you mean 'second'" in unknown.message and not (tmp_path / "d").exists()
    assert command("cache", "list").status == 0


def test_a_training_begins_with_weights_of_the_library(
    command: Any, checkpoint: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    assert command("weights", "add", "prenet", checkpoint, "--name", "mine").status == 0
    ended = command(
        "train", "prenet", "--weights", "prenet=mine", "--data", f"paired:{pairs}", "--steps", "1",
        "--set", "prenet.recurrences=1", "--set", "training.crop=32", "--set", "training.batch_size=1",
        "--out", tmp_path / "train",
    )  # fmt: skip
    assert ended.status == 0, ended.err


@pytest.mark.shared
def test_a_training_from_an_official_file_that_tells_its_sizes_goes_on(
    command: Any, shared: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    pytest.importorskip("spandrel_extra_arches")
    file = shared / "methods" / "restormer_small" / "deraining.pth"
    arguments = (
        "train", "restormer", "--weights", f"restormer={file}", "--data", f"paired:{pairs}",
        "--set", "training.crop=32", "--set", "training.batch_size=1",
    )  # fmt: skip
    first = command(*arguments, "--steps", "1", "--out", tmp_path / "train")
    assert first.status == 0, first.err
    second = command(*arguments, "--steps", "2", "--resume", tmp_path / "train")
    assert second.status == 0, second.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "prenet", "nowhere.pth"), "nowhere.pth: there is no such weights file"),
        (("add", "identity", "x.pth"), "identity takes no weights"),
        (("fetch",), "name methods, as in `weights fetch prenet`"),
        (("fetch", "prenet", "--all"), "name methods"),
        (("fetch", "unet"), "unet names no address"),
        (("fetch", "prenet:rain100"), "no such address. Did you mean 'rain100h'"),
        (("fetch", "prenet", "--timeout", "0"), "write seconds, more than 0"),
    ],
)
def test_what_cannot_be_done_is_said(command: Any, cache: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = command("weights", *arguments)
    assert ended.status == 2 and words in ended.message
    assert not (cache / "library").exists()


def test_a_file_of_another_method_is_not_added(command: Any, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(serialise({"conv.weight": torch.zeros(3)}, {}))
    ended = command("weights", "add", "prenet", path)
    assert ended.status == 2 and "of another architecture" in ended.message and not (cache / "library").exists()


def test_a_recorded_file_comes_from_a_server_and_restores(
    command: Any, shared: Path, server: Any, cache: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way but for the name of the host: the recorded size and SHA-256 are those of the real file."""
    server.data = (shared / "methods" / "prenet_real_rain100h" / "net_latest.pth").read_bytes()
    server.breaks = [200_000]

    def from_here(address: str, target: Path, **more: Any) -> str:
        assert address.startswith("https://")
        return download(server.address, target, **more)

    monkeypatch.setattr(weights_library, "download", from_here)
    ended = command("weights", "fetch", "prenet:rain100h")
    assert ended.status == 0 and "681,694 bytes" in ended.out and "as recorded" in ended.out, ended.err
    assert server.asked == ["", "bytes=200000-"]
    (own,) = [each for each in listed(command, "prenet") if each["name"] == "rain100h"]
    assert (own["class"], own["state"]) == ("official", "ok")
    assert command("weights", "verify").status == 0
    ended = command("weights", "fetch", "prenet:rain100h")
    assert ended.status == 0 and len(server.asked) == 2, "what is whole is not fetched again"
    arguments = ("--data", f"paired:{pairs}", "--metrics", "psnr", "--limit", "1", "--out", tmp_path / "run")
    assert command("run", "--methods", "prenet", *arguments).status == 0
    (method,) = [each for each in RunFolder(tmp_path / "run").about()["methods"] if each["name"] == "prenet"]
    assert method["weights"][0]["class"] == "official"


def test_what_no_file_tells_is_typed_with_it(command: Any, checkpoint: Path, cache: Path) -> None:
    ended = command("weights", "add", "prenet", checkpoint, "--set", "prenet.memory=none")
    assert ended.status == 2 and "a network with an LSTM, and memory=none was asked for" in ended.message
    ended = command("weights", "add", "prenet", checkpoint, "--set", "rescan.frame=Add")
    assert ended.status == 2 and "the weights are of prenet" in ended.message
    assert command("weights", "add", "prenet", checkpoint, "--set", "prenet.recurrences=2").status == 0


def test_what_is_fetched_is_official_and_verified(
    command: Any, checkpoint: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = checkpoint.read_bytes()

    def fake(address: str, target: Path, **more: Any) -> str:
        assert address.startswith("https://") and more["size"] == 681_694
        target.write_bytes(content)
        return str(more["sha256"])

    monkeypatch.setattr(weights_library, "download", fake)
    ended = command("weights", "fetch", "prenet:rain100h")
    assert ended.status == 0 and "as recorded" in ended.out and "Licence: none stated" in ended.out
    (own,) = [each for each in listed(command, "prenet") if each["name"] == "rain100h"]
    # The stand-in for the server gave another file than the recorded one.
    assert (own["class"], own["state"]) == ("official", "damaged")
    verified = command("weights", "verify")
    assert (
        verified.status == 1
        and "damaged    prenet:rain100h" in verified.out
        and "ok         unet:compact" in verified.out
    )
    assert "fetch or add it again" in verified.message
