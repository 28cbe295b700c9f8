"""What is pasted: where rain was, as the stage before shows it or as it is predicted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from drivederain.rain import draw_rain
from drivederain.scenes import draw_scene
from drivederain_methods.diffusion.method import Diffusion
from drivederain_methods.diffusion.options import DiffusionOptions
from drivederain_methods.diffusion.rain_mask import FEATURES, WEIGHTS, difference_mask, features, predicted_mask

CPU = torch.device("cpu")


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def drawn() -> tuple[Tensor, Tensor, Tensor]:
    """Rainy, clear and the drops of a scene."""
    clear = draw_scene(seed=3, index=0, height=192, width=320).image
    rain = draw_rain(clear, seed=0, key="mask", intensity="medium")
    return tensor(rain.rainy), tensor(clear), torch.from_numpy(rain.soft)


def test_where_the_stage_before_changed_nothing_nothing_is_pasted() -> None:
    estimate = torch.rand(1, 3, 64, 96)
    rainy = estimate.clone()
    rainy[..., 20:30, 40:52] = 1 - rainy[..., 20:30, 40:52].round()
    mask = difference_mask(rainy, estimate)
    assert mask.shape == (1, 1, 64, 96) and float(mask.max()) == 1 and float(mask[..., :8, :].max()) == 0


def test_masks_find_drawn_drops_and_the_predicted_one_is_surer(drawn: tuple[Tensor, Tensor, Tensor]) -> None:
    rainy, clear, drops = drawn
    wanted = drops.squeeze() > 0.1
    surer = []
    for mask in (difference_mask, predicted_mask):
        found = mask(rainy, clear)[0, 0] > 0.5
        precision = float((found & wanted).sum() / found.sum())
        assert float((found & wanted).sum() / wanted.sum()) > 0.4
        surer.append(precision / float(wanted.float().mean()))
    assert 1.5 < surer[0] < surer[1], "times as many drops as a mask laid at random would find"


def test_there_is_a_weight_for_each_feature(drawn: tuple[Tensor, Tensor, Tensor]) -> None:
    assert features(drawn[0], drawn[1]).shape[1] == len(FEATURES) == len(WEIGHTS)


@pytest.mark.parametrize("paste", ["none", "difference", "predicted"])
def test_a_refiner_changes_as_much_as_the_mask_lets_it(drawn: tuple[Tensor, Tensor, Tensor], paste: str) -> None:
    rainy, estimate, _ = drawn
    method = Diffusion(DiffusionOptions(gate=0, channels=(8, 16), paste=paste))  # type: ignore[arg-type]
    method.load(None, CPU)
    torch.nn.init.constant_(method.model.bridge.detail[-1].bias, 0.1)  # type: ignore[union-attr, index]
    with torch.inference_mode():
        change = method.refine(rainy, estimate) - estimate
    whole = torch.full_like(change, 0.1)
    masks = {"none": torch.ones_like(rainy[:, :1]), "difference": difference_mask(rainy, estimate),
             "predicted": predicted_mask(rainy, estimate)}  # fmt: skip
    assert torch.allclose(change, whole * masks[paste], atol=1e-5)
