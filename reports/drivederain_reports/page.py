"""Writes ``report/index.html`` of a run: one file that opens without network."""

from __future__ import annotations

import base64
import hashlib
import itertools
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drivederain.results.intervals import LEVEL, RESAMPLES
from drivederain.results.published import published_beside
from drivederain.results.run_folder import RunFolder, write_atomically
from drivederain.results.sample_spread import sample_spreads
from drivederain.results.stage_gains import stage_gains
from drivederain.results.statistics import ALL, REFERENCE
from drivederain.specs import ReportSection
from drivederain_reports import figures
from drivederain_reports.artefacts import artefact_tables, harm_tables
from drivederain_reports.charts.figure import Figure, page_svg
from drivederain_reports.charts.looks import SHAPES
from drivederain_reports.criteria import checklists
from drivederain_reports.gallery import galleries
from drivederain_reports.losses import MOST, losses
from drivederain_reports.measured import measured
from drivederain_reports.paired_section import paired_tables
from drivederain_reports.pictures import Previews
from drivederain_reports.score_tables import Group
from drivederain_reports.speed import not_measured
from drivederain_reports.stage_images import stage_images
from drivederain_reports.standings import standings
from drivederain_reports.study_section import study_section
from drivederain_reports.training_section import trainings, without_history
from drivederain_reports.verdict import sample_words, verdicts
from drivederain_reports.weights_words import weights_in_full, weights_words

if TYPE_CHECKING:
    pass

SCRIPTS = (("theme",), ("tables",), ("charts",), ("zoom", "gallery", "contact_sheet"), ("print",))
"""Files of ``static/script``; those that use each other's names together."""


def render(run_folder: RunFolder, registry_sections: Sequence[ReportSection] = (), reference: str = REFERENCE) -> Path:
    """Write the report of a run from its stored results and return its path.

    The page loads nothing: style, script and preview pictures are in it, and its content security policy forbids the
    rest. The same run gives the same bytes. Previews are kept in ``report/previews`` for the next time.

    Args:
        run_folder: with ``run.json`` and ``results.parquet``; ``timings.parquet`` and ``images/`` are shown if there.
        registry_sections: sections of plugins; each is put into a sandboxed frame without scripts.
        reference: the method that the others are compared with picture by picture.

    Raises:
        DataError: the folder is no run, or a file in it is damaged; the message names the file. Or the run has no
            method ``reference``.
    """
    whole = measured(run_folder, reference)
    about, results, scores, summary = whole.about, whole.results, whole.scores, whole.summary
    methods, shown, clear = whole.methods, whole.rainy, whole.clear
    failures, skips = losses(results)
    gains = stage_gains(results, methods)
    previews = Previews(run_folder)
    script = _script()
    page = (
        _environment()
        .get_template("page.html.j2")
        .render(
            about=about,
            command=shlex.join(about.command),
            groups=shown,
            charts=whole.figures(),
            verdicts=verdicts(shown),
            galleries=galleries(run_folder, [*_once(shown), *_once(clear)], scores, results, methods, previews),
            standings=standings(shown, about.methods, whole.timings),
            checklists=checklists(shown, scores, gains, about.trainings),
            artefacts=artefact_tables(shown, scores, summary, about.metrics),
            harm=harm_tables(clear, summary, about.metrics),
            paired=paired_tables(shown, scores, reference),
            stage_gains=gains,
            stage_images=stage_images(gains, scores, about.metrics, whole.styles),
            spreads=sample_spreads(results, methods),
            study=study_section(run_folder),
            published=published_beside([method.model_dump() for method in about.methods], summary),
            weights_in_full={method.name: weights_in_full(method) for method in about.methods},
            weights_of={method.name: weights_words(method) for method in about.methods},
            metric_of={(metric.name, metric.variant): metric for metric in about.metrics},
            failures=failures,
            skips=skips,
            most=MOST,
            timings=whole.timings,
            timings_missing=not whole.has_timings,
            not_measured=not_measured(whole.timings, about.methods),
            trainings=trainings(run_folder, about, previews),
            without_history=without_history(about),
            sections=registry_sections,
            smoke_tests=[
                dataset.name for dataset in about.datasets if dataset.smoke_test and not dataset.clear_input_of
            ],
            styles=whole.styles,
            resamples=RESAMPLES,
            level=round(100 * LEVEL),
            draw=_numbered_svg(),
            SHAPES=SHAPES,
            REFERENCE=REFERENCE,
            ALL=ALL,
            css=Markup(_static("report.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        )
    )
    previews.prune()
    write_atomically(run_folder.report_html, page.encode("utf-8", "replace"))
    return run_folder.report_html


def _numbered_svg() -> Callable[[Figure], Markup]:
    """What draws figures, each with identifiers of its own."""
    numbers = itertools.count()
    return lambda figure: page_svg(figure, next(numbers))


def _once(shown: Sequence[Group]) -> list[Group]:
    """The first group of each data set: its pictures show the methods of all."""
    return list({(group.dataset.name, group.source): group for group in reversed(shown)}.values())[::-1]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("drivederain_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": figures.number,
        "signed": figures.signed,
        "count": figures.count,
        "p_value": figures.p_value,
        "duration": figures.seconds,
        "sample_words": sample_words,
    }
    environment.globals["plural"] = figures.plural
    return environment


def _script() -> str:
    """All parts, in blocks, so that names of one do not meet those of another."""
    blocks = ("\n".join(_static(f"script/{name}.js") for name in together) for together in SCRIPTS)
    return '"use strict";\n' + "".join(f"{{\n{block}}}\n" for block in blocks)


def _static(name: str) -> str:
    return (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")
