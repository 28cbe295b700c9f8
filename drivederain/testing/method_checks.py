"""What a method must hold so that its numbers can be compared with those of others, and what a failure means."""

from __future__ import annotations

import gc
import json
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from drivederain.engine.device import DeviceRunner
from drivederain.engine.stages import plain_facts
from drivederain.implementation import load_implementation
from drivederain.testing.subject import Pixels, Subject, picture, to_tensor
from drivederain.training.recipe import Recipe
from drivederain.weights import read_weights, serialise

MEAN_LEVELS: Final = 1.0
"""Levels of 255, on average, by which whole picture and tiles may differ."""
LOWER_PRECISION: Final = 2.0
"""Levels of 255, on average, by which a lower precision may differ from fp32."""
TILE: Final = 128
"""Pixels: the tile of the check, or the smallest that the method takes."""


class CheckFailed(Exception):
    """The message says what was seen and what it means for the numbers."""


class CheckSkipped(Exception):
    """The message says why it does not apply."""


@dataclass(frozen=True)
class Check:
    """One check. ``run`` returns what was measured, or raises ``CheckFailed`` or ``CheckSkipped``."""

    name: str
    means: str
    """What its failure means for the numbers."""
    run: Callable[[Subject], str]


def metadata(subject: Subject) -> str:
    spec = subject.spec
    lacks = [name for name in ("summary", "licence") if not getattr(spec, name)]
    if "fp32" not in spec.needs.precisions:
        lacks.append("fp32 among needs.precisions, which is what everything is compared in")
    if spec.options:
        fields = load_implementation(spec.options, owner=f"method {spec.name}, options").model_fields  # type: ignore[attr-defined]
        lacks += [f"a description of the option {name}" for name, each in fields.items() if not each.description]
    for weights in spec.weights:
        lacks += [
            f"{name} of the weights {weights.name}" for name in ("licence", "trained_on") if not getattr(weights, name)
        ]
        if weights.source.startswith("package:") and not weights.sha256:
            lacks.append(f"the SHA-256 of the weights {weights.name}")
    for score in spec.published:
        if "[" not in score.metric or not score.source:
            lacks.append(f"variant or source of the published {score.metric} on {score.dataset}")
    if lacks:
        raise CheckFailed(f"it does not give {'; '.join(lacks)}")
    return spec.licence


def loads(subject: Subject) -> str:
    method = subject.load()
    facts = plain_facts(method)
    json.dumps(facts, allow_nan=False)
    parameters = sum(each.numel() for network in method.networks() for each in network.parameters())
    if subject.spec.needs_weights and not parameters:
        raise CheckFailed(
            "it needs weights, and networks() finds no network: parameters and operations are not counted"
        )
    return f"{parameters:,} parameters" + (", untrained" if subject.untrained else "")


def odd_sizes(subject: Subject) -> str:
    runner = subject.runner()
    sizes = ((37, 53), (64, 64), (33, 130))
    for number, (height, width) in enumerate(sizes):
        _restored(subject, runner, picture(height, width, number))
    return ", ".join(f"{width}x{height}" for height, width in sizes)


def one_pixel(subject: Subject) -> str:
    runner = subject.runner()
    for size in ((1, 1), (1, 17), (5, 1)):
        _restored(subject, runner, picture(*size))
    return "1x1, 17x1, 1x5"


def large_by_tiles(subject: Subject) -> str:
    if not subject.spec.needs.may_tile:
        raise CheckSkipped("it must not be cut into tiles")
    tile = _rounded(max(TILE, subject.smallest), subject)
    _restored(subject, subject.runner(tile=tile), picture(tile + 45, 2 * tile + 13))
    return f"{2 * tile + 13}x{tile + 45} in tiles of {tile}"


def tile_against_whole(subject: Subject) -> str:
    if not subject.spec.needs.may_tile:
        raise CheckSkipped("it must not be cut into tiles")
    if subject.untrained:
        raise CheckSkipped("it has no weights here, and a random network says nothing of a trained one")
    # So large that neighbours have in common what they have in a run.
    tile = _rounded(max(TILE, subject.smallest, 2 * subject.spec.needs.tile_overlap), subject)
    whole_picture = picture(tile, 2 * tile)
    (whole,) = subject.restore(subject.runner(tile=4 * tile), whole_picture)
    (tiled,) = subject.restore(subject.runner(tile=tile), whole_picture)
    difference = _levels(whole, tiled)
    if difference > MEAN_LEVELS:
        raise CheckFailed(
            f"tiles of {tile} pixels change the picture by {difference:.2f} levels of 255 on average: where memory is "
            "short its scores would be others. Say may_tile=False in Needs, or give it a larger tile_overlap"
        )
    return f"{difference:.3f} levels of 255"


def batches(subject: Subject) -> str:
    pictures = [picture(48, 64, number) for number in range(3)]
    runner = subject.runner()
    names = [f"picture {number}" for number in range(3)]
    together = subject.restore(runner, *pictures, names=names)
    alone = [subject.restore(runner, each, names=[name])[0] for name, each in zip(names, pictures, strict=True)]
    worst = max(int(np.abs(one.astype(int) - two).max()) for one, two in zip(together, alone, strict=True))
    if worst > 1:
        raise CheckFailed(f"a picture changes by up to {worst} levels with those beside it in a batch")
    return f"at most {worst} levels"


def precisions(subject: Subject) -> str:
    lower = [name for name in subject.spec.needs.precisions if name != "fp32" and name != "fp16"]
    if not lower:
        raise CheckSkipped("it holds in fp32 alone")
    if subject.untrained:
        raise CheckSkipped("it has no weights here, and a random network says nothing of a trained one")
    asked = picture(64, 96)
    (full,) = subject.restore(subject.runner(), asked)
    words = []
    for name in lower:
        (found,) = subject.restore(subject.runner(precision=name), asked)
        difference = _levels(full, found)
        if difference > LOWER_PRECISION:
            raise CheckFailed(
                f"{name} changes the picture by {difference:.2f} levels of 255 on average: take it out of Needs"
            )
        words.append(f"{name} {difference:.3f} levels")
    return ", ".join(words)


def same_seed_same_picture(subject: Subject) -> str:
    asked = picture(48, 64)
    first, again = (subject.restore(subject.runner(seed=7), asked)[0] for _ in range(2))
    if not np.array_equal(first, again):
        raise CheckFailed("the same seed gives other pictures: nobody could repeat its scores")
    own = subject.spec.stochastic and not getattr(subject.options, "deterministic", False)
    (other,) = subject.restore(subject.runner(seed=8), asked)
    if not own and not np.array_equal(first, other):
        raise CheckFailed("another seed gives another picture, and its spec does not say stochastic=True")
    return "stochastic" if own else "deterministic"


def input_untouched(subject: Subject) -> str:
    side = subject.smallest
    method, rainy = subject.load(), to_tensor(picture(side, side))
    beside = subject.beside(rainy)
    given = [each for each in (rainy, beside) if each is not None]
    before = [each.clone() for each in given]
    subject.call(method, rainy, beside)
    if not all(map(torch.equal, given, before)):
        raise CheckFailed(
            "restore() writes into its input: a stage behind it, or a second pass, would see another picture"
        )
    return "unchanged"


def in_range(subject: Subject) -> str:
    if subject.untrained:
        raise CheckSkipped("it has no weights here, and a random network says nothing of a trained one")
    side = subject.smallest
    output = subject.call(subject.load(), to_tensor(picture(side, side)))
    low, high = float(output.min()), float(output.max())
    if high > 3 or low < -2:
        raise CheckFailed(f"values from {low:.1f} to {high:.1f}, where [0, 1] is wanted: most would be clamped")
    return f"{low:.2f} to {high:.2f}"


def finite_at_extremes(subject: Subject) -> str:
    runner, side = subject.runner(), 64
    black = np.zeros((side, side, 3), np.uint8)
    stripes = black.copy()
    stripes[::2] = 255
    for asked in (black, np.full_like(black, 255), stripes):
        _restored(subject, runner, asked)
    return "black, white, stripes"


def on_the_device(subject: Subject) -> str:
    if not torch.cuda.is_available():
        raise CheckSkipped("there is no CUDA device here")
    side = subject.smallest
    rainy = to_tensor(picture(side, side))
    here = subject.call(subject.load(), rainy)
    device = torch.device("cuda")
    method = subject.load(device)
    there = subject.call(method, rainy.to(device))
    if there.device.type != "cuda":
        raise CheckFailed(f"the output comes back on {there.device}, where it was given CUDA")
    difference = float((here - there.cpu()).abs().mean()) * 255
    if difference > MEAN_LEVELS:
        raise CheckFailed(f"CUDA and CPU differ by {difference:.2f} levels of 255 on average")
    return f"{difference:.3f} levels of 255 between CUDA and CPU"


def memory_freed(subject: Subject) -> str:
    method = subject.load()
    watched = [weakref.ref(each) for network in method.networks() for each in network.parameters()]
    if not watched:
        raise CheckSkipped("it has no parameters")
    method.close()
    del method
    gc.collect()
    alive = sum(each() is not None for each in watched)
    if alive:
        raise CheckFailed(
            f"{alive} of {len(watched)} parameters are still there after close(): methods that follow have less memory"
        )
    return f"{len(watched)} tensors"


def saved_and_loaded(subject: Subject) -> str:
    if not subject.spec.trainable:
        raise CheckSkipped("it is not trained here")
    method = subject.load()
    if not isinstance(method.training(), Recipe):
        raise CheckFailed("trainable=True, and training() returns no Recipe")
    tensors = method.state()
    if not tensors:
        raise CheckFailed("state() returns nothing: a training would be lost")
    with tempfile.TemporaryDirectory(prefix="drivederain-check-") as folder:
        file = Path(folder, "weights.safetensors")
        file.write_bytes(serialise(tensors, {"architecture": method.network_options()}, header=method.header()))
        saved = read_weights(file)
    side = subject.smallest
    rainy = to_tensor(picture(side, side))
    first = subject.call(method, rainy)
    again = subject.call(subject.load(weights=saved), rainy)
    if not torch.equal(first, again):
        raise CheckFailed(
            "loaded with what state() returned, it makes another picture: trained weights are not what is scored"
        )
    return f"{len(tensors)} tensors"


def speed(subject: Subject) -> str:
    asked, runner = picture(192, 256), subject.runner()
    subject.restore(runner, asked)
    started = time.perf_counter()
    subject.restore(runner, asked)
    seconds = time.perf_counter() - started
    return f"{1e6 * seconds / asked[..., 0].size:.2f} s a megapixel on the CPU, {torch.get_num_threads()} threads"


CHECKS: Final = (
    Check("metadata", "readers could not tell what was compared", metadata),
    Check("load", "it has no row", loads),
    Check("odd sizes", "it fails on most photographs", odd_sizes),
    Check("one pixel", "crops and thumbnails fail", one_pixel),
    Check("large pictures by tiles", "it fails where memory is short", large_by_tiles),
    Check("tiles against the whole", "scores depend on the memory of the machine", tile_against_whole),
    Check("batches", "scores depend on --batch", batches),
    Check("precisions", "scores depend on --precision", precisions),
    Check("seed", "nobody can repeat the scores", same_seed_same_picture),
    Check("input untouched", "chains and second passes see another picture", input_untouched),
    Check("range", "most of its values would be clamped", in_range),
    Check("finite", "rows are lost on dark or bright pictures", finite_at_extremes),
    Check("device", "scores depend on the device", on_the_device),
    Check("memory freed", "methods that follow run out of memory", memory_freed),
    Check("saved and loaded", "what is scored is not what was trained", saved_and_loaded),
    Check("speed", "it has no timing", speed),
)


def _restored(subject: Subject, runner: DeviceRunner, asked: Pixels) -> Pixels:
    (found,) = subject.restore(runner, asked)
    if found.shape != asked.shape:
        raise CheckFailed(f"a picture of {asked.shape} comes back as {found.shape}")
    return found


def _rounded(side: int, subject: Subject) -> int:
    """The next side that the method takes."""
    multiple = subject.spec.needs.multiple
    return -(-side // multiple) * multiple


def _levels(one: Pixels, two: Pixels) -> float:
    return float(np.abs(one.astype(int) - two.astype(int)).mean())
