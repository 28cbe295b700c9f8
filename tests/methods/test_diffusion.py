"""The diffusion refiner: the bridge's equations, its noise, its options."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from drivederain.engine.device import DeviceRunner
from drivederain.registry import Registry
from drivederain.tiling import by_tiles
from drivederain.training.progress import Budget
from drivederain.weights import read_weights, serialise
from drivederain_methods.diffusion.bridge import Bridge
from drivederain_methods.diffusion.bridge_model import SHARE_AT_ONE, BridgeModel, BridgeModule
from drivederain_methods.diffusion.method import Diffusion
from drivederain_methods.diffusion.options import MULTIPLE, DiffusionOptions

CPU = torch.device("cpu")
SMALL = DiffusionOptions(channels=(8, 16), pixel_shuffle=2, detail=8)
MakeRunner = Callable[..., DeviceRunner]
MakePicture = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bridge whose every layer has random weights, as it is stored."""
    method = Diffusion(SMALL)
    torch.manual_seed(0)
    method.load(None, CPU)
    for last in (method.model.bridge.network.conv_out, method.model.bridge.detail[-1]):
        torch.nn.init.normal_(last.weight, std=0.1)
    path = tmp_path_factory.mktemp("diffusion") / "diffusion.safetensors"
    path.write_bytes(serialise(method.state(), {}, half=True))
    return path


def with_options(**options: Any) -> Diffusion:
    return Diffusion(DiffusionOptions(**{**SMALL.model_dump(exclude_unset=True), **options}))


@pytest.mark.parametrize("more", [{}, {"detail": 8, "norm": "layer", "pixel_shuffle": 4}, {"detail": 2}])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
def test_before_training_it_is_the_identity(steps: int, more: dict[str, Any]) -> None:
    method = with_options(steps=steps, **more)
    method.load(None, CPU)
    rainy, estimate = torch.rand(2, 2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(method.refine(rainy, estimate), estimate)


def randomised(**options: Any) -> Bridge:
    """A small bridge whose every layer has random weights."""
    torch.manual_seed(0)
    bridge = Bridge((8, 16), **options).eval()
    for last in (bridge.network.conv_out, *([] if bridge.detail is None else [bridge.detail[-1]])):
        torch.nn.init.normal_(last.weight, std=0.1)
    return bridge


@torch.no_grad()
def test_normalisation_by_pixel_sees_no_further_than_the_convolutions() -> None:
    """What changes in a far corner changes nothing here; with statistics of the whole picture it does."""
    here = (..., slice(0, 32), slice(0, 32))
    for norm, same in (("layer", True), ("group", False)):
        bridge, pictures = randomised(norm=norm, detail=8), torch.rand(1, 3, 192, 192)
        other = pictures.clone()
        other[..., 160:, 160:] = 0
        outputs = [bridge(each, each, each, torch.ones(1)) - each for each in (pictures, other)]
        assert bool(torch.allclose(outputs[0][here], outputs[1][here], atol=1e-6)) == same
        assert not torch.allclose(outputs[0][..., 160:, 160:], outputs[1][..., 160:, 160:], atol=1e-3)


@torch.no_grad()
def test_convolutions_at_full_resolution_see_what_is_between_folded_pixels() -> None:
    """With nothing found by the folded network, a change of one pixel reaches its neighbours and no others."""
    bridge, pictures = randomised(norm="layer", detail=8, pixel_shuffle=4), torch.rand(1, 3, 64, 64)
    torch.nn.init.zeros_(bridge.network.conv_out.weight)
    torch.nn.init.zeros_(bridge.network.conv_out.bias)
    other = pictures.clone()
    other[..., 33, 30] = 1 - other[..., 33, 30]
    change = bridge(pictures, pictures, pictures, torch.ones(1)) - pictures
    difference = bridge(pictures, pictures, other, torch.ones(1)) - pictures - change
    rows, columns = difference[0].abs().sum(0).nonzero(as_tuple=True)
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (30, 36, 27, 33)


def test_samples_that_are_averaged_are_those_that_would_be_drawn_one_by_one(weights: Path) -> None:
    rainy, estimate = torch.rand(2, 1, 3, 32, 32)
    outputs = []
    for average in (1, 3):
        method = with_options(steps=3, eta=1.0, bridge_noise=0.5, average=average)
        method.load(read_weights(weights), CPU)
        method.generators = [torch.Generator().manual_seed(7)]
        with torch.inference_mode():
            outputs.append([method.refine(rainy, estimate) for _ in range(3 if average == 1 else 1)])
    singles, (together,) = outputs
    assert not torch.allclose(singles[0], singles[1])
    assert torch.allclose(together, torch.stack(singles).mean(0), atol=1e-6)


def test_it_refuses_to_run_without_an_estimate() -> None:
    method = with_options()
    method.load(None, CPU)
    with pytest.raises(TypeError, match="needs the estimate"):
        method.restore(torch.rand(1, 3, 32, 32))


class Known(Bridge):
    """A bridge whose prediction of the clear picture is known."""

    def __init__(self, noise: float = 0.08) -> None:
        torch.nn.Module.__init__(self)
        self.noise, self.times = noise, list[float]()

    def forward(self, state: Tensor, estimate: Tensor, rainy: Tensor, time: Tensor) -> Tensor:
        self.times.append(float(time[0]))
        return torch.zeros_like(state)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_sampling_walks_from_the_estimate_in_equal_steps(steps: int) -> None:
    bridge = Known()
    estimate = torch.ones(2, 3, 4, 4)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    output = bridge.sample(estimate, estimate, steps=steps, eta=1.0, generators=generators)
    assert bridge.times == pytest.approx([1 - i / steps for i in range(steps)])
    assert torch.equal(output, torch.zeros_like(output)), "the last step ends at the prediction, without noise"


def test_sampling_keeps_to_the_distribution_of_training() -> None:
    """With eta = 1 the state half-way is distributed as ``noisy_state`` says: mean t y, deviation s sqrt(t (1 - t))."""
    seen: list[Tensor] = []

    class Watched(Known):
        def forward(self, state: Tensor, estimate: Tensor, rainy: Tensor, time: Tensor) -> Tensor:
            seen.append(state)
            return super().forward(state, estimate, rainy, time)

    bridge = Watched(noise=0.3)
    estimate = torch.ones(1, 3, 128, 128)
    for eta in (1.0, 0.0):
        bridge.sample(estimate, estimate, steps=4, eta=eta, generators=[torch.Generator().manual_seed(0)])
    for state, time in zip(seen[1:4], (0.75, 0.5, 0.25), strict=True):
        assert float(state.mean()) == pytest.approx(time, abs=0.005)
        assert float(state.std()) == pytest.approx(0.3 * math.sqrt(time * (1 - time)), rel=0.02)
    trained = bridge.noisy_state(torch.zeros_like(estimate), estimate, torch.tensor([0.5]), torch.randn_like(estimate))
    assert float(trained.std()) == pytest.approx(float(seen[2].std()), rel=0.03)
    assert all(float(state.std()) == 0 for state in seen[5:]), "eta = 0 adds nothing"


def test_the_ends_of_the_bridge_are_the_clear_picture_and_the_estimate() -> None:
    clear, estimate, noise = torch.rand(3, 2, 3, 4, 4)
    bridge = Known()
    assert torch.equal(bridge.noisy_state(clear, estimate, torch.zeros(2), noise), clear)
    assert torch.equal(bridge.noisy_state(clear, estimate, torch.ones(2), noise), estimate)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_batch_gives_what_single_pictures_give(
    weights: Path, make_runner: MakeRunner, make_picture: MakePicture, eta: float
) -> None:
    names = ["a", "b", "c"]
    rainy = [make_picture(seed, 40, 52) for seed in (1, 2, 3)]
    estimates = [make_picture(seed, 40, 52) for seed in (4, 5, 6)]
    runner = make_runner("diffusion", with_options(steps=3, eta=eta, bridge_noise=0.5), read_weights(weights))
    batch = [restored.pixels for restored in runner.restore(names, rainy, estimates)]
    for number in (2, 0):
        single = runner.restore([names[number]], [rainy[number]], [estimates[number]])[0].pixels
        assert np.abs(single.astype(int) - batch[number]).max() <= 1
        assert not np.array_equal(single, estimates[number])
    other_name = runner.restore(["z"], [rainy[0]], [estimates[0]])[0].pixels
    assert np.array_equal(other_name, batch[0]) == (eta == 0.0), "noise is named by the picture"


def test_one_generator_for_a_batch_is_refused() -> None:
    estimate = torch.zeros(2, 3, 4, 4)
    with pytest.raises(ValueError, match="1 generators for 2 pictures"):
        Known().sample(estimate, estimate, steps=2, eta=0.5, generators=[torch.Generator()])


@pytest.mark.parametrize(
    ("right", "blend"),
    [(1.0, 1.0), (2.0, 1.0), (0.5, 0.5), (0.0, 0.0), (-1.0, 0.0)],
    ids=["right", "too timid", "twice too much", "of no use", "the wrong way"],
)
def test_the_blend_that_is_fitted_is_the_share_of_the_change_that_is_right(
    make_picture: MakePicture, right: float, blend: float
) -> None:
    """Changes of 20 levels up or down at random; the truth is ``right`` times as far from the estimate."""
    pictures = []
    for seed in (1, 2):
        estimate = make_picture(seed, 40, 52).astype(int) // 3 + 80
        change = np.random.default_rng(seed).choice([-20, 20], estimate.shape)
        pictures.append(
            tuple(
                each.astype(np.uint8)
                for each in (estimate + 30, estimate, estimate + change, estimate + right * change)
            )
        )
    fresh = with_options(blend=1.0, gate=0.0)
    assert fresh.fit(pictures) == {"blend": blend, "gate": 0.0}  # type: ignore[arg-type]
    rainy, estimate, _, clear = pictures[0]
    assert fresh.fit([(rainy, estimate, estimate, clear)]) == {"blend": 1.0, "gate": 0.0}
    typed = with_options(blend=0.5, gate=0.0).fit(pictures)  # type: ignore[arg-type]
    assert typed["blend"] == 1.0, "the pictures have the blend that was typed"


def test_the_gate_that_is_fitted_leaves_alone_what_was_nearly_right(make_picture: MakePicture) -> None:
    """In light rain the change is wrong, in heavy rain it is right."""
    pictures = []
    for seed, (rain, right) in enumerate([(5, -1), (8, -1), (40, 1), (60, 1)]):
        estimate = make_picture(seed, 40, 52).astype(int) // 3 + 80
        change = np.random.default_rng(seed).choice([-4, 4], estimate.shape)
        noise = np.random.default_rng(seed + 9).choice([-6, 6], estimate.shape)
        pictures.append(
            tuple(
                each.astype(np.uint8)
                for each in (estimate + rain, estimate, estimate + change, estimate + right * change + noise)
            )
        )
    found = with_options(blend=1.0, gate=0.0).fit(pictures)  # type: ignore[arg-type]
    assert found["blend"] == 1.0 and 8 / 255 < found["gate"] / 2 < 40 / 255


def test_the_gate_keeps_the_estimate_in_light_rain_and_the_refinement_in_heavy(weights: Path) -> None:
    estimate = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.5
    rainy = estimate + torch.tensor([0.03, 0.09, 0.3]).view(3, 1, 1, 1)
    outputs = []
    for gate in (0.0, 0.12):
        method = with_options(gate=gate)
        method.load(read_weights(weights), CPU)
        with torch.inference_mode():
            outputs.append(method.refine(rainy, estimate))
    whole, gated = outputs
    assert torch.equal(gated[0], estimate[0]) and not torch.equal(whole[0], estimate[0])
    assert torch.allclose(gated[1], (whole[1] + estimate[1]) / 2, atol=1e-6), "half of it at three quarters of the gate"
    assert torch.allclose(gated[2], whole[2], atol=1e-6)
    assert DiffusionOptions().gate_change == 0.05 and DiffusionOptions(model="instruct-pix2pix").gate_change == 0
    assert DiffusionOptions(gate="none").gate is None  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_tiles_agree_with_the_whole_picture(weights: Path, make_picture: MakePicture, steps: int) -> None:
    rainy, estimate = (
        torch.from_numpy(make_picture(seed, 96, 160)).permute(2, 0, 1)[None].float() / 255 for seed in (1, 2)
    )
    method = with_options(steps=steps)
    method.load(read_weights(weights), CPU)
    with torch.inference_mode():
        whole = method.refine(rainy, estimate)
        tiled = by_tiles(method.restore, [rainy, estimate], 96, 32)
    # Normalisation layers see a tile's own statistics, so tiles are near the whole, not bit for bit the same.
    assert float((tiled - whole).abs().mean()) < 0.25 * float((whole - estimate).abs().mean())


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_large_picture_goes_through_each_step_by_tiles(weights: Path, make_picture: MakePicture, eta: float) -> None:
    rainy, estimate = (
        torch.from_numpy(make_picture(seed, 320, 512)).permute(2, 0, 1)[None].float() / 255 for seed in (1, 2)
    )
    outputs = []
    for tile in (256, 512):
        method = with_options(steps=2, tile=tile, eta=eta, bridge_noise=0.5)
        method.load(read_weights(weights), CPU)
        method.generators = [torch.Generator().manual_seed(0)]
        sizes: list[tuple[int, ...]] = []
        method.model.bridge.network.register_forward_pre_hook(  # type: ignore[union-attr]
            lambda module, inputs, sizes=sizes: sizes.append(tuple(inputs[0].shape[-2:]))
        )
        with torch.inference_mode():
            outputs.append(method.refine(rainy, estimate))
        tiles = 2 * (2 * 3 if tile == 256 else 1)
        assert len(sizes) == tiles and all(2 * max(size) <= tile for size in sizes)
    # One noise for the whole picture, whatever the tiles; normalisation sees a tile's own statistics.
    assert float((outputs[0] - outputs[1]).abs().mean()) < 0.25 * float((outputs[1] - estimate).abs().mean())


def test_weights_stored_as_float16_are_read_back(weights: Path) -> None:
    method = with_options()
    method.load(read_weights(weights), CPU)
    stored = read_weights(weights).tensors
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert all(torch.equal(value, stored[name].float()) for name, value in method.state().items())
    assert method.facts() == {"network": "bridge, channels 8-16", "steps": 2, "parameters": 45_851}


def test_weights_are_stored_with_the_options_of_their_own_model() -> None:
    bridge = with_options(blend=0.5).network_options()
    assert (bridge["model"], bridge["blend"], bridge["channels"]) == ("bridge", 0.5, (8, 16))
    assert "prompt" not in bridge and "detail" in bridge
    instruct = with_options(model="instruct-pix2pix").network_options()
    assert "prompt" in instruct and "detail" not in instruct
    assert bridge.keys() | instruct.keys() == set(Diffusion.architecture)


def test_blend_adds_a_share_of_the_refinement(weights: Path) -> None:
    rainy, estimate = torch.rand(2, 1, 3, 32, 32)
    outputs = []
    for blend in (0.0, 0.5, 1.0):
        method = with_options(blend=blend)
        method.load(read_weights(weights), CPU)
        with torch.inference_mode():
            outputs.append(method.refine(rainy, estimate))
    assert torch.equal(outputs[0], estimate)
    assert torch.allclose(outputs[1], (outputs[0] + outputs[2]) / 2, atol=1e-6)
    assert float((outputs[2] - estimate).abs().mean()) > 1e-3


def test_training_is_mostly_at_t_1_and_seeded() -> None:
    times: list[Tensor] = []

    class Watched(Known):
        def forward(self, state: Tensor, estimate: Tensor, rainy: Tensor, time: Tensor) -> Tensor:
            times.append(time)
            return state

    module = BridgeModule(Watched())
    batch = {name: torch.rand(4000, 3, 1, 1) for name in ("clear", "estimate", "rainy")}
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(module.predict(batch))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])
    assert float((times[0] == 1).float().mean()) == pytest.approx(SHARE_AT_ONE, abs=0.03)
    assert float(times[0].min()) == pytest.approx(0.02)
    rest = times[0][times[0] < 1]
    assert float(rest.mean()) == pytest.approx(0.5, abs=0.03)


def test_default_network_keeps_its_layout() -> None:
    with torch.device("meta"):
        bridge = BridgeModel(DiffusionOptions(), None, torch.device("meta")).bridge
    assert bridge.network.conv_in.weight.shape == (48, 9 * 16, 3, 3)
    assert bridge.network.conv_out.weight.shape == (8 * 16, 48, 3, 3)
    assert isinstance(bridge.detail, torch.nn.Sequential) and bridge.multiple == MULTIPLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": (8, 12)},
        {"channels": ()},
        {"channels": (0, 8)},
        {"channels": (8,) * 7},
        {"pixel_shuffle": 3},
        {"pixel_shuffle": 4, "channels": (8,) * 6},
        {"detail": 7},
        {"average": 2},
        {"average": 2, "eta": 1.0, "steps": 1},
        {"norm": "batch"},
        {"steps": 0},
        {"model": "ddpm"},
    ],
)
def test_options_that_do_not_fit_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DiffusionOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("before", "now"), [(False, "none"), (True, "difference"), ("predicted", "predicted")])
def test_what_older_records_say_of_pasting_is_understood(before: object, now: str) -> None:
    assert DiffusionOptions(paste=before).paste == now  # type: ignore[arg-type]


def test_the_preset_of_the_plan_is_instruct_pix2pix_by_its_own_recipe(registry: Registry) -> None:
    from drivederain_methods.diffusion.instruct.model import HYPERPARAMETERS

    (preset,) = registry.method("diffusion").presets
    assert preset.name == "phase3" and DiffusionOptions(**preset.options).model == "instruct-pix2pix"
    typed = HYPERPARAMETERS.changed(preset.training, "")
    assert typed == HYPERPARAMETERS.changed({"accumulate": 4, "gradient_clip": 1.0, "optimizer": "adamw"}, "")
    assert Budget.parse(preset.budget) == Budget(epochs=30)
