"""The command `harness judge calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.help import Verb
from harness.cli.judge import judge
from harness.cli.options import _option
from harness.cli.printing import make_folder, print_answer, print_json, write_page

LabelledFile = Annotated[
    Path,
    typer.Argument(help="JSONL with premise, claim and label, WiCE or ExpertQA, plain or gzipped (docs/judges.md)."),
]
Judges = Annotated[
    list[str],
    _option("judge", "A judge: nli:MODEL, seq2seq:MODEL, reranker:SPEC, chat:URL, lexical, recorded:FILE. Repeatable."),
]
SupportedFrom = Annotated[
    float, _option("supported-from", "Labels from this on count as supported; 1 is full support.", min=0, max=1)
]
CalibrationFolder = Annotated[
    Path | None,
    _option("out", "Write judges.json, index.html, the plot and a calibration file of each judge into this folder."),
]


@judge.command(
    "calibrate",
    cls=Verb,
    epilog="""Examples:

    harness judge calibrate claims.jsonl --judge lexical --judge nli:./model

    harness judge calibrate dev.jsonl.gz --judge reranker:BAAI/bge-reranker-v2-m3 --out calibrated""",
)
def judge_calibrate(  # noqa: PLR0917
    labelled: LabelledFile,
    judges: Judges,
    supported_from: SupportedFrom = 1.0,
    out: CalibrationFolder = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare judges with labels of people, and fit the threshold of each.

    Thresholds are fitted on one half of the claims. All figures are those of the other half, with 95 % intervals.
    """
    from harness import api
    from harness.progress import Terminal

    make_folder(out)
    report = api.judge_calibrate(
        labelled, judges, supported_from=supported_from, workspace=workspace, reporter=Terminal()
    )
    write_page(report, out)
    if as_json:
        print_json(report.as_dict())
        return
    print_answer(report)
    if out is not None:
        typer.echo(f"written: {out}/index.html, {', '.join(report.files)}")
