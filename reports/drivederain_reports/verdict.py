"""The verdict: for each data set and intensity, who is best, by how much, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivederain.results.intervals import FEWEST, Estimate
from drivederain.results.statistics import ALL, REFERENCE
from drivederain_reports.figures import interval, number, plural, signed
from drivederain_reports.ranking import Ranking
from drivederain_reports.score_tables import Group

VERDICT_METRICS = ("psnr", "lpips")


@dataclass(frozen=True)
class Difference:
    """A gain or a lead in words."""

    over: str
    amount: str
    interval: str
    outcome: str
    """``better``, ``worse``, ``unclear`` (the interval includes zero), or ``unknown`` (no interval)."""


@dataclass(frozen=True)
class Finding:
    """One sentence: the best method at one intensity by one metric."""

    metric: str
    label: str
    best: str
    """``""`` when nothing could be compared."""
    mean: str
    gain: Difference | None
    lead: Difference | None
    tiers: tuple[tuple[int, tuple[str, ...]], ...]
    """Ranks and the methods that share them, best first; the data cannot tell those of one rank apart."""
    detectable: str
    """The smallest lead over the runner-up that these pictures would show, "" without one."""
    n: int
    of: int
    scenes: int
    left_out: tuple[tuple[str, int], ...]

    @property
    def level(self) -> tuple[str, ...]:
        """Methods that share the first place with the best."""
        return self.tiers[0][1][1:] if self.tiers else ()

    @property
    def too_few_scenes(self) -> bool:
        """No result could tell two methods apart."""
        return 0 < self.scenes < FEWEST

    @property
    def left_out_words(self) -> str:
        return ", ".join(f"{name} ({images} of {self.of} scored)" for name, images in self.left_out)


@dataclass(frozen=True)
class Judgement:
    """The findings of one intensity."""

    intensity: str
    findings: tuple[Finding, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the findings leave out, once where they leave out the same."""
        return tuple(dict.fromkeys(finding.left_out_words for finding in self.findings if finding.left_out))


@dataclass(frozen=True)
class Verdict:
    """All judgements on one group; the one over all intensities comes first."""

    group: Group
    judgements: tuple[Judgement, ...]
    agree: bool | None
    """The metrics name the same best method over all intensities; ``None`` where fewer than two can be compared."""


def verdicts(groups: Sequence[Group]) -> list[Verdict]:
    """One verdict for each group with scores."""
    found = []
    for group in groups:
        if not group.rankings:
            continue
        order = [ALL] if ALL in group.intensities else []
        order += [name for name in group.intensities if name != ALL]
        judgements = tuple(
            Judgement(
                name, tuple(_finding(group.rankings[name, m]) for m in VERDICT_METRICS if (name, m) in group.rankings)
            )
            for name in order
        )
        bests = [finding.best for finding in judgements[0].findings if finding.best] if judgements else []
        found.append(Verdict(group, judgements, len(set(bests)) == 1 if len(bests) > 1 else None))
    return found


def _finding(ranking: Ranking) -> Finding:
    metric, best = ranking.metric, ranking.best
    unit = f" {metric.unit}" if metric.unit else ""
    gain = ranking.gain
    lead = ranking.leads.get(ranking.runner_up) if ranking.runner_up else None
    reach = ranking.detectable.get(ranking.runner_up or "", math.nan)
    return Finding(
        metric=metric.name,
        label=metric.label,
        best=best or "",
        mean=f"{number(ranking.means[best], metric.decimals)}{unit}" if best else "",
        gain=_difference(REFERENCE, gain, metric.decimals, unit) if gain else None,
        lead=_lead(ranking, lead, unit) if lead else None,
        tiers=tuple((ranking.ranks[group[0]], group) for group in ranking.groups),
        detectable=f"{number(reach, metric.decimals)}{unit}" if round(reach, metric.decimals) > 0 else "",
        n=ranking.n,
        of=ranking.of,
        scenes=lead.scenes if lead else gain.scenes if gain else 0,
        left_out=ranking.left_out,
    )


def _lead(ranking: Ranking, lead: Estimate, unit: str) -> Difference:
    """Over the runner-up, whose outcome is that of the test, not of the interval, which is not adjusted."""
    runner_up = ranking.runner_up or ""
    found = _difference(runner_up, lead, ranking.metric.decimals, unit)
    return replace(found, outcome="unclear" if ranking.level_with_best(runner_up) else "better")


def _difference(over: str, estimate: Estimate, decimals: int, unit: str) -> Difference:
    width = interval(estimate.low, estimate.high, decimals)
    outcome = "unknown" if not width else "better" if estimate.low > 0 else "worse" if estimate.high < 0 else "unclear"
    return Difference(over, f"{signed(estimate.mean, decimals)}{unit}", width, outcome)


def sample_words(finding: Finding) -> str:
    """On how much a finding rests."""
    words = plural(finding.n, "image")
    if finding.n != finding.of:
        words += f" of {finding.of} (those that every method has)"
    return f"{words}, {plural(finding.scenes, 'scene')}" if finding.scenes else words
