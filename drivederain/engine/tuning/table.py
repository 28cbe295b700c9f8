"""What was tried, as a table: a line a value."""

from __future__ import annotations

import csv
import io
import json

from drivederain.engine.tuning.study import Findings, Tried

COLUMNS = (
    "variable", "value", "verdict", "psnr", "base_psnr", "difference", "needed", "ssim", "seeds", "psnr_by_seed",
    "epochs", "seconds", "setting", "trials", "reason",
)  # fmt: skip


def as_csv(findings: Findings) -> str:
    """The table with a header. Numbers are as they were computed; what was not is an empty text.

    ``psnr``, ``base_psnr``, ``difference`` and ``needed`` are in dB, means over the ``seeds`` that the value was
    trained with; ``seconds`` are of all its trainings, ``setting`` is JSON, ``trials`` are folders below ``trials/``.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(tried) for tried in findings.tried)
    return text.getvalue()


def _row(tried: Tried) -> dict[str, object]:
    row: dict[str, object] = {
        "variable": tried.variable,
        "value": tried.label,
        "verdict": tried.verdict,
        "setting": json.dumps(dict(tried.options)),
        "trials": " ".join(tried.folders),
        "reason": tried.reason,
        "seeds": len(tried.results),
    }
    if not tried.results:
        return row
    row |= {
        "psnr": tried.psnr,
        "base_psnr": tried.psnr - tried.difference,
        "difference": tried.difference,
        "ssim": tried.ssim,
        "psnr_by_seed": " ".join(map(str, tried.scores)),
        "epochs": " ".join(str(result.epochs) for result in tried.results),
        "seconds": round(sum(result.seconds for result in tried.results), 1),
    }
    return row | ({} if tried.verdict == "baseline" else {"needed": tried.needed})
