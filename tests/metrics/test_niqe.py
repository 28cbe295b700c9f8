"""NIQE by pyiqa: what is said without the package or its file, and values where the extra ``noref`` is installed."""

from __future__ import annotations

import hashlib
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.io import savemat
from torch import Tensor

from drivederain.errors import MetricError
from drivederain.metrics import niqe
from drivederain.metrics.niqe import NIQE, OFFICIAL, ROAD, ROAD_SHA256
from drivederain.scenes import draw_scene

CPU = torch.device("cpu")
Handed = list[dict[str, Any]]


@pytest.fixture
def pyiqa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handed:
    """In place of the package: it keeps its files in ``tmp_path``; what it is called with is returned."""
    handed: Handed = []

    def calculate_niqe(picture: Tensor, **parameters: Tensor) -> Tensor:
        handed.append({"picture": picture, **parameters})
        return picture.mean()

    modules: dict[str, Any] = {
        "pyiqa": {},
        "pyiqa.utils": {},
        "pyiqa.utils.download_util": {"DEFAULT_CACHE_DIR": str(tmp_path)},
        "pyiqa.archs": {},
        "pyiqa.archs.niqe_arch": {"calculate_niqe": calculate_niqe},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(niqe.importlib.metadata, "version", lambda name: "9.9")
    return handed


def test_the_carried_parameters_are_a_mean_and_a_covariance() -> None:
    assert hashlib.sha256(ROAD.read_bytes()).hexdigest() == ROAD_SHA256
    tensors = load_file(ROAD)
    assert tensors["mean"].shape == (36,) and tensors["covariance"].shape == (36, 36)
    assert torch.linalg.eigvalsh(tensors["covariance"]).min() > 0


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyiqa", "pyiqa.utils", "pyiqa.utils.download_util"):
        monkeypatch.setitem(sys.modules, name, None)
    for variant in NIQE.variants:
        with pytest.raises(MetricError, match=r"pip install 'drivederain\[noref\]'"):
            NIQE(variant).load(CPU)


def test_pictures_go_to_the_package_one_by_one_with_the_carried_parameters(pyiqa: Handed) -> None:
    metric = NIQE("road")
    metric.load(CPU)
    batch = torch.stack([torch.full((3, 192, 200), level, dtype=torch.uint8) for level in (0, 255)])
    assert metric.score_output(batch, None)["image"].tolist() == [0, 1]
    assert [tuple(call["picture"].shape) for call in pyiqa] == [(1, 3, 192, 200)] * 2
    assert torch.equal(pyiqa[0]["mu_pris_param"], load_file(ROAD)["mean"])


def test_official_parameters_are_read_from_the_package_s_folder_and_never_fetched(
    pyiqa: Handed, tmp_path: Path
) -> None:
    with pytest.raises(MetricError, match=r"niqe_modelparameters\.mat.*fetch them by.*niqe\[road\]"):
        NIQE("official").load(CPU)
    assert NIQE.data_version("official") == ""
    savemat(tmp_path / OFFICIAL, {"mu_prisparam": np.arange(36.0)[None], "cov_prisparam": np.eye(36)})
    first = NIQE.data_version("official")
    metric = NIQE("official")
    metric.load(CPU)
    metric.score_output(torch.zeros(1, 3, 192, 192, dtype=torch.uint8), None)
    assert pyiqa[0]["mu_pris_param"].tolist() == list(range(36))
    savemat(tmp_path / OFFICIAL, {"mu_prisparam": np.ones((1, 36)), "cov_prisparam": np.eye(36)})
    assert first.startswith("pyiqa 9.9 ") and NIQE.data_version("official") not in ("", first), (
        "scores are worked out anew"
    )


@pytest.mark.parametrize(
    "content",
    [b"<html>404</html>", {"mu_prisparam": np.ones(36)}, {"mu_prisparam": np.ones(35), "cov_prisparam": np.eye(35)}],
    ids=["a page", "half", "of other statistics"],
)
def test_a_damaged_file_is_named(pyiqa: Handed, tmp_path: Path, content: bytes | dict[str, Any]) -> None:
    if isinstance(content, bytes):
        (tmp_path / OFFICIAL).write_bytes(content)
    else:
        savemat(tmp_path / OFFICIAL, content)
    with pytest.raises(MetricError, match=rf"{OFFICIAL}.*delete it and fetch it again"):
        NIQE("official").load(CPU)


def test_small_pictures_and_other_types_are_refused(pyiqa: Handed) -> None:
    metric = NIQE("road")
    with pytest.raises(MetricError, match="load"):
        metric.score_output(torch.zeros(1, 3, 192, 192, dtype=torch.uint8), None)
    metric.load(CPU)
    with pytest.raises(MetricError, match="192x192 pixels, and the picture is 300x191"):
        metric.score_output(torch.zeros(1, 3, 191, 300, dtype=torch.uint8), None)
    with pytest.raises(MetricError, match="uint8"):
        metric.score_output(torch.zeros(1, 3, 200, 300), None)


@pytest.fixture(scope="module")
def real() -> NIQE:
    """With the package itself."""
    pytest.importorskip("pyiqa", reason="the extra noref is not installed")
    metric = NIQE("road")
    metric.load(CPU)
    return metric


@pytest.fixture(scope="module")
def scene() -> Tensor:
    image = draw_scene(seed=1, index=0, height=384, width=576).image
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None]


def test_values_do_not_depend_on_the_batch(real: NIQE, scene: Tensor) -> None:
    alone = real.score_output(scene, None)["image"]
    together = real.score_output(torch.cat([scene.flip(3), scene]), None)["image"]
    assert together[1] == alone[0] and 0 < alone[0] < 100


def test_more_blur_is_worse(real: NIQE, scene: Tensor) -> None:
    blurred = [torch.nn.functional.avg_pool2d(scene.float(), side, 1, side // 2) for side in (3, 5, 21)]
    values = [float(real.score_output(each.round().to(torch.uint8), None)["image"]) for each in blurred]
    assert values == sorted(values) and values[2] > 2 * values[0]


def test_a_picture_without_texture_has_no_value(real: NIQE) -> None:
    flat = torch.full((1, 3, 200, 200), 128, dtype=torch.uint8)
    assert math.isnan(real.score_output(flat, None)["image"][0])
