"""The terminal, and keeping other libraries from writing to it."""

from __future__ import annotations

import logging
import os
import warnings

from rich.console import Console

console = Console()
errors = Console(stderr=True)


def quiet_libraries() -> None:
    """No advice of libraries between our lines, and no network unless the user asked for it."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch|spandrel.*|timm.*|diffusers.*")
    for name in ("diffusers", "transformers", "timm", "lightning", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
