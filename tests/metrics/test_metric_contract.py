"""What every metric must do, whatever it measures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from drivederain.errors import DriveDeRainError, MetricError
from drivederain.metrics.fidelity import PSNR
from drivederain.metrics.metric import Metric
from drivederain.metrics.region import means_by_region, sums_by_region

ALL = [
    ("psnr", "rgb"),
    ("mse", "rgb"),
    ("ssim", "rgb"),
    ("psnr_y", "mprnet"),
    ("psnr_y", "prenet"),
    ("ssim_y", "mprnet"),
    ("ssim_y", "prenet"),
    ("lpips", "alex"),
    ("altered", "16"),
]
every_metric = pytest.mark.parametrize(("name", "variant"), ALL)
MetricOf = Callable[[str, str], Metric]
Pictures = Callable[..., Tensor]


@every_metric
def test_identical_pictures(name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures) -> None:
    picture = random_pictures(1, 2, 40, 45)
    best = {"psnr": math.inf, "mse": 0.0, "ssim": 1.0, "lpips": 0.0, "altered": 0.0}[name.removesuffix("_y")]
    mask = torch.zeros(2, 1, 40, 45)
    mask[:, :, 10:30, 10:30] = 1
    scores = metric_of(name, variant).score(picture, picture.clone(), mask)
    assert {region: value.tolist() for region, value in scores.items()} == {
        region: [best, best] for region in ("image", "drops", "background")
    }


@every_metric
def test_batch_equals_single(name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures) -> None:
    output, truth = random_pictures(2, 3, 40, 45), random_pictures(3, 3, 40, 45)
    mask = torch.rand(3, 1, 40, 45, generator=torch.Generator().manual_seed(4))
    metric = metric_of(name, variant)
    batch = metric.score(output, truth, mask)
    for i in range(3):
        single = metric.score(output[i : i + 1], truth[i : i + 1], mask[i : i + 1])
        assert {region: value[i].item() for region, value in batch.items()} == {
            region: value.item() for region, value in single.items()
        }
    for value in batch.values():
        assert value.dtype == torch.float64
        assert value.shape == (3,)
        assert value.device.type == "cpu"


@every_metric
@pytest.mark.parametrize("masked", [False, True])
def test_score_many_is_score_bit_for_bit(
    name: str, variant: str, masked: bool, metric_of: MetricOf, random_pictures: Pictures
) -> None:
    truth = random_pictures(3, 2, 70, 61)
    outputs = [random_pictures(seed, 2, 70, 61) for seed in (4, 5, 6)]
    outputs.append((truth.int() + 3).clamp(0, 255).to(torch.uint8))
    mask = torch.rand(2, 1, 70, 61, generator=torch.Generator().manual_seed(4)) * 0.3 if masked else None
    metric = metric_of(name, variant)
    before = [picture.clone() for picture in (truth, *outputs)]

    def values(scores: dict[str, Tensor]) -> dict[str, list[float]]:
        return {region: value.tolist() for region, value in scores.items()}

    alone = [values(metric.score(output, truth, mask)) for output in outputs]
    assert [values(scores) for scores in metric.score_many(outputs, truth, mask)] == alone
    backwards = metric.score_many(outputs[:0:-1], truth, mask)
    assert [values(scores) for scores in backwards] == alone[:0:-1]
    assert metric.score_many([], truth, mask) == []
    assert len({scores["image"][0] for scores in alone}) == len(outputs)
    for picture, copy in zip((truth, *outputs), before, strict=True):
        assert torch.equal(picture, copy)


@every_metric
def test_layout_in_memory_does_not_show(
    name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures
) -> None:
    output, truth = random_pictures(1, 2, 40, 45), random_pictures(2, 2, 40, 45)
    interleaved = [picture.to(memory_format=torch.channels_last) for picture in (output, truth)]
    metric = metric_of(name, variant)
    expected = metric.score(output, truth, None)["image"]
    assert metric.score(*interleaved, None)["image"].tolist() == expected.tolist()


@every_metric
def test_score_many_checks_every_output(
    name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures
) -> None:
    truth = random_pictures(1, 1, 40, 45)
    with pytest.raises(MetricError, match=r"1x46x40 .*1x45x40"):
        metric_of(name, variant).score_many([truth, random_pictures(1, 1, 40, 46)], truth, None)


def test_a_metric_that_defines_only_score_scores_many(random_pictures: Pictures) -> None:
    class Brightness(Metric):
        def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
            return {"image": output.double().mean(dim=(1, 2, 3)) - truth.double().mean(dim=(1, 2, 3))}

    truth = random_pictures(1, 2, 8, 8)
    scores = Brightness("any").score_many([truth, (truth // 2)], truth, None)
    assert [value["image"].shape for value in scores] == [(2,), (2,)]
    assert scores[0]["image"].tolist() == [0, 0]
    assert (scores[1]["image"] < 0).all()


@every_metric
def test_regions(name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures) -> None:
    output, truth = random_pictures(5, 3, 40, 45), random_pictures(6, 3, 40, 45)
    mask = torch.zeros(3, 1, 40, 45)
    mask[1, :, :, 20:] = 0.11
    mask[2] = 1
    metric = metric_of(name, variant)
    scores = metric.score(output, truth, mask)
    assert set(scores) == {"image", "drops", "background"}
    assert scores["drops"].isnan().tolist() == [True, False, False]
    assert scores["background"].isnan().tolist() == [False, False, True]
    assert not scores["image"].isnan().any()
    without = metric.score(output, truth, None)
    assert set(without) == {"image"}
    assert without["image"].tolist() == scores["image"].tolist()


@every_metric
def test_a_region_sees_only_its_own_errors(
    name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures
) -> None:
    truth = random_pictures(7, 1, 320, 320)
    output = truth.clone()
    output[:, :, 280:, 280:] = 255 - output[:, :, 280:, 280:]
    mask = torch.zeros(1, 1, 320, 320)
    mask[:, :, :20, :20] = 1  # far from the errors, further than any window or receptive field reaches
    score = metric_of(name, variant).score(output, truth, mask)
    perfect = {"psnr": math.inf, "mse": 0.0, "ssim": 1.0, "lpips": 0.0, "altered": 0.0}[name.removesuffix("_y")]
    assert score["drops"].item() == perfect
    assert score["background"].item() != perfect


def test_the_threshold_is_exclusive(random_pictures: Pictures) -> None:
    mask = torch.full((1, 1, 12, 12), 0.1)
    scores = PSNR("rgb").score(random_pictures(1, 1, 12, 12), random_pictures(2, 1, 12, 12), mask)
    assert scores["drops"].isnan().all()
    assert scores["background"].item() == scores["image"].item()


@every_metric
def test_sizes_that_differ(name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures) -> None:
    metric = metric_of(name, variant)
    with pytest.raises(MetricError, match=r"1x45x40 .*1x46x40"):
        metric.score(random_pictures(1, 1, 40, 45), random_pictures(1, 1, 40, 46), None)
    with pytest.raises(MetricError, match=r"mask is 1x1x40x44"):
        metric.score(random_pictures(1, 1, 40, 45), random_pictures(1, 1, 40, 45), torch.zeros(1, 1, 40, 44))


@every_metric
def test_types_that_do_not_fit(name: str, variant: str, metric_of: MetricOf, random_pictures: Pictures) -> None:
    picture = random_pictures(1, 1, 40, 45)
    metric = metric_of(name, variant)
    with pytest.raises(MetricError, match=r"output is torch\.float32"):
        metric.score(picture.float() / 255, picture, None)
    with pytest.raises(MetricError, match=r"truth is torch\.uint8 1x1x40x45"):
        metric.score(picture, picture[:, :1], None)


@pytest.mark.parametrize(
    ("name", "variant", "minimum"),
    [
        ("ssim", "rgb", 11),
        ("ssim_y", "mprnet", 11),
        ("ssim_y", "prenet", 11),
        ("lpips", "alex", 31),
        ("psnr", "rgb", 1),
    ],
)
def test_smallest_size(name: str, variant: str, minimum: int, metric_of: MetricOf, random_pictures: Pictures) -> None:
    metric = metric_of(name, variant)
    output, truth = random_pictures(1, 1, minimum, minimum + 3), random_pictures(2, 1, minimum, minimum + 3)
    assert metric.score(output, truth, torch.ones(1, 1, minimum, minimum + 3))["drops"].isfinite().all()
    if minimum > 1:
        with pytest.raises(DriveDeRainError, match=f"{minimum}x{minimum} pixels, and the picture is {minimum + 3}x"):
            metric.score(output[:, :, 1:], truth[:, :, 1:], None)


def test_unknown_variant() -> None:
    with pytest.raises(MetricError, match=r"'bt709'; it has: rgb, mprnet, prenet"):
        PSNR("bt709")


def test_integer_sums_are_exact() -> None:
    values = torch.full((2000, 3000), 195_075, dtype=torch.int32)
    sums = sums_by_region(values, None)
    assert sums.tolist() == [[195_075 * 6_000_000], [6_000_000]]
    assert means_by_region([sums])["image"].item() == 195_075
