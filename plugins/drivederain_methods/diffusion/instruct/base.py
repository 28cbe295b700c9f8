"""The base model in the diffusers layout: found in a folder or in the hub's cache, or downloaded where that is allowed.

Only safetensors are read. The safety checker is not loaded: it blanks pictures, and judges none of a road.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from torch import Tensor

from drivederain.errors import OptionError, WeightsError
from drivederain_methods.diffusion.instruct import autoencoder

ADDRESS = "https://huggingface.co/"
CONDITIONED = 8
"""Channels that the network of an InstructPix2Pix takes: four noisy ones, four of the picture that is edited."""
PREDICTIONS = ("epsilon", "v_prediction")
"""What a network may be trained to predict of noisy latents."""


@dataclass
class Base:
    """What is used of the pipeline.

    ``prompt`` and ``nothing`` are 1 x 77 x C: the instruction and the empty one as the text encoder sees them. The
    encoder itself is freed. ``scheduler`` is the configuration of the schedule that the base was trained with.
    """

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    scheduler: Any
    prompt: Tensor
    nothing: Tensor

    @property
    def scaling(self) -> float:
        """What latents are multiplied by before noise is added."""
        return float(self.vae.config.scaling_factor)

    @property
    def latent_channels(self) -> int:
        """Channels of the latents of one picture."""
        return int(self.vae.config.latent_channels)

    def encode(self, pictures: Tensor, *, tile: int | None = None, sample: bool = False) -> Tensor:
        """See ``autoencoder.encode``."""
        return autoencoder.encode(self.vae, pictures, tile=tile, sample=sample)

    def decode(self, latents: Tensor, *, tile: int | None = None) -> Tensor:
        """See ``autoencoder.decode``."""
        return autoencoder.decode(self.vae, latents, tile=tile)

    def predict(self, latents: Tensor, time: Tensor, text: Tensor) -> Tensor:
        """What the network makes of noisy latents with their pictures behind them in the channels."""
        predicted: Tensor = self.unet(latents, time, text, return_dict=False)[0]
        return predicted.float()

    def __deepcopy__(self, memo: dict[int, Any]) -> Base:
        """Itself: averages of what is trained need no second base."""
        return self

    def to(self, device: torch.device) -> None:
        """Move everything to ``device``."""
        for network in (self.vae, self.unet):
            network.to(device)
        self.prompt, self.nothing = self.prompt.to(device), self.nothing.to(device)


def load_base(base: str, *, prompt: str, revision: str = "", may_download: bool = False) -> Base:
    """Load the base model to the CPU, float32, frozen and in evaluation mode.

    Args:
        base: a folder in the diffusers layout, or a name on the hub.
        prompt: the instruction.
        revision: of a name on the hub; "": the newest, or what lies in the cache.
        may_download: whether the network may be asked for what is not on this machine.

    Raises:
        WeightsError: it is not there, incomplete, not in safetensors, or no InstructPix2Pix.
        OptionError: the instruction is longer than the text encoder reads.
    """
    pipe = _load(
        StableDiffusionInstructPix2PixPipeline,
        base,
        revision=revision,
        may_download=may_download,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    kind = pipe.scheduler.config.get("prediction_type", "epsilon")
    if kind not in PREDICTIONS:
        raise WeightsError(
            f"{base}: its network predicts {kind}, and {' and '.join(PREDICTIONS)} are known here. "
            "Give another InstructPix2Pix."
        )
    channels = pipe.unet.config.in_channels
    if channels != CONDITIONED:
        raise WeightsError(
            f"{base}: its network takes {channels} channels, that of an InstructPix2Pix {CONDITIONED}. "
            "Give a model that edits pictures by instructions, as timbrooks/instruct-pix2pix."
        )
    with torch.no_grad():
        words = [_encoded(pipe, text) for text in (prompt, "")]
    for network in (pipe.vae, pipe.unet):
        network.requires_grad_(False).eval()
    return Base(pipe.vae, pipe.unet, pipe.scheduler.config, *words)


def load_vae(base: str, *, revision: str = "", may_download: bool = False) -> AutoencoderKL:
    """The autoencoder of the base model alone, on the CPU, float32, frozen; arguments and errors as ``load_base``."""
    vae: AutoencoderKL = _load(
        AutoencoderKL, base, owner="vae", revision=revision, may_download=may_download, subfolder="vae"
    )
    return vae.requires_grad_(False).eval()


def _load(kind: Any, base: str, *, owner: str = "diffusion", revision: str, may_download: bool, **more: Any) -> Any:
    """``owner``: the method whose option names the base."""
    folder = Path(base).expanduser()
    local = folder.is_dir()
    if not local and (folder.is_absolute() or base.startswith(".")):
        raise WeightsError(
            f"{owner}.base={base}: there is no such folder. Give one in the diffusers layout "
            f"(--set {owner}.base=FOLDER); weights that were trained elsewhere name the folder that was there."
        )
    if local and not (folder / "model_index.json").is_file():
        raise WeightsError(
            f"{folder}: no model in the diffusers layout, as there is no model_index.json in it. "
            "Give the folder that has it."
        )
    try:
        with _quiet():
            return kind.from_pretrained(
                str(folder) if local else base,
                revision=revision or None,
                local_files_only=local or not may_download,
                use_safetensors=True,
                dtype=torch.float32,
                **more,
            )
    # What is missing or damaged comes as OSError, ValueError, EnvironmentError or the hub's own errors.
    except Exception as error:
        if _out_of_memory(error):
            raise
        words = _cannot(base, owner=owner, local=local, may_download=may_download, error=error)
        raise WeightsError(words) from error


def _out_of_memory(error: Exception) -> bool:
    """The allocator of the CPU tells by its words alone."""
    told = any(words in str(error) for words in ("not enough memory", "can't allocate memory"))
    return told or isinstance(error, MemoryError | torch.OutOfMemoryError)


def _encoded(pipe: StableDiffusionInstructPix2PixPipeline, text: str) -> Tensor:
    # Counted apart, as the tokenizer cuts in silence.
    with _quiet():
        count, limit = len(pipe.tokenizer(text).input_ids), pipe.tokenizer.model_max_length
    if count > limit:
        raise OptionError(f"diffusion.prompt: {count} tokens, and the text encoder reads {limit}. Shorten it.")
    tokens = pipe.tokenizer(
        [text],
        padding="max_length",
        max_length=pipe.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    encoded: Tensor = pipe.text_encoder(tokens.input_ids)[0]
    return encoded


def _cannot(base: str, *, owner: str, local: bool, may_download: bool, error: Exception) -> str:
    reason = " ".join(str(error).split())[:300]
    as_what = "as an InstructPix2Pix" if owner == "diffusion" else "as an autoencoder"
    if local:
        return (
            f"{base}: it cannot be loaded {as_what} in the diffusers layout ({reason}). "
            "Weights must be safetensors: convert them, or download the folder again."
        )
    tried = "downloading it failed" if may_download else "it is not on this machine, or not all of it"
    fetch = "Fetch" if may_download else "Allow the network with --download where a command has it, or fetch"
    instead = " --set diffusion.model=bridge needs no download." if owner == "diffusion" else ""
    return (
        f"{owner}.base={base}: {tried} ({reason}). {fetch} {ADDRESS}{base} elsewhere "
        f"(hf download {base} --local-dir FOLDER) and give --set {owner}.base=FOLDER.{instead}"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of diffusers and transformers, and none of their advice."""
    logs = (diffusers.utils.logging, transformers.utils.logging)
    before = [(log, log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        yield
    finally:
        for log, level, bars in before:
            log.set_verbosity(level)
            if bars:
                log.enable_progress_bar()
