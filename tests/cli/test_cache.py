"""``cache list|explain|prune|verify`` as typed, on made-up caches."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.cache.quantities import read_age, read_size, size_words
from drivederain.errors import OptionError

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("made_up_cache", ROOT / "tests" / "engine" / "cache" / "made_up_cache.py")
assert SPEC is not None and SPEC.loader is not None
made_up_cache = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made_up_cache)


@pytest.fixture
def made(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The user's cache, made up."""
    monkeypatch.setenv("COLUMNS", "160")
    return made_up_cache.MadeUpCache(cache)


def test_list_names_cells_and_totals(command: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import drivederain.cli.console as there

    monkeypatch.setattr(there, "console", there.Console(width=140))
    cell = made.cell(3, options={"depth": 3})
    made.cell(1, method="diffusion", before={"method": "unet"}, torch="2.99.0+cpu")
    made.weights()
    shown = command("cache", "list", "--cache", made.path)
    assert shown.status == 0
    row, options = (line.split() for line in shown.out.splitlines() if cell.name[:12] in line)
    assert row[:4] == ["unet", cell.name[:12], "3", "0"]
    assert row[-6:] == ["1", "0.1.0,", "2.15.0", "cpu", "fp32", "aaaaaaaa"], "scores first"
    assert options == [cell.name[:12], "unet.depth=3"]
    assert "unet+diffusion" in shown.out and "2.99.0+cpu" in shown.out
    assert re.search(r"cells 2 \(.*\), weights 1 \(.*\); together", shown.out)


def test_a_narrow_terminal_shows_whole_keys(command: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import drivederain.cli.console as there

    cell = made.cell()
    monkeypatch.setattr(there, "console", there.Console(width=80))
    rows = [line.split() for line in command("cache", "list").out.splitlines() if cell.name[:12] in line]
    assert len(rows) == 1 and rows[0][:4] == ["unet", cell.name[:12], "2", "0"] and "2.15.0" not in rows[0]


def test_list_of_one_method_and_as_json(command: Any, made: Any) -> None:
    cell = made.cell(3)
    made.cell(1, method="diffusion", before={"method": "unet"}), made.cell(1, method="restormer")
    read = json.loads(command("cache", "list", "unet", "--json").out)
    assert {cell["chain"] for cell in read["cells"]} == {"unet", "unet+diffusion"}
    (record,) = (each for each in read["cells"] if each["chain"] == "unet")
    assert record["key"] == cell.name and record["pictures"] == 3 and record["weights"] == "a" * 64
    assert read["totals"]["cells"]["count"] == 3
    assert len(json.loads(command("cache", "list", "unet+diffusion", "--json").out)["cells"]) == 1
    unknown = command("cache", "list", "restormr")
    assert unknown.status == 2 and "Did you mean 'restormer'?" in unknown.message


def test_the_cache_is_the_users_own_unless_given(command: Any, made: Any, tmp_path: Path) -> None:
    made.cell()
    assert "cells 1" in command("cache", "list").out
    shown = command("cache", "list", "--cache", tmp_path / "none")
    assert shown.status == 0 and "empty; together 0 B" in shown.out
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"")
    refused = command("cache", "prune", "--all", "--yes", "--cache", tmp_path / "photos")
    assert refused.status == 2 and "does not look like a cache" in refused.message
    assert (tmp_path / "photos" / "a.jpg").is_file()


def test_explain_a_chain_says_what_differs_from_the_newest(command: Any, made: Any) -> None:
    new, old = made.cell(torch="2.15.0"), made.cell(torch="2.14.0", weights="b" * 64, age=100)
    shown = command("cache", "explain", "unet")
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert new.name[:12] in lines[0] and old.name[:12] in lines[2]
    assert "  torch 2.14.0 -> 2.15.0  (torch is another version: outputs may change)" in lines
    assert "  weights bbbbbbbb -> aaaaaaaa  (other weights)" in lines


def test_explain_two_keys_or_one(command: Any, made: Any) -> None:
    one, two = made.cell(threads=1), made.cell(threads=4, age=50)
    both = command("cache", "explain", one.name[:10], two.name)
    assert "threads 1 -> 4" in both.out
    assert "threads 1 -> 4" in command("cache", "explain", two.name[:10]).out
    assert "the same cell" in command("cache", "explain", "unet", one.name).out


def test_explain_refuses_what_is_not_there(command: Any, made: Any) -> None:
    assert "The cache has no cells" in command("cache", "explain", "unet").message
    cell = made.cell()
    wrong = command("cache", "explain", "unett")
    assert wrong.status == 2 and "Did you mean 'unet'?" in wrong.message
    slip = cell.name[:11] + ("0" if cell.name[11] != "0" else "1")
    assert cell.name[:12] in command("cache", "explain", slip).message
    assert "no other cell of this chain" in command("cache", "explain", "unet").out


def test_explain_says_where_a_key_cannot_be_read(command: Any, made: Any) -> None:
    cell, other = made.cell(), made.cell(threads=2)
    (cell / "key.json").write_text("{")
    assert "missing or damaged" in command("cache", "explain", cell.name[:10], other.name[:10]).out


def test_prune_shows_asks_and_removes(command: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = made.cell()
    for arguments in ((), ("--weights",), ("--yes",)):
        refused = command("cache", "prune", *arguments)
        assert refused.status == 2 and "say what to take out" in refused.message
    shown = command("cache", "prune", "--method", "unet", "--dry-run")
    assert shown.status == 0 and cell.name[:12] in shown.out and "cells: 1" in shown.out and cell.is_dir()
    refused = command("cache", "prune", "--method", "unet")
    assert refused.status == 2 and "add --yes" in refused.message and cell.is_dir()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", _answer_no)
    assert command("cache", "prune", "--method", "unet").status == 1 and cell.is_dir()
    done = command("cache", "prune", "--method", "unet", "--yes")
    assert done.status == 0 and "1 taken out" in done.out and not cell.exists()
    assert "nothing to take out" in command("cache", "prune", "--all").out


def _answer_no(question: str, *, abort: bool) -> None:
    import typer

    assert "Take out" in question and abort
    raise typer.Abort


def test_prune_says_when_a_size_cannot_be_reached(command: Any, made: Any) -> None:
    made.weights()
    shown = command("cache", "prune", "--max-size", "1B", "--dry-run")
    assert "cannot get below 1B" in shown.out and "stay without --weights" in shown.out


def test_prune_names_many_cells_in_short(command: Any, made: Any) -> None:
    for number in range(45):
        made.cell(0, seed=number)
    assert "... and 5 more cells" in command("cache", "prune", "--all", "--dry-run").out


def test_verify_ends_with_1_while_damage_remains(command: Any, made: Any) -> None:
    cell = made.cell()
    whole = command("cache", "verify")
    assert whole.status == 0 and "checked: 1 cells, 2 pictures; no damage" in whole.out
    (cell / "pictures" / "p0.png").write_bytes(b"?")
    found = command("cache", "verify")
    assert found.status == 1
    assert f"cells/{cell.name[:2]}/{cell.name}/pictures/p0.png: is not what was written" in found.out
    assert "cache verify --repair" in found.out
    read = command("cache", "verify", "--json")
    (damage,) = json.loads(read.out)["damages"]
    assert read.status == 1 and damage["file"].endswith("p0.png") and damage["repaired"] is False
    repaired = command("cache", "verify", "--repair")
    assert repaired.status == 0 and "- taken out" in repaired.out
    assert command("cache", "verify").status == 0


def test_no_torch_is_imported(made: Any) -> None:
    import subprocess

    cell = made.cell()
    made.weights()
    code = (
        "import sys; sys.argv = ['drivederain-bench', 'cache', *sys.argv[1:]]\n"
        "from drivederain.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('\\nMODULES', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    for arguments in (["list"], ["explain", cell.name], ["verify"], ["prune", "--stale", "--weights", "--dry-run"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        modules = set(done.stdout.rpartition("\nMODULES ")[2].split())
        assert "rich" in modules and not {"torch", "cv2", "pandas", "lightning"} & modules, arguments


def test_two_thousand_cells_are_listed_in_seconds(command: Any, made: Any) -> None:
    for number in range(2000):
        made.cell(0, seed=number)
    began = time.process_time()
    assert "cells 2000" in command("cache", "list").out
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43200), ("30d", 2592000), ("1.5W", 907200)])
def test_ages(text: str, seconds: float) -> None:
    assert read_age(text).total_seconds() == seconds


@pytest.mark.parametrize(("text", "count"), [("20GB", 20 * 10**9), ("1.5 gib", 1610612736), ("0B", 0)])
def test_sizes(text: str, count: int) -> None:
    assert read_size(text) == count


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "3y", "3d4h", "nan d", "9" * 400 + "w", "9" * 15 + "w"])
def test_unusable_ages_and_sizes_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"^--older-than .*30d"):
        read_age(text)
    with pytest.raises(OptionError, match=r"^--max-size .*20GB"):
        read_size(text)


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (99_960, "100 KB"), (999_600, "1.0 MB"), (2 * 10**13, "20.0 TB")],
)
def test_size_words(count: int, words: str) -> None:
    assert size_words(count) == words


def test_documented_commands_have_the_options_that_they_use(command: Any) -> None:
    text = (ROOT / "docs" / "cache.md").read_text(encoding="utf-8")
    typed = [shlex.split(line)[1:] for line in re.findall(r"^(?:\$ )?drivederain-bench cache .*$", text, re.MULTILINE)]
    typed = [words[1:] if words[0] == "drivederain-bench" else words for words in typed]
    assert {words[1] for words in typed} == {"list", "explain", "prune", "verify"}
    group = command("cache", "--help").out.replace("-\n  ", "-")
    for words in typed:
        shown = command("cache", words[1], "--help").out
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"^  {option}\b", shown, re.MULTILINE), f"{words}: no {option}"
            assert option in group, "`cache --help` names the options of its verbs"
