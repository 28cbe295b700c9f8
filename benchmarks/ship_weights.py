"""Make shipped weights of a training: float16 safetensors and a model card, as JSON and as Markdown.

    drivederain-bench train unet --data synthetic:FOLDER/train ... --out runs/unet
    python benchmarks/ship_weights.py runs/unet PHOTOS --out OUT

PHOTOS is the folder that ``shipped_data.py`` took its links from. A training that saw any other photograph is refused:
what is shipped may be passed on. ``score_shipped.py`` adds the scores to the card.
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

from drivederain.rain import GENERATOR_VERSION
from drivederain.registry import Registry
from drivederain.results.run_folder import write_atomically
from drivederain.results.training_folder import TrainingFolder
from drivederain.scenes import SCENES_VERSION
from drivederain.weights import read_weights, serialise, sha256_of
from model_card import read_card, write_card
from shipped_data import in_words, redistributable, sources

SCENES = re.compile(r"scenes(?::(\d+).*)?")
SHARE = 3.5
"""Training scenes for each that ``scenes:COUNT`` names."""


def command_of(record: dict[str, Any]) -> str:
    """The command as anybody would type it, without the folders of this machine."""
    words = [f"drivederain-bench train {record['method']}"]
    words += [f"--data {_short(text)}" for text in record["data"]]
    words += [f"--mix {','.join(f'{share:g}' for share in record['mix'])}"] if record["mix"] else []
    words += [f"--val-data {_short(text)}" for text in record["val_data"]]
    words += [f"--val-limit {record['val_limit']}"] if record["val_limit"] else []
    words += [f"--preset {record['preset']}"] if record["preset"] else []
    for method, typed in record["options"].items():
        words += [f"--set {shlex.quote(f'{method}.{name}={value}')}" for name, value in typed.items()]
    words += [f"--weights {name}={Path(path).name}" for name, path in record["weights"].items()]
    words += [f"--{unit} {limit:g}" for unit, limit in record["budget"].items()]
    words += [f"--seed {record['seed']} --precision {record['precision']}"]
    return " ".join(words)


def _short(text: str) -> str:
    kind, _, location = text.partition(":")
    return f"{kind}:{Path(location).name}" if "/" in location else text


def scenes_trained_on(record: dict[str, Any]) -> int:
    """How many drawn scenes there were among the data."""
    found = [SCENES.fullmatch(text) for text in record["data"]]
    return sum(int(int(match[1] or 12) * SHARE + 0.5) for match in found if match)


def gone_on_from(weights: Path) -> dict[str, Any]:
    """The card beside ``weights``.

    Raises:
        SystemExit: the card describes another file.
    """
    card = read_card(weights)
    if card["sha256"] != sha256_of(weights):
        raise SystemExit(f"{weights} is not the file that its card describes")
    return card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path, help="folder of a training")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--notes", default="", help="what a reader of the card should know besides")
    parser.add_argument(
        "--gone-on-from", type=Path, metavar="WEIGHTS", help="shipped weights, card beside them, that it was begun with"
    )
    arguments = parser.parse_args()
    folder = TrainingFolder(arguments.training)
    record = folder.read_record()
    source = folder.best if folder.best.exists() else folder.last
    weights = read_weights(source)
    about = dict(weights.metadata)
    photos = redistributable(arguments.photos)
    strangers = set(about["training_pictures"]) - {photo.content for photo in photos}
    scenes = scenes_trained_on(record)
    if len(strangers) > scenes:
        parser.error(f"{len(strangers)} training pictures are neither redistributable photographs nor drawn scenes")
    seen = [photo for photo in photos if photo.content in about["training_pictures"]]
    spec = Registry.discover().method(str(about["method"]))
    if (spec.name in record["weights"]) != (arguments.gone_on_from is not None):
        parser.error(
            "--gone-on-from is for a training that was begun with --weights of its own method, and needed then"
        )
    training = about["training"]
    short = {name: about[name] for name in ("method", "architecture", "budget", "steps", "behind", "behind_sha256")}
    short |= {"trained_on": in_words(seen, scenes), "licence": "Apache-2.0"}
    earlier = gone_on_from(arguments.gone_on_from) if arguments.gone_on_from else None
    if earlier:
        seen_before = set(earlier["training_pictures"])
        seen += [photo for photo in photos if photo.content in seen_before and photo not in seen]
        scenes += earlier["scenes"]["count"]
        short["budget"] = f"{earlier['budget']} + {short['budget']}"
        short["steps"] = int(short["steps"]) + int(earlier["steps"])
        short["trained_on"] = in_words(seen, scenes)
    path = arguments.out / f"{spec.name}.safetensors"
    write_atomically(path, serialise(weights.tensors, short, half=True))
    environment = record["environment"]
    card = short | {
        "training": training | {"seconds": record["seconds"]},
        "validated_on": record["validated_on"],
        "torch": environment["versions"]["torch"],
        "device": environment["gpu"] or "CPU",
        "parameters": about["facts"]["parameters"],
        "rain_generator": GENERATOR_VERSION,
        "scenes": {"version": SCENES_VERSION, "seed": record["seed"], "count": scenes},
        "data": sources(seen),
        "training_pictures": sorted(photo.content for photo in seen),
        "photos": [photo.path.name for photo in seen],
        "sha256": sha256_of(path),
        "command": command_of(record),
        "fitted": dict(about.get("fitted") or {}),
        "notes": arguments.notes,
    }
    if earlier:
        card["resumed_from"] = {
            name: earlier[name] for name in ("sha256", "steps", "budget", "command") if name in earlier
        }
    write_card(path, card)
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
