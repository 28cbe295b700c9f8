"""Adapters are trained, saved, and the same in plain diffusers, both ways. All parts are real and tiny."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from drivederain.errors import OptionError, WeightsError
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.progress import Progress
from drivederain.weights import read_weights, serialise
from drivederain_methods.diffusion.instruct.conditioning import dropped
from drivederain_methods.diffusion.method import Diffusion
from drivederain_methods.diffusion.options import DiffusionOptions

CPU = torch.device("cpu")
PROMPT = "remove rain artifacts, enhance image quality"
WHOLE = {"strength": 1.0, "steps": 3, "fidelity": "plain"}
"""A walk from noise, as the pipeline of diffusers makes it."""


def options(base: Path, **more: Any) -> DiffusionOptions:
    return DiffusionOptions(model="instruct-pix2pix", base=str(base), **more)


def loaded(base: Path, weights: Path | None = None, **more: Any) -> Diffusion:
    method = Diffusion(options(base, **more))
    method.load(read_weights(weights) if weights else None, CPU)
    return method


def refined(method: Diffusion, estimate: Tensor, rainy: Tensor | None = None) -> Tensor:
    method.generators = [torch.Generator().manual_seed(seed) for seed in range(len(estimate))]
    with torch.inference_mode():
        return method.refine(estimate if rainy is None else rainy, estimate).clamp(0, 1)


def by_diffusers(pipe: Any, estimate: Tensor) -> Tensor:
    """What the pipeline makes with the same schedule and the same noise."""
    pipe.scheduler = DDIMScheduler.from_config(
        pipe.scheduler.config, clip_sample=False, set_alpha_to_one=False, timestep_spacing="leading"
    )
    output: Tensor = pipe(
        prompt=[PROMPT] * len(estimate), image=estimate, num_inference_steps=3, guidance_scale=1.0,
        image_guidance_scale=1.0, output_type="pt",
        generator=[torch.Generator().manual_seed(seed) for seed in range(len(estimate))],
    ).images  # fmt: skip
    return output


def batch(count: int = 4, side: int = 32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    clear = torch.rand(count, 3, side, side, generator=generator)
    return {"clear": clear, "estimate": 0.8 * clear + 0.1, "rainy": 0.5 * clear + 0.3}


def train(method: Diffusion, steps: int, *, rate: float = 1e-2) -> list[float]:
    """The losses of so many steps on one batch, its noise and times always the same."""
    recipe = method.training()
    assert recipe is not None
    module: Any = recipe.module
    hyperparameters = recipe.hyperparameters.changed(
        {"learning_rate": rate, "schedule": "constant", "warm_up": 0.0}, ""
    )
    module.prepare(hyperparameters, Progress())
    (optimizer,), _ = module.configure_optimizers()
    module.train()
    losses = []
    for _ in range(steps):
        torch.manual_seed(1)
        loss = module.training_step(batch(), 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ours, of adapters whose alpha is not their rank."""
    method = loaded(base, rank=4, alpha=10)
    losses = train(method, 40)
    assert losses[-1] < 0.7 * losses[0]
    path = tmp_path_factory.mktemp("adapters") / "best.safetensors"
    path.write_bytes(serialise(method.state(), {"method": "diffusion"}, header=method.header()))
    return path


def test_only_the_adapters_are_trained_and_kept(base: Path) -> None:
    method = loaded(base, rank=4)
    recipe = method.training()
    assert recipe is not None
    before = {name: value.clone() for name, value in method.model.base.unet.state_dict().items()}  # type: ignore[union-attr]
    kept = recipe.module.state_dict()
    trained = sum(value.numel() for value in method.state().values())
    assert sum(value.numel() for value in kept.values()) - trained == sum(
        value.numel() for name, value in kept.items() if name.startswith("loss.")
    )
    train(method, 2)
    after = method.model.base.unet.state_dict()  # type: ignore[union-attr]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(".lora_" in name for name in changed)
    assert method.facts()["trained parameters"] == trained


def test_before_training_adapters_change_nothing(base: Path, plain: Any) -> None:
    estimate = batch()["estimate"]
    ours = refined(loaded(base, **WHOLE), estimate)
    assert torch.allclose(ours, by_diffusers(plain, estimate), atol=1e-5)


def test_plain_diffusers_loads_merges_and_unloads_what_was_trained_here(base: Path, plain: Any, adapters: Path) -> None:
    estimate, pipe = batch()["estimate"], plain
    ours = refined(loaded(base, adapters, **WHOLE), estimate)
    without = by_diffusers(pipe, estimate)
    pipe.load_lora_weights(adapters.parent, weight_name=adapters.name, adapter_name="derain")
    theirs = by_diffusers(pipe, estimate)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert float((ours - without).abs().max()) > 1e-2
    pipe.fuse_lora()
    assert torch.allclose(by_diffusers(pipe, estimate), theirs, atol=1e-4)
    pipe.unfuse_lora()
    pipe.unload_lora_weights()
    assert torch.allclose(by_diffusers(pipe, estimate), without, atol=1e-4)


@pytest.mark.parametrize("says", [True, False])
def test_adapters_that_diffusers_saved_are_read_here(base: Path, plain: Any, tmp_path: Path, says: bool) -> None:
    from diffusers import StableDiffusionInstructPix2PixPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe, estimate = plain, batch()["estimate"]
    torch.manual_seed(3)
    # Old files say nothing of alpha, which is the rank then.
    config = LoraConfig(r=4, lora_alpha=9 if says else 4, target_modules=["to_q", "to_v"], init_lora_weights=False)
    pipe.unet.add_adapter(config)
    more = {"unet_lora_adapter_metadata": pipe.unet.peft_config["default"].to_dict()} if says else {}
    StableDiffusionInstructPix2PixPipeline.save_lora_weights(
        tmp_path, unet_lora_layers=get_peft_model_state_dict(pipe.unet), **more
    )
    path = tmp_path / "pytorch_lora_weights.safetensors"
    theirs = by_diffusers(pipe, estimate)
    method = loaded(base, path, **WHOLE)
    assert torch.allclose(refined(method, estimate), theirs, atol=1e-5)
    assert "rank 4, alpha " + ("9" if says else "4") in str(method.facts()["network"])


def test_the_file_says_what_diffusers_wants_to_know_in_the_same_bytes_each_time(base: Path, adapters: Path) -> None:
    with safe_open(adapters, framework="pt") as file:
        header = file.metadata()
    assert json.loads(header["lora_adapter_metadata"])["unet.lora_alpha"] == 10
    assert set(header) == {"drivederain", "lora_adapter_metadata"}
    method = loaded(base, adapters)
    again = serialise(method.state(), {"method": "diffusion"}, header=method.header())
    assert again == adapters.read_bytes(), "what was loaded is stored as it was: a resumed training ends with its bytes"
    assert set(load_file(adapters)) == set(method.state())
    for _ in range(5):
        assert serialise(method.state(), {"method": "diffusion"}, header=method.header()) == again


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: {"layer.weight": torch.zeros(2)}, "holds no LoRA adapters of a U-Net"),
        (lambda tensors: {f"{key}x": value for key, value in tensors.items()}, "holds no LoRA|for another base"),
        (lambda tensors: dict(list(tensors.items())[1:]), "1 missing"),
        (
            lambda tensors: {**tensors, "text_encoder.q.lora_A.weight": torch.zeros(2, 2)},
            "beside adapters of the U-Net",
        ),
        (lambda tensors: {**tensors, "unet.mid.alpha": torch.ones(())}, "beside adapters of the U-Net"),
        (lambda tensors: {f"unet.else{key[4:]}": value for key, value in tensors.items()}, "do not fit the base"),
        (
            lambda tensors: {key: value[..., :-1] if "lora_A" in key else value for key, value in tensors.items()},
            "of another shape",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_file(
    base: Path, adapters: Path, tmp_path: Path, change: Any, words: str
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({key: value.contiguous() for key, value in change(load_file(adapters)).items()}, path)
    with pytest.raises(WeightsError, match=words) as raised:
        loaded(base, path)
    assert str(path) in str(raised.value)


def test_training_on_pixels_lowers_their_loss_and_the_error_of_what_is_sampled(base: Path) -> None:
    method, data = loaded(base, train_on="pixels"), batch()

    def error() -> float:
        return float((refined(method, data["estimate"], data["rainy"]) - data["clear"]).abs().mean())

    before = error()
    losses = train(method, 12)
    assert losses[-1] < losses[0] and error() < before


def test_what_is_trained_on_pixels_is_sampled_in_the_step_that_it_knows(base: Path, tmp_path: Path) -> None:
    known = options(base, train_on="pixels")
    assert known.sampling_steps == 1 and options(base).sampling_steps == 4
    assert loaded(base, train_on="pixels").network_options()["train_on"] == "pixels", "its weights say so"
    with pytest.raises(ValueError, match="knows one step"):
        options(base, train_on="pixels", steps=4)
    with pytest.raises(ValueError, match="train_on pixels restores in one step"):
        options(base, train_on="pixels", strength=1.0)
    with pytest.raises(ValueError, match="not with train_on pixels"):
        options(base, train_on="pixels", guidance=3.0)
    method, path = loaded(base, train_on="pixels"), tmp_path / "pixels.safetensors"
    path.write_bytes(serialise(method.state(), {"architecture": method.network_options()}, header=method.header()))
    loaded(base, path, train_on="pixels")
    with pytest.raises(WeightsError, match=r"trained on pixels with strength 0\.3, and knows no other"):
        loaded(base, path, train_on="pixels", strength=0.6)


def test_less_memory_in_training_changes_no_gradient(base: Path) -> None:
    gradients = []
    for checkpointing in (True, False):
        torch.manual_seed(0)
        method = loaded(base, gradient_checkpointing=checkpointing, train_on="pixels")
        recipe = method.training()
        assert recipe is not None
        module: Any = recipe.module.train()
        module.prepare(recipe.hyperparameters, Progress())
        assert method.model.base.unet.is_gradient_checkpointing is checkpointing  # type: ignore[union-attr]
        module.training_losses(batch())["loss"].backward()
        gradients.append([value.grad.clone() for value in method.model.trained if value.grad is not None])
    assert gradients[0] and len(gradients[0]) == len(gradients[1])
    assert all(torch.allclose(*pair, atol=1e-6) for pair in zip(*gradients, strict=True))
    assert any(bool(value.abs().max() > 0) for value in gradients[0])


def test_the_rainy_picture_is_seen_after_training_and_kept(base: Path, tmp_path: Path) -> None:
    method = loaded(base, see_rainy=True)
    data = batch()
    assert torch.equal(
        refined(method, data["estimate"], data["rainy"]), refined(method, data["estimate"], data["clear"])
    ), "before training it is not looked at"
    train(method, 5)
    output = refined(method, data["estimate"], data["rainy"])
    assert not torch.equal(output, refined(method, data["estimate"], data["clear"]))
    path = tmp_path / "w.safetensors"
    path.write_bytes(serialise(method.state(), {}, header=method.header()))
    assert torch.equal(refined(loaded(base, path, see_rainy=True), data["estimate"], data["rainy"]), output)
    blind = tmp_path / "blind.safetensors"
    blind.write_bytes(serialise(loaded(base).state(), {}))
    with pytest.raises(WeightsError, match="trained without the rainy picture"):
        loaded(base, blind, see_rainy=True)


@pytest.mark.parametrize("words", ['{"unet.r": "x"}', '{"unet.r": 4', "[]"])
def test_what_a_file_says_of_its_adapters_may_be_nonsense(
    base: Path, adapters: Path, tmp_path: Path, words: str
) -> None:
    path = tmp_path / "said.safetensors"
    save_file(load_file(adapters), path, metadata={"lora_adapter_metadata": words})
    with pytest.raises(
        WeightsError, match=r"said\.safetensors: what it says of its adapters \(lora_adapter_metadata\)"
    ):
        loaded(base, path)


@pytest.mark.parametrize("targets", ["nope", "to_q,nope"])
def test_a_target_that_no_layer_has_is_named(base: Path, targets: str) -> None:
    with pytest.raises(OptionError, match=r"diffusion\.targets=.*nope.* Give layers of its attention"):
        loaded(base, targets=targets)


def test_options_are_typed_as_they_are_documented(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = options(base, targets="to_q, to_v", snr_gamma="none", steps="none", tile="none")
    assert typed.targets == ("to_q", "to_v") and typed.snr_gamma is None
    assert (typed.sampling_steps, typed.tile_side) == (4, 768)
    with pytest.raises(ValueError, match="leave it out of targets"):
        options(base, see_rainy=True, targets=("to_q", "conv_in"))
    monkeypatch.chdir(base.parent)
    assert DiffusionOptions(base=base.name).base == str(base), "from elsewhere it would be a name on the hub"


def test_plain_diffusers_refuses_what_sees_the_rainy_picture(base: Path, plain: Any, tmp_path: Path) -> None:
    method = loaded(base, see_rainy=True)
    path = tmp_path / "w.safetensors"
    path.write_bytes(serialise(method.state(), {}, header=method.header()))
    with pytest.raises(ValueError, match="Invalid LoRA checkpoint"):
        plain.load_lora_weights(tmp_path, weight_name=path.name)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("strength", [0.3, 0.7])
def test_one_step_of_a_network_that_is_right_gives_the_estimate_back(
    make_pipeline: Any, tmp_path: Path, prediction: str, strength: float
) -> None:
    """From the noisy latents of the estimate to those latents: what it has to predict is known."""
    make_pipeline(prediction=prediction).save_pretrained(tmp_path / "model")
    method = loaded(tmp_path / "model", train_on="pixels", strength=strength)
    recipe, data = method.training(), batch()
    assert recipe is not None
    module: Any = recipe.module
    latents = module.base.encode(data["estimate"]) * module.base.scaling
    seen: list[int] = []

    def right(noisy: Tensor, times: Tensor, text: Tensor) -> Tensor:
        seen.append(int(times[0]))
        kept = module.schedule.alphas_cumprod[times].view(-1, 1, 1, 1)
        noise = (noisy[:, :4] - kept.sqrt() * latents) / (1 - kept).sqrt()
        return noise if prediction == "epsilon" else kept.sqrt() * noise - (1 - kept).sqrt() * latents

    module.base.predict = right
    with torch.no_grad():
        output = module._in_one_step(data)
    assert torch.allclose(output, data["estimate"], atol=1e-3)
    assert seen == [{0.3: 299, 0.7: 699}[strength]], "where sampling begins"


def test_min_snr_weighs_what_is_nearly_clear_less(base: Path) -> None:
    times = torch.tensor([1, 100, 400, 900])
    for gamma, velocity in ((5.0, False), (5.0, True), (None, False)):
        recipe = loaded(base, snr_gamma=gamma).training()
        assert recipe is not None
        module: Any = recipe.module
        kept = module.schedule.alphas_cumprod[times]
        ratio = kept / (1 - kept)
        expected = torch.ones(4) if gamma is None else ratio.clamp(max=gamma) / (ratio + (1 if velocity else 0))
        weights = module._weights(times, velocity=velocity)
        assert torch.allclose(weights, expected, rtol=1e-4)
        if gamma and not velocity:
            assert weights[0] < 0.05 and float(weights[-1]) == pytest.approx(1)


def test_conditions_are_dropped_as_often_as_the_paper_has_it() -> None:
    torch.manual_seed(0)
    text, pictures = dropped(200_000, 0.05, CPU)
    assert float((text & pictures).float().mean()) == pytest.approx(0.05, abs=0.003)
    assert float((text & ~pictures).float().mean()) == pytest.approx(0.05, abs=0.003)
    assert float((pictures & ~text).float().mean()) == pytest.approx(0.05, abs=0.003)


def test_the_recipe_is_that_of_the_paper_for_fine_tuning(base: Path) -> None:
    recipe = loaded(base).training()
    assert recipe is not None
    assert recipe.hyperparameters == Hyperparameters(
        crop=256, batch_size=4, learning_rate=1e-4, weight_decay=1e-2, ema=0.999, schedule="cosine", jitter=0.0
    )
