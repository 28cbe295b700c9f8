"""Memory and time of InstructPix2Pix at its real size: the architecture of Stable Diffusion 1.5, with random weights.

    python benchmarks/speed/instruct.py FOLDER [--size 1920x1080] [--steps 1] [--tile 768]

FOLDER gets the model (4 GB, once). Weights do not change what memory a network takes; the picture that comes out is of
no use. The refiner runs in a child process, whose largest resident set is its memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from measure import report

from drivederain.engine.memory import PeakMemory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--tile", type=int, default=768)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for instruct.json")
    asked = parser.parse_args()
    if not (asked.folder / "model_index.json").exists():
        print(f"building the model in {asked.folder}", flush=True)
        build(asked.folder)
    width, height = map(int, asked.size.split("x"))
    here, there = multiprocessing.Pipe()
    arguments = (there, str(asked.folder), height, width, asked.steps, asked.tile, asked.threads)
    child = multiprocessing.get_context("spawn").Process(target=refine, args=arguments)
    child.start()
    there.close()
    loaded, peak, seconds = here.recv()
    child.join()
    figures = {"MB once loaded": round(loaded), "MB at most": round(peak), "seconds": round(seconds)}
    rows = [{"size": asked.size, "tile": asked.tile, "steps": asked.steps, **figures}]
    report("instruct", rows, asked.out)


def refine(answer: Connection, base: str, height: int, width: int, steps: int, tile: int, threads: int) -> None:
    """Refine a picture of noise once and send back the memory, MB, and the seconds."""
    from drivederain_methods.diffusion.method import Diffusion
    from drivederain_methods.diffusion.options import DiffusionOptions

    torch.set_num_threads(threads)
    cpu = torch.device("cpu")
    memory = PeakMemory(cpu)
    memory.start()
    method = Diffusion(DiffusionOptions(model="instruct-pix2pix", base=base, steps=steps, tile=tile))
    method.load(None, cpu)
    loaded = memory.peak_mb()
    method.generators = [torch.Generator().manual_seed(0)]
    side = [-(-length // 64) * 64 for length in (height, width)]
    rainy, estimate = torch.rand(2, 1, 3, *side)
    begun = time.perf_counter()
    with torch.inference_mode():
        method.refine(rainy, estimate)
    answer.send((loaded, memory.peak_mb(), time.perf_counter() - begun))


def build(folder: Path) -> None:
    """Save the pipeline with random weights."""
    from diffusers import (
        AutoencoderKL,
        EulerAncestralDiscreteScheduler,
        StableDiffusionInstructPix2PixPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    words = _tokenizer()
    text = CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
        max_position_embeddings=77, projection_dim=768,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, layers_per_block=2, sample_size=512,
    )  # fmt: skip
    unet = UNet2DConditionModel(sample_size=64, in_channels=8, cross_attention_dim=768)
    scheduler = EulerAncestralDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
    )
    pipeline: Any = StableDiffusionInstructPix2PixPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=words, unet=unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder)


def _tokenizer() -> Any:
    """Letters alone: how a prompt is cut into words changes no memory."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


if __name__ == "__main__":
    main()
