"""What names a base model: a folder, or a name on the hub."""

from __future__ import annotations

from pathlib import Path


def as_whole_path(base: str) -> str:
    """A folder by its whole path: from elsewhere a part of it would be taken for a name on the hub."""
    folder = Path(base).expanduser()
    return str(folder.resolve()) if folder.is_dir() else base
