"""The journal of trials: what it refuses, and what a kill may leave of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import drivederain.engine.tuning.ledger as ledger_module
from drivederain.engine.tuning.ledger import JOURNAL, Ledger
from drivederain.engine.tuning.trial import Trial, TrialFailure
from drivederain.errors import DataError, OptionError

FRAME = {"method": "unet", "budget": {"epochs": 25}, "data": ("photos",)}
TRIAL = Trial("depth", "depth=4, width=8", {"depth": "4"}, 0)


def begun_and_ended(folder: Path, bench: Any, psnr: float = 26.0) -> None:
    with Ledger(folder, FRAME) as ledger:
        assert ledger.begin(TRIAL) == folder / "trials" / "000-depth-4-seed0"
        ledger.end(TRIAL, bench.result(TRIAL, psnr))


def test_what_ended_is_found_again_as_it_was(bench: Any, tmp_path: Path) -> None:
    begun_and_ended(tmp_path, bench)
    with Ledger(tmp_path, FRAME) as ledger:
        assert ledger.find(TRIAL) == bench.result(TRIAL, 26.0)
        assert ledger.find(Trial("depth", "", {"depth": "4"}, 1)) is None
        other = Trial("x", "", {"depth": "4"}, 0)
        assert ledger.find(other) is not None, "the setting and the seed decide, not what it is trained for"
        other = Trial("depth", "", {"depth": "4"}, 0, 256)
        assert ledger.find(other) is None, "pictures of another size give other scores"
        ledger.begin(other)
        ledger.end(other, TrialFailure("out of memory"))
        assert ledger.find(other) == TrialFailure("out of memory")


def test_optuna_reads_the_journal(bench: Any, tmp_path: Path) -> None:
    import optuna

    begun_and_ended(tmp_path, bench)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / JOURNAL)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.best_value == 26.0
    kept = study.best_trial.user_attrs
    assert (kept["variable"], kept["value"], kept["seed"]) == ("depth", "depth=4, width=8", 0)
    assert kept["options"] == {"depth": "4"} and kept["outcome"]["ssim"] == 0.8


def test_a_line_that_was_cut_off_is_no_harm(bench: Any, tmp_path: Path) -> None:
    begun_and_ended(tmp_path, bench)
    content = (tmp_path / JOURNAL).read_bytes()
    end = content.rstrip(b"\n").rfind(b"\n") + 1
    for cut in (end, end + 1, len(content) - 1):
        (tmp_path / JOURNAL).write_bytes(content[:cut])
        for _ in range(2):
            with Ledger(tmp_path, FRAME) as ledger:
                assert ledger.find(TRIAL) == bench.result(TRIAL, 26.0)


def test_a_study_of_something_else_is_not_gone_on_with(bench: Any, tmp_path: Path) -> None:
    begun_and_ended(tmp_path, bench)
    says = (
        r"other trainings: budget was \{'epochs': 25\} and is \{'epochs': 9\}\. Leave it as it was, or .* another --out"
    )
    with pytest.raises(DataError, match=says), Ledger(tmp_path, FRAME | {"budget": {"epochs": 9}}):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds files and no study. Give another --out"), Ledger(tmp_path, FRAME):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["training.json"]


@pytest.mark.parametrize("content", [b"no journal\n{}\n", b'{"op_code":4}\n', b"[1]\n"])
def test_a_damaged_journal_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(DataError, match=r"study\.journal is damaged .*Give another --out"), Ledger(tmp_path, FRAME):
        pass


def test_one_process_at_a_time(tmp_path: Path) -> None:
    second = Ledger(tmp_path, FRAME)
    with Ledger(tmp_path, FRAME), pytest.raises(DataError, match="worked at by another process"):
        second.__enter__()
    with Ledger(tmp_path, FRAME):
        pass


def test_without_optuna_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "missing_modules", lambda modules: tuple(modules))
    with pytest.raises(OptionError, match=r'optuna, which is not installed.* pip install "drivederain\[tune\]"'):
        Ledger(tmp_path, FRAME)
