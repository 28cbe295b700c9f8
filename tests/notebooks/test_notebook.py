"""The notebook: its ten sections, nothing stored in it, and every cell run on tiny data."""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import cv2
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from drivederain.results.run_folder import RunFolder
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import read_history

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "train_unet_derain.ipynb"
SECTIONS = [
    "Setup", "Configuration", "Imports", "Data", "Model", "Losses and metrics", "Training", "Visualisation", "Train",
    "Evaluation on real images",
]  # fmt: skip


@pytest.fixture(scope="module")
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def source(notebook: Any, name: str) -> str:
    """The text of the cell of that name."""
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    return str(cell.source)


def write_photos(folder: Path, count: int, first: int = 0) -> Path:
    folder.mkdir()
    for number in range(first, first + count):
        coarse = np.random.default_rng(number).integers(10, 230, (5, 6, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f"photo{number}.png"), cv2.resize(coarse, (96, 72), interpolation=cv2.INTER_LINEAR))
    return folder


def test_it_has_its_ten_sections_and_stores_no_results(notebook: Any) -> None:
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    nbformat.validate(stored)
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    assert stored["metadata"]["kernelspec"]["name"] == "python3"
    headings = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    found = [match for line in headings if (match := re.fullmatch(r"## (\d+)\. (.+)", line))]
    assert [match[2] for match in found] == SECTIONS
    assert [int(match[1]) for match in found] == list(range(1, 11))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, cell.id
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", *["markdown", "code"] * (len(kinds) // 2)], "each cell is explained before it"


def test_every_cell_runs_and_the_training_goes_on_when_its_cell_is_run_again(
    notebook: Any, cache: Path, tmp_path: Path
) -> None:
    out = tmp_path / "training"
    given = {
        "DATA": f"synthetic:{write_photos(tmp_path / 'clear', 4)}",
        "REAL": str(write_photos(tmp_path / "rainy", 1, first=9)),
        "OUT": str(out),
        "OPTIONS": {"architecture": "custom", "width": 8, "depth": 4},
        "HYPERPARAMETERS": {"size": 64, "crop": 64, "batch_size": 2, "target_psnr": None, "target_ssim": None},
        "BUDGET": {"steps": 2},
        "SAMPLES_EVERY": 1,
        "METRICS": ["psnr", "ssim"],
        "DEVICE": "cpu",
    }
    environment = {f"DRIVEDERAIN_NOTEBOOK_{name}": json.dumps(value) for name, value in given.items()}
    executed = copy.deepcopy(notebook)
    again = [
        nbformat.v4.new_code_cell('BUDGET = {"steps": 3}\ndel HYPERPARAMETERS["target_ssim"]'),
        nbformat.v4.new_code_cell(source(notebook, "losses-code")),
        nbformat.v4.new_code_cell(source(notebook, "train-code")),
    ]
    executed.cells += again
    client = NotebookClient(
        executed, timeout=100, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env={**os.environ, **environment, "OMP_NUM_THREADS": "1"})

    folder = TrainingFolder(out)
    assert folder.best.is_file() and folder.last.is_file()
    assert folder.curves.stat().st_size > 10_000 and (out / "before_after.png").is_file()
    assert folder.read_record()["preset"] == "phase2" and folder.read_record()["hyperparameters"]["crop"] == 64
    evaluation = RunFolder(out / "evaluation")
    assert evaluation.report_html.is_file()
    results = evaluation.results()
    assert set(results["method"]) == {"identity", "unet"} and set(results["status"]) <= {"ok", "skipped"}
    assert set(results["dataset"]) == {"synthetic:clear", "synthetic:clear (clear input)", "real:rainy"}
    clear = results[results["dataset"] == "synthetic:clear"]
    assert set(clear["split"]) == {"test"} and not clear["seen"].any(), "scored on what nobody saw"

    def printed(cell: Any) -> str:
        return "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")

    cells = {cell.id: cell for cell in executed.cells}
    assert "Beginning the training" in printed(cells["train-code"])
    assert "2 steps" in printed(cells["train-code"])
    assert "Going on with the training" in printed(again[-1]) and " 3 steps" in printed(again[-1])
    assert "begun with target_ssim=None, which stays. For 0.85 give another OUT" in printed(again[-1])
    assert [record.step for record in read_history(folder.epochs)][-1] == 3
    assert "No epoch is over yet." in printed(cells["visualisation-watch-code"])
    assert "real rainy photos" in printed(cells["evaluation-real"])
    pictures = {
        cell.id: sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        for cell in executed.cells
    }
    assert all(pictures[name] for name in ("data-sheet", "visualisation-crops", "train-outcome", "evaluation-real"))


def test_on_colab_it_mounts_the_drive_and_keeps_everything_there(
    notebook: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[Any] = []
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=done.append)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setattr("subprocess.run", lambda command, *, check: done.append((command[2:], check)))
    names: dict[str, Any] = {}
    for name in ("setup-code", "configuration-code"):
        exec(source(notebook, name), names)
    home = "/content/drive/MyDrive/drivederain"
    assert done == ["/content/drive", (["pip", "install", "--quiet", f"{home}/program[all]"], True)]
    assert names["OUT"] == f"{home}/unet" and names["ON_COLAB"] is True
    assert names["DATA"] == "scenes" and names["REAL"] is None


def test_a_misspelt_variable_of_the_environment_is_named(notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVEDERAIN_NOTEBOOK_DATTA", '"scenes"')
    with pytest.raises(NameError, match="DRIVEDERAIN_NOTEBOOK_DATTA: there is no DATTA"):
        exec(source(notebook, "configuration-code"), {"HOME": Path("runs")})
