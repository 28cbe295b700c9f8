"""The success criteria of the project's plan as a checklist: met, not met, or not measurable, with the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drivederain.results.stage_gains import JOIN, StageGain
from drivederain.results.statistics import ALL, REFERENCE, ScoreMatrix, paired_differences, score_matrix
from drivederain_reports.figures import number, plural, signed
from drivederain_reports.ranking import Ranking
from drivederain_reports.run_about import TrainingAbout
from drivederain_reports.score_tables import Group

if TYPE_CHECKING:
    import pandas as pd

MET, MISSED, UNKNOWN, NOT_ASKED = "met", "not met", "not measurable", "not asked"
PSNR_TARGET, SSIM_TARGET, REFINER_TARGET, VALIDATION_TARGET = 28.0, 0.85, 2.0, 25.0
SEVERITY = "visible_drops"
"""The metric by which real photographs are judged, lower is better."""


@dataclass(frozen=True)
class Answer:
    """One criterion of one method."""

    outcome: str
    figure: str
    why: str = ""


@dataclass(frozen=True)
class Criterion:
    """One row: an answer for each method of the checklist, in its order."""

    title: str
    rule: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Checklist:
    """The criteria for the methods of one group."""

    group: Group
    methods: tuple[str, ...]
    criteria: tuple[Criterion, ...]


def checklists(
    groups: Sequence[Group],
    scores: pd.DataFrame,
    gains: Sequence[StageGain],
    trainings: Sequence[TrainingAbout],
) -> list[Checklist]:
    """One for each group with scores against a truth.

    Args:
        scores: ``statistics.image_scores`` of the run.
        gains: ``stage_gains.stage_gains`` of the run.
    """
    found = []
    for group in groups:
        methods = tuple(name for name in group.methods if name != REFERENCE)
        if not group.rankings or not methods:
            continue
        judge = _Judge(group, scores, gains, trainings)
        rows = [
            ("PSNR above 28 dB", "Mean over all intensities.", judge.psnr),
            ("SSIM above 0.85", "Mean over all intensities.", judge.ssim),
            (
                "Refiner adds 2 dB",
                "PSNR of a chain over the chain without its last method, all intensities.",
                judge.refiner,
            ),
            (
                "Better than every baseline",
                "PSNR over all intensities above that of every other single method, told apart by the paired test.",
                judge.baselines,
            ),
            (
                "No degradation",
                "At each intensity the gain over the rainy input in PSNR is above zero with its whole interval.",
                judge.degradation,
            ),
            (
                "Robust from light to heavy",
                "From light to heavy the PSNR falls less than that of the rainy input, and there is a gain at heavy.",
                judge.robust,
            ),
            (
                "Validation above 25 dB",
                "PSNR of the pictures its training was validated on, best epoch.",
                judge.validation,
            ),
            (
                "Real photographs: less visible rain",
                "Visible-drop severity below that of the input with its whole interval, on data without ground truth.",
                judge.real,
            ),
        ]
        criteria = tuple(Criterion(title, rule, tuple(map(answer, methods))) for title, rule, answer in rows)
        found.append(Checklist(group, methods, criteria))
    return found


@dataclass(frozen=True)
class _Judge:
    """Answers for one group."""

    group: Group
    scores: pd.DataFrame
    gains: Sequence[StageGain]
    trainings: Sequence[TrainingAbout]

    @property
    def over_all(self) -> str:
        return ALL if ALL in self.group.intensities else self.group.intensities[0]

    def psnr(self, method: str) -> Answer:
        return self._mean(method, "psnr", PSNR_TARGET)

    def ssim(self, method: str) -> Answer:
        return self._mean(method, "ssim", SSIM_TARGET)

    def _mean(self, method: str, metric: str, target: float) -> Answer:
        ranking = self.group.rankings.get((self.over_all, metric))
        if ranking is None or method not in ranking.means:
            return Answer(UNKNOWN, "", f"no {metric.upper()} on enough of the pictures")
        mean = ranking.means[method]
        return Answer(_outcome(mean > target), _figure(mean, ranking))

    def refiner(self, method: str) -> Answer:
        before = method.rpartition(JOIN)[0]
        if not before:
            return Answer(NOT_ASKED, "", "no chain")
        place = (self.group.dataset.name, self.group.source, self.over_all, method)
        gain = next(
            (g.gain for g in self.gains if (g.dataset, g.intensity_source, g.intensity, g.chain) == place), None
        )
        if gain is None or not gain.finite:
            return Answer(UNKNOWN, "", f"{before} was not scored beside it")
        return Answer(_outcome(gain.mean >= REFINER_TARGET), f"{signed(gain.mean)} dB")

    def baselines(self, method: str) -> Answer:
        ranking = self.group.rankings.get((self.over_all, "psnr"))
        if ranking is None or method not in ranking.order:
            return Answer(UNKNOWN, "", "not ranked by PSNR")
        others = [name for name in ranking.order if JOIN not in name and name not in method.split(JOIN)]
        if not others:
            return Answer(UNKNOWN, "", "no other single method in this table")
        beaten = [name for name in others if ranking.above(method, name)]
        figure = f"{len(beaten)} of {len(others)}"
        left = [name for name in others if name not in beaten]
        return Answer(_outcome(not left), figure, "not above " + ", ".join(left) if left else "")

    def degradation(self, method: str) -> Answer:
        gains = self._gains(method)
        if not gains:
            return Answer(UNKNOWN, "", "no interval of a gain in PSNR")
        intensity = min(gains, key=lambda name: gains[name][0])
        mean, _, worse, images = gains[intensity]
        figure = f"least {signed(mean)} dB ({intensity})"
        why = f"{worse} of {plural(images, 'image')} worse than their input there"
        return Answer(_outcome(all(each[1] > 0 for each in gains.values())), figure, why)

    def robust(self, method: str) -> Answer:
        if "light" not in self.group.intensities or "heavy" not in self.group.intensities:
            return Answer(UNKNOWN, "", "needs both light and heavy rain")
        means = {}
        for name in (method, REFERENCE):
            for intensity in ("light", "heavy"):
                values = self._psnr(intensity, name)
                if not len(values):
                    return Answer(UNKNOWN, "", f"no PSNR at {intensity}")
                means[name, intensity] = float(values.mean())
        fall = means[method, "light"] - means[method, "heavy"]
        of_rainy = means[REFERENCE, "light"] - means[REFERENCE, "heavy"]
        gain = means[method, "heavy"] - means[REFERENCE, "heavy"]
        figure = f"falls {number(fall)} dB, the input {number(of_rainy)}"
        return Answer(_outcome(fall < of_rainy and gain > 0), figure, f"at heavy {signed(gain)} dB over the input")

    def validation(self, method: str) -> Answer:
        own = [training for training in self.trainings if training.chain == method and training.best is not None]
        best = [training.best.psnr for training in own if training.best and training.best.psnr is not None]
        if not best:
            return Answer(UNKNOWN, "", "no validated training is recorded with its weights")
        return Answer(_outcome(best[0] > VALIDATION_TARGET), f"{number(best[0])} dB", f"on {own[0].validated_on}")

    def real(self, method: str) -> Answer:
        own = self.scores[self.scores["metric"] == SEVERITY]
        own = own[own["intensity_source"] == "estimated"]
        answers = []
        for dataset, part in own.groupby("dataset", observed=True):
            variant = str(part["variant"].iloc[0])
            matrix = score_matrix(part, str(dataset), "estimated", ALL, "image", SEVERITY, variant)
            names = (str(dataset), "estimated", ALL)
            less = paired_differences(matrix, REFERENCE, [method], names)[method]
            if less.finite:
                answers.append((less.low > 0, f"{number(less.mean, 3)} less than the input", str(dataset)))
        if not answers:
            return Answer(UNKNOWN, "", "no photographs without ground truth were scored for visible drops")
        worst = min(answers)
        return Answer(_outcome(worst[0]), worst[1], f"on {worst[2]}")

    def _gains(self, method: str) -> dict[str, tuple[float, float, int, int]]:
        """By intensity: mean gain in PSNR, lower end of its interval, pictures that are worse, pictures."""
        found = {}
        for intensity in self.group.intensities:
            if intensity == ALL and len(self.group.intensities) > 1:
                continue
            matrix = self._matrix(intensity)
            gain = paired_differences(
                matrix, method, [REFERENCE], (self.group.dataset.name, self.group.source, intensity)
            )[REFERENCE]
            if gain.finite and not math.isnan(gain.low):
                differences = matrix.of(method) - matrix.of(REFERENCE)
                there = differences[np.isfinite(differences)]
                found[intensity] = (gain.mean, gain.low, int((there < 0).sum()), len(there))
        return found

    def _matrix(self, intensity: str) -> ScoreMatrix:
        return score_matrix(self.scores, self.group.dataset.name, self.group.source, intensity, "image", "psnr", "rgb")

    def _psnr(self, intensity: str, method: str) -> NDArray[np.float64]:
        values = self._matrix(intensity).of(method)
        return values[np.isfinite(values)]


def _outcome(met: bool) -> str:
    return MET if met else MISSED


def _figure(mean: float, ranking: Ranking) -> str:
    unit = f" {ranking.metric.unit}" if ranking.metric.unit else ""
    return f"{number(mean, ranking.metric.decimals)}{unit}"
