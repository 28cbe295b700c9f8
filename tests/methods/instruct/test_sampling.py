"""Walking from the estimate: guidance as diffusers has it, noise by picture, and what keeps the detail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from torch import Tensor

from drivederain.metrics.seams import lines
from drivederain_methods.diffusion.instruct.autoencoder import LATENT, decode, encode
from drivederain_methods.diffusion.instruct.base import load_vae
from drivederain_methods.diffusion.instruct.fidelity import keep_detail
from drivederain_methods.diffusion.instruct.sampling import Sampling, tiled
from drivederain_methods.diffusion.method import Diffusion
from drivederain_methods.diffusion.options import DiffusionOptions

CPU = torch.device("cpu")
CONFIG = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1).config
SCHEDULERS = ["ddim", "euler", "dpm++"]


def loaded(base: Path, **more: Any) -> Diffusion:
    method = Diffusion(DiffusionOptions(model="instruct-pix2pix", base=str(base), **more))
    method.load(None, CPU)
    return method


def refined(method: Diffusion, rainy: Tensor, estimate: Tensor, seeds: tuple[int, ...]) -> Tensor:
    method.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    with torch.inference_mode():
        return method.refine(rainy, estimate)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(("guidance", "image_guidance"), [(7.5, 1.5), (3.0, 1.0)])
def test_guidance_is_that_of_diffusers(
    base: Path, plain: Any, scheduler: str, guidance: float, image_guidance: float
) -> None:
    kinds = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler, "dpm++": DPMSolverMultistepScheduler}
    more = {"clip_sample": False, "set_alpha_to_one": False} if scheduler == "ddim" else {}
    plain.scheduler = kinds[scheduler].from_config(plain.scheduler.config, timestep_spacing="leading", **more)
    estimate = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    theirs = plain(
        prompt="remove rain artifacts, enhance image quality", image=estimate, num_inference_steps=4, output_type="pt",
        guidance_scale=guidance, image_guidance_scale=image_guidance, generator=torch.Generator().manual_seed(5),
    ).images  # fmt: skip
    method = loaded(
        base, strength=1.0, steps=4, fidelity="plain", scheduler=scheduler, guidance=guidance,
        image_guidance=image_guidance,
    )  # fmt: skip
    assert torch.allclose(refined(method, estimate, estimate, (5,)).clamp(0, 1), theirs, atol=2e-5)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_batch_gives_what_single_pictures_give(base: Path, scheduler: str, strength: float) -> None:
    estimate = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    method = loaded(base, scheduler=scheduler, strength=strength, steps=3, guidance=2.0)
    whole = refined(method, estimate, estimate, (7, 8, 9))
    for number in (2, 0):
        one = slice(number, number + 1)
        single = refined(method, estimate[one], estimate[one], (7 + number,))
        assert torch.allclose(single, whole[one], atol=1e-5)
    other = refined(method, estimate[:1], estimate[:1], (70,))
    assert not torch.allclose(other, whole[:1], atol=1e-4), "another seed, another picture"


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 4, 50])
@pytest.mark.parametrize("strength", [0.1, 0.3, 0.7, 0.95])
def test_a_walk_begins_at_its_share_of_the_schedule_and_goes_down_in_equal_steps(
    scheduler: Any, steps: int, strength: float
) -> None:
    times = Sampling(CONFIG, scheduler, steps, strength).start()[1].tolist()
    assert times == pytest.approx([1000 * strength * (steps - step) / steps - 1 for step in range(steps)], abs=1)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(("strength", "steps"), [(0.3, 1), (0.3, 4), (0.3, 50), (0.05, 30), (0.7, 1), (0.7, 3)])
def test_who_knows_the_noise_comes_back_to_the_latents(scheduler: Any, strength: float, steps: int) -> None:
    """A network that names the noise ends where the walk began, with nothing of the noise left."""
    latents = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    output = Sampling(CONFIG, scheduler, steps, strength).walk(latents, noise, lambda state, time: noise)
    assert torch.allclose(output, latents, atol=2e-4)


def test_a_whole_walk_needs_more_than_one_step() -> None:
    with pytest.raises(ValueError, match="2 steps or more"):
        DiffusionOptions(model="instruct-pix2pix", strength=1.0, steps=1)


def picture(*size: int) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(2))


def test_where_nothing_is_changed_the_difference_is_the_estimate_itself() -> None:
    estimate, decoded = picture(1, 3, 32, 48), torch.zeros(1, 3, 32, 48) + 0.4
    assert torch.equal(keep_detail(estimate, decoded, decoded, "difference"), estimate)
    assert torch.equal(keep_detail(estimate, decoded, None, "plain"), decoded)
    with pytest.raises(TypeError, match="round trip"):
        keep_detail(estimate, decoded, None, "difference")


def test_low_frequencies_are_those_of_the_estimate() -> None:
    detail = picture(1, 3, 64, 96) - 0.5
    estimate = torch.full((1, 3, 64, 96), 0.3)
    kept = keep_detail(estimate, 0.8 + 0.1 * detail, None, "low-frequency")
    assert float(kept.mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.corrcoef(torch.stack([kept.flatten(), detail.flatten()]))[0, 1] > 0.95


@pytest.mark.parametrize("size", [(32, 32), (48, 80), (160, 112)])
def test_sizes_that_the_core_gives_come_back(base: Path, size: tuple[int, int]) -> None:
    estimate = picture(1, 3, *size)
    assert refined(loaded(base), estimate, estimate, (0,)).shape == estimate.shape


def test_the_same_picture_gets_the_same_bytes_through_the_runner(
    base: Path, make_runner: Callable[..., Any], make_picture: Callable[..., Any]
) -> None:
    rainy, estimate = make_picture(1, 37, 51), make_picture(2, 37, 51)
    outputs = [
        make_runner("diffusion", loaded(base, strength=0.6)).restore(["a"], [rainy], [estimate])[0].pixels
        for _ in range(2)
    ]
    assert outputs[0].shape == (37, 51, 3) and np.array_equal(*outputs)
    assert not np.array_equal(outputs[0], estimate)


def test_tiles_are_blended_in_every_step_and_the_same_noise_runs_through_them() -> None:
    latents = torch.randn(1, 4, 40, 56, generator=torch.Generator().manual_seed(0))
    pictures = torch.randn(1, 8, 40, 56, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(1, 4, 40, 56, generator=torch.Generator().manual_seed(2))
    sizes: list[tuple[int, ...]] = []

    def predict(state: Tensor, seen: Tensor, time: Tensor) -> Tensor:
        sizes.append(tuple(state.shape[-2:]))
        return 0.3 * state + 0.1 * seen[:, :4] - 0.2 * seen[:, 4:]

    sampling = Sampling(CONFIG, "ddim", 3, 0.5)
    whole = sampling.walk(latents, noise, tiled(predict, pictures, 64 * LATENT))
    assert sizes == [(40, 56)] * 3
    sizes.clear()
    parts = sampling.walk(latents, noise, tiled(predict, pictures, 24 * LATENT))
    assert len(sizes) > 3 * 4 and max(max(size) for size in sizes) <= 24
    assert torch.allclose(parts, whole, atol=1e-5), "what looks at each place by itself does not see the tiles"


def test_a_large_picture_takes_tiles_and_stays_near_the_whole(base: Path) -> None:
    estimate = torch.nn.functional.interpolate(picture(1, 3, 12, 20), scale_factor=32, mode="bicubic").clamp(0, 1)
    outputs = [
        refined(loaded(base, strength=0.5, steps=2, tile=tile), estimate, estimate, (3,)) for tile in (256, 1024)
    ]
    assert outputs[0].shape == estimate.shape
    change = float((outputs[1] - estimate).abs().mean())
    assert 0 < float((outputs[0] - outputs[1]).abs().mean()) < 0.5 * change


@pytest.mark.parametrize("size", [(1080, 1920), (768, 1280), (1088, 1344)])
def test_the_seam_metric_looks_where_tiles_meet(size: tuple[int, int]) -> None:
    tile, (height, width) = 768, (-(-side // 64) * 64 for side in size)
    places = torch.stack(torch.meshgrid(torch.arange(height // 8), torch.arange(width // 8), indexing="ij"))[None]
    borders: tuple[set[int], set[int]] = set(), set()

    def predict(state: Tensor, seen: Tensor, time: Tensor) -> Tensor:
        for side in (0, 1):
            borders[side].update((8 * int(seen[0, side].min()), 8 * int(seen[0, side].max()) + 8))
        return state

    tiled(predict, places.float(), tile)(torch.zeros(1, 4, height // 8, width // 8), torch.tensor(1))
    for side, length in enumerate(size):
        inside = {border for border in borders[side] if 0 < border < length - 64}
        assert inside <= set(lines(length, tile))
    assert len(borders[1]) > 2


def test_a_large_picture_goes_through_the_autoencoder_by_the_tiles_of_the_sampler(base: Path) -> None:
    vae, sizes = load_vae(str(base)), []
    large = torch.nn.functional.interpolate(picture(1, 3, 12, 20), scale_factor=32, mode="bicubic").clamp(0, 1)
    vae.encoder.register_forward_pre_hook(lambda module, inputs: sizes.append(tuple(inputs[0].shape[-2:])))
    with torch.inference_mode():
        latents, whole = encode(vae, large, tile=256), encode(vae, large)
        assert sizes == [(256, 256)] * 8 + [(384, 640)]
        assert latents.shape == whole.shape == (1, 4, 48, 80)
        assert float((latents - whole).abs().mean()) < 0.2 * float(whole.std())
        tiled_back, back = decode(vae, whole, tile=256), decode(vae, whole)
    assert tiled_back.shape == back.shape == large.shape
    # Normalisation sees a tile's own statistics, so it is near the whole and not the same.
    assert torch.corrcoef(torch.stack([tiled_back.flatten(), back.flatten()]))[0, 1] > 0.9


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_base_s_settings_of_another_solver_change_nothing(scheduler: Any) -> None:
    """Such a solver draws noise of its own, or takes no times."""
    odd = dict(CONFIG) | {
        "algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True, "final_sigmas_type": "sigma_min",
        "solver_order": 3, "use_lu_lambdas": True, "thresholding": True, "solver_type": "heun", "clip_sample": True,
        "euler_at_final": True, "lower_order_final": False, "interpolation_type": "log_linear",
        "timestep_type": "continuous", "set_alpha_to_one": True, "timestep_spacing": "trailing",
    }  # fmt: skip
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    for strength in (0.5, 1.0):
        plain, other = (
            Sampling(config, scheduler, 3, strength).walk(latents, noise, lambda state, time: 0.5 * state)
            for config in (CONFIG, odd)
        )
        assert torch.equal(plain, other)


def test_latents_are_float32_also_in_bf16(base: Path) -> None:
    method, estimate = loaded(base, strength=0.6), picture(1, 3, 64, 64)
    exact = refined(method, estimate, estimate, (0,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert method.model.base.encode(estimate).dtype == torch.float32  # type: ignore[union-attr]
        output = refined(method, estimate, estimate, (0,))
    assert output.dtype == torch.float32 and not torch.equal(output, exact)
    assert float((output - exact).abs().mean()) < 0.1 * float((exact - estimate).abs().mean())
