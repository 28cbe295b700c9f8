"""The verbs read the layout by themselves; this holds it against what the engine really writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from drivederain import weights
from drivederain.data.content import remembered_content
from drivederain.data.input_cache import CachedDrawing, Drawing
from drivederain.engine.cache.cell_lock import in_use
from drivederain.engine.cache.differences import explain_miss
from drivederain.engine.cache.prune import Criteria, carry_out, plan
from drivederain.engine.cache.survey import survey
from drivederain.engine.cache.verify import verify
from drivederain.engine.cache.weights_files import trained_chain
from drivederain.engine.cells import Cell, Failure, Output, store_png

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
PARTS = {"method": "unet", "before": None, "options": {"sizes": (1, 2)}, "torch": "2.15.0", "threads": 1}


def fill(cache: Path) -> Cell:
    """Two outputs, a failure, a score, facts, and one entry of every other kind."""
    cell = Cell(cache, PARTS)
    for picture in ("p1", "p2"):
        sha256, size = store_png(cell.folder, picture, PIXELS)
        cell.add(
            [
                Output(
                    picture=picture, sha256=sha256, bytes=size, milliseconds=1.5, height=4, width=5, batch=1, group="",
                    alone=True, stepped_down="batch 4→2", hardware="AMD EPYC, 2 threads",
                    measured_at="2026-01-01T00:00:00+00:00",
                )
            ]
        )  # fmt: skip
    cell.fail(Failure("p3", "oom", "a reason\nof two lines\u2028and more \ud800"))
    cell.score({"k1": {"image": float("inf")}})
    cell.remember({"facts": {"parameters": 3}})
    CachedDrawing(cache, "f" * 64).picture("rainy.png", lambda: Drawing({"rainy.png": PIXELS}, {"seed": 1}))
    remembered_content(cache, "e" * 64, lambda: PIXELS)
    path = weights.WeightsCache(cache).path("diffusion", "d" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(weights.serialise({"w": torch.ones(2)}, {"behind": "unet"}))
    return cell


def test_all_of_it_is_found_and_whole(tmp_path: Path) -> None:
    cell = fill(tmp_path)
    found = survey(tmp_path)
    (entry,) = found.cells
    assert (entry.key, entry.chain) == (cell.key, "unet")
    assert (entry.pictures, entry.failures, entry.scores) == (2, 1, 1)
    counts = {name: total.count for name, total in found.totals().items()}
    assert counts == {"cells": 1, "inputs": 1, "contents": 1, "strata": 0, "weights": 1, "leftovers": 0}
    findings = verify(found)
    assert findings.damages == [] and findings.notes == []


def test_weights_tell_their_chain(tmp_path: Path) -> None:
    fill(tmp_path)
    (entry,) = (entry for entry in survey(tmp_path).others if entry.kind == "weights")
    assert trained_chain(entry.path) == "unet+diffusion"


def test_a_run_does_what_a_repair_took_out_again(tmp_path: Path) -> None:
    cell = fill(tmp_path)
    cell.path("p1").write_bytes(cell.path("p1").read_bytes()[:-1])
    verify(survey(tmp_path), repair=True)
    again = Cell(tmp_path, PARTS)
    assert not again.has("p1") and again.has("p2") and "p3" in again.failures
    assert again.scores == {"k1": {"image": float("inf")}}


def test_the_lock_of_a_run_is_heard(tmp_path: Path) -> None:
    cell = fill(tmp_path)
    with cell.lock():
        assert in_use(cell.folder)
        carry_out(plan(survey(tmp_path), Criteria(everything=True)))
        assert cell.has("p1")
    assert not in_use(cell.folder)


def test_a_run_explains_its_miss(tmp_path: Path) -> None:
    fill(tmp_path)
    assert explain_miss(tmp_path, PARTS) is None
    assert explain_miss(tmp_path, {**PARTS, "torch": "2.16.0"}) == "unet is computed anew: torch 2.15.0 -> 2.16.0"
