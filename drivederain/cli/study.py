"""``drivederain-bench study``: new, score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from drivederain_reports.study.scores import MethodScore, Scores

study = typer.Typer(
    name="study",
    help="Ask people which pictures are better: a blind page that opens offline, and strengths from the answers.",
    epilog="new takes --questions, --checks, --methods, --no-input, --seed, --send-to, --replace; score --run, --key.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@study.command("new")
def new(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run --out` wrote.")],
    questions: Annotated[int, typer.Option(help="Pairs of pictures to choose from.")] = 30,
    checks: Annotated[int, typer.Option(help="Attention checks, with an obvious answer, beside them.")] = 3,
    methods: Annotated[
        str | None, typer.Option(help="Chains to compare, as in unet,restormer.", show_default="all of the run")
    ] = None,
    with_input: Annotated[bool, typer.Option("--input/--no-input", help="The rainy input takes part.")] = True,
    seed: Annotated[int, typer.Option(help="Another one picks other pictures.")] = 0,
    send_to: Annotated[
        str, typer.Option(metavar="TEXT", help="Where raters send their answers.", show_default="nobody named")
    ] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Write over a study that is there.")] = False,
) -> None:
    """Write RUN/study/index.html, a blind page of pairs to send to raters, and key.json, which is not for them."""
    from drivederain.cli.console import console, errors
    from drivederain.cli.values import names
    from drivederain.engine.cache.quantities import size_words
    from drivederain.results.run_folder import RunFolder
    from drivederain_reports.figures import plural
    from drivederain_reports.study.new import new_study

    made = new_study(
        RunFolder(folder),
        questions=questions,
        checks=checks,
        methods=names(methods) if methods is not None else (),
        with_input=with_input,
        seed=seed,
        send_to=send_to,
        replace=replace,
    )
    for note in made.notes:
        errors.print(f"note: {note}", markup=False, soft_wrap=True, highlight=False)
    console.print(
        f"page: {made.folder.page} ({plural(made.pairs, 'question')}, {plural(made.checks, 'attention check')}, "
        f"{size_words(made.bytes)}, pictures {made.width} pixels wide): send it to raters\n"
        f"key: {made.folder.key}: keep it, do not send it\n"
        f"then: drivederain-bench study score FILES --run {folder}",
        markup=False, soft_wrap=True, highlight=False,
    )  # fmt: skip


@study.command("score")
def score(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Files of answers, or folders of them.")],
    run: Annotated[
        Path | None, typer.Option(help="The run that the study is of.", show_default="the one in runs/")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The study's key.json.", show_default="RUN/study/key.json")] = None,
) -> None:
    """Turn answers into strengths (Bradley-Terry), write RUN/study/scores.json and add them to the report."""
    from drivederain.cli.console import console, errors
    from drivederain.cli.report import write_report
    from drivederain.registry import Registry
    from drivederain.results.run_folder import RunFolder
    from drivederain_reports.study.find import answer_files, find_run
    from drivederain_reports.study.folder import StudyFolder
    from drivederain_reports.study.key import read_key
    from drivederain_reports.study.scoring import score_files

    given = answer_files(files)
    if run is not None:
        folder = RunFolder(run)
    else:
        folder = RunFolder(key.resolve().parent.parent) if key is not None else find_run(given)
    folder.about()  # no answers are read for a folder that is no run
    place = StudyFolder.of(folder)
    found = score_files(given, read_key(key or place.key), place.scores)
    for words in found.problems:
        errors.print(f"error: {words}", style="red", markup=False, soft_wrap=True, highlight=False)
    for path in found.repeated:
        errors.print(f"note: {path}: a later file is of the same rater", markup=False, soft_wrap=True, highlight=False)
    console.print(_table(found.scores))
    for words in _remarks(found.scores):
        console.print(words, markup=False, soft_wrap=True, highlight=False)
    report = write_report(folder, Registry.discover())
    console.print(f"scores: {place.scores}\nreport: {report}#study", markup=False, soft_wrap=True, highlight=False)
    if found.problems:
        raise typer.Exit(1)


def _table(scores: Scores) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for column in ("method", "strength", "95 % interval", "behind the first", "wins", "ties", "losses"):
        table.add_column(
            column, overflow="fold", no_wrap=column == "method", justify="left" if column == "method" else "right"
        )
    for each in scores.methods:
        behind = (
            "" if each is scores.methods[0] else f"{each.behind:.2f} {_interval(each.behind_low, each.behind_high)}"
        )
        numbers = (f"{each.strength:+.2f}", _interval(each.low, each.high), behind)
        table.add_row(escape(_shown(each)), *numbers, str(each.wins), str(each.ties), str(each.losses))
    return table


def _shown(each: MethodScore) -> str:
    return "rainy input" if each.name == "identity" else each.name


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"({low:+.2f} to {high:+.2f})"


def _remarks(scores: Scores) -> list[str]:
    from drivederain_reports.figures import plural

    left_out = len(scores.raters) - scores.counted
    words = [
        f"{plural(scores.answers, 'answer')} of {plural(scores.counted, 'rater')} on {plural(scores.scenes, 'scene')}"
    ]
    if left_out:
        words[0] += f"; {plural(left_out, 'rater')} left out, who failed more than one attention check"
    return words
