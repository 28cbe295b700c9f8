"""Where a run keeps its study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drivederain.results.run_folder import RunFolder


@dataclass(frozen=True)
class StudyFolder:
    """``study/`` of a run: ``index.html``, ``key.json`` and, once answers were scored, ``scores.json``."""

    path: Path

    @classmethod
    def of(cls, run: RunFolder) -> StudyFolder:
        return cls(run.path / "study")

    @property
    def page(self) -> Path:
        """What raters open; it holds pictures and opaque codes only."""
        return self.path / "index.html"

    @property
    def key(self) -> Path:
        """What the codes stand for. Not for raters."""
        return self.path / "key.json"

    @property
    def scores(self) -> Path:
        return self.path / "scores.json"
