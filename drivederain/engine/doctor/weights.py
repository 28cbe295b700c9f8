"""Weights that ship with methods, and the carried networks of metrics and losses: there, and whole."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from drivederain.engine.doctor.check import Check
from drivederain.engine.weights_inventory import file_state
from drivederain.errors import WeightsError
from drivederain.specs import MethodSpec, WeightsSpec

FEATURE = "weights"
AGAIN = "Install the package again."


def check_weights(method: MethodSpec, weights: WeightsSpec, *, needed: bool) -> Check:
    """One of a method's weights, with its model card. Those of an address are fetched by the user."""
    name = f"{method.name} {weights.name}"
    if not weights.source.startswith("package:"):
        reason = f"not shipped: {weights.source} ({weights.licence})"
        return Check(FEATURE, name, "missing", reason, f"Fetch the file, and give it: --weights {method.name}=PATH")
    # The module of weights imports torch.
    from drivederain.weights import shipped

    try:
        path = shipped(weights).path
    except WeightsError as error:
        return Check(FEATURE, name, "broken", str(error), AGAIN, needed=needed)
    return check_file(name, path, weights.sha256, needed=needed)


def check_file(name: str, path: Path, sha256: str, *, needed: bool) -> Check:
    """A file whose bytes are recorded."""
    state = file_state(path, sha256)
    if state == "ok":
        return Check(FEATURE, name, "ok", f"{path.name}, {path.stat().st_size / 1e6:.1f} MB", needed=needed)
    if state == "missing":
        return Check(FEATURE, name, "missing", f"{path} is not there", AGAIN, needed=needed)
    reason = "its SHA-256 is not the recorded one" if state == "damaged" else "it cannot be read"
    return Check(FEATURE, name, "broken", f"{path}: {reason}", AGAIN, needed=needed)


def check_lpips_heads(package: str = "lpips") -> Check:
    """The linear heads of LPIPS come with its package, which is not imported here."""
    name, again = "LPIPS heads", f"Install it again: python -m pip install --force-reinstall --no-deps {package}"
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return Check(FEATURE, name, "missing", f"the package {package} is not installed", again, needed=True)
    path = Path(found.origin).parent / "weights" / "v0.1" / "alex.pth"
    if not path.is_file():
        return Check(FEATURE, name, "missing", f"{path} is not there", again, needed=True)
    return Check(FEATURE, name, "ok", f"{path.name} of the package {package}", needed=True)
