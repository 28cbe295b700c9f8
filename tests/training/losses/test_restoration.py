"""The sum of terms: weights, names, gradients of every term."""

from __future__ import annotations

from typing import NoReturn

import pytest
import torch
from torch import Tensor

from drivederain.errors import MethodError
from drivederain.training.losses import learned, perceptual
from drivederain.training.losses.names import TERMS
from drivederain.training.losses.restoration import LOSSES, RestorationLoss

Pictures = tuple[Tensor, Tensor]

CLAMPED = ("ssim", "ms_ssim")


@pytest.fixture(scope="module")
def losses() -> dict[str, RestorationLoss]:
    return {name: RestorationLoss(**{name: 1.0}) for name in TERMS}


def gradient(loss: RestorationLoss, output: Tensor, truth: Tensor) -> Tensor:
    output = output.clone().requires_grad_()
    loss(output, truth)["loss"].backward()
    assert output.grad is not None
    return output.grad


def test_every_term_can_be_computed() -> None:
    assert list(LOSSES) == list(TERMS)


def test_without_weights_it_is_the_default() -> None:
    assert RestorationLoss().weights == {"l1": 1.0, "ssim": 0.2}
    assert RestorationLoss(mse=1).weights == {"mse": 1.0}


def test_terms_are_weighted_named_and_summed(pictures: Pictures, losses: dict[str, RestorationLoss]) -> None:
    given = {"edge": 0.05, "ssim": 0.5, "vgg": 0.1, "l1": 2.0, "frequency": 0.3}
    loss = RestorationLoss(**given)
    terms = loss(*pictures)
    assert list(loss.weights) == ["l1", "vgg", "ssim", "edge", "frequency"]
    assert list(terms) == [*loss.weights, "loss"]
    for name, weight in given.items():
        alone = losses[name](*pictures)
        assert float(terms[name]) == pytest.approx(weight * float(alone[name]), rel=1e-6)
        assert float(alone["loss"]) == float(alone[name])
    assert float(terms["loss"]) == pytest.approx(sum(float(terms[name]) for name in given), rel=1e-6)
    assert float(terms["l1"]) == pytest.approx(2 * float((pictures[0] - pictures[1]).abs().mean()), rel=1e-6)


@pytest.mark.parametrize("name", TERMS)
def test_a_step_down_the_gradient_lowers_the_term(
    name: str, losses: dict[str, RestorationLoss], large_pictures: Pictures
) -> None:
    output, truth = (picture[:1] for picture in large_pictures)
    slope = gradient(losses[name], output, truth)
    assert torch.isfinite(slope).all()
    before, after = (
        float(losses[name](picture, truth)[name]) for picture in (output, output - 0.1 * slope / slope.norm())
    )
    assert after < before
    assert all(not weight.requires_grad and weight.grad is None for weight in losses[name].parameters())


@pytest.mark.parametrize("name", TERMS)
def test_where_output_is_truth_gradients_are_finite_and_vanish(
    name: str, losses: dict[str, RestorationLoss], large_pictures: Pictures
) -> None:
    truth = large_pictures[1][:1]
    slope = gradient(losses[name], truth, truth)
    assert float(slope.abs().max()) < 1e-6  # NaN is not below it
    assert float(losses[name](truth, truth)["loss"]) == pytest.approx(
        1e-3 if name in ("charbonnier", "edge") else 0, abs=1e-6
    )


@pytest.mark.parametrize("name", [name for name in TERMS if name not in CLAMPED])
def test_what_is_beyond_the_range_is_pulled_back(
    name: str, losses: dict[str, RestorationLoss], pictures: Pictures
) -> None:
    output, truth = (picture.clone() for picture in pictures)
    output[..., 20, 20] = 1.5
    assert (gradient(losses[name], output, truth)[..., 20, 20] != 0).all()


def test_networks_of_terms_without_weight_are_not_built(monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("built")

    monkeypatch.setattr(perceptual, "carried_tensors", refuse)
    monkeypatch.setattr(learned, "build_network", refuse)
    loss = RestorationLoss(l1=1.0, ssim=0.0, vgg=0.0, lpips=0.0)
    assert loss.weights == {"l1": 1.0, "vgg": 0.0, "ssim": 0.0, "lpips": 0.0}
    assert set(loss(*pictures)) == {"l1", "loss"}
    for name in ("vgg", "lpips"):
        with pytest.raises(AssertionError, match="built"):
            RestorationLoss(**{name: 0.1})


def test_nonsense_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="Did you mean 'charbonnier'"):
        RestorationLoss(charbonier=1.0)
    with pytest.raises(ValueError, match="above 0"):
        RestorationLoss(l1=0.0)


def test_output_and_truth_of_different_shape_are_refused(pictures: Pictures) -> None:
    with pytest.raises(MethodError, match=r"\(2, 3, 40, 48\), its truth \(1, 3, 40, 48\)"):
        RestorationLoss(l1=1)(pictures[0], pictures[1][:1])


def test_half_precision_outputs_are_scored_in_full() -> None:
    flat = torch.full((1, 3, 32, 32), 0.5)
    weights = {name: 1.0 for name in TERMS if name != "ms_ssim"}
    loss, output = RestorationLoss(**weights), (flat + 1e-2).bfloat16()
    plain = loss(output.float(), flat)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = loss(output, flat)
    assert all(value.dtype == torch.float32 and torch.isfinite(value) for value in terms.values())
    assert {name: float(value) for name, value in terms.items()} == {
        name: float(value) for name, value in plain.items()
    }
