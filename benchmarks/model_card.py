"""The model card of shipped weights: JSON beside the weights, and the same for readers as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivederain.results.run_folder import write_atomically

METRICS = (("psnr[rgb]", "PSNR, dB", 2), ("ssim[rgb]", "SSIM", 4), ("lpips[alex]", "LPIPS", 4))


def read_card(weights: Path) -> dict[str, Any]:
    """The card beside ``<name>.safetensors``."""
    card: dict[str, Any] = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    return card


def write_card(weights: Path, card: Mapping[str, Any]) -> None:
    """Write ``<name>.json`` and ``<name>.md`` beside ``<name>.safetensors``."""
    write_atomically(weights.with_suffix(".json"), (json.dumps(card, indent=1, sort_keys=True) + "\n").encode())
    write_atomically(weights.with_suffix(".md"), as_markdown(card).encode())


def as_markdown(card: Mapping[str, Any]) -> str:
    """The card for readers; hashes of the training pictures are only in the JSON."""
    training = card["training"]
    scenes = card["scenes"]
    facts = {
        "Method": card["method"],
        "Network": ", ".join(f"{name} {_plain(value)}" for name, value in sorted(card["architecture"].items())),
        "Parameters": f"{card['parameters']:,}" if "parameters" in card else "",
        "Stored as": "float16 safetensors, read into float32",
        "SHA-256": f"`{card['sha256']}`",
        "Licence": card["licence"],
        "Trained on": card["trained_on"],
        "Drawn scenes": f"{scenes['count']} (version {scenes['version']}, seed {scenes['seed']})"
        if scenes["count"]
        else "",
        "Drawn rain": f"generator {card['rain_generator']}, light, medium and heavy",
        "Trained behind": f"{card['behind']} `{card.get('behind_sha256', '')}`" if card["behind"] else "",
        "Training": f"{card['steps']} steps ({card['budget']}) on {card['device']} in {training['precision']}",
        "Chosen by": card.get("validated_on", ""),
        "Batches": f"{training['batch_size']} crops of {training['crop']} pixels, seed {training['seed']}",
        "Made with": f"torch {card['torch']}",
        "Settings": ", ".join(f"{name} {_plain(value)}" for name, value in training.get("hyperparameters", {}).items()),
        "Replaces": f"`{card['earlier_sha256']}`, scored below as earlier" if "earlier_sha256" in card else "",
        "Gone on from": _earlier(card.get("resumed_from")),
        "Which were made by": f"`{card['resumed_from']['command']}`" if "command" in _of(card, "resumed_from") else "",
        "Made by": f"`{card['command']}`" if "command" in card else "",
        "Fitted at the end": _fitted(_of(card, "fitted")),
        "To know": card.get("notes", ""),
    }
    lines = [f"# {card['method']}: shipped weights", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts.items() if value]
    if card.get("data"):
        lines += ["", "## Photographs", "", "| Group | Source | Licence | Photographs |", "|---|---|---|---|"]
        lines += [
            f"| {row['group']} | {row['source']} | {row['licence']} | {row['photographs']} |" for row in card["data"]
        ]
    lines += ["", "## Scores", ""]
    if card.get("scores"):
        lines += _scores(card["scores"])
    else:
        lines.append("None yet: `python benchmarks/score_shipped.py` fills them in.")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " + ".join(f"{weight:g} {term}" for term, weight in value.items())
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _of(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the card; nothing where it is missing, or is the hash that old cards have there."""
    part = card.get(name)
    return part if isinstance(part, Mapping) else {}


def _fitted(fitted: Mapping[str, Any]) -> str:
    """What was fitted when the training had ended."""
    if not fitted:
        return ""
    options = ", ".join(f"{name} {value:g}" for name, value in fitted["options"].items())
    return f"{options}, on {fitted['pictures']} validation pictures"


def _earlier(resumed: Any) -> str:
    """Where training went on from: the hash of that file, with or without what its metadata say."""
    if not resumed:
        return ""
    if isinstance(resumed, str):
        return f"`{resumed}`"
    return f"`{resumed['sha256']}` ({resumed['steps']} steps, {resumed['budget']}), counted above"


def _scores(scores: Mapping[str, Any]) -> list[str]:
    of_all = [found for entry in scores.values() for found in entry["intensities"].values()]
    kinds = [kind for kind in ("rainy", "earlier", "restored") if any(kind in found for found in of_all)]
    titles = " | ".join(f"{title}: {' | '.join(kinds)}" for _, title, _ in METRICS)
    lines = [f"| Photographs | Intensity | n | {titles} |", "|---|---|---" + "|---" * len(kinds) * len(METRICS) + "|"]
    for group, entry in sorted(scores.items()):
        for intensity, values in entry["intensities"].items():
            cells = [
                f"{values[kind][name]:.{decimals}f}" if kind in values else "-"
                for name, _, decimals in METRICS
                for kind in kinds
            ]
            lines.append(f"| {group} | {intensity} | {entry['photographs']} | {' | '.join(cells)} |")
    notes = {f"{group}: {entry['protocol']}" for group, entry in scores.items()}
    return [*lines, "", *sorted(f"- {note}" for note in notes)]
