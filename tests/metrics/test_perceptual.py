"""LPIPS against the package's own network, and how its weights are found."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import lpips
import pytest
import torch
from torch import Tensor

from drivederain.errors import MetricError, WeightsError
from drivederain.metrics.perceptual import LPIPS, TRUNK, TRUNK_SHA256, build_network

Pictures = Callable[..., Tensor]


@pytest.mark.parametrize("size", [(31, 31), (64, 64), (75, 130)])
def test_is_what_the_lpips_package_says(size: tuple[int, int], random_pictures: Pictures) -> None:
    output, truth = random_pictures(1, 1, *size), random_pictures(2, 1, *size)
    mask = torch.zeros(1, 1, *size)
    mask[:, :, : size[0] // 2] = 0.5
    metric = LPIPS("alex")
    metric.load(torch.device("cpu"))
    scores = metric.score(output, truth, mask)
    network = build_network()
    a, b = (lpips.im2tensor(picture[0].permute(1, 2, 0).numpy()) for picture in (output, truth))
    assert scores["image"].item() == pytest.approx(network(a, b).item(), abs=1e-6)
    network.spatial = True
    spatial = network(a, b)
    assert scores["drops"].item() == pytest.approx(spatial[mask > 0.1].mean().item(), abs=1e-6)
    assert scores["background"].item() == pytest.approx(spatial[mask <= 0.1].mean().item(), abs=1e-6)


def test_features_of_the_truth_are_computed_once(random_pictures: Pictures) -> None:
    metric = LPIPS("alex")
    metric.load(torch.device("cpu"))
    seen: list[Tensor] = []
    metric._network.net.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    outputs = [random_pictures(seed, 2, 40, 45) for seed in (1, 2, 3)]
    metric.score_many(outputs, random_pictures(4, 2, 40, 45), None)
    assert len(seen) == 2 * (3 + 1)  # two pictures, each of three outputs and the truth


def test_loads_without_network_and_draws_no_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("something tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    before = torch.get_rng_state()
    LPIPS("alex").load(torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before)


def test_precision_of_the_caller_does_not_leak_in(random_pictures: Pictures) -> None:
    output, truth = random_pictures(1, 1, 40, 40), random_pictures(2, 1, 40, 40)
    metric = LPIPS("alex")
    metric.load(torch.device("cpu"))
    plain = metric.score(output, truth, None)["image"].item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert metric.score(output, truth, None)["image"].item() == plain


def test_without_load_or_after_close(random_pictures: Pictures) -> None:
    picture = random_pictures(1, 1, 40, 40)
    metric = LPIPS("alex")
    with pytest.raises(MetricError, match="call load"):
        metric.score(picture, picture, None)
    metric.load(torch.device("cpu"))
    metric.close()
    with pytest.raises(MetricError, match="call load"):
        metric.score(picture, picture, None)


def test_damaged_or_missing_trunk(tmp_path: Path) -> None:
    damaged = tmp_path / "alexnet-features.safetensors"
    content = bytearray(TRUNK.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(WeightsError, match="is damaged"):
        build_network(damaged)
    with pytest.raises(WeightsError, match=r"cannot read .*gone"):
        build_network(tmp_path / "gone.safetensors")


def test_card_names_the_carried_file() -> None:
    assert hashlib.sha256(TRUNK.read_bytes()).hexdigest() == TRUNK_SHA256
    assert TRUNK_SHA256 in TRUNK.with_suffix(".md").read_text()


def test_perceptual_loss_trunk_is_as_its_card_says() -> None:
    trunk = TRUNK.parents[2] / "training" / "weights" / "vgg16-features-relu3_3.safetensors"
    assert hashlib.sha256(trunk.read_bytes()).hexdigest() in trunk.with_suffix(".md").read_text()
